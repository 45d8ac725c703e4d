"""NNTP by hand-written conversations (RFC 3977, 4643): logins, articles both ways, lists, and what is no login."""

from __future__ import annotations

from base64 import b64encode
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.mail_talk import C, Call, S
from support.parsing import Found, talk
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.nntp.parser import Nntp
from syswire.convert.protocols.nntp.probe import probe

ARTICLE = (
    b"From: Ann <ann@example.org>\r\nNewsgroups: misc.test\r\nSubject: one\r\nMessage-ID: <1@example.org>\r\n\r\n"
    b"AUTHINFO USER fred\r\nAUTHINFO PASS in-the-body\r\n..\r\n"
)
TALK: list[Call] = [
    (S, b"200 news.example.org InterNetNews NNRP server ready (posting ok)\r\n"),
    (C, b"CAPABILITIES\r\n"),
    (S, b"101 Capability list:\r\nVERSION 2\r\nAUTHINFO USER SASL\r\n.\r\n"),
    (C, b"GROUP misc.test\r\n"),
    (S, b"480 Authentication required\r\n"),
    (C, b"authinfo user fred\r\n"),
    (S, b"381 More\r\n"),
    (C, b"AUTHINFO PASS flint stone \r\n"),
    (S, b"481 Rejected\r\n"),
    (C, b"AUTHINFO SASL PLAIN AHRlc3QAMTIzNA==\r\n"),  # RFC 4643, 2.4.6
    (S, b"281 Authentication accepted\r\n"),
    (C, b"GROUP misc.test\r\nXOVER 1-2\r\nARTICLE 1\r\n"),
    (
        S,
        b"211 2 1 2 misc.test\r\n224 Overview\r\n1\tone\tann\r\n.\r\n220 1 <1@example.org> article\r\n"
        + ARTICLE
        + b".\r\n",
    ),
    (C, b"POST\r\n"),
    (S, b"340 Input article\r\n"),
    (C, ARTICLE + b".\r\n"),
    (S, b"240 Article received\r\n"),
    (C, b"QUIT\r\n"),
    (S, b"205 Bye\r\n"),
]


def secrets(found: Found) -> list[tuple[str | None, bytes, str, str]]:
    return [(s.username, s.secret, s.outcome, s.location) for s in found.sightings]


def test_a_whole_conversation() -> None:
    found = talk(Nntp, TALK)
    assert secrets(found) == [
        ("fred", b"flint stone ", "refused", "login"),
        ("test", b"1234", "accepted", "auth-plain"),
    ]
    assert [(r.kind, r.request.fields.get("command") if r.request else None) for r in found.records] == [
        *(("greeting", None), ("command", "CAPABILITIES"), ("command", "GROUP"), ("login", "AUTHINFO PASS")),
        *(("login", "AUTHINFO SASL"), ("command", "GROUP"), ("command", "XOVER"), ("mail", "ARTICLE")),
        *(("mail", "POST"), ("command", "QUIT")),
    ]
    assert found.answered[1] == {
        "code": 101,
        "text": "Capability list:",
        "listing": "VERSION 2\nAUTHINFO USER SASL",
        "lines": 2,
        "complete": True,
    }
    assert found.asked[3] == {"command": "AUTHINFO PASS", "mechanism": "USER", "user": "fred", "secret": True}
    size = len(ARTICLE) - 1  # of two dots that begin a line the first is taken off
    read, posted = found.answered[7], found.asked[8]
    assert read and (read["code"], read["subject"], read["size"], read["complete"]) == (220, "one", size, True)
    assert posted and (posted["message_id"], posted["size"], posted["complete"]) == ("<1@example.org>", size, True)
    text = repr([(r.request, r.response) for r in found.records])
    assert not [word for word in ("flint", "AHRl", "1234", "in-the-body") if word in text]
    client = b"".join(data for up, data in TALK if up and isinstance(data, bytes))
    for s in found.sightings:
        assert client[s.span.offset : s.span.offset + s.span.length] == s.raw


def test_sasl_in_turns() -> None:
    """RFC 2195, 2, carried by RFC 4643, 2.4."""
    challenge = b64encode(b"<1896.697170952@postoffice.reston.mci.net>")
    answer = b64encode(b"tim b913a602c7eda7a495b4e6e7334d3890")
    calls: list[Call] = [(S, b"200 ready\r\n"), (C, b"AUTHINFO SASL CRAM-MD5\r\n"), (S, b"383 " + challenge + b"\r\n")]
    (s,) = talk(Nntp, [*calls, (C, answer + b"\r\n"), (S, b"281 in\r\n")]).sightings
    assert (s.username, s.form, s.outcome) == ("tim", "hash", "accepted")
    assert s.secret == b"b913a602c7eda7a495b4e6e7334d3890:<1896.697170952@postoffice.reston.mci.net>"
    assert not talk(Nntp, [*calls, (C, b"*\r\n"), (S, b"481 no\r\n")]).sightings


def test_a_user_without_a_password() -> None:
    found = talk(Nntp, [(S, b"200 ready\r\n"), (C, b"AUTHINFO USER fred\r\n"), (S, b"281 in\r\n")])
    assert found.asked[1] == {"command": "AUTHINFO USER", "mechanism": "USER", "user": "fred"} and not found.sightings
    found = talk(Nntp, [(S, b"200 ready\r\n"), (C, b"AUTHINFO USER fred\r\n"), (S, b"502 no\r\n")])
    assert found.asked[1] == {"command": "AUTHINFO USER", "user": "fred"}
    found = talk(Nntp, [(S, b"200 ready\r\n"), (C, b"AUTHINFO USER fred\r\n"), (S, b"381 more\r\n")])
    assert found.records[1].kind == "login" and not found.sightings


@pytest.mark.parametrize(
    "said",
    [
        b"AUTHINFO USER fred",
        b"AUTHINFO PASS",
        b"AUTHINFO PASS ",
        b"AUTHINFO GENERIC x y",
        b"AUTHINFO SASL EXTERNAL =",
        b"GROUP AUTHINFO.PASS",
        b"HELP AUTHINFO PASS x",
    ],
)
def test_what_is_no_credential(said: bytes) -> None:
    found = talk(Nntp, [(S, b"200 AUTHINFO PASS x\r\n"), (C, said + b"\r\n"), (S, b"500 AUTHINFO PASS x\r\n")])
    assert not found.sightings


def test_articles_are_no_credential() -> None:
    take = b"TAKETHIS <1@x>\r\n" + ARTICLE + b".\r\nMODE STREAM\r\n"
    found = talk(Nntp, [(S, b"200 ready\r\n"), (C, take), (S, b"239 <1@x>\r\n203 ok\r\n")])
    assert [r.request.fields["command"] for r in found.records if r.request] == ["TAKETHIS", "MODE"]
    assert not found.sightings
    alone = talk(Nntp, [(C, b"POST\r\n" + ARTICLE + b".\r\nAUTHINFO USER a\r\nAUTHINFO PASS b c\r\n")])
    assert [(s.username, s.secret, s.outcome) for s in alone.sightings] == [("a", b"b c", "unknown")]


def test_starttls_and_compression() -> None:
    found = talk(Nntp, [(C, b"STARTTLS\r\n"), (S, b"382 go\r\n"), (C, b"\x16\3\1"), (S, b"\x16\3\3")])
    assert [(one.name, one.client, one.server) for one in found.switched] == [("tls", b"\x16\3\1", b"\x16\3\3")]
    found = talk(Nntp, [(C, b"COMPRESS DEFLATE\r\n"), (S, b"206 go\r\n"), (C, b"AUTHINFO PASS x\r\n")])
    assert len(found.records) == 1 and not found.sightings


def test_losses() -> None:
    lost = talk(Nntp, [(C, b"AUTHINFO USER a\r\nAUTHINFO PASS b\r\n"), (S, 9), (C, b"DATE\r\n"), (S, b"111 1\r\n")])
    assert [(s.secret, s.outcome) for s in lost.sightings] == [(b"b", "unknown")]
    cut = talk(Nntp, [(C, b"AUTHINFO USER a\r\nAUTHINFO PASS b")])
    assert [(s.secret, s.secret_complete) for s in cut.sightings] == [(b"b", False)]


def opening(client: bytes, server: bytes, first: bool = False, over: bool = False, port: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        client=client, server=server, first_to_server=first, over=over, server_port=port, client_port=0, path=""
    )


@pytest.mark.parametrize(
    ("client", "server", "first", "port"),
    [
        (b"", b"200 news.x InterNetNews server ready\r\n", False, 0),
        (b"", b"201 x NNTP Service Ready, posting prohibited\r\n", False, 0),
        (b"MODE READER\r\n", b"200 hello\r\n", False, 0),
        (b"AUTHINFO USER fred\r\n", b"200 hello\r\n", False, 0),
        (b"AUTHINFO USER fred\r\n", b"", True, 0),
        (b"GROUP a.b\r\n", b"200 hello\r\n", False, 119),
        (b"XOVER 1-9\r\n", b"224 data\r\n", True, 0),
    ],
)
def test_what_is_claimed(client: bytes, server: bytes, first: bool, port: int) -> None:
    assert probe(opening(client, server, first, port=port)) == YES


@pytest.mark.parametrize(
    ("client", "server", "first"),
    [
        (b"USER fred\r\n", b"220 FTP\r\n", False),
        (b"EHLO x\r\n", b"220 mx\r\n", False),
        (b"QUIT\r\n", b"221 bye\r\n", True),
        (b"LIST\r\n", b"150 here it comes\r\n", True),
        (b"MODE S\r\n", b"200 Mode set to S\r\n", True),
        (b"GET / HTTP/1.0\r\n", b"200 OK news\r\n", True),
        (b"NICK a\r\n", b":x 001 a :news\r\n", True),
        (b"GROUP x\r\n", b"", True),
        (b"a LOGIN b c\r\n", b"* OK news\r\n", False),
    ],
)
def test_what_is_not_claimed(client: bytes, server: bytes, first: bool) -> None:
    assert probe(opening(client, server, first, over=True)) == NO


@given(st.binary(max_size=80), st.binary(max_size=80), st.booleans(), st.booleans())
def test_any_bytes_are_judged(client: bytes, server: bytes, first: bool, over: bool) -> None:
    assert probe(opening(client, server, first, over)) in ((NO,) if over else (NO, MORE))


@pytest.mark.parametrize("cuts", [[1], [2], [3], [1, 5, 2], [17]])
def test_cuts_and_boundaries_make_no_difference(cuts: list[int]) -> None:
    whole = talk(Nntp, TALK)
    assert talk(Nntp, TALK, cuts=cuts).said() == whole.said()
    assert talk(Nntp, TALK, cuts=cuts, boundaries=False).said() == whole.said()


@st.composite
def mutated(draw: st.DrawFn) -> list[Call]:
    """The conversation with calls lost, dropped, turned round or changed within."""
    out: list[Call] = []
    for up, data in TALK:
        assert isinstance(data, bytes)
        what, at = draw(st.integers(0, 15)), draw(st.integers(0, len(data)))
        if what == 1:
            out.append((up, len(data)))
        elif what == 2:
            out.append((up, data[:at] + draw(st.binary(min_size=1, max_size=5)) + data[at + draw(st.integers(0, 9)) :]))
        elif what == 3:
            out.append((not up, data))
        elif what:
            out.append((up, data))
    return out


@given(mutated(), st.lists(st.integers(1, 40), min_size=1, max_size=3))
@settings(max_examples=250, deadline=None)
def test_damaged_talks_are_read_alike_however_cut(calls: list[Call], cuts: list[int]) -> None:
    assert talk(Nntp, calls, cuts=cuts, boundaries=False).said() == talk(Nntp, calls).said()


@pytest.mark.parametrize("piece", [b"x" * 4096, b"DATE\r\n" * 100, b"AUTHINFO PASS x\r\n" * 50, b"POST\r\n"])
def test_what_has_no_end_is_not_held(piece: bytes) -> None:
    class Forgetful(Found):
        def record(self, r: object, /) -> None: ...
        def sighting(self, s: object, /) -> None: ...

    parser = Nntp(Forgetful())
    for number in range(300):
        parser.data(True, piece, number * len(piece), "p", True)
    assert len(parser.client) <= 65536 + 16384 and len(parser._pending) <= 1000

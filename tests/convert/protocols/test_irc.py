"""IRC by hand-written conversations (RFC 2812, IRCv3): who logs in how, what is recorded, and what is no login."""

from __future__ import annotations

from base64 import b64encode
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.mail_talk import C, Call, S
from support.parsing import Found, talk
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.irc.parser import Irc
from syswire.convert.protocols.irc.probe import probe

PLAIN = b64encode(b"ann\0ann\0h4ns3l")
TALK: list[Call] = [
    (S, b":irc.x NOTICE AUTH :*** Looking up your hostname...\r\n"),
    (C, b"CAP LS 302\r\nPASS open-sesame\r\nNICK ann\r\nUSER ann 0 * :Ann of PASS x\r\n"),
    (S, b":irc.x CAP * LS :sasl multi-prefix\r\n"),
    (C, b"CAP REQ :sasl\r\n"),
    (S, b":irc.x CAP ann ACK :sasl\r\n"),
    (C, b"AUTHENTICATE PLAIN\r\n"),
    (S, b"AUTHENTICATE +\r\n"),
    (C, b"AUTHENTICATE " + PLAIN + b"\r\nCAP END\r\n"),
    (S, b":irc.x 900 ann ann!ann@h ann :You are now logged in as ann\r\n:irc.x 903 ann :SASL successful\r\n"),
    (S, b":irc.x 001 ann :Welcome\r\n:irc.x 375 ann :- motd: PASS your password with OPER a b\r\n"),
    (C, b"JOIN #chan,#other k3y-of-it\r\nMODE #chan +k k3y-of-it\r\nPRIVMSG #chan :hello all\r\n"),
    (S, b":ann!a@h JOIN #chan\r\n:bob!b@h PRIVMSG ann :hi there\r\n:bob!b@h PRIVMSG #chan :IDENTIFY me\r\n"),
    (C, b"OPER root wr0ng-one\r\n"),
    (S, b":irc.x 464 ann :Password incorrect\r\n"),
    (C, b"oper root r1ght-one\r\n"),
    (S, b":irc.x 381 ann :You are now an IRC operator\r\n"),
    (C, b"PRIVMSG NickServ :IDENTIFY s3rvice-pw\r\n"),
    (S, b":NickServ!s@services NOTICE ann :Password accepted - you are now recognized.\r\n"),
    (C, b"PRIVMSG bob :\x01DCC SEND a.zip 16909060 5000 10\x01\r\nQUIT :bye PASS all\r\n"),
    (S, b"ERROR :Closing Link: ann (Quit)\r\n"),
]
PASSWORDS = (
    "open-sesame",
    PLAIN.decode(),
    "h4ns3l",
    "k3y-of-it",
    "wr0ng-one",
    "r1ght-one",
    "s3rvice-pw",
    "hello all",
    "hi there",
)


def secrets(found: Found) -> list[tuple[str | None, bytes, str, str]]:
    return [(s.username, s.secret, s.outcome, s.location) for s in found.sightings]


def test_a_whole_conversation() -> None:
    found = talk(Irc, TALK)
    assert secrets(found) == [
        ("ann", b"h4ns3l", "accepted", "auth-plain"),
        ("ann", b"open-sesame", "accepted", "login"),
        ("root", b"wr0ng-one", "refused", "oper"),
        ("root", b"r1ght-one", "accepted", "oper"),
        ("ann", b"s3rvice-pw", "accepted", "service"),
    ]
    assert [(r.kind, r.request.fields.get("command") if r.request else None) for r in found.records] == [
        *(("login", "AUTHENTICATE"), ("login", "PASS"), ("irc", "JOIN"), ("irc", "MODE"), ("login", "OPER")),
        *(("login", "OPER"), ("login", "PRIVMSG"), ("irc", "PRIVMSG"), ("irc", "QUIT"), ("irc", None)),
    ]
    assert found.asked[1] == {
        "command": "PASS",
        "mechanism": "PASS",
        "nick": "ann",
        "user": "ann",
        "secret": True,
        "real_name": "Ann of PASS x",
    }
    assert found.answered[1] == {"code": 1, "text": "Welcome"}
    assert found.asked[2] == {"command": "JOIN", "secret": True, "arguments": "#chan,#other"}
    assert found.asked[6] == {
        "command": "PRIVMSG",
        "mechanism": "SERVICE",
        "user": "ann",
        "service": "nickserv",
        "verb": "IDENTIFY",
        "secret": True,
    }
    assert found.asked[7] == {"command": "PRIVMSG", "recipient": "bob", "arguments": "DCC SEND a.zip 16909060 5000 10"}
    assert found.asked[9] == {
        "messages": 2,
        "text_length": 9 + 33,
        "recipients": [
            {"recipient": "#chan", "messages": 1, "text_length": 9},
            {"recipient": "bob", "messages": 1, "text_length": 33},
        ],
    }
    assert found.answered[9] == {
        "messages": 3,
        "text_length": 8 + 11 + 43,
        "senders": [
            {"sender": "bob", "messages": 2, "text_length": 19},
            {"sender": "NickServ", "messages": 1, "text_length": 43},
        ],
    }
    text = repr([(r.request, r.response) for r in found.records])
    assert not [word for word in PASSWORDS if word in text]
    client = b"".join(data for up, data in TALK if up and isinstance(data, bytes))
    for s in found.sightings:
        assert client[s.span.offset : s.span.offset + s.span.length] == s.raw


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (b"NS IDENTIFY acc pw12", ("acc", b"pw12", "service")),
        (b"NickServ :identify pw12", ("joe", b"pw12", "service")),
        (b"PRIVMSG NickServ@services.net :ID pw12", ("joe", b"pw12", "service")),
        (b"PRIVMSG nickserv :REGISTER pw12 me@x.org", ("joe", b"pw12", "service")),
        (b"NS GHOST old pw12", ("old", b"pw12", "service")),
        (b"NS SET PASSWORD pw12", ("joe", b"pw12", "service")),
        (b"PRIVMSG Q@CServe.quakenet.org :AUTH acc pw12", ("acc", b"pw12", "service")),
        (b"PRIVMSG X@channels.undernet.org :LOGIN acc pw12", ("acc", b"pw12", "service")),
        (b"CS IDENTIFY #chan pw12", ("#chan", b"pw12", "service")),
        (b"OPER op :pw12 with blanks", ("op", b"pw12 with blanks", "oper")),
    ],
)
def test_places_of_passwords(said: bytes, expected: tuple[str, bytes, str]) -> None:
    head: list[Call] = [(C, b"NICK joe\r\nUSER j 0 * :J\r\n"), (S, b":x 001 joe :hi\r\n")]
    found = talk(Irc, [*head, (C, said + b"\r\n")])
    assert [(s.username, s.secret, s.location) for s in found.sightings] == [expected]
    assert found.sightings[0].outcome == "unknown"
    for end in range(1, len(said)):
        cut = talk(Irc, [*head, (C, said[:end])])
        assert all(not s.secret_complete for s in cut.sightings)


@pytest.mark.parametrize(
    "said",
    [
        b"USER a b c :PASS secret",
        b"PRIVMSG NickServ :HELP IDENTIFY",
        b"PRIVMSG NickServ :IDENTIFY",
        b"PRIVMSG NickServ :SET EMAIL me@x.org",
        b"PRIVMSG NickServ :REGISTER",
        b"PRIVMSG NickServ :INFO joe",
        b"PRIVMSG #chan :IDENTIFY yourself now",
        b"PRIVMSG bob :my password is x, PASS it on",
        b"NOTICE AUTH :*** Looking up",
        b"PASS",
        b"PASS :",
        b"OPER root",
        b"JOIN #chan key",
        b"TOPIC #chan :OPER root x",
        b"AUTHENTICATE ANONYMOUS",
    ],
)
def test_what_a_client_says_is_no_credential(said: bytes) -> None:
    assert not talk(Irc, [(C, b"NICK joe\r\n" + said + b"\r\n")]).sightings


def test_what_a_server_says_is_no_credential() -> None:
    said = (
        b":x NOTICE AUTH :*** PASS x\r\nPASS x\r\n:x 372 joe :- OPER a b\r\n"
        b":b!b@c PRIVMSG NickServ :IDENTIFY x\r\nAUTHENTICATE PLAIN\r\n"
    )
    assert not talk(Irc, [(S, said), (C, b"NICK joe\r\n"), (S, said)]).sightings


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (b":x 464 joe :Password incorrect", "refused"),
        (b"ERROR :Closing Link: h (Bad Password)", "refused"),
        (b"ERROR :Closing Link: h (Banned)", "unknown"),
        (b":x 433 * joe :Nickname is in use", "unknown"),
        (b":x 001 joe :hi", "accepted"),
    ],
)
def test_verdicts_on_pass(answer: bytes, outcome: str) -> None:
    found = talk(Irc, [(C, b"PASS pw12\r\nNICK joe\r\nUSER a b c :d\r\n"), (S, answer + b"\r\n")])
    assert secrets(found) == [("joe", b"pw12", outcome, "login")]


def test_a_token_of_a_chat_site_and_a_password_without_a_name() -> None:
    found = talk(Irc, [(C, b"PASS oauth:abcdefgh12345678\r\nNICK joe\r\n"), (S, b":tmi 001 joe :Welcome, GLHF!\r\n")])
    (s,) = found.sightings
    assert (s.username, s.secret, s.raw, s.form) == ("joe", b"abcdefgh12345678", b"oauth:abcdefgh12345678", "token")
    assert secrets(talk(Irc, [(C, b"PASS pw12\r\n")])) == [(None, b"pw12", "unknown", "login")]
    assert secrets(talk(Irc, [(C, b"PASS one1\r\nPASS two2\r\nNICK a\r\n")])) == [
        (None, b"one1", "unknown", "login"),
        ("a", b"two2", "unknown", "login"),
    ]


def test_sasl_in_chunks_refused_and_aborted() -> None:
    password = b"x" * 400
    token = b64encode(b"\0ann\0" + password)
    lines = b"".join(b"AUTHENTICATE " + token[at : at + 400] + b"\r\n" for at in range(0, len(token), 400))
    assert len(token) == 540
    found = talk(Irc, [(C, b"AUTHENTICATE PLAIN\r\n" + lines), (S, b":x 904 * :no\r\n")])
    assert secrets(found) == [("ann", password, "refused", "auth-plain")]
    exact = b64encode(b"\0ann\0" + b"y" * 295)
    assert len(exact) == 400
    found = talk(
        Irc, [(C, b"AUTHENTICATE PLAIN\r\nAUTHENTICATE " + exact + b"\r\nAUTHENTICATE +\r\n"), (S, b":x 903 a :y\r\n")]
    )
    assert secrets(found) == [("ann", b"y" * 295, "accepted", "auth-plain")]
    assert not talk(Irc, [(C, b"AUTHENTICATE PLAIN\r\nAUTHENTICATE *\r\n"), (S, b":x 906 * :aborted\r\n")]).sightings
    twice = b"AUTHENTICATE PLAIN\r\nAUTHENTICATE " + PLAIN + b"\r\n"
    assert [s.secret for s in talk(Irc, [(C, twice + twice)]).sightings] == [b"h4ns3l"] * 2


def test_scram_by_sasl() -> None:
    """RFC 5802, 5."""
    calls: list[Call] = [
        (C, b"AUTHENTICATE SCRAM-SHA-1\r\n"),
        (S, b"AUTHENTICATE +\r\n"),
        (C, b"AUTHENTICATE " + b64encode(b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL") + b"\r\n"),
        (
            S,
            b"AUTHENTICATE "
            + b64encode(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")
            + b"\r\n",
        ),
        (
            C,
            b"AUTHENTICATE "
            + b64encode(b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")
            + b"\r\n",
        ),
        (S, b"AUTHENTICATE dj1ybUY5cHFWOFM3c3VBb1pXamE0ZEpSa0ZzS1E9\r\n"),
        (C, b"AUTHENTICATE +\r\n"),
        (S, b":x 903 user :in\r\n"),
    ]
    (s,) = talk(Irc, calls).sightings
    assert (s.username, s.form, s.outcome) == ("user", "hash", "accepted")
    assert s.secret.startswith(b"$scram-sha-1$user$4096$QSXCR+Q6sek8bf92$") and s.secret.endswith(
        b"$v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    )


def test_starttls() -> None:
    found = talk(Irc, [(C, b"STARTTLS\r\n"), (S, b":x 670 * :go\r\n"), (C, b"\x16\3\1PASS x\r\n"), (S, b"\x16\3\3")])
    assert [(one.name, one.client, one.server) for one in found.switched] == [
        ("tls", b"\x16\3\1PASS x\r\n", b"\x16\3\3")
    ]
    assert found.asked == [{"command": "STARTTLS"}] and found.answered == [{"code": 670, "text": "go"}]
    refused = talk(Irc, [(C, b"STARTTLS\r\n"), (S, b":x 691 * :no\r\n"), (C, b"PASS x1\r\nNICK a\r\n")])
    assert [s.secret for s in refused.sightings] == [b"x1"] and not refused.switched


def test_losses() -> None:
    lost = talk(Irc, [(C, b"OPER a b1\r\n"), (S, 20), (C, b"OPER a b2\r\n"), (S, b":x 381 a :yes\r\n")])
    assert [(s.secret, s.outcome) for s in lost.sightings] == [(b"b1", "unknown"), (b"b2", "accepted")]
    sasl = talk(Irc, [(C, b"AUTHENTICATE PLAIN\r\n"), (C, 9), (C, b"AUTHENTICATE " + PLAIN + b"\r\n")])
    assert not sasl.sightings


def opening(client: bytes, server: bytes, first: bool = True, over: bool = False, port: int = 0) -> SimpleNamespace:
    return SimpleNamespace(
        client=client,
        server=server,
        first_to_server=first,
        over=over,
        server_port=port,
        client_port=0,
        path="",
        transport="tcp",
    )


@pytest.mark.parametrize(
    ("client", "server", "first"),
    [
        (b"NICK joe\r\nUSER joe 0 * :Joe\r\n", b"", True),
        (b"USER joe h s :Joe\nNICK joe\n", b"", True),
        (b"PASS x\r\nNICK joe\r\n", b"", True),
        (b"CAP LS 302\r\n", b"", True),
        (b"", b":irc.x NOTICE AUTH :*** Looking up\r\n", False),
        (b"", b"NOTICE AUTH :*** Looking up\r\n", False),
        (b"NICK joe\r\n", b":irc.x NOTICE * :*** hi\r\n", True),
        (b"  NICK  joe\r\n", b"PING :123\r\n", True),
        (b"", b":bob!b@h PRIVMSG #chan :hello\r\n", False),
        (b"PRIVMSG #chan :hello\r\n", b"", True),
        (b"", b":irc.x 353 joe = #chan :joe bob\r\n", False),
        (b"PASS x TS 6 :1AA\r\nCAPAB :QS EX\r\n", b"", True),
    ],
)
def test_what_is_claimed(client: bytes, server: bytes, first: bool) -> None:
    assert probe(opening(client, server, first)) == YES


@pytest.mark.parametrize(
    ("client", "server", "first"),
    [
        (b"USER joe\r\nPASS x\r\n", b"220 FTP\r\n", False),
        (b"USER joe\r\nPASS x\r\n", b"", True),
        (b"PASS x\r\n", b"230 in\r\n", True),
        (b"NICK joe\r\n", b"500 what?\r\n", True),
        (b"PING\r\n", b"+PONG\r\n", True),
        (b"CONNECT {}\r\nPING\r\n", b'INFO {"server_id":"x"}\r\n', False),
        (b"GET / HTTP/1.1\r\n", b"", True),
        (b"AUTHINFO USER joe\r\n", b"200 news\r\n", False),
        (b"", b": comment\r\n", False),
        (b"SIP/2.0 200 OK\r\n", b"", True),
        (b"EHLO x\r\n", b"220 mx NOTICE AUTH :x\r\n", False),
        (b"a1 LOGIN joe x\r\n", b":x 001 a :b\r\n", True),
    ],
)
def test_what_is_not_claimed(client: bytes, server: bytes, first: bool) -> None:
    assert probe(opening(client, server, first, over=True)) == NO


def test_beginnings_wait() -> None:
    whole = b"PASS x\r\nNICK joe\r\nUSER joe 0 * :Joe\r\n"
    assert [probe(opening(whole[:end], b"")) for end in range(1, 18)] == [MORE] * 17
    assert probe(opening(whole, b"")) == YES


@given(st.binary(max_size=80), st.binary(max_size=80), st.booleans(), st.booleans())
def test_any_bytes_are_judged(client: bytes, server: bytes, first: bool, over: bool) -> None:
    assert probe(opening(client, server, first, over)) in ((NO,) if over else (NO, MORE))


@pytest.mark.parametrize("cuts", [[1], [2], [3], [1, 5, 2], [17]])
def test_cuts_and_boundaries_make_no_difference(cuts: list[int]) -> None:
    whole = talk(Irc, TALK)
    assert talk(Irc, TALK, cuts=cuts).said() == whole.said()
    assert talk(Irc, TALK, cuts=cuts, boundaries=False).said() == whole.said()


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
@settings(max_examples=200, deadline=None)
def test_damaged_talks_are_read_alike_however_cut(calls: list[Call], cuts: list[int]) -> None:
    assert talk(Irc, calls, cuts=cuts, boundaries=False).said() == talk(Irc, calls).said()


@pytest.mark.parametrize(
    "piece", [b"x" * 4096, b"OPER a b\r\n" * 100, b"PRIVMSG %d :x\r\n", b"AUTHENTICATE " + b"A" * 400 + b"\r\n"]
)
def test_what_has_no_end_is_not_held(piece: bytes) -> None:
    class Forgetful(Found):
        def record(self, r: object, /) -> None: ...
        def sighting(self, s: object, /) -> None: ...

    parser, offset = Irc(Forgetful()), 0
    for number in range(300):
        data = piece % number if b"%d" in piece else piece
        parser.data(True, b"AUTHENTICATE PLAIN\r\n" * (number == 0) + data, offset, "p", True)
        offset += len(data)
    assert len(parser.client) <= 16384 and len(parser.opers) <= 32
    assert parser.attempt is None or len(parser.attempt.token) < 66_000

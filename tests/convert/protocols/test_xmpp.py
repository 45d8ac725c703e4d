"""XMPP by hand-written conversations (RFC 6120, XEP-0078, XEP-0114, XEP-0388): logins, counts, and what is no login."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.mail_talk import C, Call, S
from support.parsing import Found, talk
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.xmpp.parser import Xmpp
from syswire.convert.protocols.xmpp.probe import probe

SPACES = b"xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
HEAD = b"<?xml version='1.0'?><stream:stream to='im.example' " + SPACES
BACK = b"<?xml version='1.0'?><stream:stream from='im.example' id='s-42' " + SPACES
SASL = b"xmlns='urn:ietf:params:xml:ns:xmpp-sasl'"
FEATURES = b"<stream:features><mechanisms " + SASL + b"><mechanism>PLAIN</mechanism></mechanisms></stream:features>"
TALK: list[Call] = [
    (C, HEAD),
    (S, BACK + FEATURES),
    (C, b"<auth " + SASL + b" mechanism='PLAIN'>AGp1bGlldAByMG0zMG15cjBtMzA=</auth>"),  # RFC 6120, 9.1.2: romeo...
    (S, b"<failure " + SASL + b"><not-authorized/></failure>"),
    (C, b"<auth " + SASL + b' mechanism="PLAIN">\n  AGp1bGlldABoNG5zM2w=\n</auth >'),
    (S, b"<success " + SASL + b"/>"),
    (C, HEAD),
    (S, BACK + b"<stream:features/>"),
    (C, b"<iq type='set' id='b1'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>x</resource></bind></iq>"),
    (S, b"<iq type='result' id='b1'><bind><jid>juliet@im.example/x</jid></bind></iq>"),
    (
        C,
        b"<presence/><message to='romeo@example.net' type='chat'><body>&lt;auth mechanism='PLAIN'&gt;AGEAYg=="
        b"&lt;/auth&gt;</body></message>",
    ),
    (
        S,
        b"<message from='romeo@example.net'><body>my password is x</body>"
        b"<auth mechanism='PLAIN'>AGEAYg==</auth></message>",
    ),
    (
        C,
        b"<iq type='set' id='p1'><query xmlns='jabber:iq:register'><username>juliet</username>"
        b"<password>n3w&amp;&#x21;</password></query></iq>",
    ),
    (S, b"<iq type='result' id='p1'/>"),
    (C, b"</stream:stream>"),
    (S, b"</stream:stream>"),
]


def secrets(found: Found) -> list[tuple[str | None, bytes, str, str]]:
    return [(s.username, s.secret, s.outcome, s.location) for s in found.sightings]


def test_a_whole_conversation() -> None:
    found = talk(Xmpp, TALK)
    assert secrets(found) == [
        ("juliet", b"r0m30myr0m30", "refused", "auth-plain"),
        ("juliet", b"h4ns3l", "accepted", "auth-plain"),
        ("juliet", b"n3w&!", "accepted", "register"),
    ]
    assert found.asked == [
        {"command": "auth", "mechanism": "PLAIN", "user": "juliet", "secret": True},
        {"command": "auth", "mechanism": "PLAIN", "user": "juliet", "secret": True},
        {"command": "iq", "mechanism": "IQ-REGISTER", "user": "juliet", "secret": True},
        {"domain": "im.example", "version": "1.0", "messages": 1, "presences": 1, "queries": 2},
    ]
    assert found.answered == [
        {"reply": "failure", "text": "not-authorized"},
        {"reply": "success"},
        {"reply": "result"},
        {"sender": "im.example", "stream_id": "s-42", "version": "1.0", "messages": 1, "presences": 0, "queries": 2},
    ]
    client = b"".join(data for up, data in TALK if up and isinstance(data, bytes))
    for s in found.sightings:
        assert client[s.span.offset : s.span.offset + s.span.length] == s.raw
    assert [s.raw for s in found.sightings][1:] == [b"AGp1bGlldABoNG5zM2w=", b"n3w&amp;&#x21;"]


def test_scram() -> None:
    """RFC 5802, 5, carried by RFC 6120; with what the server knows at the end in its success."""
    calls: list[Call] = [
        (
            C,
            HEAD
            + b"<auth "
            + SASL
            + b" mechanism='SCRAM-SHA-1'>"
            + b64encode(b"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL")
            + b"</auth>",
        ),
        (
            S,
            BACK
            + b"<challenge>"
            + b64encode(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096")
            + b"</challenge>",
        ),
        (
            C,
            b"<response>"
            + b64encode(b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")
            + b"</response>",
        ),
        (S, b"<success>dj1ybUY5cHFWOFM3c3VBb1pXamE0ZEpSa0ZzS1E9</success>"),
    ]
    (s,) = talk(Xmpp, calls).sightings
    assert (s.username, s.form, s.outcome) == ("user", "hash", "accepted")
    assert s.secret.startswith(b"$scram-sha-1$user$4096$QSXCR+Q6sek8bf92$")
    assert s.secret.endswith(b"$v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=")


def test_sasl_2() -> None:
    calls: list[Call] = [
        (
            C,
            HEAD + b"<authenticate xmlns='urn:xmpp:sasl:2' mechanism='PLAIN'>"
            b"<initial-response>AGp1bGlldABoNG5zM2w=</initial-response><user-agent/></authenticate>",
        ),
        (
            S,
            b"<success xmlns='urn:xmpp:sasl:2'><authorization-identifier>juliet@x</authorization-identifier></success>",
        ),
    ]
    assert secrets(talk(Xmpp, calls)) == [("juliet", b"h4ns3l", "accepted", "auth-plain")]


def test_as_it_was_before_sasl() -> None:
    """XEP-0078's examples: the digest of its stream and `Calli0pe`."""
    stream = BACK.replace(b"s-42", b"3EE948B0")
    query = b"<iq type='set' id='a%d'><query xmlns='jabber:iq:auth'><username>bill</username>%s</query></iq>"
    digest = sha1(b"3EE948B0Calli0pe").hexdigest().encode()
    assert digest == b"48fc78be9ec8f86d8ce1c39c320c97c21d62334d"  # as the XEP prints it
    calls: list[Call] = [
        (C, HEAD),
        (S, stream),
        (C, query % (1, b"<digest>" + digest + b"</digest>")),
        (S, b"<iq type='error' id='a1'><error><not-authorized/></error></iq>"),
        (C, query % (2, b"<password>Calli0pe</password>")),
        (S, b"<iq type='result' id='a2'/>"),
    ]
    found = talk(Xmpp, calls)
    assert secrets(found) == [
        ("bill", digest + b":3EE948B0", "refused", "iq-auth-digest"),
        ("bill", b"Calli0pe", "accepted", "login"),
    ]
    assert found.sightings[0].details == {
        "mechanism": "IQ-AUTH-DIGEST",
        "hashcat": 120,
        "john": "dynamic_25",
        "challenge_seen": True,
    }
    assert found.answered[0] == {"reply": "error", "text": "not-authorized"}


def test_a_component() -> None:
    digest = sha1(b"s-42" + b"s3cret").hexdigest().encode()
    calls: list[Call] = [
        (C, HEAD.replace(b"jabber:client", b"jabber:component:accept")),
        (S, BACK),
        (C, b"<handshake>" + digest + b"</handshake>"),
        (S, b"<handshake/>"),
    ]
    assert secrets(talk(Xmpp, calls)) == [("im.example", digest + b":s-42", "accepted", "handshake")]


def test_starttls_and_compression() -> None:
    tls = b"xmlns='urn:ietf:params:xml:ns:xmpp-tls'"
    head: list[Call] = [(C, HEAD), (S, BACK), (C, b"<starttls " + tls + b"/>")]
    found = talk(Xmpp, [*head, (S, b"<proceed " + tls + b"/>"), (C, b"\x16\3\1<auth>"), (S, b"\x16\3\3")])
    assert [(one.name, one.client, one.server) for one in found.switched] == [("tls", b"\x16\3\1<auth>", b"\x16\3\3")]
    refused = talk(Xmpp, [*head, (S, b"<failure " + tls + b"/>"), *TALK[2:4]])
    assert not refused.switched and len(refused.sightings) == 1
    zipped = [(C, HEAD + b"<compress><method>zlib</method></compress>"), (S, b"<compressed/>"), *TALK[2:4]]
    assert not talk(Xmpp, zipped).sightings


@pytest.mark.parametrize(
    "said",
    [
        b"<auth mechanism='PLAIN'/>",
        b"<auth mechanism='PLAIN'>=</auth>",
        b"<auth mechanism='EXTERNAL'>am9l</auth>",
        b"<auth mechanism='ANONYMOUS'/>",
        b"<auth mechanism='PLAIN'>AGp1bGlldAA=</auth>",
        b"<message><body>AGp1bGlldABoNG5zM2w=</body><auth mechanism='PLAIN'>AGp1bGlldABoNG5zM2w=</auth></message>",
        b"<message><body><![CDATA[<auth mechanism='PLAIN'>AGp1bGlldABoNG5zM2w=</auth>]]></body></message>",
        b"<iq type='set'><query xmlns='jabber:iq:auth'><username>a</username></query></iq>",
        b"<iq type='set'><query xmlns='jabber:iq:private'><password>a</password></query></iq>",
        b"<iq type='get'><query xmlns='jabber:iq:auth'><username>a</username><password/></query></iq>",
        b"<iq type='set'><query xmlns='jabber:iq:auth'><username>a</username><digest>no</digest></query></iq>",
    ],
)
def test_what_is_no_credential(said: bytes) -> None:
    assert not talk(Xmpp, [(C, HEAD), (S, BACK), (C, said), (S, b"<success/>")]).sightings


def test_what_is_no_xml_of_xmpp() -> None:
    """Entities that are not predefined stay what they are, whatever a DTD says of them."""
    bomb = b"<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><auth mechanism='PLAIN'>&b;&b;</auth>"
    found = talk(Xmpp, [(C, HEAD + bomb), (S, b"<failure/>")])
    assert not found.sightings and found.asked[0] == {"command": "auth", "mechanism": "PLAIN", "user": None}
    password = b"<password>&lt;&#60;&b;&#xffffff;&#9999999;</password>"
    query = b"<iq type='set' id='1'><query xmlns='jabber:iq:auth'><username>a</username>" + password + b"</query></iq>"
    assert [s.secret for s in talk(Xmpp, [(C, HEAD + query)]).sightings] == [b"<<&b;&#xffffff;&#9999999;"]


def test_tags_that_are_too_long_and_trees_that_are_too_deep() -> None:
    long = b"<message a='" + b">" * 20000 + b"'>" + b"<presence/>"
    found = talk(Xmpp, [(C, HEAD + long)])
    assert [name for name, _ in found.weirds] == ["xmpp-line-too-long"]
    deep = b"<iq type='set'>" + b"<a>" * 100_000 + b"<password>x</password>"
    assert not talk(Xmpp, [(C, HEAD + deep)]).sightings
    wide = b"<iq type='set'>" + b"<query xmlns='jabber:iq:auth'/>" * 100_000 + b"</iq>"
    assert [r.kind for r in talk(Xmpp, [(C, HEAD + wide)]).records] == ["login", "xmpp"]


def test_losses_and_a_cut_capture() -> None:
    sasl = b"<auth mechanism='PLAIN'>AGp1bGlldABoNG5zM2w=</auth>"
    lost = talk(Xmpp, [(C, HEAD + b"<message><body>"), (C, 99), (C, b"</body></message>" + sasl), (S, b"<success/>")])
    assert secrets(lost) == [("juliet", b"h4ns3l", "accepted", "auth-plain")]
    cut = talk(Xmpp, [(C, HEAD + sasl[:40])])
    assert [(s.secret, s.secret_complete) for s in cut.sightings] == [(b"h4ns", False)]
    hole = talk(Xmpp, [(C, HEAD + b"<auth mechanism='LOGIN'/>"), (C, 30), (C, b"<response>aDRuczNs</response>")])
    assert not hole.sightings


def opening(client: bytes, server: bytes, first: bool = True, over: bool = False) -> SimpleNamespace:
    return SimpleNamespace(client=client, server=server, first_to_server=first, over=over, server_port=0, path="")


def test_what_is_claimed() -> None:
    for client, server, first in ((HEAD, b"", True), (b"", BACK, False), (b"<auth " + SASL + b">x</auth>", b"", True)):
        assert probe(opening(client, server, first)) == YES
    for end in range(1, len(HEAD)):
        assert probe(opening(HEAD[:end], b"")) in (MORE, YES)


@pytest.mark.parametrize(
    "client",
    [
        b"<?xml version='1.0'?><soap:Envelope>",
        b"<stream>abc</stream>",
        b"<auth>x</auth>",
        b"GET / HTTP/1.1\r\n",
        b"<html>",
    ],
)
def test_what_is_not_claimed(client: bytes) -> None:
    assert probe(opening(client, b"", over=True)) == NO


@given(st.binary(max_size=80), st.binary(max_size=80), st.booleans(), st.booleans())
def test_any_bytes_are_judged(client: bytes, server: bytes, first: bool, over: bool) -> None:
    assert probe(opening(client, server, first, over)) in ((NO,) if over else (NO, MORE))


@pytest.mark.parametrize("cuts", [[1], [2], [3], [1, 5, 2], [17]])
def test_cuts_and_boundaries_make_no_difference(cuts: list[int]) -> None:
    whole = talk(Xmpp, TALK)
    assert talk(Xmpp, TALK, cuts=cuts).said() == whole.said()
    assert talk(Xmpp, TALK, cuts=cuts, boundaries=False).said() == whole.said()


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
            noise = draw(
                st.sampled_from([b"<", b">", b"'", b"</", b"<![CDATA[", b"]]>", b"<!--", b"<a>", b"&"])
                | st.binary(min_size=1, max_size=5)
            )
            out.append((up, data[:at] + noise + data[at + draw(st.integers(0, 9)) :]))
        elif what == 3:
            out.append((not up, data))
        elif what:
            out.append((up, data))
    return out


@given(mutated(), st.lists(st.integers(1, 40), min_size=1, max_size=3))
@settings(max_examples=250, deadline=None)
def test_damaged_talks_are_read_alike_however_cut(calls: list[Call], cuts: list[int]) -> None:
    assert talk(Xmpp, calls, cuts=cuts, boundaries=False).said() == talk(Xmpp, calls).said()


@pytest.mark.parametrize(
    "piece",
    [
        b"x" * 4096,
        b"<a b='" * 100,
        b"<iq type='set' id='%d'><query xmlns='jabber:iq:auth'><password>x</password></query></iq>",
        b"<response>" + b"A" * 4000,
    ],
)
def test_what_has_no_end_is_not_held(piece: bytes) -> None:
    class Forgetful(Found):
        def record(self, r: object, /) -> None: ...
        def sighting(self, s: object, /) -> None: ...

    parser, offset = Xmpp(Forgetful()), 0
    for number in range(300):
        data = piece % number if b"%d" in piece else piece
        parser.data(True, data, offset, "p", True)
        offset += len(data)
    assert len(parser.client) <= 65536 and len(parser._pending) <= 32
    assert sum(len(one.raw) for one in parser._asks._elements) <= 16 * 65536

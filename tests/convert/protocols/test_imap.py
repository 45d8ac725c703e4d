"""IMAP by hand-written conversations."""

from __future__ import annotations

import zlib
from hashlib import sha256

import pytest

from support.mail_talk import IMAP, MAIL, C, Call, S
from support.parsing import Found, talk
from syswire.convert.protocols.imap.parser import Imap

READY: Call = (S, b"* OK IMAP4rev1 ready\r\n")


def imap(*calls: Call) -> Found:
    return talk(Imap, [READY, *calls])


def test_a_whole_conversation() -> None:
    found = talk(Imap, IMAP)
    told = [(r.kind, (r.request.fields.get("command") if r.request else None)) for r in found.records]
    assert told == [
        *(("greeting", None), ("login", "LOGIN"), ("login", "AUTHENTICATE"), ("command", "SELECT")),
        *(("mail", "UID FETCH"), ("command", "UID FETCH"), ("mail", "APPEND"), ("command", "IDLE")),
        *(("command", "COMPRESS"), ("mail", "FETCH"), ("command", "FETCH"), ("command", "LOGOUT")),
    ]
    assert found.asked[1] == {"tag": "a1", "command": "LOGIN", "mechanism": "LOGIN", "user": 'jo"e', "secret": True}
    assert [(s.location, s.username, s.secret, s.raw, s.outcome, s.exchange) for s in found.sightings] == [
        ("login", 'jo"e', b'p{2}\r\n"x', b'p{2}\r\n"x', "refused", 2),
        ("auth-plain", "joe", b"h4ns3l", b"AGpvZQBoNG5zM2w=", "accepted", 3),
    ]
    # `a1 login "jo\"e" {8}` and its CRLF are 22 bytes
    assert next((s.span.place, s.span.offset, s.span.length) for s in found.sightings) == ("call 3", 22, 8)
    assert found.asked[3] == {"tag": "a3", "command": "SELECT", "arguments": '"INBOX"'}
    selected = {"reply": "OK", "text": "[READ-WRITE] selected", "untagged": ["3 EXISTS", "0 RECENT"]}
    assert found.answered[3] == selected
    fetched = found.answered[4]
    assert fetched is not None
    assert (fetched["sequence"], fetched["uid"], fetched["section"], fetched["size"]) == (1, 7, "BODY[]", len(MAIL))
    appended = found.asked[6]
    assert appended is not None and (appended["size"], appended["complete"]) == (len(MAIL), True)
    assert appended["parts"] == fetched["parts"]
    zipped = found.answered[9]
    assert zipped is not None and (zipped["subject"], zipped["section"]) == ("zip", "BODY[HEADER]")


@pytest.mark.parametrize(
    ("arguments", "user", "secret", "raw"),
    [
        (b"joe secret", "joe", b"secret", b"secret"),
        (b'"joe" "a \\"b\\\\"', "joe", b'a "b\\', b'a \\"b\\\\'),
        (b"{3+}\r\njoe {3+}\r\na b", "joe", b"a b", b"a b"),
        (b'{3}\r\njoe "x y"', "joe", b"x y", b"x y"),
    ],
)
def test_login(arguments: bytes, user: str, secret: bytes, raw: bytes) -> None:
    found = imap((C, b"A1 LOGIN " + arguments + b"\r\n"), (S, b"A1 OK in\r\n"))
    assert [(s.username, s.secret, s.raw, s.outcome) for s in found.sightings] == [(user, secret, raw, "accepted")]
    assert found.sightings[0].span.offset == len(b"A1 LOGIN ") + arguments.rindex(raw)


def test_a_literal_that_the_server_refuses() -> None:
    found = imap(
        (C, b"a LOGIN joe {6}\r\n"), (S, b"a BAD too long\r\n"), (C, b"b LOGIN joe secret\r\n"), (S, b"b OK\r\n")
    )
    assert [(s.secret, s.outcome) for s in found.sightings] == [(b"secret", "accepted")]


def test_authenticate_login_in_turn_and_aborted() -> None:
    found = imap(
        *((C, b"a authenticate login\r\n"), (S, b"+ VXNlcm5hbWU6\r\n"), (C, b"am9l\r\n"), (S, b"+ UGFzc3dvcmQ6\r\n")),
        *((C, b"c2VjcmV0\r\n"), (S, b"a NO no\r\n"), (C, b"b AUTHENTICATE PLAIN\r\n"), (S, b"+ \r\n"), (C, b"*\r\n")),
        (S, b"b BAD aborted\r\n"),
    )
    assert [(s.location, s.username, s.secret, s.outcome) for s in found.sightings] == [
        ("auth-login", "joe", b"secret", "refused")
    ]
    assert found.asked[2] == {
        "tag": "b",
        "command": "AUTHENTICATE",
        "mechanism": "PLAIN",
        "user": None,
        "aborted": True,
    }


def test_a_part_without_its_headers() -> None:
    found = imap((C, b"a FETCH 2 (BODY[1])\r\n"), (S, b"* 2 FETCH (BODY[1] {6}\r\nb2xkCg)\r\na OK\r\n"))
    assert found.answered[1] == {
        "sequence": 2,
        "section": "BODY[1]",
        "size": 6,
        "parts": [{"content_type": None, "length": 6, "part_sha256": sha256(b"b2xkCg").hexdigest(), "complete": True}],
        "complete": True,
    }


def test_a_mail_that_looks_like_answers() -> None:
    mail = b"Subject: s\r\n\r\na OK\r\n* BYE\r\nb LOGIN x y\r\n"
    found = imap((C, b"a FETCH 1 RFC822\r\n"), (S, b"* 1 FETCH (RFC822 {%d}\r\n%s)\r\na NO\r\n" % (len(mail), mail)))
    assert [r.kind for r in found.records] == ["greeting", "mail", "command"] and not found.sightings
    assert found.answered[2] and found.answered[2]["reply"] == "NO"


def test_starttls() -> None:
    found = imap((C, b"a STARTTLS\r\n"), (S, b"a OK go\r\n"), (C, b"\x16\x03\x01"), (S, b"\x16\x03\x03"))
    assert [(one.name, one.client, one.server) for one in found.switched] == [("tls", b"\x16\x03\x01", b"\x16\x03\x03")]


def test_losses() -> None:
    within = imap(
        (C, b"a FETCH 1 BODY[]\r\n"),
        (S, b"* 1 FETCH (BODY[] {30}\r\nSubject: s\r\n\r\n"),
        (S, 10),
        (S, b"123456)\r\na OK\r\n"),
    )
    assert [r.kind for r in within.records] == ["greeting", "mail", "command"]
    assert within.answered[1] and (within.answered[1]["size"], within.answered[1]["complete"]) == (30, False)
    answer = imap((C, b"a LOGIN joe secret\r\n"), (S, 10))
    assert [s.outcome for s in answer.sightings] == ["unknown"]


def test_compression_that_is_ended() -> None:
    """Who ends the stream with its last block says nothing odd; who goes on behind it does."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(b"b NOOP\r\n") + packer.flush()
    before = ((C, b"a COMPRESS DEFLATE\r\n"), (S, b"a OK\r\n"), (C, packed))
    assert not imap(*before).weirds
    assert [name for name, _ in imap(*before, (C, b"more")).weirds] == ["imap-broken-compression"]


def test_compression_that_is_none() -> None:
    found = imap((C, b"a COMPRESS DEFLATE\r\n"), (S, b"a OK\r\n"), (C, b"\xff\xffnonsense"), (S, b"x"))
    assert [name for name, _ in found.weirds] == ["imap-broken-compression"]
    bomb = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = bomb.compress(bytes(50_000_000)) + bomb.flush()
    imap((C, b"a COMPRESS DEFLATE\r\n"), (S, b"a OK\r\n"), (C, data))

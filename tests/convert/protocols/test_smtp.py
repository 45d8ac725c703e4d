"""SMTP by hand-written conversations: what the records say, whose passwords passed, and what was made of them."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest

from support.mail_talk import MAIL, SMTP, C, Call, S
from support.parsing import Found, talk
from syswire.convert.protocols.smtp.parser import Smtp

READY: Call = (S, b"220 mx ESMTP\r\n")
ENVELOPE: list[Call] = [
    (C, b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"),
    (S, b"250 ok\r\n250 ok\r\n354 go\r\n"),
]


def smtp(*calls: Call) -> Found:
    return talk(Smtp, calls)


def said(found: Found, kind: str) -> list[dict[str, object]]:
    """The fields of the requests of one kind."""
    return [dict(r.request.fields) for r in found.records if r.kind == kind and r.request]


def test_a_whole_conversation() -> None:
    found = talk(Smtp, SMTP)
    kinds = [r.kind for r in found.records]
    assert kinds == ["greeting", "command", "login", "login", "login", "mail", "mail", "command", "command"]
    assert found.asked[1] == {"command": "EHLO", "arguments": "me"}
    assert found.answered[1] == {"code": 250, "text": "mx.example.com\nPIPELINING\nCHUNKING\nAUTH PLAIN LOGIN"}
    assert said(found, "login") == [
        {"command": "AUTH", "mechanism": "LOGIN", "user": "joe", "secret": True},
        {"command": "AUTH", "mechanism": "PLAIN", "user": None, "aborted": True},
        {"command": "AUTH", "mechanism": "PLAIN", "user": "joe", "secret": True},
    ]
    told = [(s.location, s.username, s.secret, s.raw, s.outcome, s.exchange, s.protocol) for s in found.sightings]
    assert told == [
        ("auth-login", "joe", b"open-sesame", b"b3Blbi1zZXNhbWU=", "refused", 3, "smtp"),
        ("auth-plain", "joe", b"h4ns3l", b"AGpvZQBoNG5zM2w=", "accepted", 5, "smtp"),
    ]
    # EHLO me, AUTH LOGIN, am9l: 9, 12 and 6 bytes come before the password
    assert next((s.span.place, s.span.offset, s.span.length) for s in found.sightings) == ("call 7", 27, 16)
    (tls,) = found.switched
    assert (tls.name, tls.client, tls.server, tls.closed) == ("tls", SMTP[-2][1], SMTP[-1][1], True)
    assert not found.weirds


def test_a_mail_with_an_attachment() -> None:
    mail = said(talk(Smtp, SMTP), "mail")[0]
    # The CRLF before a delimiter is the delimiter's.
    text = b"AUTH PLAIN AGEAYg==\r\npassword: pass\r\n."
    assert mail == {
        "sender": "joe@example.org",
        "sender_parameters": "SIZE=900",
        "recipients": ["a@example.com"],
        "recipients_refused": [
            {"recipient": "no@example.com", "code": 550, "enhanced": "5.1.1", "text": "5.1.1 no such user"}
        ],
        "subject": "Grüße".encode().decode("latin-1"),
        "header_from": "Jörg <j@example.org>".encode().decode("latin-1"),
        "header_to": "a@example.com",
        "header_date": "Mon, 23 Nov 2026 12:00:00 +0000",
        "message_id": "<1@example.org>",
        "headers_complete": True,
        "content_type": "multipart/mixed",
        "size": len(MAIL),
        "parts": [
            {
                "content_type": "text/plain",
                "charset": "utf-8",
                "length": len(text),
                "part_sha256": sha256(text).hexdigest(),
                "complete": True,
            },
            {
                "content_type": "application/pdf",
                "encoding": "base64",
                "disposition": "attachment",
                "filename": "../a.pdf",
                "length": 11,
                "part_sha256": sha256(b"hello world").hexdigest(),
                "complete": True,
            },
        ],
        "complete": True,
    }


def test_chunks() -> None:
    found = talk(Smtp, SMTP)
    record = [r for r in found.records if r.kind == "mail"][1]
    assert record.request and record.response
    assert record.request.fields["sender"] == "" and record.request.fields["subject"] == "x"
    assert (record.request.fields["size"], record.request.fields["complete"]) == (18, True)
    assert record.response.fields == {"code": 250, "enhanced": "2.0.0", "text": "2.0.0 queued as 2"}


@pytest.mark.parametrize(
    ("token", "user", "secret"),
    [
        (b"\0joe\0a:b c", "joe", b"a:b c"),
        (b"name\0\0secret", "name", b"secret"),
        (b"admin\0joe\0x", "joe", b"x"),
        ("\0jörg\0paß".encode(), "jörg", "paß".encode()),
    ],
)
def test_plain(token: bytes, user: str, secret: bytes) -> None:
    raw = b64encode(token)
    (one,) = smtp(READY, (C, b"auth plain " + raw + b"\r\n"), (S, b"235 ok\r\n")).sightings
    assert (one.location, one.username, one.secret, one.raw) == ("auth-plain", user, secret, raw)


@pytest.mark.parametrize(
    ("mechanism", "token", "user"),
    [
        (b"XOAUTH2", b"user=joe@x\x01auth=Bearer ya29.tok\x01\x01", "joe@x"),
        (b"OAUTHBEARER", b"n,a=joe@x,\x01host=h\x01auth=Bearer ya29.tok\x01\x01", "joe@x"),
    ],
)
def test_tokens(mechanism: bytes, token: bytes, user: str) -> None:
    found = smtp(
        READY,
        (C, b"AUTH %s %s\r\n" % (mechanism, b64encode(token))),
        (S, b"334 e30=\r\n"),
        (C, b"\r\n"),
        (S, b"535 no\r\n"),
    )
    (one,) = found.sightings
    told = (one.location, one.username, one.secret, one.outcome)
    assert told == (f"auth-{mechanism.decode().lower()}", user, b"ya29.tok", "refused")


@pytest.mark.parametrize(
    ("mechanism", "answer", "user"),
    [
        (b"CRAM-MD5", b"joe x 9e95aee09c40da2b84a0c2b3bbae786", "joe x"),
        (b"DIGEST-MD5", b'charset=utf-8,username="jo\\"e",realm="r",response=00112233', 'jo"e'),
        (b"SCRAM-SHA-256", b"n,,n=joe,r=abc", "joe"),
        (b"NTLM", b"NTLMSSP\0\3\0\0\0" + bytes(24) + b"\6\0\6\0\x40\0\0\0" + bytes(16) + b"\1\0\0\0j\0o\0e\0", "joe"),
        (b"GSSAPI", b"`\x82", None),
    ],
)
def test_answers_that_are_no_hashes_are_no_credentials(mechanism: bytes, answer: bytes, user: str | None) -> None:
    found = smtp(
        READY,
        (C, b"AUTH %s\r\n" % mechanism),
        (S, b"334 PDFAeD4=\r\n"),
        (C, b64encode(answer) + b"\r\n"),
        (S, b"235 ok\r\n"),
    )
    assert said(found, "login") == [{"command": "AUTH", "mechanism": mechanism.decode(), "user": user}]
    assert not found.sightings


def test_a_login_that_does_not_wait() -> None:
    lines = b"AUTH LOGIN\r\nam9l\r\nc2VjcmV0\r\nQUIT\r\n"
    taken = smtp(READY, (C, lines), (S, b"334 VXNlcm5hbWU6\r\n334 UGFzc3dvcmQ6\r\n235 ok\r\n221 bye\r\n"))
    assert [(s.username, s.secret, s.outcome) for s in taken.sightings] == [("joe", b"secret", "accepted")]
    refused = smtp(READY, (C, lines), (S, b"503 not now\r\n500 what\r\n500 what\r\n221 bye\r\n"))
    assert [(s.username, s.secret, s.outcome) for s in refused.sightings] == [("joe", b"secret", "refused")]
    assert "c2VjcmV0" not in repr([r.request for r in refused.records])
    alone = smtp((C, b"EHLO me\r\n" + lines))
    assert [(s.username, s.secret, s.outcome) for s in alone.sightings] == [("joe", b"secret", "unknown")]


def test_quit_is_no_password_although_it_is_base64() -> None:
    found = smtp(
        READY,
        (C, b"AUTH LOGIN\r\n"),
        (S, b"334 VXNlcm5hbWU6\r\n"),
        (C, b"am9l\r\n"),
        (S, b"334 UGFzc3dvcmQ6\r\n"),
        (C, b"QUIT\r\n"),
    )
    assert not found.sightings
    assert said(found, "login")[0]["user"] == "joe"


def test_an_initial_response_that_the_server_asks_for_again() -> None:
    found = smtp(
        READY,
        *((C, b"AUTH LOGIN am9l\r\n"), (S, b"334 VXNlcm5hbWU6\r\n"), (C, b"am9l\r\n"), (S, b"334 UGFzc3dvcmQ6\r\n")),
        *((C, b"c2VjcmV0\r\n"), (S, b"235 ok\r\n")),
    )
    assert [(s.username, s.secret) for s in found.sightings] == [("joe", b"secret")]


def test_base64_in_a_mail_is_no_login() -> None:
    body = b"AUTH LOGIN\r\n\r\nAUTH PLAIN AGEAYg==\r\nam9l\r\nc2VjcmV0\r\nUSER x\r\nPASS y\r\n.\r\n"
    for calls in ([READY, *ENVELOPE, (C, body), (S, b"250 ok\r\n")], [(C, body), (S, b"250 ok\r\n")], [(C, body)]):
        found = talk(Smtp, calls)
        assert not found.sightings and not said(found, "login")


def test_refusals() -> None:
    found = smtp(
        READY,
        *((C, b"FOO bar\r\n"), (S, b"500 5.5.2 what\r\n"), (C, b"MAIL FROM:<a@b>\r\n"), (S, b"550 not you\r\n")),
        *((C, b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nDATA\r\n"), (S, b"250 ok\r\n550 no relay\r\n554 no one\r\n")),
        *((C, b"QUIT\r\n"), (S, b"221 bye\r\n")),
    )
    assert said(found, "command") == [
        {"command": "FOO", "arguments": "bar"},
        {"command": "MAIL", "arguments": "FROM:<a@b>"},
    ]
    (mail,) = [r for r in found.records if r.kind == "mail"]
    assert mail.request and mail.request.fields == {
        "sender": "a@b",
        "recipients": [],
        "recipients_refused": [{"recipient": "c@d", "code": 550, "text": "no relay"}],
        "complete": False,
    }
    assert mail.response and mail.response.fields == {"code": 554, "text": "no one"}


def test_data_refused_while_the_message_is_on_its_way() -> None:
    found = smtp(READY, (C, b"MAIL FROM:<a@b>\r\nDATA\r\nRSET\r\n"), (S, b"250 ok\r\n503 no recipients\r\n250 ok\r\n"))
    assert [r.kind for r in found.records] == ["greeting", "mail"]


def test_lmtp_answers_for_each_recipient() -> None:
    found = smtp(
        *((S, b"220 mx LMTP\r\n"), (C, b"LHLO me\r\n"), (S, b"250 mx\r\n")),
        (C, b"MAIL FROM:<a@b>\r\nRCPT TO:<c@d>\r\nRCPT TO:<e@f>\r\nDATA\r\n"),
        *((S, b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"), (C, b"Subject: s\r\n\r\nx\r\n.\r\n")),
        *((S, b"250 kept\r\n452 full\r\n"), (C, b"NONE\r\n"), (S, b"500 what\r\n")),
    )
    (mail,) = [r for r in found.records if r.kind == "mail"]
    assert mail.response and mail.response.fields["replies"] == [
        {"recipient": "c@d", "code": 250, "text": "kept"},
        {"recipient": "e@f", "code": 452, "text": "full"},
    ]
    assert found.asked[-1] == {"command": "NONE"}


def test_one_dot_between_bare_line_feeds_is_judged_by_the_server() -> None:
    head = b"Subject: s\r\n\r\nx\n.\r\n"
    follows = b"MAIL FROM:<evil@x>\r\nRCPT TO:<c@d>\r\nDATA\r\n"
    ended = smtp(READY, *ENVELOPE, (C, head + follows), (S, b"250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"))
    assert [m.get("size") for m in said(ended, "mail")] == [len(head) - 3, 0]
    assert [name for name, _ in ended.weirds] == ["smtp-odd-end-of-data"]
    whole = smtp(READY, *ENVELOPE, (C, head + follows + b".\r\n"), (S, b"250 ok\r\n"))
    assert [m.get("size") for m in said(whole, "mail")] == [len(head + follows)]
    assert [name for name, _ in whole.weirds] == ["smtp-odd-end-of-data"]


def test_commands_before_tls_are_an_injection() -> None:
    found = smtp(READY, (C, b"STARTTLS\r\nRSET\r\n"), (S, b"220 go\r\n"), (C, b"\x16\x03\x01"))
    assert [name for name, _ in found.weirds] == ["smtp-plaintext-behind-starttls"]
    assert found.switched[0].client == b"\x16\x03\x01"


def test_what_was_in_tls_may_be_in_the_capture() -> None:
    found = smtp(READY, (C, b"STARTTLS\r\n"), (S, b"220 go\r\n"), (C, b"EHLO me\r\n"), (S, b"250 mx\r\n"))
    assert not found.switched and [r.kind for r in found.records] == ["greeting", "command", "command"]


def test_losses() -> None:
    gap = smtp(READY, *ENVELOPE, (C, b"Subject: s\r\n\r\nabc"), (C, 100), (C, b"def\r\n.\r\n"), (S, b"250 ok\r\n"))
    (mail,) = said(gap, "mail")
    assert (mail["size"], mail["complete"], mail["subject"]) == (14 + 3 + 100 + 5, False, "s")
    # The end of the message is among what is missing; the answer says that it came.
    end = smtp(
        READY,
        *ENVELOPE,
        (C, b"Subject: s\r\n\r\nabc"),
        (C, 100),
        (S, b"250 ok\r\n"),
        (C, b"VRFY x\r\n"),
        (S, b"252 ?\r\n"),
    )
    assert [r.kind for r in end.records] == ["greeting", "mail", "command"]
    # A password whose user is missing is not taken for the user.
    login = smtp(
        READY,
        (C, b"AUTH LOGIN\r\n"),
        (S, b"334 VXNlcm5hbWU6\r\n"),
        (C, 6),
        (S, b"334 UGFzc3dvcmQ6\r\n"),
        (C, b"c2VjcmV0\r\n"),
        (S, b"235 ok\r\n"),
    )
    assert said(login, "login") == [{"command": "AUTH", "mechanism": "LOGIN", "user": None}]
    # Of a lost answer nothing is guessed.
    answer = smtp(READY, (C, b"AUTH PLAIN AGpvZQBoNG5zM2w=\r\n"), (S, 20), (C, b"NOOP\r\n"), (S, b"250 ok\r\n"))
    assert [s.outcome for s in answer.sightings] == ["unknown"]


def test_a_client_that_speaks_before_the_greeting() -> None:
    found = smtp((C, b"HELO me\r\nMAIL FROM:<a@b>\r\n"), (S, b"220 mx\r\n"), (S, b"250 hello\r\n250 ok\r\n"))
    assert [r.kind for r in found.records] == ["greeting", "command", "mail"]
    assert found.answered[1] == {"code": 250, "text": "hello"}


def test_a_chunk_that_is_answered_before_its_end() -> None:
    found = smtp(
        *(READY, (C, b"MAIL FROM:<a@b>\r\nBDAT 9 LAST\r\nSubj"), (S, b"250 ok\r\n250 done\r\n"), (C, 2), (C, b"abc")),
        *((C, b"VRFY x\r\n"), (S, b"252 ?\r\n")),
    )
    assert [r.kind for r in found.records] == ["greeting", "mail", "command"]


def test_answers_of_several_lines_that_do_not_end() -> None:
    found = smtp(
        *(READY, (C, b"EHLO me\r\n"), (S, b"250-mx\r\n"), (C, b"AUTH LOGIN\r\n"), (S, b"334 VXNlcm5hbWU6\r\n")),
        *((C, b"am9l\r\n"), (S, b"334 UGFzc3dvcmQ6\r\n"), (C, b"c2VjcmV0\r\n"), (S, b"235 ok\r\n")),
    )
    assert [(s.username, s.secret, s.outcome) for s in found.sightings] == [("joe", b"secret", "accepted")]
    assert found.answered[1] == {"code": 250, "text": "mx"}

"""POP3 by hand-written conversations."""

from __future__ import annotations

from support.mail_talk import DOTTED, MAIL, POP3, C, Call, S
from support.parsing import talk
from syswire.convert.protocols.pop3.parser import Pop3

READY: Call = (S, b"+OK ready\r\n")


def test_a_whole_conversation() -> None:
    found = talk(Pop3, POP3)
    told = [(r.kind, (r.request.fields.get("command") if r.request else None)) for r in found.records]
    assert told == [
        *(("greeting", None), ("command", "CAPA"), ("login", "PASS"), ("login", "APOP"), ("login", "AUTH")),
        *(("command", "STAT"), ("command", "LIST"), ("mail", "RETR"), ("command", "DELE"), ("command", "QUIT")),
    ]
    capabilities = {"reply": "+OK", "text": "", "listing": "USER\nSASL PLAIN LOGIN", "lines": 2, "complete": True}
    assert found.answered[1] == capabilities
    assert found.asked[2] == {"command": "PASS", "mechanism": "USER", "user": "joe", "secret": True}
    assert found.asked[3] == {"command": "APOP", "mechanism": "APOP", "user": "joe", "secret": True}
    assert [(s.location, s.username, s.secret, s.raw, s.outcome, s.exchange) for s in found.sightings] == [
        ("login", "joe", b"open sesame ", b"open sesame ", "refused", 3),
        (
            "apop",
            "joe",
            b"c4c9334bac560ecc979e58001b3e22fb:<1.2@example.com>",
            b"c4c9334bac560ecc979e58001b3e22fb",
            "refused",
            4,
        ),
        ("auth-plain", "joe", b"h4ns3l", b"AGpvZQBoNG5zM2w=", "accepted", 5),
    ]
    # CAPA and USER joe are 6 and 10 bytes, then `PASS `
    assert (found.sightings[0].span.offset, found.sightings[0].span.length) == (21, 12)
    mail = found.answered[7]
    assert mail is not None and (mail["reply"], mail["size"], mail["complete"]) == ("+OK", len(MAIL), True)
    assert found.records[7].response is not None
    assert found.records[7].response.span.length == len(b"+OK 500 octets\r\n" + DOTTED)


def test_commands_beside_a_list_of_many_lines() -> None:
    found = talk(Pop3, [READY, (C, b"LIST\r\nSTAT\r\n"), (S, b"+OK\r\n1 5\r\n2 6\r\n.\r\n+OK 2 11\r\n")])
    assert found.answered[1:] == [
        {"reply": "+OK", "text": "", "listing": "1 5\n2 6", "lines": 2, "complete": True},
        {"reply": "+OK", "text": "2 11"},
    ]


def test_stls_and_bare_line_feeds() -> None:
    found = talk(Pop3, [(S, b"+OK\n"), (C, b"STLS\n"), (S, b"+OK\n"), (C, b"\x16\x03\x01"), (S, b"\x16\x03\x03")])
    assert [r.kind for r in found.records] == ["greeting", "command"]
    assert [(one.name, one.client, one.server) for one in found.switched] == [("tls", b"\x16\x03\x01", b"\x16\x03\x03")]


def test_losses() -> None:
    lost = talk(
        Pop3,
        [
            READY,
            (C, b"RETR 1\r\n"),
            (S, b"+OK\r\nSubject: s\r\n\r\nabc"),
            (S, 9),
            (C, b"STAT\r\n"),
            (S, b"+OK 1 2\r\n"),
        ],
    )
    assert [r.kind for r in lost.records] == ["greeting", "mail", "command"]
    assert lost.answered[1] and (lost.answered[1]["size"], lost.answered[1]["complete"]) == (14 + 3 + 9, False)
    answer = talk(Pop3, [READY, (C, b"USER joe\r\nPASS x y\r\n"), (S, 9), (C, b"STAT\r\n"), (S, b"+OK 1 2\r\n")])
    assert [(s.secret, s.outcome) for s in answer.sightings] == [(b"x y", "unknown")]
    cut = talk(Pop3, [READY, (C, b"USER joe\r\nPASS x y")])
    assert [(s.secret, s.secret_complete) for s in cut.sightings] == [(b"x y", False)]


def test_a_user_without_a_password_is_told() -> None:
    found = talk(Pop3, [READY, (C, b"USER joe\r\n"), (S, b"+OK\r\n")])
    assert found.asked[1] == {"command": "USER", "mechanism": "USER", "user": "joe"} and not found.sightings

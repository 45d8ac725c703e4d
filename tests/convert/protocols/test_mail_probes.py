"""Which openings are SMTP, POP3 or IMAP: by content, on any port; what other protocols begin with is none of them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.imap import probe as imap_probe
from syswire.convert.protocols.pop3 import probe as pop3_probe
from syswire.convert.protocols.smtp import probe as smtp_probe

PROBES = {"smtp": smtp_probe.probe, "pop3": pop3_probe.probe, "imap": imap_probe.probe}


def opening(
    client: bytes, server: bytes, port: int = 0, over: bool = False, client_first: bool = False
) -> SimpleNamespace:
    return SimpleNamespace(
        client=client,
        server=server,
        client_port=0,
        server_port=port,
        path="",
        transport="tcp",
        first_to_server=client_first or not server,
        over=over,
    )


@pytest.mark.parametrize(
    ("name", "client", "server"),
    [
        ("smtp", b"", b"220 mx ESMTP Postfix\r\n"),
        ("smtp", b"", b"220-mx.example.com Exim SMTP\r\n220 no spam\r\n"),
        ("smtp", b"EHLO me\r\n", b"220 hello\r\n"),
        ("smtp", b"EHLO me\r\n", b""),
        ("smtp", b"lhlo me\r\n", b"220 x\r\n"),
        ("smtp", b"MAIL FROM:<a@b> SIZE=1\r\n", b"250 ok\r\n"),
        ("smtp", b"RCPT TO:<a@b>\r\n", b""),
        ("smtp", b"AUTH LOGIN\r\n", b"334 VXNlcm5hbWU6\r\n"),
        ("smtp", b"DATA\r\n", b"354 go\r\n"),
        ("smtp", b"", b"250-mx\r\n250-SIZE 10\r\n250 HELP\r\n"),
        ("smtp", b"", b"554 mx ESMTP no thanks\r\n"),
        ("pop3", b"", b"+OK POP3 ready\r\n"),
        ("pop3", b"", b"+OK <1896.697170952@dbc.mtview.ca.us>\r\n"),
        ("pop3", b"USER joe\r\n", b"+OK\r\n"),
        ("pop3", b"RETR 1\r\n", b"+OK 100 octets\r\n"),
        ("pop3", b"CAPA\r\n", b""),
        ("imap", b"", b"* OK [CAPABILITY IMAP4rev1] hi\r\n"),
        ("imap", b"a LOGIN x y\r\n", b"* OK ready\r\n"),
        ("imap", b"0.1 UID FETCH 1:* (FLAGS)\r\n", b"* 1 FETCH (FLAGS ())\r\n"),
        ("imap", b"a1 AUTHENTICATE PLAIN\r\n", b""),
        ("imap", b"A3 SELECT INBOX\r\n", b"A3 NO\r\n"),
    ],
)
def test_what_is_claimed(name: str, client: bytes, server: bytes) -> None:
    first = bool(client) and server[:3] not in (b"220", b"* O", b"+OK")
    asked = opening(client, server, client_first=first)
    assert {other: probe(asked) == YES for other, probe in PROBES.items()} == {other: other == name for other in PROBES}


@pytest.mark.parametrize(
    ("client", "server", "client_first"),
    [
        (b"USER joe\r\n", b"220 ProFTPD Server ready\r\n", False),
        (b"USER joe\r\n", b"220 ready\r\n", False),
        (b"PASS x\r\n", b"230 in\r\n", True),
        (b"QUIT\r\n", b"221 Goodbye\r\n", True),
        (b"*2\r\n$4\r\nAUTH\r\n$1\r\nx\r\n", b"+OK\r\n", True),
        (b"AUTH secret\r\n", b"+OK\r\n", True),
        (b"PING\r\n", b"+PONG\r\n", True),
        (b"NICK joe\r\nUSER joe 0 * :Joe\r\n", b":irc NOTICE AUTH :*** Looking up\r\n", False),
        (b"GET / HTTP/1.1\r\n", b"HTTP/1.1 200 OK\r\n", True),
        (b"SSH-2.0-x\r\n", b"SSH-2.0-y\r\n", False),
        (b"\x16\x03\x01\x02\x00", b"", True),
        (b"AUTHINFO USER joe\r\n", b"200 news ready\r\n", False),
        (b"joe LOGIN attempts were made\r\n", b"login: ", False),
    ],
)
def test_what_is_not_claimed(client: bytes, server: bytes, client_first: bool) -> None:
    asked = opening(client, server, client_first=client_first, over=True)
    assert [name for name, probe in PROBES.items() if probe(asked) == YES] == []


def test_a_bare_greeting_waits_for_the_client_and_goes_by_the_port_at_the_end() -> None:
    assert smtp_probe.probe(opening(b"", b"220 ready\r\n")) == MORE
    assert smtp_probe.probe(opening(b"", b"220 ready\r\n", 587, over=True)) == YES
    assert smtp_probe.probe(opening(b"", b"220 ready\r\n", 21, over=True)) == NO
    assert smtp_probe.probe(opening(b"", b"22")) == MORE
    assert pop3_probe.probe(opening(b"", b"+OK\r\n")) == MORE
    assert imap_probe.probe(opening(b"", b"* OK\r\n")) == MORE


@given(st.binary(max_size=80), st.binary(max_size=80), st.booleans(), st.booleans())
def test_any_bytes_are_judged_and_none_claimed(client: bytes, server: bytes, first: bool, over: bool) -> None:
    for probe in PROBES.values():
        verdict = probe(opening(client, server, over=over, client_first=first))
        assert verdict in (NO, MORE) and (verdict == NO or not over)


@given(st.sampled_from([b"EHLO me\r\n", b"USER joe\r\n", b"a1 LOGIN x y\r\n"]), st.integers(0, 20))
def test_a_beginning_is_not_refused(line: bytes, size: int) -> None:
    greeting = {b"E": b"220 x ESMTP\r\n", b"U": b"+OK POP3\r\n", b"a": b"* OK IMAP\r\n"}[line[:1]]
    name = {b"E": "smtp", b"U": "pop3", b"a": "imap"}[line[:1]]
    assert PROBES[name](opening(line[:size], greeting)) in (YES, MORE)

"""How DNS, TLS and SSH are recognised: by their beginnings, on any port, never in something else's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from struct import pack

import pytest

from support.loopback_talk import recorded
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.dns.probe import probe_datagrams, probe_stream
from syswire.convert.protocols.ssh.probe import probe as probe_ssh
from syswire.convert.protocols.tls.probe import probe as probe_tls


@dataclass
class Begun:
    """An opening (api.py)."""

    client: bytes = b""
    server: bytes = b""
    server_port: int = 0
    client_port: int = 0
    path: str = ""
    transport: str = "tcp"
    first_to_server: bool = True
    over: bool = False


PROBES = [probe_tls, probe_ssh, probe_datagrams, probe_stream]
OTHERS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"220 mail.example.org ESMTP\r\n",
    b"+OK ready\r\n",
    b"* OK IMAP4 ready\r\n",
    b"\x4a\0\0\0\x0a5.5.5-10.11.6-MariaDB\0",
    b"\0\0\0\x08\x04\xd2\x16\x2f",
    b"\0\0\0\x54\0\3\0\0user\0postgres\0",
    b"*1\r\n$4\r\nPING\r\n",
    b"\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"\xff\xfd\x18\xff\xfd\x20",
    b"\x16\x03\x01\x02\x00\x05\x00\x00\x10" + bytes(100),  # a record, of something else
    b"SSH-x\r\n",
    b"\x80\x2e\1\0\2" + b"\xff" * 100,
    bytes(64),
    b"\xff" * 64,
    # NetBIOS (RFC 1002)
    pack(">6H", 1, 0x0110, 1, 0, 0, 0) + b"\x20" + b"CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" + b"\0\0\x21\0\1",
]


@pytest.mark.parametrize("probe", PROBES)
def test_nothing_else_is_claimed(probe: object) -> None:
    assert callable(probe)
    for begin in OTHERS:
        for over in (False, True):
            for opening in (Begun(client=begin, over=over), Begun(server=begin, over=over, first_to_server=False)):
                verdict = probe(opening)
                assert verdict != YES, begin
                assert not over or verdict == NO
    random = Random(6)
    for _ in range(20000):
        begin = random.randbytes(random.randrange(1, 100))
        assert probe(Begun(client=begin, server=random.randbytes(20), over=True)) == NO


@pytest.mark.parametrize(
    ("name", "transport", "probe"),
    [
        ("tls", "tcp", probe_tls),
        ("ssh", "tcp", probe_ssh),
        ("dns", "tcp", probe_stream),
        ("dns", "udp", probe_datagrams),
    ],
)
def test_recordings_of_real_servers_on_odd_ports(data: Path, name: str, transport: str, probe: object) -> None:
    assert callable(probe)
    conversations = recorded(data / "protocols" / f"{name}.pcap", transport)
    assert conversations
    for conversation in conversations:
        to_server, first = conversation.calls[0]
        whole = Begun(**{"client" if to_server else "server": first}, first_to_server=to_server)  # type: ignore[arg-type]
        assert probe(whole) == YES
        if transport == "tcp":
            for size in range(1, min(len(first), 40)):
                part = Begun(**{"client" if to_server else "server": first[:size]}, first_to_server=to_server)  # type: ignore[arg-type]
                assert probe(part) in (MORE, YES)
        answers = [content for direction, content in conversation.calls if direction != to_server]
        if answers:
            alone = Begun(**{"server" if to_server else "client": answers[0]}, first_to_server=not to_server)  # type: ignore[arg-type]
            alert = answers[0][:1] == b"\x15"
            assert probe(alone) == (MORE if alert else YES)


def test_tls_that_began_before_the_capture() -> None:
    data = b"\x17\x03\x03\0\x20" + bytes(32)
    assert probe_tls(Begun(client=data, server=data)) == YES
    assert probe_tls(Begun(client=data * 2)) == YES
    assert probe_tls(Begun(client=data)) == MORE
    assert probe_tls(Begun(client=data, over=True)) == NO
    assert probe_tls(Begun(client=data, server=b"HTTP/1.1 400")) == NO


def test_dns_near_its_ports_and_of_several_kinds() -> None:
    message = pack(">6H", 7, 0x0100, 1, 0, 0, 0) + b"\1a\0\0\1\0\1"
    assert probe_datagrams(Begun(client=message)) == YES
    assert probe_datagrams(Begun(client=message + b"x")) == NO
    assert probe_datagrams(Begun(client=message + b"x", server_port=53)) == YES
    assert probe_datagrams(Begun(client=message, server_port=137)) == NO
    unknown = message[:-4] + b"\x12\x34\0\1"
    assert probe_datagrams(Begun(client=unknown)) == NO
    assert probe_datagrams(Begun(client=unknown, server_port=5355)) == YES
    answer = pack(">6H", 0, 0x8400, 0, 1, 0, 0) + b"\4host\5local\0\0\1\x80\1\0\0\0\x78\0\4\xc0\0\2\1"
    assert probe_datagrams(Begun(server=answer, first_to_server=False)) == YES


def test_ssh_behind_lines_of_text() -> None:
    assert probe_ssh(Begun(server=b"hello\r\nSSH-2.0-x\r\n", first_to_server=False)) == YES
    assert probe_ssh(Begun(server=b"hello\r\nSSH-2.0-x\r\n", client=b"SSH-")) == YES
    assert probe_ssh(Begun(client=b"EHLO a\r\n", server=b"220 a\r\nSSH-2.0-x\r\n")) == NO

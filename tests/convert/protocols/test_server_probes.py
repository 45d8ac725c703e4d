"""How Redis, FastCGI, FTP and Telnet are recognised: on any port, from the middle too, never in other bytes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from support.recorded_talk import recorded
from syswire.convert.protocols.api import MORE, NO, YES, Opening
from syswire.convert.protocols.fastcgi.probe import probe as probe_fastcgi
from syswire.convert.protocols.ftp.probe import probe as probe_ftp
from syswire.convert.protocols.redis.probe import probe as probe_redis
from syswire.convert.protocols.telnet.probe import probe as probe_telnet

Probe = Callable[[Opening], int]


@dataclass
class Begun:
    """An opening (api.py)."""

    client: bytes = b""
    server: bytes = b""
    server_port: int = 40000
    client_port: int = 50000
    path: str = ""
    transport: str = "tcp"
    first_to_server: bool = True
    over: bool = True


PROBES: dict[str, Probe] = {
    "redis": probe_redis,
    "fastcgi": probe_fastcgi,
    "ftp": probe_ftp,
    "telnet": probe_telnet,
}
OTHERS = [
    (b"GET / HTTP/1.1\r\nHost: login: \r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n<p>login: <p>Password: "),
    (b"EHLO me\r\n", b"220 mail.example ESMTP Postfix\r\n250 ok\r\n"),
    (b"EHLO me\r\n", b"220 ftp.example ESMTP\r\n250 ok\r\n"),
    (b"HELO me\r\n", b"220 mail\r\n250 ok\r\n"),
    (b"USER ann\r\nPASS pw\r\n", b"+OK ready\r\n+OK\r\n+OK\r\n"),
    (b"a LOGIN ann pw\r\n", b"* OK ready\r\na OK\r\n"),
    (b"AUTH PLAIN\r\n", b"+ \r\n"),
    (b"AUTH LOGIN AGEAYg==\r\n", b"+OK\r\n"),
    (b"QUIT\r\n", b"+OK\r\n"),
    (b"NICK a\r\nUSER a b c :d\r\n", b":irc 001 a :hi\r\n"),
    (b"SSH-2.0-x\r\n", b"SSH-2.0-y\r\n"),
    (b"", b"\x4a\0\0\0\x0a5.5.5-10.11.6-MariaDB\0"),
    (b"\0\0\0\x54\0\3\0\0user\0postgres\0", b"R\0\0\0\x08\0\0\0\0"),
    (b"\x16\x03\x01\0\x05\1\0\0\1\0", b"\x16\x03\x03\0\x05\2"),
    (b"get key\r\n", b"VALUE key 0 1\r\nx\r\nEND\r\n"),
    (b"", b"230 files of jam\r\n150 jars\r\n"),
    (b"", b"*** plain text ***\r\n"),
    (bytes(64), b"\xff" * 64),
    (b"\1\1\1\1" * 20, b"\1\6\1\6" * 20),
    (b"hello\r\nthere\r\n", b"login or not\r\n"),
]


@pytest.mark.parametrize("name", PROBES)
def test_nothing_else_is_claimed(name: str) -> None:
    for client, server in OTHERS:
        assert PROBES[name](Begun(client, server)) == NO, (client, server)
        assert PROBES[name](Begun(client, server, over=False)) != YES, (client, server)
    random = Random(7)
    for _ in range(3000):
        client, server = random.randbytes(random.randrange(90)), random.randbytes(random.randrange(90))
        assert PROBES[name](Begun(client, server)) == NO


RECORDED = [
    ("redis", "redis", 6390),
    ("fastcgi", "fastcgi", 9009),
    ("ftp-vsftpd", "ftp", 2190),
    ("ftp-pyftpdlib", "ftp", 2191),
    ("telnet", "telnet", 2390),
]


@pytest.mark.parametrize(("file", "name", "port"), RECORDED)
def test_recordings_on_any_port(data: Path, file: str, name: str, port: int) -> None:
    claimed = 0
    for calls in recorded(data / "protocols" / f"{file}.pcap", port):
        client = b"".join(part for up, part in calls if up and isinstance(part, bytes))[:4096]
        server = b"".join(part for up, part in calls if not up and isinstance(part, bytes))[:4096]
        if name == "ftp" and not server.startswith(b"220"):
            continue  # a data connection
        claimed += 1
        for other, probe in PROBES.items():
            assert probe(Begun(client, server, first_to_server=calls[0][0])) == (YES if other == name else NO), other
        if name != "telnet":  # a terminal's keys alone say nothing
            for size in range(12):
                early = Begun(client[:size], b"", first_to_server=True, over=False)
                assert PROBES[name](early) != NO, client[:size]
    assert claimed


@pytest.mark.parametrize(
    ("name", "opening"),
    [
        ("redis", Begun(b"*1\r\n$4\r\nPING\r\n")),
        ("redis", Begun(b"PING\r\n", b"+PONG\r\n")),
        ("redis", Begun(b"AUTH ann pw\r\n", b"+OK\r\n")),
        ("redis", Begun(b"end of a value\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n")),
        ("redis", Begun(b"", b"*3\r\n$7\r\nmessage\r\n", first_to_server=False)),
        ("fastcgi", Begun(b"", b"\1\6\0\1\0\x20\0\0Status: 200 OK\r\n", first_to_server=False)),
        ("fastcgi", Begun(b"\1\1\0\1\0\x08\0\0\0\1\0\0\0\0\0\0")),
        ("ftp", Begun(b"", b"220 (vsFTPd 3.0.3)\r\n", first_to_server=False)),
        ("ftp", Begun(b"USER ann\r\n", b"220 ready\r\n331 ?\r\n", first_to_server=False)),
        ("ftp", Begun(b"AUTH TLS\r\n", b"220 ready\r\n", first_to_server=False)),
        ("ftp", Begun(b"PORT 1,2,3,4,5,6\r\n", b"200 ok\r\n")),
        ("ftp", Begun(b"", b"227 Entering Passive Mode (1,2,3,4,5,6)\r\n", first_to_server=False)),
        ("ftp", Begun(b"USER a\r\nPASS b\r\n", b"", 21)),
        ("telnet", Begun(b"\xff\xfd\x03\xff\xfb\x18")),
        ("telnet", Begun(b"", b"Welcome\r\n\xff\xfb\x01\xff\xfb\x03login: ", first_to_server=False)),
        ("telnet", Begun(b"ann\r\npw\r\n", b"host login: ann\r\nPassword: ", first_to_server=False)),
        ("telnet", Begun(b"ann\r\n", b"Username: ", 23, first_to_server=False)),
    ],
)
def test_openings_that_are_enough(name: str, opening: Begun) -> None:
    assert [other for other, probe in PROBES.items() if probe(opening) == YES] == [name]


@pytest.mark.parametrize(
    ("name", "opening"),
    [
        ("redis", Begun(b"*3\r\n$", over=False)),
        ("fastcgi", Begun(b"\1\1\0", over=False)),
        ("ftp", Begun(b"", b"220 ready\r\n", over=False, first_to_server=False)),
        ("ftp", Begun(b"USE", b"220 ready\r\n", over=False, first_to_server=False)),
        ("telnet", Begun(b"", b"\xff", over=False, first_to_server=False)),
        ("telnet", Begun(b"a", b"host login: ", over=False, first_to_server=False)),
    ],
)
def test_openings_that_are_not_enough_yet(name: str, opening: Begun) -> None:
    assert PROBES[name](opening) == MORE

"""How MySQL and PostgreSQL are recognised: by what both sides say, on any port, never in something else's bytes."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from support.sql_talk import (
    LOGGED_IN,
    READY,
    Calls,
    column,
    description,
    err,
    greeting,
    login,
    message,
    ok,
    packet,
    query,
    recorded,
    startup,
)
from syswire.convert.protocols.api import MORE, NO, YES
from syswire.convert.protocols.mysql.probe import probe as probe_mysql
from syswire.convert.protocols.postgresql.probe import probe as probe_postgresql


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


START = startup(b"user", b"ann", b"database", b"shop")
MYSQL = [
    Begun(server=greeting()),
    Begun(server=packet(0, b"\xff\x10\x04Too many connections")),
    Begun(client=login()),
    Begun(client=packet(1, struct.pack("<IIB", 0x0008AA0D, 1 << 24, 33) + bytes(23))),
    Begun(client=query(b"SELECT 1")),
    Begun(server=packet(1, b"\1") + column(2, b"a")),
    Begun(client=packet(0, b"\x0e"), server=ok()),
    Begun(client=packet(0, b"\x02nowhere"), server=err(1, 1049, b"42000", b"Unknown database 'nowhere'")),
    Begun(client=b"rest of a file" + query(b"SELECT 1"), server_port=3306),
]
POSTGRESQL = [
    Begun(client=START),
    Begun(client=START, server=LOGGED_IN),
    Begun(client=struct.pack("!II", 8, 80877103)),
    Begun(client=struct.pack("!II", 8, 80877103) + START, server=b"N"),
    Begun(client=struct.pack("!IIII", 16, 80877102, 7, 9)),
    Begun(client=message(b"Q", b"SELECT 1\0")),
    Begun(client=message(b"P", b"\0SELECT $1\0\0\0")),
    Begun(server=message(b"C", b"SELECT 1\0") + READY),
    Begun(server=b"rest" + description(b"a") + message(b"C", b"SELECT 1\0") + READY, server_port=5432),
]
OTHERS = [
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"220 mail.example.org ESMTP\r\n", b"+OK ready\r\n", b"* OK IMAP4 ready\r\n",
    b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x03", b"SSH-2.0-OpenSSH_9.2\r\n", b"*1\r\n$4\r\nPING\r\n", b"\x05\x01\x00",
    b"\x01\x01\x00\x01\x00\x08\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00", bytes(4), bytes(64), b"Q\0\0\0\x08abc\0",
    b"RFB 003.008\n", b"SELECT 1\r\n", b"\x12\x01\x00\x2f\x00\x00\x01\x00", b"\x0b\0\0\0\x03SELECT it",
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(MYSQL)))
def test_mysql(number: int) -> None:
    assert probe_mysql(MYSQL[number]) == YES
    assert probe_postgresql(MYSQL[number]) != YES


@pytest.mark.parametrize("number", range(len(POSTGRESQL)))
def test_postgresql(number: int) -> None:
    assert probe_postgresql(POSTGRESQL[number]) == YES
    assert probe_mysql(POSTGRESQL[number]) != YES


@pytest.mark.parametrize("said", OTHERS)
def test_what_is_neither(said: bytes) -> None:
    for probe in (probe_mysql, probe_postgresql):
        assert probe(Begun(client=said, over=True)) == NO
        assert probe(Begun(server=said, over=True)) == NO
        assert probe(Begun(client=said, server=said, over=True, server_port=80)) == NO


def test_never_in_bytes_by_chance() -> None:
    random = Random(6)
    for _ in range(3000):
        opening = Begun(random.randbytes(random.randrange(200)), random.randbytes(random.randrange(200)), over=True)
        assert probe_mysql(opening) == NO
        assert probe_postgresql(opening) == NO


def test_beginnings_that_are_not_whole_are_awaited() -> None:
    for size in range(1, len(greeting())):
        assert probe_mysql(Begun(server=greeting()[:size])) == MORE
        assert probe_mysql(Begun(server=greeting()[:size], over=True)) == NO
    for size in range(1, len(START)):
        assert probe_postgresql(Begun(client=START[:size])) == MORE


def test_packets_of_mysql_that_are_cut_short() -> None:
    """An execution and a short answer, of which any number of bytes is here."""
    execution = struct.pack("<I", 11) + b"\x17\1\0\0\0\0\1\0\0\0\0"
    answer = struct.pack("<I", 7 | 1 << 24) + b"\0\0\0\2\0\0\0"
    for said in range(len(execution) + 1):
        for answered in range(len(answer) + 1):
            whole = (said, answered) == (len(execution), len(answer))
            verdict = probe_mysql(Begun(client=execution[:said], server=answer[:answered]))
            assert (verdict == YES) == whole


def test_any_later_beginning_of_recordings(data: Path) -> None:
    """Begun at any query, both are known by it."""
    for name, port, probe, letter in (
        ("mysql-client", 23306, probe_mysql, 3),
        ("postgresql-psql", 25432, probe_postgresql, 0x51),
    ):
        calls: Calls = recorded(data / "protocols" / f"{name}.pcap", port)[0]
        begun = [bytes(c) for to_server, c in calls if to_server and isinstance(c, bytes) and letter in (c[0], c[4])]
        known = sum(probe(Begun(client=one)) == YES for one in begun)
        assert known >= len(begun) - 2  # file data, a name of a function

"""Talk of databases for tests: read from recordings of our own, and put together by hand."""

from __future__ import annotations

import struct
from pathlib import Path

import dpkt

from syswire.convert.model.sighting import Sighting

from .parsing import Found

Calls = list[tuple[bool, bytes | int]]


def recorded(path: Path, port: int) -> list[Calls]:
    """The conversations of a recording on loopback, in which nothing is lost, repeated or out of order."""
    talks: dict[int, Calls] = {}
    with path.open("rb") as file:
        for _, frame in dpkt.pcap.Reader(file):
            segment = dpkt.ethernet.Ethernet(frame).data.data
            if segment.data:
                to_server = segment.dport == port
                client = segment.sport if to_server else segment.dport
                talks.setdefault(client, []).append((to_server, bytes(segment.data)))
    return list(talks.values())


def packet(number: int, body: bytes) -> bytes:
    """One of MySQL's packets."""
    return len(body).to_bytes(3, "little") + bytes([number]) + body


def lenenc(data: bytes) -> bytes:
    """A short text behind its length."""
    assert len(data) < 251
    return bytes([len(data)]) + data


def column(number: int, name: bytes) -> bytes:
    """The definition of a column."""
    body = lenenc(b"def") + lenenc(b"d") + lenenc(b"t") + lenenc(b"t") + lenenc(name) + lenenc(name)
    return packet(number, body + b"\x0c\x21\x00" + struct.pack("<IBHBH", 40, 0xFD, 0, 0, 0))


def greeting(capabilities: int = 0x81BFF7DF | 1 << 24, plugin: bytes = b"mysql_native_password") -> bytes:
    """What a server says first."""
    body = b"\x0a8.0.99-made\0" + struct.pack("<I", 77) + b"saltsalt\0" + struct.pack("<H", capabilities & 0xFFFF)
    body += b"\x21\x02\x00" + struct.pack("<H", capabilities >> 16) + b"\x15" + bytes(10) + b"moresaltmore\0"
    return packet(0, body + plugin + b"\0")


def login(
    user: bytes = b"ann", answer: bytes = b"\x11" * 20, plugin: bytes = b"mysql_native_password", more: int = 0
) -> bytes:
    """The client's answer; `more`: further capabilities."""
    capabilities = 0x0008A20D | more
    body = struct.pack("<IIB", capabilities, 1 << 24, 33) + bytes(23) + user + b"\0" + lenenc(answer)
    return packet(1, body + b"shop\0" + plugin + b"\0")


def ok(number: int = 1, affected: int = 0, insert_id: int = 0, status: int = 2, first: int = 0) -> bytes:
    """OK; as the end of rows `first` is 0xfe."""
    return packet(number, bytes([first, affected, insert_id]) + struct.pack("<HH", status, 0))


def eof(number: int, status: int = 2) -> bytes:
    """EOF."""
    return packet(number, b"\xfe\0\0" + struct.pack("<H", status))


def err(number: int, code: int, state: bytes, message: bytes) -> bytes:
    """ERR."""
    return packet(number, b"\xff" + struct.pack("<H", code) + b"#" + state + message)


def query(sql: bytes) -> bytes:
    """COM_QUERY."""
    return packet(0, b"\x03" + sql)


def message(kind: bytes, body: bytes = b"") -> bytes:
    """One of PostgreSQL's messages."""
    return kind + struct.pack("!I", len(body) + 4) + body


def startup(*pairs: bytes) -> bytes:
    """StartupMessage, version 3.0."""
    body = struct.pack("!I", 196608) + b"\0".join(pairs) + b"\0\0"
    return struct.pack("!I", len(body) + 4) + body


def description(*names: bytes) -> bytes:
    """RowDescription."""
    columns = b"".join(name + b"\0" + struct.pack("!IHIhih", 0, 0, 25, -1, -1, 0) for name in names)
    return message(b"T", struct.pack("!H", len(names)) + columns)


def row(*values: bytes) -> bytes:
    """DataRow."""
    body = b"".join(struct.pack("!i", len(value)) + value for value in values)
    return message(b"D", struct.pack("!H", len(values)) + body)


def complaint(kind: bytes, level: bytes, state: bytes, text: bytes) -> bytes:
    """ErrorResponse or NoticeResponse."""
    return message(kind, b"S" + level + b"\0V" + level + b"\0C" + state + b"\0M" + text + b"\0\0")


READY = message(b"Z", b"I")
LOGGED_IN = message(b"R", struct.pack("!I", 0)) + message(b"S", b"server_version\x0015.1\0") + READY


def cleartext(found: Found) -> list[Sighting]:
    """What passed as it is: no challenge and its answer."""
    return [sighting for sighting in found.sightings if sighting.form == "cleartext"]


def hashed(found: Found) -> list[Sighting]:
    """The others: lines for crackers."""
    return [sighting for sighting in found.sightings if sighting.form == "hash"]

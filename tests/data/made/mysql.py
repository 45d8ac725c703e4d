"""Packets of the MySQL protocol, as much of it as the sample needs."""

from __future__ import annotations

# Capabilities: protocol 4.1, secure connection, plug-in authentication, connect with database.
CAPABILITIES = 0x00000200 | 0x00008000 | 0x00080000 | 0x00000008


def packet(sequence: int, payload: bytes) -> bytes:
    """A packet: length in three bytes, sequence number, payload."""
    return len(payload).to_bytes(3, "little") + bytes((sequence,)) + payload


def text(value: str) -> bytes:
    """A length-encoded string of up to 250 bytes."""
    raw = value.encode()
    return bytes((len(raw),)) + raw


def greeting(thread: int, salt: bytes) -> bytes:
    """What the server says first; the salt has 20 bytes."""
    caps = CAPABILITIES.to_bytes(4, "little")
    payload = b"\x0a10.11.6-MariaDB\0" + thread.to_bytes(4, "little") + salt[:8] + b"\0" + caps[:2] + b"\x21\x02\0"
    return packet(0, payload + caps[2:] + b"\x15" + bytes(10) + salt[8:] + b"\0mysql_native_password\0")


def login(user: str, database: str) -> bytes:
    """The client's answer of an account without a password (the server knows it by its unix user or address)."""
    head = CAPABILITIES.to_bytes(4, "little") + (1 << 24).to_bytes(4, "little") + b"\x21" + bytes(23)
    return packet(1, head + user.encode() + b"\0\0" + database.encode() + b"\0mysql_native_password\0")


def ok(sequence: int) -> bytes:
    """Success."""
    return packet(sequence, b"\0\x01\0\x02\0\0\0")


def query(sql: str) -> bytes:
    """COM_QUERY."""
    return packet(0, b"\x03" + sql.encode())


def leave() -> bytes:
    """COM_QUIT."""
    return packet(0, b"\x01")


def rows(columns: list[str], values: list[list[str]]) -> bytes:
    """A result set of text columns."""
    parts = [bytes((len(columns),))]
    for name in columns:
        column = text("def") + text("shop") + text("t") + text("t") + text(name) + text(name)
        parts.append(column + b"\x0c\x21\0\xff\0\0\0\xfd\0\0\0\0\0")
    parts.append(b"\xfe\0\0\x02\0")
    parts += [b"".join(text(value) for value in row) for row in values]
    parts.append(b"\xfe\0\0\x02\0")
    return b"".join(packet(number + 1, part) for number, part in enumerate(parts))

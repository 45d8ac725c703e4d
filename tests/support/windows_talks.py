"""Conversations of TDS and of SMB 1 with a password in them, for secret_talks."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from .fake_tds import acknowledged, done, error, packet, prelogin
from .ntlm_made import wide

Calls = list[tuple[bool, bytes]]


def mssql(s: bytes) -> Iterator[tuple[str, Calls]]:
    """LOGIN7, and a statement that the server quotes."""
    text = wide(s.decode("latin-1"))
    hidden = bytes(((byte << 4 | byte >> 4) & 0xFF) ^ 0xA5 for byte in text)
    user = wide("ann")
    pairs = struct.pack("<HHHHHH", 94, 0, 94, 3, 100, len(hidden) // 2) + struct.pack("<HH", 94, 0) * 6
    body = struct.pack("<IIIIIBBBBiI", 0x74000004, 4096, 7, 1, 0, 0xE0, 3, 0, 0, 0, 1033) + pairs + b"\0" * 6
    body = (body + b"\0" * 16)[:90] + user + hidden
    begin: Calls = [(True, packet(18, prelogin(2))), (False, packet(4, prelogin(2)))]
    login: Calls = [*begin, (True, packet(16, struct.pack("<I", 4 + len(body)) + body))]
    yield "login", [*login, (False, packet(4, error(18456, "Login failed.") + done(2)))]
    sql = "create login x with password = '" + s.decode("latin-1") + "'"
    batch = (True, packet(1, struct.pack("<IIHQI", 22, 18, 2, 0, 1) + wide(sql)))
    said = error(102, "Incorrect syntax near '" + s.decode("latin-1") + "'") + done(2)
    yield "query", [*login, (False, packet(4, acknowledged())), batch, (False, packet(4, said))]


def smb(s: bytes) -> Iterator[tuple[str, Calls]]:
    """A session setup with a password as it is, since the server asks for no other."""
    head = b"\xffSMB\x73" + b"\0" * 4 + b"\x18" + struct.pack("<H", 0x4000) + b"\0" * 12
    head += struct.pack("<HHHH", 0, 77, 100, 2)
    words = struct.pack("<HBHHIIIIQHB", 0, 1, 50, 1, 65535, 65536, 0, 0, 0, 0, 0)
    negotiated = head[:4] + b"\x72" + head[5:9] + b"\x98" + head[10:] + bytes([len(words) // 2]) + words + b"\0\0"
    asked = struct.pack("<BBHHHHIHHII", 0xFF, 0, 0, 4356, 50, 0, 0, len(s) + 1, 0, 0, 0xD4)
    data = s + b"\0ann\0HOME\0OS\0LM\0"
    setup = head + bytes([len(asked) // 2]) + asked + struct.pack("<H", len(data)) + data
    refused = head[:5] + struct.pack("<I", 0xC000006D) + b"\x98" + head[10:] + b"\0\0\0"
    calls = [(False, negotiated), (True, setup), (False, refused)]
    yield "plain", [(up, struct.pack(">I", len(message)) + message) for up, message in calls]

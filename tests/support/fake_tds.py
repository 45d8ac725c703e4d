"""A server of TDS that lets everybody in but the word `wrong`, and answers each batch with one row counted (MS-TDS).

It stands in for SQL Server, which Debian does not have. What both sides said is kept.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

from .ntlm_made import challenge, wide

Calls = list[tuple[bool, bytes]]
_HIDDEN_WRONG = bytes(((byte << 4 | byte >> 4) & 0xFF) ^ 0xA5 for byte in wide("wrong"))


def packet(kind: int, body: bytes, status: int = 1) -> bytes:
    """One packet."""
    return struct.pack(">BBHHBB", kind, status, 8 + len(body), 0, 1, 0) + body


def prelogin(encryption: int) -> bytes:
    """A list of two options: version and encryption."""
    head = b"\0" + struct.pack(">HH", 11, 6) + b"\1" + struct.pack(">HH", 17, 1) + b"\xff"
    return head + b"\x0f\0\x07\xd0\0\0" + bytes([encryption])


def error(number: int, text: str) -> bytes:
    """ERROR, of class 14."""
    said = struct.pack("<IBB", number, 1, 14) + struct.pack("<H", len(text)) + wide(text) + b"\0\0" + b"\1\0\0\0"
    return b"\xaa" + struct.pack("<H", len(said)) + said


def acknowledged() -> bytes:
    """LOGINACK of TDS 7.4 and DONE."""
    name = wide("Invented Server")
    said = b"\1\x74\0\0\4" + bytes([len(name) // 2]) + name + b"\x0f\0\x07\xd0"
    return b"\xad" + struct.pack("<H", len(said)) + said + done(0)


def done(status: int, count: int = 0) -> bytes:
    """DONE as of TDS 7.2."""
    return b"\xfd" + struct.pack("<HHQ", status, 0, count)


class FakeTds:
    """One connection."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.calls: Calls = []

    def run(self) -> None:
        """Until the client leaves."""
        with suppress(OSError), self._connection:
            while (asked := self._read()) is not None:
                self._answer(asked[0], asked[1])

    def _read(self) -> tuple[int, bytes] | None:
        whole, body = b"", b""
        while True:
            head = self._exactly(8)
            if head is None:
                return None
            size = struct.unpack(">H", head[2:4])[0]
            rest = self._exactly(size - 8)
            if rest is None:
                return None
            whole += head + rest
            body += rest
            if head[1] & 1:
                self.calls.append((True, whole))
                return head[0], body

    def _exactly(self, size: int) -> bytes | None:
        data = b""
        while len(data) < size:
            part = self._connection.recv(size - len(data))
            if not part:
                return None
            data += part
        return data

    def _say(self, body: bytes) -> None:
        data = packet(4, body)
        self.calls.append((False, data))
        self._connection.sendall(data)

    def _answer(self, kind: int, body: bytes) -> None:
        if kind == 18:
            self._say(prelogin(2))
        elif kind == 16 and b"NTLMSSP\0" in body:
            blob = challenge(info=b"\x02\0\x0c\0" + wide("Domain") + b"\0\0\0\0")
            self._say(b"\xed" + struct.pack("<H", len(blob)) + blob)
        elif kind == 16 and _HIDDEN_WRONG in body:
            self._say(error(18456, "Login failed for user 'ann'.") + done(2))
        elif kind in {16, 17}:
            self._say(acknowledged())
        else:
            self._say(done(0x10, 1))

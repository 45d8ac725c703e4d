"""The header of a DCE/RPC message and the verifier at its end (C706 12.6.3, MS-RPCE 2.2.2.11)."""

from __future__ import annotations

from typing import NamedTuple

HEADER = 16
REQUEST, RESPONSE, FAULT = 0, 2, 3
BIND, BIND_ACK, BIND_NAK, ALTER, ALTER_RESPONSE, AUTH3 = 11, 12, 13, 14, 15, 16
SHUTDOWN, CANCEL, ORPHANED = 17, 18, 19
CLIENTS = frozenset((REQUEST, BIND, ALTER, AUTH3, CANCEL, ORPHANED))
SERVERS = frozenset((RESPONSE, FAULT, BIND_ACK, BIND_NAK, ALTER_RESPONSE, SHUTDOWN))
SPNEGO, NTLM, KERBEROS, NETLOGON = 9, 10, 16, 68
MECHANISMS = {SPNEGO: "SPNEGO", NTLM: "NTLM", KERBEROS: "Kerberos", NETLOGON: "Netlogon"}
LEVELS = {1: "none", 2: "connect", 3: "call", 4: "packet", 5: "integrity", 6: "privacy"}
_TRAILER = 8


class Pdu(NamedTuple):
    """A header."""

    kind: int
    flags: int
    little: bool
    length: int
    """Of the whole, header and verifier too."""
    auth_length: int
    call: int

    @classmethod
    def read(cls, head: bytes) -> Pdu | None:
        """Of 16 bytes or more; None: this is none."""
        if len(head) < HEADER or head[0] != 5 or head[1] > 1:
            return None
        kind = head[2]
        if kind not in CLIENTS and kind not in SERVERS:
            return None
        if head[4] not in {0x00, 0x10, 0x01, 0x11} or head[5] > 3 or head[6:8] != b"\0\0":
            return None
        order = "little" if head[4] & 0x10 else "big"
        length, auth, call = (
            int.from_bytes(head[begin:end], "little" if order == "little" else "big")
            for begin, end in ((8, 10), (10, 12), (12, 16))
        )
        if length < HEADER or (auth and auth + _TRAILER + HEADER > length):
            return None
        return cls(kind, head[3], order == "little", length, auth, call)

    def number(self, data: bytes, at: int, size: int) -> int:
        """In this message's byte order; what lies beyond the end counts as 0."""
        return int.from_bytes(data[at : at + size], "little" if self.little else "big")

    def token(self, data: bytes) -> Token | None:
        """The verifier of a whole message; None: there is none, or it is cut."""
        if not self.auth_length or len(data) < self.length:
            return None
        begin = self.length - self.auth_length
        head = data[begin - _TRAILER : begin]
        return Token(head[0], head[1], self.number(head, 4, 4), data[begin : self.length], begin)


class Token(NamedTuple):
    """A verifier."""

    mechanism: int
    level: int
    context: int
    """Which security context it is for: a connection may have several."""
    blob: bytes
    begin: int
    """Its index in the message."""

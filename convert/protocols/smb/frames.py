"""SMB's messages in one direction: each has a length before it (RFC 1002, 4.3; MS-SMB2 2.1)."""

from __future__ import annotations

import re

from ..sql.packets import LOOK, Framer

SMB1, SMB2, ENCRYPTED, COMPRESSED = b"\xffSMB", b"\xfeSMB", b"\xfdSMB", b"\xfcSMB"
MESSAGE = 0
"""A message of SMB; the other types are those of NetBIOS sessions."""
NETBIOS = {0x81: "session-request", 0x82: "accepted", 0x83: "refused", 0x84: "retarget", 0x85: "keep-alive"}
MOST_LENGTH = 1 << 24

_BEGIN = re.compile(rb"\x00[\x00-\xff]{3}[\xfc-\xff]SMB", re.DOTALL)


def begins(data: bytes) -> bool:
    """Whether these first bytes of a message, behind its length, say that it is one of SMB."""
    return data[1:4] == b"SMB" and data[0] >= 0xFC


class SmbFramer(Framer):
    """Cuts a direction into messages; `tag` is the type."""

    def measure(self, head: bytes) -> tuple[int, int, bool] | None:
        """The type and 24 bits of length: NetBIOS has 17 and never sets the others."""
        kind = head[0]
        if kind != MESSAGE and (kind not in NETBIOS or head[1] > 1):
            return None
        return kind, int.from_bytes(head[1:4], "big"), False

    def find(self, tail: bytes, anchor: int) -> tuple[int, bool]:
        """By the signature: of 64 bits 39 are fixed, and the length has to leave room for a header."""
        at = 0
        while (found := _BEGIN.search(tail, at)) is not None:
            begin = found.start()
            if len(tail) - begin < LOOK:
                return begin, False
            if 32 <= int.from_bytes(tail[begin + 1 : begin + 4], "big") < MOST_LENGTH and _header(tail[begin + 4 :]):
                return begin, True
            at = begin + 1
        return max(len(tail) - 7, 0), False


def _header(data: bytes) -> bool:
    """What has a fixed value in a header: SMB 2's size of the structure (64); SMB 1's reserved bytes."""
    if data[0] == 0xFE:
        return data[4:6] == b"\x40\0"
    return data[0] != 0xFF or data[22:24] == b"\0\0"

"""Whether a conversation is SMB's: by the messages' signature, behind a length and perhaps a NetBIOS session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES
from .frames import NETBIOS, begins

if TYPE_CHECKING:
    from ..api import Opening

_SESSION_REQUEST = 68
"""Bytes of a session request without scopes: two names of 34."""


def probe(opening: Opening) -> int:
    """By content: each direction that has said anything begins with a message."""
    verdicts = [_side(data) for data in (opening.client, opening.server) if data]
    if not verdicts or NO in verdicts:
        return NO
    if YES in verdicts:
        return YES
    return NO if opening.over else MORE


def _side(data: bytes) -> int:
    at = 0
    while at < len(data) and data[at] in NETBIOS:
        if data[at + 1 : at + 2] > b"\1":
            return NO
        if len(data) < at + 4:
            return MORE
        size = int.from_bytes(data[at + 1 : at + 4], "big")
        if not _netbios(data[at], size, data[at + 4 : at + 4 + size]):
            return NO
        at += 4 + size
    begin = data[at : at + 8]
    if not begin:
        return MORE
    if begin[0] or (len(begin) > 4 and begin[4] < 0xFC) or not b"SMB".startswith(begin[5:8]):
        return NO
    if len(begin) < 8:
        return MORE
    return YES if begins(begin[4:]) and int.from_bytes(begin[1:4], "big") >= 32 else NO


def _netbios(kind: int, size: int, content: bytes) -> bool:
    """A message of the session service has the length of its type; a name of it is 32 letters from A to P."""
    if kind == 0x81:
        name = content[1:33]
        return size >= _SESSION_REQUEST and content[:1] == b"\x20" and all(65 <= byte <= 80 for byte in name)
    return size == {0x82: 0, 0x83: 1, 0x84: 6, 0x85: 0}[kind]

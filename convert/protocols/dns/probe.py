"""Whether a conversation begins with DNS: by its messages, on any port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = frozenset({53, 5353, 5355})
_NETBIOS = 137
"""NetBIOS names are asked for in the same format (RFC 1002); they are not decoded."""
_OPENING = 4096
_PRIVATE = 0xFF00
"""Types from here on are for private use (RFC 6895)."""
_COUNTS = 64
"""Records of a section in one datagram, at most; streams of zone transfers hold more in later messages only."""


def _plausible(message: bytes) -> bool:
    """As far as the first 12 bytes are there, they are a header: few questions, an answer's marks in answers only."""
    if len(message) >= 4:
        response, opcode, code = message[2] & 0x80, message[2] >> 3 & 15, message[3] & 15
        if opcode > 6 or opcode == 3 or message[3] & 0x40 or code > 11 or (not response and code):
            return False
    if len(message) >= 12:
        questions, *records = (int.from_bytes(message[i : i + 2], "big") for i in (4, 6, 8, 10))
        if questions > 16 or not questions + sum(records):
            return False
        return message[2] & 0x80 != 0 or max(records) <= _COUNTS
    return True


def _whole(message: bytes, near: bool) -> bool:
    """A message that holds what it says and nothing else; near DNS's ports its questions are enough."""
    if len(message) < 12 or not _plausible(message):
        return False
    from .messages import decode, question_key  # is needed by what looks like a message only

    if near:
        return question_key(message) is not None
    decoded = decode(message)
    if decoded.broken or decoded.end != len(message):
        return False
    if not decoded.questions:  # an answer of mDNS, which repeats no question
        return bool(message[2] & 0x80 and not int.from_bytes(message[:2], "big") and decoded.fields["answers"])
    for asked in decoded.questions:
        if not isinstance(asked, dict) or asked["query_class"] not in ("IN", "ANY", "CH"):
            return False
        kind = str(asked["query_type"])
        if kind.startswith("TYPE") and int(kind[4:]) < _PRIVATE:
            return False
        name = str(asked["query_name"])
        if kind in ("TYPE32", "SRV") and len(name) == 32 and not name.strip("ABCDEFGHIJKLMNOP"):
            return False  # NetBIOS
    return True


def probe_datagrams(opening: Opening) -> int:
    """The first datagram of either direction is a message."""
    ports = {opening.client_port, opening.server_port}
    if _NETBIOS in ports:
        return NO
    first = opening.client if opening.first_to_server else opening.server
    return YES if _whole(first, bool(ports & _PORTS)) else NO


def probe_stream(opening: Opening) -> int:
    """The first message of a direction is here and whole, or too long to be held and on DNS's port."""
    near = bool({opening.client_port, opening.server_port} & _PORTS)
    answer = NO
    for begin in (opening.client, opening.server):
        if not begin:
            continue
        size, message = int.from_bytes(begin[:2], "big"), begin[2:]
        if len(begin) < 2 or (size >= 12 and _plausible(message)):
            if len(begin) >= 2 + size >= 14:
                return YES if _whole(message[:size], near) else NO
            if len(begin) >= _OPENING:
                return YES if near else NO
            answer = MORE
        else:
            return NO
    return NO if opening.over else answer

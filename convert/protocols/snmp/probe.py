"""Whether a conversation is SNMP's: by a message in which every length fits, on any port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = frozenset({161, 162})
_OPENING = 4096


def probe(opening: Opening) -> int:
    """The first datagram is a message; in a stream the first one of a direction is, or begins so on SNMP's ports."""
    near = bool({opening.client_port, opening.server_port} & _PORTS)
    if opening.transport == "udp":
        first = opening.client if opening.first_to_server else opening.server
        return YES if first[:1] == b"\x30" and _message(first, near) else NO
    answer = NO
    for begin in (opening.client, opening.server):
        if not begin:
            continue
        if begin[:1] != b"\x30":
            return NO
        from ..asn1 import ber  # is needed by what looks like a message only

        size = ber.measure(begin[:10])
        if size < 0 or not _version(begin):
            return NO
        if size and len(begin) >= size:
            return YES if _message(begin[:size], near) else NO
        if near and len(begin) >= min(_OPENING, 64):
            return YES if _message(begin, True) else NO
        answer = MORE if len(begin) < _OPENING else answer
    return NO if opening.over else answer


def _version(begin: bytes) -> bool:
    """As far as it is here: behind the length stands one of three numbers."""
    head = 2 + (begin[1] & 0x7F if len(begin) > 1 and begin[1] & 0x80 else 0)
    shown = begin[head : head + 4]
    return any(known.startswith(shown) for known in (b"\x02\x01\x00\x04", b"\x02\x01\x01\x04", b"\x02\x01\x03\x30"))


def _message(data: bytes, near: bool) -> bool:
    from .messages import begun, decode

    return decode(data) is not None or (near and begun(data) is not None)

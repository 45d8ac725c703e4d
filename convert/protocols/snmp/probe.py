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
    if opening.transport == "udp":
        first = opening.client if opening.first_to_server else opening.server
        return YES if first[:1] == b"\x30" and _whole(first) else NO
    near = bool({opening.client_port, opening.server_port} & _PORTS)
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
            return YES if _whole(begin[:size]) else NO
        if opening.over or len(begin) >= _OPENING:
            return YES if near and _begun(begin) else NO
        answer = MORE
    return NO if opening.over else answer


def _version(begin: bytes) -> bool:
    """As far as it is here: behind the length stands one of three numbers."""
    head = 2 + (begin[1] & 0x7F if len(begin) > 1 and begin[1] & 0x80 else 0)
    shown = begin[head : head + 4]
    return any(known.startswith(shown) for known in (b"\x02\x01\x00\x04", b"\x02\x01\x01\x04", b"\x02\x01\x03\x30"))


def _whole(data: bytes) -> bool:
    from .messages import decode

    return decode(data) is not None


def _begun(data: bytes) -> bool:
    from .messages import begun

    return begun(data) is not None

"""Whether a conversation is DCE/RPC: by the headers of its messages and what a bind has to say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES
from .pdu import ALTER, ALTER_RESPONSE, BIND, BIND_ACK, CLIENTS, HEADER, SERVERS, Pdu

if TYPE_CHECKING:
    from ..api import Opening

_BEGIN = b"\x05"
_LEAST_BIND = 72
"""A bind with one interface and one transfer syntax."""


def probe(opening: Opening) -> int:
    """A bind of the client or its answer; else messages that follow each other."""
    verdicts = [_side(data, kinds) for data, kinds in ((opening.client, CLIENTS), (opening.server, SERVERS)) if data]
    if not verdicts or NO in verdicts:
        return NO
    if YES in verdicts or (len(verdicts) == 2 and MORE not in verdicts):
        return YES
    return NO if opening.over else MORE


_ONE = 3
"""One message that fits, which says little by itself."""


def _side(data: bytes, kinds: frozenset[int]) -> int:
    if not data.startswith(_BEGIN) or data[1:2] > b"\1":
        return NO
    if len(data) < HEADER:
        return MORE
    pdu = Pdu.read(data)
    if pdu is None or pdu.kind not in kinds or pdu.flags & 1 == 0 and pdu.kind in {BIND, BIND_ACK}:
        return NO
    if pdu.kind in {BIND, ALTER}:
        return YES if _interfaces(pdu, data) else NO
    if pdu.kind in {BIND_ACK, ALTER_RESPONSE}:
        return YES if pdu.length >= 28 else NO
    if pdu.token(data[: pdu.length]) is not None and data[pdu.length - pdu.auth_length :].startswith(b"NTLMSSP\0"):
        return YES
    after = data[pdu.length : pdu.length + HEADER]
    following = Pdu.read(after)
    if following is not None:
        return YES if following.kind in kinds else NO
    return _ONE if len(data) == pdu.length else NO if len(after) == HEADER else MORE


def _interfaces(pdu: Pdu, data: bytes) -> bool:
    """Fragments' sizes and at least one interface, each with a transfer syntax."""
    if len(data) < 28 or pdu.length < _LEAST_BIND:
        return False
    sizes = [pdu.number(data, at, 2) for at in (16, 18)]
    return min(sizes) >= 256 and 1 <= data[24] <= 64 and data[25] == 0 and not any(data[26:28])

"""Whether a conversation is RADIUS: by packets whose lengths fit; away from its ports by a login in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import NO, YES
from . import messages

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = frozenset((1812, 1813, 1645, 1646, 3799))
_NAS = (messages.NAS_ADDRESS, messages.NAS_IDENTIFIER, messages.NAS_ADDRESS_6, messages.NAS_PORT)
_PROOFS = (messages.USER_PASSWORD, messages.CHAP_PASSWORD, messages.EAP_MESSAGE, messages.VENDOR)


def probe(opening: Opening) -> int:
    """The first datagram is a packet of RADIUS."""
    first = opening.client if opening.first_to_server else opening.server
    packet = messages.read(first)
    if packet is None or not messages.plausible(packet):
        return NO
    if opening.server_port in _PORTS or opening.client_port in _PORTS:
        return YES
    if packet.code != messages.ACCESS_REQUEST or len(first) != len(packet.raw):
        return NO
    told = packet.first(messages.USER_NAME) is not None and any(packet.first(number) for number in _NAS)
    return YES if told and any(packet.first(number) for number in _PROOFS) else NO

"""One packet of RADIUS: code, identifier, length, authenticator, attributes (RFC 2865, 3 and 5)."""

from __future__ import annotations

from typing import NamedTuple

HEADER = 20
ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE = 1, 2, 3, 11
CODES = {
    ACCESS_REQUEST: "access-request", ACCESS_ACCEPT: "access-accept", ACCESS_REJECT: "access-reject",
    4: "accounting-request", 5: "accounting-response", ACCESS_CHALLENGE: "access-challenge", 12: "status-server",
    13: "status-client", 40: "disconnect-request", 41: "disconnect-ack", 42: "disconnect-nak", 43: "coa-request",
    44: "coa-ack", 45: "coa-nak",
}  # fmt: skip
"""RFC 2865, 2866, 5176, 5997."""
REQUESTS = frozenset((ACCESS_REQUEST, 4, 12, 13, 40, 43))
USER_NAME, USER_PASSWORD, CHAP_PASSWORD, NAS_ADDRESS, NAS_PORT, SERVICE = 1, 2, 3, 4, 5, 6
REPLY_MESSAGE, STATE, VENDOR, CALLED, CALLING, NAS_IDENTIFIER = 18, 24, 26, 30, 31, 32
CHAP_CHALLENGE, EAP_MESSAGE, MESSAGE_AUTHENTICATOR, NAS_ADDRESS_6 = 60, 79, 80, 95
MICROSOFT = 311
MS_RESPONSE, MS_CHALLENGE, MS_RESPONSE_2 = 1, 11, 25
"""Attributes of Microsoft (RFC 2548, 2)."""
_MOST_ATTRIBUTES = 512
_SIZES = {CHAP_PASSWORD: 17, NAS_ADDRESS: 4, NAS_PORT: 4, SERVICE: 4, MESSAGE_AUTHENTICATOR: 16, NAS_ADDRESS_6: 16}
"""Bytes of values that have one length."""


class Attribute(NamedTuple):
    """One attribute; `at` is where its value begins in the packet."""

    number: int
    value: bytes
    at: int


class Packet(NamedTuple):
    """One packet."""

    code: int
    identifier: int
    authenticator: bytes
    attributes: list[Attribute]
    whole: bool
    """Its attributes fill the length that it tells, all of which is here."""
    raw: bytes

    def first(self, number: int) -> Attribute | None:
        """The first attribute of that number."""
        for one in self.attributes:
            if one.number == number:
                return one
        return None

    def microsoft(self, number: int) -> Attribute | None:
        """The first attribute of Microsoft's with that number."""
        for one in self.attributes:
            if one.number == VENDOR and int.from_bytes(one.value[:4], "big") == MICROSOFT:
                inner, _ = _attributes(one.value, 4, len(one.value))
                for found in inner:
                    if found.number == number:
                        return found._replace(at=one.at + found.at)
        return None


def read(data: bytes) -> Packet | None:
    """A packet as far as it is here; None where the datagram has no room for one, or none begins so."""
    if len(data) < HEADER or data[0] not in CODES:
        return None
    size = int.from_bytes(data[2:4], "big")
    if not HEADER <= size <= 4096:
        return None
    attributes, filled = _attributes(data, HEADER, min(size, len(data)))
    raw = data[:size]
    return Packet(data[0], data[1], data[4:20], attributes, filled and size <= len(data), raw)


def plausible(packet: Packet) -> bool:
    """Whether its attributes are those of a login, each of the length that it has to have."""
    for number, value, _ in packet.attributes:
        if not value or not number or _SIZES.get(number, len(value)) != len(value):
            return False
        if number == USER_PASSWORD and (len(value) % 16 or len(value) > 128):
            return False
    return packet.whole


def _attributes(data: bytes, at: int, end: int) -> tuple[list[Attribute], bool]:
    """Number, length with these two bytes, value; one after the other. Whether they fill the bytes up to `end`."""
    found: list[Attribute] = []
    while at + 2 <= end and len(found) < _MOST_ATTRIBUTES:
        size = data[at + 1]
        if size < 2 or at + size > end:
            return found, False
        found.append(Attribute(data[at], data[at + 2 : at + size], at + 2))
        at += size
    return found, at == end

"""SNMP's messages (RFC 1157, 3416, 3412, 3414), read only where every length fits every other one."""

from __future__ import annotations

from typing import NamedTuple

from ..asn1 import ber
from ..asn1.ber import INTEGER, OCTETS, OID, SEQUENCE, Tlv

V1, V2C, V3 = 0, 1, 3
VERSIONS = {V1: "1", V2C: "2c", V3: "3"}
TRAP_V1, REPORT, RESPONSE = 0xA4, 0xA8, 0xA2
PDUS = {
    0xA0: "get",
    0xA1: "get-next",
    0xA2: "response",
    0xA3: "set",
    0xA4: "trap",
    0xA5: "get-bulk",
    0xA6: "inform",
    0xA7: "trap",
    0xA8: "report",
}
ASKING = frozenset({0xA0, 0xA1, 0xA3, 0xA5, 0xA6})
"""They are answered by a response."""
SHOWN = 8
"""Object identifiers of a message that are told."""
_IP_ADDRESS, _TIME_TICKS = 0x40, 0x43
_HEAD = 3
_COMMUNITY = 1024
_USER = 255


class Pdu(NamedTuple):
    """What is asked, answered or told."""

    tag: int
    request_id: int | None
    """None in version 1's trap."""
    error_status: int
    error_index: int
    varbinds: int
    oids: tuple[str, ...]
    """The first few; in version 1's trap the enterprise first."""


class Usm(NamedTuple):
    """The user-based security model's part of a message (RFC 3414, 2.4)."""

    engine_id: bytes
    user: str
    """One character a byte."""
    digest: Tlv


class Message(NamedTuple):
    """One message; where a part lies it is told by its place in the message."""

    version: int
    community: Tlv | None
    """None in version 3."""
    pdu: Pdu | None
    """None where it is encrypted, or cut off."""
    message_id: int | None = None
    """Of version 3."""
    flags: int = 0
    usm: Usm | None = None
    encrypted: bool = False


def decode(data: bytes) -> Message | None:
    """A whole message and nothing else; None where anything in it does not fit."""
    outer = ber.whole(data, SEQUENCE)
    parts = None if outer is None else ber.children(data, outer, 5)
    if not parts or parts[0].tag != INTEGER or parts[0].end - parts[0].begin != 1:
        return None
    version = data[parts[0].begin]
    if version == V3:
        return _version_3(data, parts)
    if version not in (V1, V2C) or len(parts) != _HEAD or parts[1].tag != OCTETS:
        return None
    if parts[1].end - parts[1].begin > _COMMUNITY:
        return None
    tag = parts[2].tag
    if tag not in PDUS or tag == REPORT or (version == V1 and tag > TRAP_V1) or (version == V2C and tag == TRAP_V1):
        return None
    told = _pdu(data, parts[2])
    return None if told is None else Message(version, parts[1], told)


def begun(data: bytes) -> Message | None:
    """A message of version 1 or 2c whose end was not captured, as far as its community and the kind of its PDU."""
    outer = ber.opened(data, 0, len(data))
    version = None if outer is None else ber.expect(data, outer.begin, outer.end, INTEGER)
    if (
        outer is None
        or version is None
        or outer.tag != SEQUENCE
        or data[outer.begin : version.end]
        not in (
            b"\x02\x01\x00",
            b"\x02\x01\x01",
        )
    ):
        return None
    community = ber.expect(data, version.end, outer.end, OCTETS)
    if community is None or community.end - community.begin > _COMMUNITY:
        return None
    pdu = ber.opened(data, community.end, outer.end)
    claimed = outer.begin + ber.measure(data[:10]) - (outer.begin - outer.at)
    if pdu is None or pdu.tag not in PDUS or pdu.at + ber.measure(data[pdu.at : pdu.at + 10]) != claimed:
        return None
    return Message(data[version.begin], community, None)


def _pdu(data: bytes, outer: Tlv) -> Pdu | None:
    if outer.tag == TRAP_V1:
        return _trap(data, outer)
    parts = ber.children(data, outer, 5)
    if parts is None or [part.tag for part in parts] != [INTEGER, INTEGER, INTEGER, SEQUENCE]:
        return None
    numbers = [ber.integer(data, part) for part in parts[:3]]
    listed = _varbinds(data, parts[3])
    if None in numbers or listed is None:
        return None
    return Pdu(outer.tag, numbers[0], numbers[1] or 0, numbers[2] or 0, *listed)


def _trap(data: bytes, outer: Tlv) -> Pdu | None:
    parts = ber.children(data, outer, 7)
    tags = [OID, _IP_ADDRESS, INTEGER, INTEGER, _TIME_TICKS, SEQUENCE]
    if parts is None or [part.tag for part in parts] != tags:
        return None
    enterprise, listed = ber.oid(data, parts[0]), _varbinds(data, parts[5])
    if enterprise is None or listed is None:
        return None
    return Pdu(outer.tag, None, 0, 0, listed[0], (enterprise, *listed[1])[:SHOWN])


def _varbinds(data: bytes, outer: Tlv) -> tuple[int, tuple[str, ...]] | None:
    """How many there are, and what the first ones are of."""
    count, at = 0, outer.begin
    names: list[str] = []
    while at < outer.end:
        pair = ber.read(data, at, outer.end)
        if pair is None or pair.tag != SEQUENCE:
            return None
        name = ber.read(data, pair.begin, pair.end)
        value = None if name is None or name.tag != OID else ber.read(data, name.end, pair.end)
        if value is None or value.end != pair.end:
            return None
        if len(names) < SHOWN:
            shown = ber.oid(data, name)
            if shown is None:
                return None
            names.append(shown)
        count += 1
        at = pair.end
    return count, tuple(names)


def _version_3(data: bytes, parts: list[Tlv]) -> Message | None:
    if [part.tag for part in parts[:3]] != [INTEGER, SEQUENCE, OCTETS] or len(parts) != 4:
        return None
    head = ber.children(data, parts[1], 5)
    if head is None or [part.tag for part in head] != [INTEGER, INTEGER, OCTETS, INTEGER]:
        return None
    message_id, flags, model = ber.integer(data, head[0]), ber.value(data, head[2]), ber.integer(data, head[3])
    if message_id is None or len(flags) != 1 or model is None:
        return None
    usm = None
    if model == 3:
        usm = _usm(data, parts[2])
        if usm is None:
            return None
    encrypted = parts[3].tag == OCTETS
    told = None
    if not encrypted:
        scoped = ber.children(data, parts[3], 4) if parts[3].tag == SEQUENCE else None
        if scoped is None or [part.tag for part in scoped[:2]] != [OCTETS, OCTETS] or len(scoped) != _HEAD:
            return None
        told = _pdu(data, scoped[2]) if scoped[2].tag in PDUS and scoped[2].tag != TRAP_V1 else None
        if told is None:
            return None
    return Message(V3, None, told, message_id, flags[0], usm, encrypted)


def _usm(data: bytes, outer: Tlv) -> Usm | None:
    inner = ber.inside(data, outer, SEQUENCE)
    parts = None if inner is None else ber.children(data, inner, 7)
    if parts is None or [part.tag for part in parts] != [OCTETS, INTEGER, INTEGER, OCTETS, OCTETS, OCTETS]:
        return None
    user = ber.text(data, parts[3], _USER)
    return Usm(ber.value(data, parts[0])[:64], user or "", parts[4])

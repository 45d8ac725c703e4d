"""Kerberos's messages (RFC 4120, 5): who asks for what, and what is encrypted with a key that comes of a password.

scapy has layers for these. It is not used: it takes 0.65 ms for a message and 0.3 s and 30 MB to be imported, refuses
whole messages of Heimdal's (an error with FAST's data), and does not say where in the message a part stands.
"""

from __future__ import annotations

from typing import NamedTuple

from ..asn1 import ber
from ..asn1.ber import INTEGER, OCTETS, SEQUENCE, Tlv

AS_REQ, AS_REP, TGS_REQ, TGS_REP, AP_REQ, AP_REP, ERROR = 10, 11, 12, 13, 14, 15, 30
NAMES = {
    AS_REQ: "AS-REQ",
    AS_REP: "AS-REP",
    TGS_REQ: "TGS-REQ",
    TGS_REP: "TGS-REP",
    AP_REQ: "AP-REQ",
    AP_REP: "AP-REP",
    ERROR: "KRB-ERROR",
}
_TAGS = {0x60 | number: number for number in NAMES}
HEAD = 40
"""Bytes in which the lengths, the version and the kind of a message stand."""
PA_TIMESTAMP, PA_SALT, PA_ETYPES, PA_ETYPES_2, PA_PKINIT, PA_FAST, PA_SPAKE = 2, 3, 11, 19, 17, 136, 151
_BIT_STRING, _GENERAL_STRING = 0x03, 0x1B
_TICKET = 0x61
_MOST_NAMES = 16
_NAME = 255
_LISTED = 64


class Encrypted(NamedTuple):
    """What is encrypted, and how."""

    etype: int
    cipher: Tlv


class Ticket(NamedTuple):
    """A ticket, encrypted with the service's key."""

    realm: str
    service: tuple[str, ...]
    encrypted: Encrypted


class Message(NamedTuple):
    """One message; texts are one byte a character, parts are told by where they stand in it."""

    kind: int
    realm: str = ""
    client: tuple[str, ...] = ()
    service: tuple[str, ...] = ()
    options: int = 0
    etypes: tuple[int, ...] = ()
    padata: tuple[int, ...] = ()
    timestamp: Encrypted | None = None
    salts: tuple[tuple[int, str], ...] = ()
    """(etype, salt), as the server tells them to the client; -1: of whichever."""
    ticket: Ticket | None = None
    encrypted: Encrypted | None = None
    code: int | None = None
    text: str | None = None


def kind(data: bytes) -> int | None:
    """Which message begins so (HEAD bytes are enough); None where none does, or it is not known yet."""
    outer = ber.opened(data, 0, len(data))
    inner = None if outer is None or outer.tag not in _TAGS else ber.opened(data, outer.begin, outer.end)
    if outer is None or inner is None or inner.tag != SEQUENCE:
        return None
    number = _TAGS[outer.tag]
    first = 0xA1 if number in (AS_REQ, TGS_REQ) else 0xA0
    numbers = bytes((first, 3, 2, 1, 5, first + 1, 3, 2, 1, number))
    return number if data[inner.begin : inner.begin + len(numbers)] == numbers else None


def decode(data: bytes) -> Message | None:
    """A whole message and nothing else; None where what is needed of it does not fit."""
    number = kind(data[:HEAD])
    outer = ber.read(data, 0, len(data))
    if number is None or outer is None or outer.end != len(data):
        return None
    parts = ber.fields(data, ber.inside(data, outer, SEQUENCE))
    if parts is None:
        return None
    if number in (AS_REQ, TGS_REQ):
        return _request(data, number, parts)
    if number in (AS_REP, TGS_REP):
        return _reply(data, number, parts)
    if number == AP_REQ:
        return Message(number, options=_options(data, parts.get(0xA2)), ticket=ticket(data, parts.get(0xA3)))
    if number == ERROR:
        return _error(data, parts)
    return Message(number)


def _request(data: bytes, number: int, parts: dict[int, Tlv]) -> Message | None:
    body = ber.fields(data, ber.inside(data, parts.get(0xA4), SEQUENCE))
    if body is None:
        return None
    given = padata(data, ber.inside(data, parts.get(0xA3), SEQUENCE))
    stamp = next((value for number, value in given if number == PA_TIMESTAMP), None)
    listed = ber.inside(data, body.get(0xA8), SEQUENCE)
    wanted = (ber.children(data, listed, _LISTED) if listed is not None else None) or []
    etypes = tuple(etype for one in wanted if (etype := ber.integer(data, one)) is not None)
    return Message(
        number,
        _string(data, body.get(0xA2)),
        _names(data, body.get(0xA1)),
        _names(data, body.get(0xA3)),
        _options(data, body.get(0xA0)),
        etypes,
        tuple(number for number, _ in given),
        None if stamp is None else encrypted(data, ber.inside(data, stamp, SEQUENCE)),
    )


def _reply(data: bytes, number: int, parts: dict[int, Tlv]) -> Message | None:
    given = padata(data, ber.inside(data, parts.get(0xA2), SEQUENCE))
    bought, part = ticket(data, parts.get(0xA5)), encrypted(data, ber.inside(data, parts.get(0xA6), SEQUENCE))
    if bought is None or part is None:
        return None
    return Message(
        number,
        _string(data, parts.get(0xA3)),
        _names(data, parts.get(0xA4)),
        bought.service,
        padata=tuple(number for number, _ in given),
        salts=_salts(data, given),
        ticket=bought,
        encrypted=part,
    )


def _error(data: bytes, parts: dict[int, Tlv]) -> Message | None:
    code = ber.integer(data, ber.inside(data, parts.get(0xA6), INTEGER))
    if code is None:
        return None
    realm = _string(data, parts.get(0xA7)) or _string(data, parts.get(0xA9))
    held = ber.inside(data, parts.get(0xAC), OCTETS)
    given = padata(data, ber.inside(data, held, SEQUENCE)) if code in (24, 25) else []
    said = ber.text(data, ber.inside(data, parts.get(0xAB)), 1024)
    return Message(
        ERROR,
        realm,
        _names(data, parts.get(0xA8)),
        _names(data, parts.get(0xAA)),
        padata=tuple(number for number, _ in given),
        salts=_salts(data, given),
        code=code,
        text=said,
    )


def ticket(data: bytes, outer: Tlv | None) -> Ticket | None:
    """The ticket that an explicit tag wraps."""
    wrapped = ber.inside(data, outer, _TICKET)
    parts = ber.fields(data, ber.inside(data, wrapped, SEQUENCE), 8)
    if parts is None or ber.integer(data, ber.inside(data, parts.get(0xA0), INTEGER)) != 5:
        return None
    part = encrypted(data, ber.inside(data, parts.get(0xA3), SEQUENCE))
    if part is None:
        return None
    return Ticket(_string(data, parts.get(0xA1)), _names(data, parts.get(0xA2)), part)


def encrypted(data: bytes, outer: Tlv | None) -> Encrypted | None:
    """EncryptedData (RFC 4120, 5.2.9)."""
    parts = ber.fields(data, outer, 4)
    if parts is None:
        return None
    etype = ber.integer(data, ber.inside(data, parts.get(0xA0), INTEGER))
    cipher = ber.inside(data, parts.get(0xA2), OCTETS)
    return None if etype is None or cipher is None else Encrypted(etype, cipher)


def padata(data: bytes, listed: Tlv | None) -> list[tuple[int, Tlv]]:
    """(Type, value) of pre-authentication data."""
    found: list[tuple[int, Tlv]] = []
    for one in (ber.children(data, listed, _LISTED) if listed is not None else None) or ():
        parts = ber.fields(data, one, 3) or {}
        number = ber.integer(data, ber.inside(data, parts.get(0xA1), INTEGER))
        value = ber.inside(data, parts.get(0xA2), OCTETS)
        if number is not None and value is not None:
            found.append((number, value))
    return found


def _salts(data: bytes, given: list[tuple[int, Tlv]]) -> tuple[tuple[int, str], ...]:
    found: list[tuple[int, str]] = []
    for number, value in given:
        if number == PA_SALT:
            found.append((-1, ber.text(data, value, _NAME) or ""))
        if number not in (PA_ETYPES, PA_ETYPES_2):
            continue
        listed = ber.inside(data, value, SEQUENCE)
        for one in (ber.children(data, listed, _LISTED) if listed is not None else None) or ():
            parts = ber.fields(data, one, 4) or {}
            etype = ber.integer(data, ber.inside(data, parts.get(0xA0), INTEGER))
            salt = ber.text(data, ber.inside(data, parts.get(0xA1)), _NAME)
            if etype is not None and salt is not None:
                found.append((etype, salt))
    return tuple(found[:_LISTED])


def _string(data: bytes, outer: Tlv | None) -> str:
    return ber.text(data, ber.inside(data, outer, _GENERAL_STRING), _NAME) or ""


def _names(data: bytes, outer: Tlv | None) -> tuple[str, ...]:
    """A PrincipalName's components."""
    parts = ber.fields(data, ber.inside(data, outer, SEQUENCE), 3) or {}
    listed = ber.inside(data, parts.get(0xA1), SEQUENCE)
    names = (ber.children(data, listed, _MOST_NAMES) if listed is not None else None) or ()
    return tuple(ber.text(data, one, _NAME) or "" for one in names if one.tag == _GENERAL_STRING)


def _options(data: bytes, outer: Tlv | None) -> int:
    """A BIT STRING of 32 bits, the first one highest."""
    bits = ber.inside(data, outer, _BIT_STRING)
    return int.from_bytes(data[bits.begin + 1 : bits.begin + 5], "big") if bits is not None else 0

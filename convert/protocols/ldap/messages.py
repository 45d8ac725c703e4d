"""LDAP's messages (RFC 4511): their envelope, and whether an operation is formed as its kind has to be."""

from __future__ import annotations

from typing import NamedTuple

from ..asn1 import ber
from ..asn1.ber import BOOLEAN, ENUMERATED, INTEGER, OCTETS, SEQUENCE, SET, Tlv

BIND, UNBIND, SEARCH, MODIFY, ADD, DELETE = 0x60, 0x42, 0x63, 0x66, 0x68, 0x4A
RENAME, COMPARE, ABANDON, EXTENDED = 0x6C, 0x6E, 0x50, 0x77
BOUND, ENTRY, DONE, REFERENCE, EXTENDED_DONE, INTERMEDIATE = 0x61, 0x64, 0x65, 0x73, 0x78, 0x79
REQUESTS = {
    BIND: "bind",
    UNBIND: "unbind",
    SEARCH: "search",
    MODIFY: "modify",
    ADD: "add",
    DELETE: "delete",
    RENAME: "rename",
    COMPARE: "compare",
    ABANDON: "abandon",
    EXTENDED: "extended",
}
RESPONSES = {
    BOUND: BIND,
    DONE: SEARCH,
    0x67: MODIFY,
    0x69: ADD,
    0x6B: DELETE,
    0x6D: RENAME,
    0x6F: COMPARE,
    EXTENDED_DONE: EXTENDED,
}
"""A final answer, and the request that it answers."""
SIMPLE, SASL = 0x80, 0xA3
SICILY_FIND, SICILY_NEGOTIATE, SICILY_ANSWER = 0x89, 0x8A, 0x8B
"""What Windows calls Sicily (MS-ADTS, 5.1.1.1.3): packages, then NTLM's first and third message."""
_CHOICES = frozenset({SIMPLE, SASL, SICILY_FIND, SICILY_NEGOTIATE, SICILY_ANSWER})
_CONTROLS = 0xA0
HEAD = 32
"""Bytes in which the lengths of the message and of the operation stand, and the message's id."""
_MOST_ID = 4
_FORMS: dict[int, tuple[int, ...]] = {
    SEARCH: (OCTETS, ENUMERATED, ENUMERATED, INTEGER, INTEGER, BOOLEAN, -1, SEQUENCE),
    MODIFY: (OCTETS, SEQUENCE),
    ADD: (OCTETS, SEQUENCE),
    RENAME: (OCTETS, OCTETS, BOOLEAN),
    COMPARE: (OCTETS, SEQUENCE),
    EXTENDED: (0x80,),
    ENTRY: (OCTETS, SEQUENCE),
    REFERENCE: (OCTETS,),
    **dict.fromkeys(RESPONSES, (ENUMERATED, OCTETS, OCTETS)),
}
"""Tags with which an operation begins; -1 is any."""


class Envelope(NamedTuple):
    """A message's id and operation; `size` is what the whole message says to take."""

    number: int
    operation: Tlv
    size: int
    complete: bool


def envelope(data: bytes) -> Envelope | None:
    """The message with which the data begin, its end may be missing; None where it is none, or badly formed.

    Needed is what shows the kind of operation: HEAD bytes are always enough.
    """
    outer = ber.opened(data, 0, len(data))
    if outer is None or outer.tag != SEQUENCE:
        return None
    size = ber.measure(data[:10])
    number = ber.expect(data, outer.begin, outer.end, INTEGER)
    told = ber.integer(data, number, _MOST_ID + 1)
    operation = None if number is None or told is None else ber.opened(data, number.end, outer.end)
    if number is None or operation is None or told is None or told < 0 or operation.tag not in _KNOWN:
        return None
    claimed = operation.at + ber.measure(data[operation.at : operation.at + 10])
    if claimed > size:
        return None
    complete = len(data) >= size
    if complete and claimed < size:
        controls = ber.expect(data, claimed, size, _CONTROLS)
        if controls is None or controls.end != size:
            return None
    return Envelope(told, operation, size, complete)


_KNOWN = frozenset({*REQUESTS, *RESPONSES, ENTRY, REFERENCE, INTERMEDIATE})


def well_formed(data: bytes, found: Envelope) -> bool:
    """Whether the operation of a whole message has the parts that its kind has."""
    operation = found.operation
    tag = operation.tag
    if tag == BIND:
        return bind(data, operation) is not None
    if tag == UNBIND:
        return operation.begin == operation.end
    if tag == ABANDON:
        return ber.integer(data, operation, _MOST_ID + 1) is not None
    if tag == DELETE:
        return operation.end - operation.begin < 4096
    if tag == INTERMEDIATE:
        parts = ber.children(data, operation, 3)
        return parts is not None and len(parts) < 3 and all(part.tag in (0x80, 0x81) for part in parts)
    form = _FORMS[tag]
    parts = ber.children(data, operation, 16)
    if parts is None or len(parts) < len(form):
        return False
    if any(wanted not in (-1, part.tag) for wanted, part in zip(form, parts, strict=False)):
        return False
    if tag == SEARCH:
        return len(parts) == len(form) and _small(data, parts[1], 3) and _small(data, parts[2], 3)
    return tag not in RESPONSES or (ber.integer(data, parts[0], 4) or 0) >= 0


def _small(data: bytes, tlv: Tlv, most: int) -> bool:
    number = ber.integer(data, tlv, 1)
    return number is not None and 0 <= number <= most


class Bind(NamedTuple):
    """A BindRequest."""

    version: int
    name: str
    choice: Tlv
    """SIMPLE and its password, SASL, or one of Windows's."""
    mechanism: str | None
    """Of SASL."""
    credentials: Tlv | None
    """Of SASL, None where there are none."""
    complete: bool


def bind(data: bytes, operation: Tlv, cut: bool = False) -> Bind | None:
    """What a BindRequest says; `cut`: its end may be missing. None where it is none."""
    end = operation.end
    version = ber.expect(data, operation.begin, end, INTEGER)
    number = ber.integer(data, version, 1)
    name = None if version is None else ber.expect(data, version.end, end, OCTETS)
    if number is None or not 2 <= number <= 3 or name is None:
        return None
    read = ber.opened if cut else ber.read
    choice = read(data, name.end, end)
    if choice is None or choice.tag not in _CHOICES or (not cut and choice.end != end):
        return None
    complete = ber.read(data, name.end, end) is not None
    text = ber.text(data, name, 4096) or ""
    if choice.tag != SASL:
        return Bind(number, text, choice, None, None, complete)
    mechanism = ber.expect(data, choice.begin, choice.end, OCTETS)
    shown = ber.text(data, mechanism, 64)
    if mechanism is None or shown is None or not shown.isascii() or not shown.isprintable():
        return None
    credentials = read(data, mechanism.end, choice.end)
    if mechanism.end < choice.end and (credentials is None or credentials.tag != OCTETS):
        return None
    return Bind(number, text, choice, shown, credentials, complete)


class Result(NamedTuple):
    """What a final answer says."""

    code: int
    matched: str
    text: str
    referrals: int
    server_credentials: Tlv | None
    """Of a BindResponse."""
    name: str | None
    """Of an ExtendedResponse."""


def result(data: bytes, operation: Tlv) -> Result | None:
    """An LDAPResult (RFC 4511, 4.1.9)."""
    parts = ber.children(data, operation, 16)
    if parts is None or [part.tag for part in parts[:3]] != [ENUMERATED, OCTETS, OCTETS]:
        return None
    code = ber.integer(data, parts[0], 4)
    if code is None:
        return None
    others = {part.tag: part for part in parts[3:]}
    referrals = len(ber.children(data, others[0xA3]) or ()) if 0xA3 in others else 0
    matched, said = ber.text(data, parts[1], 4096) or "", (ber.text(data, parts[2], 4096) or "").rstrip("\0")
    return Result(code, matched, said, referrals, others.get(0x87), ber.oid_text(data, others.get(0x8A)))


def attributes(data: bytes, listed: Tlv) -> list[tuple[str, list[Tlv]]]:
    """(Name, values) of a list of attributes, the first 256, each with its first 64 values; [] where it is broken."""
    found: list[tuple[str, list[Tlv]]] = []
    for one in ber.children(data, listed, 256) or ():
        name = ber.expect(data, one.begin, one.end, OCTETS)
        values = None if name is None else ber.expect(data, name.end, one.end, SET)
        if name is None or values is None:
            continue
        found.append((ber.text(data, name, 256) or "", ber.children(data, values, 64) or []))
    return found

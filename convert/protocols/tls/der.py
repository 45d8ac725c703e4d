"""A bounded reader of X.509 certificates (RFC 5280): the few fields that tell whose they are, from DER (X.690)."""

from __future__ import annotations

import re
from hashlib import sha256
from socket import AF_INET, AF_INET6, inet_ntop
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...model.record import Value

_NAMES = 256
"""Alternative names, and parts of a name, that are shown."""
_TEXT = 1024
"""Bytes of one value in a name."""
_UTF8, _T61, _UNIVERSAL, _BMP = 12, 20, 28, 30
_STRINGS = frozenset({12, 18, 19, 20, 22, 26, 28, 30})
_TIME = re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z").fullmatch
_SHORT = {
    "2.5.4.3": "CN",
    "2.5.4.4": "SN",
    "2.5.4.5": "serialNumber",
    "2.5.4.6": "C",
    "2.5.4.7": "L",
    "2.5.4.8": "ST",
    "2.5.4.9": "street",
    "2.5.4.10": "O",
    "2.5.4.11": "OU",
    "2.5.4.12": "title",
    "2.5.4.13": "description",
    "2.5.4.15": "businessCategory",
    "2.5.4.17": "postalCode",
    "2.5.4.41": "name",
    "2.5.4.42": "GN",
    "2.5.4.43": "initials",
    "2.5.4.46": "dnQualifier",
    "2.5.4.65": "pseudonym",
    "2.5.4.97": "organizationIdentifier",
    "0.9.2342.19200300.100.1.1": "UID",
    "0.9.2342.19200300.100.1.25": "DC",
    "1.2.840.113549.1.9.1": "emailAddress",
    "1.2.840.113549.1.9.2": "unstructuredName",
    "1.3.6.1.4.1.311.60.2.1.1": "jurisdictionL",
    "1.3.6.1.4.1.311.60.2.1.2": "jurisdictionST",
    "1.3.6.1.4.1.311.60.2.1.3": "jurisdictionC",
}
_ORDER = ("subject", "issuer", "serial", "not_before", "not_after", "names", "certificate_sha256")
_ALTERNATIVE = bytes.fromhex("551d11")  # 2.5.29.17, subjectAltName


class BrokenDer(ValueError):
    """An element is not where it has to be, or runs over its end."""


class _Element(NamedTuple):
    tag: int
    begin: int
    end: int


def _element(data: bytes, at: int, end: int) -> _Element:
    """The element at `at`, which ends before `end`. Lengths are definite, tags have one byte."""
    if at + 2 > end or data[at] & 0x1F == 0x1F:
        raise BrokenDer
    tag, length, begin = data[at], data[at + 1], at + 2
    if length >= 0x80:
        size = length & 0x7F
        if not 0 < size <= 4 or begin + size > end:
            raise BrokenDer
        length = int.from_bytes(data[begin : begin + size], "big")
        begin += size
    if begin + length > end:
        raise BrokenDer
    return _Element(tag, begin, begin + length)


def _expect(data: bytes, at: int, end: int, tag: int) -> _Element:
    found = _element(data, at, end)
    if found.tag != tag:
        raise BrokenDer
    return found


def _opening(data: bytes, at: int) -> _Element:
    """A sequence at `at` whose end may be cut off."""
    size = (
        int.from_bytes(data[at + 2 : at + 2 + (data[at + 1] & 0x7F)], "big") if data[at + 1 : at + 2] > b"\x80" else 0
    )
    head = 2 + (data[at + 1] & 0x7F if size else 0)
    end = at + head + (size or data[at + 1])
    if data[at] != 0x30 or head > 6:
        raise BrokenDer
    return _Element(0x30, at + head, min(end, len(data)))


def object_identifier(data: bytes) -> str:
    """An object identifier in dotted form; raises BrokenDer."""
    if not data or data[-1] & 0x80 or len(data) > 64:
        raise BrokenDer
    numbers, number = [], 0
    for byte in data:
        number = number << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(number)
            number = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))


def _wire(tag: int, value: bytes) -> str:
    """A string as UTF-8, one character a byte."""
    if tag == _UTF8:
        return value.decode("latin-1")
    if tag == _BMP:
        text = value.decode("utf-16-be", "replace")
    elif tag == _UNIVERSAL:
        text = value.decode("utf-32-be", "replace")
    else:
        text = value.decode("latin-1")
    return text.encode("utf-8", "replace").decode("latin-1")


def _escaped(text: str) -> str:
    """As RFC 4514 has it, control characters in hex."""
    parts = [f"\\{c}" if c in ',+"\\<>;' else c if " " <= c != "\x7f" else f"\\{ord(c):02X}" for c in text]
    if parts and parts[0] in (" ", "#"):
        parts[0] = "\\" + parts[0]
    if len(parts) > 1 and parts[-1] == " ":
        parts[-1] = "\\ "
    return "".join(parts)


def _attribute(data: bytes, at: int, end: int) -> str:
    oid = _expect(data, at, end, 6)
    value = _element(data, oid.end, end)
    dotted = object_identifier(data[oid.begin : oid.end])
    name = _SHORT.get(dotted)
    if name is None or value.tag not in _STRINGS:
        return f"{name or dotted}=#{data[oid.end : min(value.end, value.begin + _TEXT)].hex().upper()}"
    return f"{name}={_escaped(_wire(value.tag, data[value.begin : min(value.end, value.begin + _TEXT)]))}"


def _distinguished(data: bytes, whole: _Element) -> str:
    """A name as RFC 4514 writes it: the last part first."""
    parts: list[str] = []
    at = whole.begin
    while at < whole.end and len(parts) < _NAMES:
        group = _expect(data, at, whole.end, 0x31)
        values: list[str] = []
        inner = group.begin
        while inner < group.end and len(values) < _NAMES:
            pair = _expect(data, inner, group.end, 0x30)
            values.append(_attribute(data, pair.begin, pair.end))
            inner = pair.end
        parts.append("+".join(reversed(values)))
        at = group.end
    return ",".join(reversed(parts))


def _time(data: bytes, at: _Element) -> str:
    """RFC 3339 where it is the form that RFC 5280 allows, else as it stands."""
    text = data[at.begin : min(at.end, at.begin + 32)]
    if at.tag == 23:
        text = (b"19" if text[:2] >= b"50" else b"20") + text
    elif at.tag != 24:
        raise BrokenDer
    found = _TIME(text)
    if found is None:
        return data[at.begin : min(at.end, at.begin + 32)].decode("latin-1")
    year, month, day, *clock = (part.decode("ascii") for part in found.groups())
    return f"{year}-{month}-{day}T{':'.join(clock)}Z"


def _alternatives(data: bytes, at: int, end: int) -> list[Value]:
    found: list[Value] = []
    while at < end and len(found) < _NAMES:
        name = _element(data, at, end)
        value = data[name.begin : min(name.end, name.begin + _TEXT)]
        kind = name.tag & 0x1F
        if kind in (1, 2, 6):  # mail, host, URI
            found.append(value.decode("latin-1"))
        elif kind == 7 and len(value) in (4, 16):
            found.append(inet_ntop(AF_INET if len(value) == 4 else AF_INET6, value))
        elif kind == 4:
            found.append(_distinguished(data, _expect(data, name.begin, name.end, 0x30)))
        at = name.end
    return found


def _extensions(data: bytes, at: int, end: int) -> list[Value]:
    listed = _expect(data, at, end, 0x30)
    at = listed.begin
    while at < listed.end:
        extension = _expect(data, at, listed.end, 0x30)
        oid = _expect(data, extension.begin, extension.end, 6)
        if data[oid.begin : oid.end] == _ALTERNATIVE:
            value = _element(data, oid.end, extension.end)
            if value.tag == 1:  # whether it is critical
                value = _element(data, value.end, extension.end)
            names = _expect(data, value.begin, value.end, 0x30)
            return _alternatives(data, names.begin, names.end)
        at = extension.end
    return []


def certificate(data: bytes, complete: bool = True) -> tuple[dict[str, Value], bool]:
    """(Fields of a certificate, whether all of them could be read). Fields behind something broken are left out."""
    fields: dict[str, Value] = {}
    try:
        outer = _opening(data, 0) if len(data) > 1 else _element(data, 0, len(data))
        body = _opening(data, outer.begin) if outer.begin + 1 < outer.end else _element(data, outer.begin, outer.end)
        end = body.end
        item = _element(data, body.begin, end)
        if item.tag == 0xA0:  # the version
            item = _element(data, item.end, end)
        if item.tag != 2:
            raise BrokenDer
        fields["serial"] = data[item.begin : min(item.end, item.begin + 64)].hex()
        algorithm = _expect(data, item.end, end, 0x30)
        issuer = _expect(data, algorithm.end, end, 0x30)
        fields["issuer"] = _distinguished(data, issuer)
        validity = _expect(data, issuer.end, end, 0x30)
        before = _element(data, validity.begin, validity.end)
        after = _element(data, before.end, validity.end)
        fields["not_before"] = _time(data, before)
        fields["not_after"] = _time(data, after)
        subject = _expect(data, validity.end, end, 0x30)
        fields["subject"] = _distinguished(data, subject)
        item = _expect(data, subject.end, end, 0x30)  # the key
        fields["names"] = []
        while item.end < end:
            item = _element(data, item.end, end)
            if item.tag == 0xA3:
                fields["names"] = _extensions(data, item.begin, item.end)
        broken = False
    except (BrokenDer, IndexError):
        broken = True
    if complete:
        fields["certificate_sha256"] = sha256(data).hexdigest()
    return {name: fields[name] for name in _ORDER if name in fields}, not broken

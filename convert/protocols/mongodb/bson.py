"""BSON documents, as far as a record tells of them. https://bsonspec.org/spec.html"""

from __future__ import annotations

from typing import NamedTuple

_MOST_ELEMENTS = 512
_FIXED = {0x01: 8, 0x06: 0, 0x07: 12, 0x08: 1, 0x09: 8, 0x0A: 0, 0x10: 4, 0x11: 8, 0x12: 8, 0x13: 16, 0x7F: 0, 0xFF: 0}
TEXT, DOCUMENT, ARRAY, BINARY, BOOLEAN, DOUBLE, INT32, INT64 = 0x02, 0x03, 0x04, 0x05, 0x08, 0x01, 0x10, 0x12


class Element(NamedTuple):
    """A field: its value's bytes (without length and NUL) and where they begin in the message."""

    kind: int
    data: bytes
    begin: int


class Document(NamedTuple):
    """A document's fields by name, the first of each, in their order."""

    fields: dict[bytes, Element]
    end: int
    """Behind it, as its length says."""
    whole: bool

    def text(self, name: bytes) -> bytes | None:
        """A text or symbol of that name."""
        found = self.fields.get(name)
        return found.data if found is not None and found.kind in {TEXT, 0x0E} else None

    def number(self, name: bytes) -> int | None:
        """A number or a truth of that name, as far as it is an integer."""
        found = self.fields.get(name)
        if found is None:
            return None
        if found.kind == DOUBLE:
            return {b"\0\0\0\0\0\0\xf0\x3f": 1, bytes(8): 0}.get(found.data)
        if found.kind in {INT32, INT64, BOOLEAN}:
            return int.from_bytes(found.data, "little", signed=True)
        return None


def read(data: bytes, at: int) -> Document | None:
    """The document that begins at an index, one level deep, a cut one as far as it goes; None: there is none."""
    size = int.from_bytes(data[at : at + 4], "little")
    if len(data) - at < 5 or size < 5 or size > 1 << 30:
        return None
    end = min(at + size, len(data))
    fields: dict[bytes, Element] = {}
    here, count = at + 4, 0
    while here < end and data[here] and count < _MOST_ELEMENTS:
        kind = data[here]
        nul = data.find(b"\0", here + 1, end)
        if nul < 0:
            break
        found = _value(data, kind, nul + 1, end)
        if found is None:
            break
        begin, length, behind = found
        if behind > end:
            break
        fields.setdefault(data[here + 1 : nul], Element(kind, data[begin : begin + length], begin))
        here = behind
        count += 1
    whole = here == at + size - 1 and here < len(data) and not data[here]
    return Document(fields, at + size, whole)


def _value(data: bytes, kind: int, at: int, end: int) -> tuple[int, int, int] | None:
    """(begin, length, end) of a value's bytes; None: it is none."""
    if kind in _FIXED:
        return at, _FIXED[kind], at + _FIXED[kind]
    if kind == 0x0B:  # a regular expression: two texts
        first = data.find(b"\0", at, end)
        second = data.find(b"\0", first + 1, end) if first >= 0 else -1
        return (at, second - at, second + 1) if second >= 0 else None
    size = int.from_bytes(data[at : at + 4], "little")
    if end - at < 4 or size > end - at:
        return None
    if kind in {0x02, 0x0D, 0x0E}:
        return (at + 4, size - 1, at + 4 + size) if size >= 1 else None
    if kind in {0x03, 0x04, 0x0F}:
        return (at, size, at + size) if size >= 4 else None
    if kind == 0x05:
        return at + 5, size, at + 5 + size
    if kind == 0x0C:
        return at, size + 16, at + 16 + size
    return None

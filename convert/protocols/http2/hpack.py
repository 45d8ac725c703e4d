"""Header compression of HTTP/2 (RFC 7541) for one who listens: what can be known is told, whatever was missed.

A decoder that takes part gives up at the first reference that it cannot resolve. Here a reference to an entry of the
dynamic table that was not seen gives a field that is not known, and decoding goes on: indexes count from the newest
entry, so entries that were seen keep their places whatever stands behind them.
"""

from __future__ import annotations

from collections import deque
from functools import lru_cache
from typing import NamedTuple

from hpack.exceptions import HPACKDecodingError
from hpack.huffman_table import decode_huffman
from hpack.table import HeaderTable

_STATIC = HeaderTable.STATIC_TABLE
_OVERHEAD = 32
"""What an entry costs beyond its text (RFC 7541, 4.1)."""
_FIRST_SIZE = 4096
"""Of the dynamic table, until an update says otherwise (RFC 9113, 6.5.2)."""
MOST_HELD = 1 << 17
"""Bytes of the dynamic table that are held, whatever size both ends agree on."""
LARGEST_LIST = 1 << 18
"""Bytes of one header list, counted as in 6.5.2 of RFC 9113, that are kept; a small block can spell millions."""
MOST_FIELDS = 1000
_LONGEST_NUMBER = 6
"""Bytes of one integer: more would announce more than 4 GiB."""
_CACHED = 128

Field = tuple["bytes | None", "bytes | None"]
"""Name and value; None is what is not known."""


class Block(NamedTuple):
    """What a header block spelled."""

    fields: list[Field]
    total: int
    """Fields seen, more than `fields` holds where there were too many."""
    odd: list[str]
    """What was against the rules, by the names of weirds, each once."""
    whole: bool
    """The block was read to its end."""


class _Broken(Exception):
    """The block cannot be read on."""


class Decoder:
    """The fields that one direction sends. `from_start`: no block was sent before the first one that it is given."""

    def __init__(self, from_start: bool) -> None:
        self._entries: deque[Field] = deque()
        self._held = 0
        self._older = not from_start  # there may be entries behind those that are held
        self._size = _FIRST_SIZE if from_start else MOST_HELD

    def lose(self) -> None:
        """Blocks were missed: nothing is known of the table."""
        self._entries.clear()
        self._held = 0
        self._older = True
        self._size = MOST_HELD

    def decode(self, data: bytes) -> Block:
        """The fields of one whole header block, in order. Never raises."""
        fields: list[Field] = []
        odd: dict[str, None] = {}
        total = size = at = 0
        try:
            while at < len(data):
                first = data[at]
                if first & 0xE0 == 0x20:
                    length, at = _number(data, at, 5)
                    self._resize(length)
                    continue
                if first & 0x80:
                    index, at = _number(data, at, 7)
                    field = self._entry(index, odd)
                else:
                    index, at = _number(data, at, 6 if first & 0x40 else 4)
                    name = self._entry(index, odd)[0] if index else None
                    if not index:
                        name, at = _text(data, at, odd)
                    value, at = _text(data, at, odd)
                    field = (name, value)
                    if first & 0x40:
                        self._add(field)
                total += 1
                size += _cost(field)
                if size <= LARGEST_LIST and len(fields) < MOST_FIELDS:
                    fields.append(field)
        except _Broken:
            odd["http2-broken-header-block"] = None
            self.lose()
            return Block(fields, total + 1, list(odd), False)
        if total > len(fields):
            odd["http2-header-list-too-large"] = None
        return Block(fields, total, list(odd), True)

    def _entry(self, index: int, odd: dict[str, None]) -> Field:
        if 0 < index <= len(_STATIC):
            return _STATIC[index - 1]
        place = index - len(_STATIC) - 1
        if 0 <= place < len(self._entries):
            return self._entries[place]
        if index == 0 or not self._older:
            odd["http2-bad-header-index"] = None
        return None, None

    def _add(self, field: Field) -> None:
        cost = _cost(field)
        if cost > self._size:  # RFC 7541, 4.4: this empties the table and is no error
            self._entries.clear()
            self._held = 0
            return
        self._entries.appendleft(field)
        self._held += cost
        self._shrink()

    def _resize(self, size: int) -> None:
        self._size = size
        self._shrink()

    def _shrink(self) -> None:
        room = min(self._size, MOST_HELD)
        while self._held > room:
            self._held -= _cost(self._entries.pop())
            if room < self._size:
                self._older = True


def _cost(field: Field) -> int:
    return _OVERHEAD + len(field[0] or b"") + len(field[1] or b"")


def _number(data: bytes, at: int, bits: int) -> tuple[int, int]:
    """An integer (RFC 7541, 5.1) and where it ends."""
    most = (1 << bits) - 1
    number = data[at] & most
    at += 1
    if number < most:
        return number, at
    for shift in range(0, 7 * _LONGEST_NUMBER, 7):
        if at >= len(data):
            break
        number += (data[at] & 0x7F) << shift
        at += 1
        if data[at - 1] < 0x80:
            return number, at
    raise _Broken


def _text(data: bytes, at: int, odd: dict[str, None]) -> tuple[bytes | None, int]:
    """A string (RFC 7541, 5.2) and where it ends; None where its Huffman code is wrong."""
    if at >= len(data):
        raise _Broken
    coded = data[at] & 0x80
    length, at = _number(data, at, 7)
    if length > len(data) - at:
        raise _Broken
    text = data[at : at + length]
    at += length
    if not coded:
        return text, at
    try:
        return (_spell(text) if length <= _CACHED else decode_huffman(text)), at
    except HPACKDecodingError:
        odd["http2-bad-huffman-code"] = None
        return None, at


@lru_cache(maxsize=1024)
def _spell(text: bytes) -> bytes:
    return decode_huffman(text)

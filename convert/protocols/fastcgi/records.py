"""FastCGI records of one direction: the eight-byte heads are read, contents are handed on in pieces as they come.

Source: FastCGI Specification 1.0 (1996), sections 3 and 8.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ...model.span import Span
from ..stream_buffer import StreamBuffer

BEGIN_REQUEST, ABORT_REQUEST, END_REQUEST, PARAMS, STDIN, STDOUT, STDERR, DATA = range(1, 9)
GET_VALUES, GET_VALUES_RESULT, UNKNOWN_TYPE = 9, 10, 11
HEAD = 8
_FROM_CLIENT = frozenset((BEGIN_REQUEST, ABORT_REQUEST, PARAMS, STDIN, DATA, GET_VALUES))
_FROM_SERVER = frozenset((END_REQUEST, STDOUT, STDERR, GET_VALUES_RESULT, UNKNOWN_TYPE))
_BEGINS = re.compile(rb"\x01\x01..\x00\x08.\x00\x00[\x01-\x03][\x00\x01]\x00{5}", re.DOTALL)
_ENDS = re.compile(rb"\x01\x03..\x00\x08.\x00.{4}[\x00-\x03]\x00{3}", re.DOTALL)
_WHOLE = 16


class Piece(NamedTuple):
    """Part of a record's content; `begins`, `ends`: the first or last one of it, which may be empty."""

    type: int
    id: int
    data: bytes
    lost: int
    """Bytes of the content that are not known, in the place of `data`."""
    offset: int
    """Of the first byte of `data` in the stream."""
    place: object
    """Of that byte."""
    begins: bool
    ends: bool
    span: Span
    """With `begins` of the head, else of the data; where `ends` is set, padding counts with it."""


class Records:
    """One direction. Feed it, then take pieces with `next` until it says None."""

    def __init__(self, to_server: bool) -> None:
        self._types = _FROM_CLIENT if to_server else _FROM_SERVER
        self._search_for = _BEGINS if to_server else _ENDS
        self._buffer = StreamBuffer()
        self._begins: Span | None = None
        self._type = self._id = self._left = self._padding = 0
        self._in_record = False
        self.lost = False
        """Where the next record begins is not known; it is searched for."""
        self.bad: Span | None = None
        """Set where a head is none, to be cleared by who has seen it."""
        self._lost_bytes = 0

    def feed(self, data: bytes, offset: int, place: object) -> None:
        """Bytes of this direction, in order."""
        self._buffer.feed(data, offset, place)

    def gap(self, length: int, offset: int) -> None:
        """Lost bytes: within a record they are counted; over the end of one, the next begin is searched for."""
        buffer = self._buffer
        if self._in_record and not len(buffer) and length <= self._left + self._padding:
            inside = min(length, self._left)
            self._left -= inside
            self._padding -= length - inside
            self._lost_bytes += inside
            buffer.gap(length, offset)
        else:
            buffer.gap(length, offset)
            self._in_record = False
            self._begins = None
            self._lost_bytes = 0
            self.lost = True

    def next(self) -> Piece | None:
        """The next piece, or None where more bytes are needed."""
        while True:
            if self._in_record:
                return self._content()
            if self.lost and not self._search():
                return None
            if not self._head():
                return None

    def _search(self) -> bool:
        """For the first or last record of a request: nothing else is told from content with certainty."""
        buffer = self._buffer
        held = buffer.peek(len(buffer))
        found = self._search_for.search(held)
        if found is None:
            buffer.take(max(len(held) - _WHOLE + 1, 0))
            return False
        buffer.take(found.start())
        self.lost = False
        return True

    def _head(self) -> bool:
        buffer = self._buffer
        if len(buffer) < HEAD:
            return False
        head = buffer.peek(HEAD)
        if head[0] != 1 or head[1] not in self._types:
            self.bad = buffer.span(HEAD)
            self.lost = True
            buffer.take(1)
            return True
        self._begins = buffer.span(HEAD)
        buffer.take(HEAD)
        self._type, self._id = head[1], int.from_bytes(head[2:4], "big")
        self._left, self._padding = int.from_bytes(head[4:6], "big"), head[6]
        self._in_record = True
        return True

    def _content(self) -> Piece | None:
        buffer, begins = self._buffer, self._begins
        if self._lost_bytes:
            lost, self._lost_bytes = self._lost_bytes, 0
            return self._piece(b"", lost, buffer.at, None, begins)
        size = min(self._left, len(buffer))
        if size:
            here = buffer.span(size)
            data = buffer.take(size)
            self._left -= size
            return self._piece(data, 0, here.offset, here.place, begins or here)
        if self._left or len(buffer) < self._padding:
            return None
        span = begins or buffer.span(self._padding)
        at = buffer.at
        buffer.take(self._padding)
        self._in_record = False
        return self._piece(b"", 0, at, None, span, True)

    def _piece(
        self, data: bytes, lost: int, offset: int, place: object, span: Span | None, ends: bool = False
    ) -> Piece:
        begins, self._begins = self._begins is not None, None
        span = self._buffer.span_from(span) if span is not None else self._buffer.span(0)
        return Piece(self._type, self._id, data, lost, offset, place, begins, ends, span)


def pairs(data: bytes, most: int) -> tuple[list[tuple[int, int, int]], bool]:
    """Name-value pairs (section 3.4) as (begin of the name, of the value, end); and whether the last one is whole."""
    found: list[tuple[int, int, int]] = []
    at, size = 0, len(data)
    while at < size and len(found) < most:
        lengths = []
        for _ in range(2):
            if at >= size:
                return found, False
            if data[at] < 0x80:
                lengths.append(data[at])
                at += 1
            else:
                if at + 4 > size:
                    return found, False
                lengths.append(int.from_bytes(data[at : at + 4], "big") & 0x7FFFFFFF)
                at += 4
        value = at + lengths[0]
        end = value + lengths[1]
        if value > size:
            return found, False
        found.append((at, value, min(end, size)))
        if end > size:
            return found, False
        at = end
    return found, at >= size

"""The bytes of one direction that wait to be parsed, and where each of them came from."""

from __future__ import annotations

from bisect import bisect_right

from ..model.span import Span

_SLACK = 1 << 16
"""Parsed bytes that are kept at most until they are thrown away: moving what is left costs."""


class StreamBuffer:
    """A queue of bytes. The caller bounds it: it takes out, skips or forgets what it does not need."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._begin = 0  # of what is not taken, in _data
        self._base = 0  # stream offset of _data[0]
        self._offsets: list[int] = []  # of the runs that are held, and their places
        self._places: list[object] = []
        self._skipping = 0
        self._sought: tuple[bytes, int, int] = (b"", 0, 0)  # what is not between these offsets

    def __len__(self) -> int:
        return len(self._data) - self._begin

    @property
    def at(self) -> int:
        """The stream offset of the next byte."""
        return self._base + self._begin

    @property
    def skipping(self) -> int:
        """Bytes that are to be skipped and have not come yet."""
        return self._skipping

    def feed(self, data: bytes, offset: int, place: object) -> None:
        """Take a run of bytes that begins at the stream offset `offset`; `place` is what a span of them will say."""
        if self._begin == len(self._data):
            self._forget(offset)
        elif self._begin > _SLACK:
            self._compact()
        self._offsets.append(offset)
        self._places.append(place)
        self._data += data
        if self._skipping:
            taken = min(self._skipping, len(data))
            self._skipping -= taken
            self._begin += taken

    def gap(self, length: int, offset: int) -> bool:
        """`length` bytes at `offset` are not known. Returns whether all of them were to be skipped.

        Otherwise all that is held is forgotten: the next byte is the first one behind the gap.
        """
        known = self._skipping >= length and not len(self)
        self._skipping = self._skipping - length if known else 0
        self._forget(offset + length)
        return known

    def peek(self, size: int, begin: int = 0) -> bytes:
        """At most `size` bytes from the `begin`-th on; they stay."""
        start = self._begin + begin
        return bytes(self._data[start : start + size])

    def take(self, size: int) -> bytes:
        """The next `size` bytes, or all there are."""
        start = self._begin
        end = self._begin = min(start + size, len(self._data))
        return bytes(self._data[start:end])

    def skip(self, size: int) -> int:
        """Pass over the next `size` bytes, those that are still to come too. Returns how many were here."""
        here = min(size, len(self))
        self._begin += here
        self._skipping += size - here
        return here

    def find(self, what: bytes, limit: int, begin: int = 0) -> int:
        """Where `what` begins within the next `limit` bytes, looked for from the `begin`-th on; -1 if nowhere."""
        # What comes byte by byte is looked through once: only the bytes behind those of the last time are new.
        first, end = self._begin + begin, min(self._begin + limit, len(self._data))
        before, since, until = self._sought
        start = first
        if before == what and since == self._base + first:
            start = max(first, min(until - self._base, end) - len(what) + 1)
        found = self._data.find(what, start, end)
        if found >= 0:
            return found - self._begin
        self._sought = (what, self._base + first, self._base + end)
        return -1

    def span(self, length: int) -> Span:
        """Of the next `length` bytes."""
        return self.span_at(self.at, length)

    def span_at(self, offset: int, length: int) -> Span:
        """Of `length` bytes from the stream offset `offset` on, which has not been forgotten for long."""
        run = bisect_right(self._offsets, offset) - 1
        return Span(self._places[max(run, 0)] if self._places else None, offset, length)

    def span_from(self, begin: Span) -> Span:
        """From where another span begins to the next byte."""
        return Span(begin.place, begin.offset, self.at - begin.offset)

    def clear(self) -> None:
        """Throw away what is held."""
        self._begin = len(self._data)

    def _compact(self) -> None:
        del self._data[: self._begin]
        self._base += self._begin
        self._begin = 0
        run = max(bisect_right(self._offsets, self._base) - 1, 0)
        del self._offsets[:run], self._places[:run]

    def _forget(self, offset: int) -> None:
        self._data.clear()
        self._offsets.clear()
        self._places.clear()
        self._begin, self._base = 0, offset

"""Bytes of one direction of a mail protocol that wait to be read: by lines, by counts, or up to a lone dot.

What is read does not depend on how the bytes were cut when they came in.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from ...model.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_HELD = 65536
"""Bytes that are kept waiting for what the other side says, before it is taken to be lost."""

MORE, ENDED, ODD = 0, 1, 2
"""Of a body with dots: it goes on, it has ended, or it may have (a dot between line ends that are not CRLF)."""


class Line(NamedTuple):
    """A line without its end."""

    text: bytes
    span: Span
    """With its end."""
    complete: bool
    """False where it was too long, or where the capture ends within it."""
    bare: bool
    """It ended in LF alone."""


class _Run:
    """Bytes that were fed with one place."""

    __slots__ = ("length", "offset", "packed", "place")

    def __init__(self, offset: int, length: int, place: object, packed: int) -> None:
        self.offset = offset
        self.length = length
        self.place = place
        self.packed = packed
        """Not 0: all of them came out of so many bytes, which begin at `offset` (compression)."""


def joined(first: Span, last: Span) -> Span:
    """From the first byte of one span to the last byte of another one behind it."""
    return Span(first.place, first.offset, last.offset + last.length - first.offset)


class Incoming:
    """Bytes that wait, each with its place in the stream."""

    __slots__ = ("_data", "_runs", "_scanned", "_skipping", "at")

    def __init__(self) -> None:
        self._data = bytearray()
        self._runs: deque[_Run] = deque()
        self._scanned = 0
        self._skipping = False
        self.at = 0
        """The offset behind the last byte that was taken."""

    def __len__(self) -> int:
        return len(self._data)

    def feed(self, data: bytes, offset: int, place: object, packed: int = 0) -> None:
        """Take bytes that begin at `offset`; `packed`, if not 0: they came out of so many bytes there."""
        if not data:
            return
        last = self._runs[-1] if self._runs else None
        if last and last.place is place and not (packed or last.packed) and last.offset + last.length == offset:
            last.length += len(data)
        else:
            self._runs.append(_Run(offset, len(data), place, packed))
        self._data += data

    def peek(self, count: int) -> bytes:
        """The next bytes, at most `count`, which stay."""
        return bytes(self._data[:count])

    def take(self, count: int) -> bytes:
        """The next bytes, at most `count`."""
        taken = bytes(self._data[:count])
        self._drop(len(taken))
        return taken

    def find(self, what: bytes, begin: int = 0) -> int:
        """The index of `what` among the bytes that wait, or -1."""
        return self._data.find(what, begin)

    def _drop(self, count: int) -> None:
        del self._data[:count]
        self._scanned = 0
        while count:
            run = self._runs[0]
            if run.length > count:
                run.length -= count
                run.offset += 0 if run.packed else count
                self.at = run.offset + run.packed
                return
            count -= run.length
            self.at = run.offset + (run.packed or run.length)
            self._runs.popleft()

    def span(self, count: int) -> Span:
        """Of the next `count` bytes, at least one, all of which wait."""
        first = self._runs[0]
        for run in self._runs:
            if count <= run.length:
                end = run.offset + (run.packed or count)
                return Span(first.place, first.offset, end - first.offset)
            count -= run.length
        raise AssertionError("more bytes than wait")

    def line(self, limit: int) -> Line | None:
        """The next line, or None where its end is not there yet. Of a longer one the first `limit` bytes are given."""
        if self._skipping:
            end = self._data.find(b"\n")
            self._drop(len(self._data) if end < 0 else end + 1)
            self._skipping = end < 0
        end = self._data.find(b"\n", self._scanned, limit + 1)
        if end < 0:
            if len(self._data) <= limit:
                self._scanned = len(self._data)
                return None
            span = self.span(limit)
            self._skipping = True
            return Line(self.take(limit), span, False, False)
        span = self.span(end + 1)
        text = self.take(end + 1)
        bare = not text.endswith(b"\r\n")
        return Line(text[: -1 if bare else -2], span, True, bare)

    def rest(self) -> Line | None:
        """What stands behind the last line's end, where nothing follows."""
        if self._skipping or not self._data:
            self._drop(len(self._data))
            return None
        span = self.span(len(self._data))
        return Line(self.take(len(self._data)), span, False, False)

    def drain(self) -> Iterator[tuple[bytes, int, object]]:
        """All that waits, as it came: (bytes, offset, place)."""
        while self._runs:
            run = self._runs[0]
            offset, place = run.offset, run.place
            yield self.take(run.length), offset, place

    def gap(self, length: int, offset: int) -> None:
        """Bytes are missing: what waits has no end and is forgotten."""
        self._drop(len(self._data))
        self._skipping = False
        self.at = offset + length


_END = b"\r\n.\r\n"


class DottedBody:
    """A body whose lines have a dot doubled at their beginning, up to a line with nothing but a dot (RFC 5321, 4.5.2).

    Only CRLF ends a line by the RFC. What to make of a dot between other line ends is the caller's to say.
    """

    __slots__ = ("_begins", "_right", "_searched", "_tail", "_take", "_taken", "lenient")

    def __init__(self, take: Callable[[bytes], None], lenient: bool) -> None:
        self._take = take
        self._begins = True
        self._tail = b"\r\n"
        self._taken = 0
        self._right = -1
        self._searched = 0
        self.lenient = lenient
        """A dot between bare LFs is the end, as where the whole talk ends its lines so."""

    def read(self, incoming: Incoming) -> int:
        """Hand on what is there: MORE, ENDED (what waits then is no longer the body) or ODD (nothing was taken)."""
        while len(incoming):
            if self._begins and (verdict := self._dot(incoming)) is not None:
                return verdict
            self._begins = False
            index = incoming.find(b"\n.")
            taken = incoming.take(index + 1 if index >= 0 else len(incoming))
            self._taken += len(taken)
            self._tail = (self._tail + taken)[-2:]
            self._begins = taken.endswith(b"\n")
            self._take(taken)
        return MORE

    def _dot(self, incoming: Incoming) -> int | None:
        """What a dot at the beginning of a line says; None: the line is of the body, its extra dot was taken off."""
        head = incoming.peek(3)
        if not head.startswith(b"."):
            return None
        if head in (b".", b".\r"):
            return MORE
        if head != b".\r\n" and head[:2] != b".\n":
            incoming.take(1)
            self._taken += 1
            return None
        if self.lenient or (head == b".\r\n" and self._tail == b"\r\n"):
            self.end(incoming)
            return ENDED
        return ODD

    def end(self, incoming: Incoming) -> None:
        """Take the line with the dot, which stands first, and its end."""
        incoming.take(2 if incoming.peek(2) == b".\n" else 3)

    def undecided(self, incoming: Incoming) -> bool:
        """Whether an odd dot may still be the end: no right one waits behind it, and not too much does."""
        # By counts of the body's bytes, as many odd dots may wait: what was looked through once is not again.
        if self._right < self._taken:
            found = incoming.find(_END, max(0, self._searched - self._taken - len(_END) + 1))
            self._right = self._taken + found if found >= 0 else -1
            self._searched = self._taken + len(incoming)
        return self._right < 0 and len(incoming) <= MOST_HELD

    def go_on(self, incoming: Incoming) -> None:
        """The odd dot was none: it is a line of the body."""
        self._begins = False
        dot = incoming.take(1)
        self._taken += 1
        self._tail = (self._tail + dot)[-2:]
        self._take(dot)

    def lose(self) -> None:
        """Bytes are missing: what follows begins somewhere in a line."""
        self._begins, self._tail = False, b""
        self._right, self._searched = -1, self._taken

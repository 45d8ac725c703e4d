"""Packets with a length in front, as the protocols of databases send them: one direction of a conversation.

Of a packet only its first bytes are kept, so memory is flat however long it is. Where bytes are missing inside of one,
its length still tells where the next begins. Where a header is missing, a packet is looked for that cannot be mistaken.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

from ...model.span import Span

if TYPE_CHECKING:
    from collections.abc import Callable

KEEP = 66 * 1024
"""Bytes that are kept of a packet: the longest text of a record and what stands before it."""
LOOK = 64
"""Bytes of a packet that decide whether it is one, where none is known to begin."""
_MOST_RUNS = 4096
"""Places that are remembered of one packet; what lies behind the last is told to be where that one is."""


class Run(NamedTuple):
    """Bytes that were given at once."""

    start: int
    offset: int
    place: object
    width: int
    """0: each byte is one of the stream. Else all of them stand for so many from `offset` on (they were inflated)."""


class _Piece(NamedTuple):
    data: bytes
    offset: int
    place: object
    width: int


class Packet:
    """One packet: its first bytes, and where it stands."""

    __slots__ = ("_runs", "body", "complete", "end", "length", "tag")

    def __init__(self, tag: int, body: bytes, length: int, complete: bool, runs: list[Run], end: int) -> None:
        self.tag = tag
        """What the header says besides the length: MySQL's sequence number, PostgreSQL's type."""
        self.body = body
        """Up to KEEP bytes behind the header, none of them missing."""
        self.length = length
        """Of the whole body."""
        self.complete = complete
        """`body` is all of it."""
        self._runs = runs
        self.end = end
        """Offset behind its last byte."""

    @property
    def span(self) -> Span:
        """Header and body."""
        first = self._runs[0]
        return Span(first.place, first.offset, max(self.end - first.offset, 0))

    def part(self, begin: int, end: int) -> Span:
        """The bytes from `begin` to `end` of the body, as far as they were kept."""
        first, last = self._run(begin), self._run(max(begin, end - 1))
        start = first.offset + (0 if first.width else begin - first.start)
        stop = last.offset + (last.width or end - last.start)
        return Span(first.place, start, max(stop - start, 0))

    def _run(self, index: int) -> Run:
        at = bisect_right(self._runs, index, key=lambda run: run.start)
        return self._runs[max(at - 1, 0)]


class Framer:
    """Cuts the bytes of one direction into packets and hands these to `take`."""

    header = 4
    """Length of the header, in bytes."""

    def __init__(self, take: Callable[[Packet], None]) -> None:
        self._take = take
        self.stop = False
        """Set by who takes a packet: what follows it is no packet of this kind; feed() returns behind it."""
        self.synced = True
        self.position = 0
        """Offset behind the last byte that was fed."""
        self.skipped = 0
        """Offset behind the last packet that was passed over."""
        self._clear()
        self._tail = b""
        self._tail_runs: list[Run] = []
        self._anchor = 0

    def _clear(self) -> None:
        self._head = b""
        self._goes_on = False
        self._body = bytearray()
        self._runs: list[Run] = []
        self._length = 0
        self._left = 0
        self._tag = 0
        self._cut = False
        self._inside = False
        self._joined = False

    # What a protocol says of its headers.

    def measure(self, head: bytes) -> tuple[int, int, bool] | None:
        """(tag, length of the body, the next packet goes on with it) of a header; None: this is none."""
        raise NotImplementedError

    def skip(self, data: bytes, at: int, offset: int, place: object) -> int:
        """Where the first packet begins that has to be looked at, given that one begins at `at`.

        `offset` and `place` are those of the data.
        """
        return at

    def find(self, tail: bytes, anchor: int) -> tuple[int, bool]:
        """(index, True) of a packet in bytes whose beginning is not known, or (bytes that may be forgotten, False).

        `anchor`: index at which the other side had just spoken, so that a packet is likely to begin there; -1: none.
        What is said of an index depends on LOOK bytes from there on alone.
        """
        raise NotImplementedError

    # Bytes.

    def feed(self, data: bytes, offset: int, place: object, width: int = 0) -> int:
        """Take bytes; returns how many (fewer than all where `stop` was set)."""
        pieces = [_Piece(data, offset, place, width)]  # the first one last
        while pieces:
            piece = pieces.pop()
            if not self.synced:
                pieces += self._search(piece)
                continue
            at = self._split(piece)
            if at < len(piece.data):
                start = piece.offset if piece.width else piece.offset + at
                pieces.append(_Piece(piece.data[at:], start, piece.place, piece.width))
            if self.stop:
                break
        return max(len(data) - sum(len(piece.data) for piece in pieces), 0)

    def _split(self, piece: _Piece) -> int:
        """Packets, as long as they follow each other; returns the bytes that were taken."""
        data, offset, place, width = piece
        at, size = 0, len(data)
        while at < size and self.synced and not self.stop:
            if self._inside:
                at += self._fill(data, at, offset, place, width)
            elif not self._head and not self._joined and (ahead := self.skip(data, at, offset, place)) != at:
                at = ahead
                self.skipped = offset + (width or at)
            else:
                begun = self._begin(data, at, offset, place, width)
                at += begun or self.header - len(self._head)
                if not begun:  # what is no header is not looked at again: the same however it was cut
                    self.lose()
            self.position = offset + (width or at)
        return at

    def _begin(self, data: bytes, at: int, offset: int, place: object, width: int) -> int:
        """Take of a header what is there; returns how many bytes these were, 0 where they are none."""
        part = data[at : at + self.header - len(self._head)]
        if not self._head and not self._joined:
            self._runs.append(Run(-self.header, offset if width else offset + at, place, width))
        head = self._head + part
        if len(head) < self.header:
            self._head = head
            return len(part)
        told = self.measure(head)
        if told is None:
            return 0
        tag, length, self._goes_on = told
        if not self._joined:
            self._tag = tag
        self._head, self._left, self._inside = b"", length, True
        self._length += length
        if not length:
            self._end(offset + (width or at + len(part)))
        return len(part)

    def _fill(self, data: bytes, at: int, offset: int, place: object, width: int) -> int:
        part = min(self._left, len(data) - at)
        room = 0 if self._cut else min(part, KEEP - len(self._body))
        if room:
            if len(self._runs) < _MOST_RUNS:
                self._runs.append(Run(len(self._body), offset if width else offset + at, place, width))
            self._body += data[at : at + room]
        if room < part:
            self._cut = True
        self._left -= part
        if not self._left:
            self._end(offset + (width or at + part))
        return part

    def _end(self, end: int) -> None:
        """A part has ended; the packet has, unless the next one goes on with it."""
        self._inside = False
        if self._goes_on:
            self._joined = True
            return
        packet = Packet(self._tag, bytes(self._body), self._length, not self._cut, self._runs, end)
        self._clear()
        self._take(packet)

    def rest(self) -> Packet | None:
        """The packet that has begun and will not end, or None."""
        if not self.synced or not (self._inside or self._joined):
            return None
        return Packet(self._tag, bytes(self._body), self._length, False, self._runs, self.position)

    # Losses.

    def gap(self, length: int, offset: int) -> None:
        """`length` bytes are missing; `synced` tells whether it is known what follows."""
        if self.synced and self._inside and length <= self._left:
            self._cut = True
            self._left -= length
            self.position = offset + length
            if not self._left:
                self._end(self.position)
        else:
            self.lose()
            self.position = offset + length

    def lose(self) -> None:
        """Where the next packet begins is not known."""
        self._clear()
        self.synced = False
        self._tail, self._tail_runs, self._anchor = b"", [], -1

    def anchor(self) -> None:
        """The other side has spoken: a packet is likely to begin with what follows."""
        if not self.synced:
            self._tail, self._tail_runs, self._anchor = b"", [], 0

    def begin_here(self) -> None:
        """A packet begins with what follows, whatever came before."""
        self._clear()
        self.synced = True

    def _search(self, piece: _Piece) -> list[_Piece]:
        """Look for a packet; returns what follows from its beginning on, the first bytes last."""
        data, offset, place, width = piece
        self._tail_runs.append(Run(len(self._tail), offset, place, width))
        self._tail += data
        self.position = offset + (width or len(data))
        index, found = self.find(self._tail, self._anchor)
        tail, runs = self._tail, self._tail_runs
        if not found:
            self._tail = tail[index:]
            self._anchor = self._anchor - index if self._anchor >= index else -1
            self._tail_runs = _behind(runs, index)
            return []
        self.begin_here()
        self._tail, self._tail_runs = b"", []
        ends = [run.start for run in runs[1:]] + [len(tail)]
        pieces: list[_Piece] = []
        for run, end in zip(runs, ends, strict=True):
            begin = max(run.start, index)
            if begin < end:
                start = run.offset if run.width else run.offset + begin - run.start
                pieces.append(_Piece(tail[begin:end], start, run.place, run.width))
        return pieces[::-1]


def _behind(runs: list[Run], index: int) -> list[Run]:
    """The runs of what is left when `index` bytes are forgotten."""
    kept: list[Run] = []
    for number, run in enumerate(runs):
        if number + 1 < len(runs) and runs[number + 1].start <= index:
            continue
        cut = max(index - run.start, 0)
        kept.append(Run(max(run.start - index, 0), run.offset if run.width else run.offset + cut, run.place, run.width))
    return kept

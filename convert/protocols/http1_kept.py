"""Bytes of a body that are kept for a second look, with the way back to where they stand in the stream."""

from __future__ import annotations

from bisect import bisect_right

from ..model.span import Span

KEPT_BYTES = 1 << 20
"""Of one body; what goes beyond counts as cut."""
KEPT_MARKS = 1 << 14
"""Places where the stream does not simply go on: chunks, losses, new system calls."""


def _position(mark: tuple[int, int, object]) -> int:
    return mark[0]


class Kept:
    """A body's bytes. `runs` are stretches without a loss in between.

    Each run has marks (position in the run, stream offset, place), one wherever the stream does not simply go on.
    """

    __slots__ = ("_cut", "_marks", "_mark_count", "_room", "begins_cut", "full", "runs")

    def __init__(self) -> None:
        self.runs: list[bytearray] = []
        self._marks: list[list[tuple[int, int, object]]] = []
        self._mark_count = 0
        self._room = KEPT_BYTES
        self._cut = True
        self.begins_cut = False
        """The first run is not the beginning of the body."""
        self.full = False

    @property
    def ends_cut(self) -> bool:
        """The last run is not the end of what passed."""
        return self.full or self._cut

    def add(self, data: bytes | memoryview, offset: int, place: object) -> None:
        """Body bytes that stand in one piece at `offset` of the stream."""
        if self.full or not data:
            return
        if len(data) > self._room:
            data = data[: self._room]
            self.full = True
        if self._cut:
            self.runs.append(bytearray())
            self._marks.append([])
            self._cut = False
        run, marks = self.runs[-1], self._marks[-1]
        if not marks or marks[-1][2] is not place or marks[-1][1] + len(run) - marks[-1][0] != offset:
            if self._mark_count == KEPT_MARKS:
                self.full = True
                return
            marks.append((len(run), offset, place))
            self._mark_count += 1
        run += data
        self._room -= len(data)

    def cut(self) -> None:
        """Bytes are lost here."""
        self._cut = True
        if not self.runs:
            self.begins_cut = True

    def span(self, run: int, begin: int, end: int) -> Span:
        """Where the bytes [begin, end) of a run, at least one, stand in the stream."""
        marks = self._marks[run]
        first = marks[bisect_right(marks, begin, key=_position) - 1]
        last = marks[bisect_right(marks, end - 1, key=_position) - 1]
        offset = first[1] + begin - first[0]
        return Span(first[2], offset, last[1] + end - last[0] - offset)

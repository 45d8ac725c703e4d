"""Packet comments: which findings a frame of the written capture belongs to.

Kept as packed integers (frame << 32 | group), at most LIMIT a source; text is made when a frame is asked for.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping

LIMIT = 250_000
A_FRAME = 20
_GROUP = (1 << 32) - 1


class Marks:
    """Frames of one source and their groups, as they are met."""

    def __init__(self) -> None:
        self._packed: array[int] = array("Q")
        self.left_out = 0

    def add(self, frame: int, group: int) -> None:
        """Note that a frame belongs to a group."""
        packed = frame << 32 | group
        if self._packed and self._packed[-1] == packed:
            return
        if len(self._packed) >= LIMIT:
            self.left_out += 1
            return
        self._packed.append(packed)

    def sorted(self) -> array[int]:
        """In order of frames; sorts in place once."""
        self._packed = array("Q", sorted(self._packed))
        return self._packed


class FrameComments(Mapping[int, list[str]]):
    """Frame number -> comments. Iterates in ascending order of frames."""

    def __init__(self, packed: array[int], text: Callable[[int], str]) -> None:
        self._packed = packed
        self._text = text

    def __getitem__(self, frame: int) -> list[str]:
        at = bisect_left(self._packed, frame << 32)
        groups: list[int] = []
        while at < len(self._packed) and self._packed[at] >> 32 == frame:
            group = self._packed[at] & _GROUP
            if not groups or groups[-1] != group:
                groups.append(group)
            at += 1
        if not groups:
            raise KeyError(frame)
        comments = [self._text(group) for group in groups[:A_FRAME]]
        if len(groups) > A_FRAME:
            comments.append(f"syswire: {len(groups) - A_FRAME} more findings in this frame")
        return comments

    def __iter__(self) -> Iterator[int]:
        last = -1
        for packed in self._packed:
            frame = packed >> 32
            if frame != last:
                last = frame
                yield frame

    def __len__(self) -> int:
        return sum(1 for _ in self)

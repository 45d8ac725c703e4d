"""Compressed bodies that hold a secret: it has no bytes of its own, so the body is masked as a whole.

Where a body's blocks stand in the stream is found by their bytes. Where that is not certain (a block is short, or not
found as it is), the whole direction is masked: rather too much than a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .stretches import PLAIN, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..conversations.rebuilt import Rebuilt

MOST_BYTES = 64 << 20
"""Of a direction in which is looked."""
MOST_LOOKED = 1 << 36
"""Bytes that are looked through for all bodies of a direction; beyond it is masked as a whole."""
_EACH = 64
CERTAIN = 16
"""Bytes of a block that are found by nothing but it."""


def coded_stretches(
    rebuilt: Rebuilt, number: int, to_server: bool, contents: Iterable[Sequence[bytes]]
) -> list[Stretch]:
    """Stretches for bodies, each given as its blocks in order, in one direction of a conversation."""
    runs: list[tuple[int, bytes]] = []
    held, last = 0, 0
    for _, direction, offset, length, data, *_ in rebuilt.runs(rebuilt.conversation(number)):
        if bool(direction) == to_server:
            last = max(last, offset + length)
            if data is not None and held < MOST_BYTES:
                held += length
                runs.append((offset, data))
    stream = _joined(runs)
    out: list[Stretch] = []
    look = _Look(stream)
    for blocks in dict.fromkeys(map(tuple, contents)):
        found = look.all(blocks) if held < MOST_BYTES else None
        if found is None:
            return [Stretch(number, to_server, PLAIN, 0, last)]
        out += [Stretch(number, to_server, PLAIN, begin, end) for begin, end in found]
    return out


def _joined(runs: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """What simply goes on as one."""
    out: list[tuple[int, list[bytes]]] = []
    behind = -1
    for offset, data in runs:
        if offset != behind:
            out.append((offset, []))
        out[-1][1].append(data)
        behind = offset + len(data)
    return [(offset, b"".join(parts)) for offset, parts in out]


class _Look:
    """The search in one direction; it ends where it would cost too much."""

    def __init__(self, stream: list[tuple[int, bytes]]) -> None:
        self._stream = stream
        self.looked = 0

    def all(self, blocks: Sequence[bytes]) -> list[tuple[int, int]] | None:
        """Wherever the blocks stand, one behind the other; None where that is not certain.

        A body may pass more than once, and another one may begin with the same block: all of these are masked.
        """
        first = blocks[0] if blocks else b""
        if len(first) < CERTAIN:
            return None
        found: list[tuple[int, int]] = []
        run, at = 0, 0
        while self.looked < MOST_LOOKED and (place := self._next(first, run, at)) is not None:
            run, begin = place
            at = begin + len(first)
            rest = self._behind(blocks[1:], run, at)
            if rest is None and not found:
                return None
            found += [(begin, at), *(rest or ())]
        return found if found and self.looked < MOST_LOOKED else None

    def _behind(self, blocks: Sequence[bytes], run: int, behind: int) -> list[tuple[int, int]] | None:
        found: list[tuple[int, int]] = []
        for block in blocks:
            place = self._next(block, run, behind)
            if place is None or (len(block) < CERTAIN and place[1] - behind > CERTAIN):
                return None
            run, begin = place
            behind = begin + len(block)
            found.append((begin, behind))
        return found

    def _next(self, block: bytes, run: int, begin: int) -> tuple[int, int] | None:
        """(run, offset) of the next one; the run is one that ends behind `begin`."""
        for number in range(run, len(self._stream)):
            offset, data = self._stream[number]
            start = max(0, begin - offset)
            at = data.find(block, start)
            self.looked += (at if at >= 0 else len(data)) - min(start, len(data)) + _EACH
            if at >= 0:
                return number, offset + at
        return None

"""Stretches of streams that hold secrets, spooled by both passes over the conversations.

A row says in which direction of which conversation a secret's bytes stand, and how they are to be masked.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..model.sighting import Sighting

ROW = Struct("<I2B2xQQ")
PLAIN, HEADER_BLOCK = 0, 1
"""How: each byte is masked; or the bytes are frames of HTTP/2 whose header blocks are replaced."""


class Stretch(NamedTuple):
    """Bytes `begin` to `end` of one direction of a conversation."""

    conv: int
    to_server: bool
    kind: int
    begin: int
    end: int


def of_sighting(sighting: Sighting, conv: int, to_server: bool) -> Stretch:
    """Where a secret was sighted."""
    begin = sighting.span.offset
    kind = HEADER_BLOCK if sighting.compressed else PLAIN
    return Stretch(conv, to_server, kind, begin, begin + sighting.span.length)


def packed(stretch: Stretch) -> bytes:
    """A row of the spool file."""
    return ROW.pack(*stretch)


def unpacked(rows: bytes) -> Iterator[Stretch]:
    """The rows of a spool file."""
    for conv, to_server, kind, begin, end in ROW.iter_unpack(rows):
        yield Stretch(conv, bool(to_server), kind, begin, end)


def joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """(begin, end) in order, those that touch or overlap as one, empty ones left out."""
    out: list[tuple[int, int]] = []
    for begin, end in sorted(stretches):
        if out and begin <= out[-1][1]:
            out[-1] = out[-1][0], max(out[-1][1], end)
        elif begin < end:
            out.append((begin, end))
    return out


def overlap(stretches: list[tuple[int, int]], begin: int, end: int) -> Iterator[tuple[int, int]]:
    """What of `begin` to `end` is in stretches that are joined."""
    low, high = 0, len(stretches)
    while low < high:
        middle = (low + high) // 2
        if stretches[middle][1] <= begin:
            low = middle + 1
        else:
            high = middle
    while low < len(stretches) and stretches[low][0] < end:
        yield max(begin, stretches[low][0]), min(end, stretches[low][1])
        low += 1

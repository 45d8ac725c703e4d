"""From stretches of streams to places in the payload file.

What was rebuilt from system calls stands where its pieces do. A TCP segment may have come more than once, and only one
copy is in the stream: of a packet capture all rows of segments are looked at, so that every copy is masked.
"""

from __future__ import annotations

import os
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from ..model.rows import TCP
from ..model.segments import FLOW, FLOW_SYN_0, FLOW_SYN_1, SEGMENT, SEGMENT_CONTINUES, Flow, Segment
from .header_blocks import blocks
from .stretches import HEADER_BLOCK, PLAIN, Stretch, joined, overlap

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ..conversations.rebuilt import Conversation, Rebuilt

_ROWS = 1 << 13
LONGEST_BLOCK = 1 << 20
"""Of the frames that hold one header block; what is longer is masked as it is."""

Interval = tuple[int, int]
Wanted = dict[int, list[Interval]]
"""Kind of stretch to the stretches of one direction, joined."""


class Divided(NamedTuple):
    """A datagram that came in fragments: (position in the payload file, length) of each."""

    parts: tuple[tuple[int, int], ...]


class Places:
    """Bytes of the payload file to be masked: as they are (`plain`), or as header blocks of HTTP/2."""

    def __init__(self) -> None:
        self.plain: list[Interval] = []
        self.blocks: list[Interval] = []
        self.divided: list[Divided] = []

    def take(self, kind: int, begin: int, end: int) -> None:
        """One more."""
        (self.blocks if kind == HEADER_BLOCK else self.plain).append((begin, end))


def find(
    rebuilt: Rebuilt, stretches: Iterable[Stretch], segments: str | None = None, flows: str | None = None
) -> Places:
    """Where the bytes of all stretches stand. `segments` and `flows` are the files of a packet capture's rows.

    Raises OSError where a file cannot be read.
    """
    places = Places()
    halves: dict[tuple[int, bool], Wanted] = {}
    for number, own in groupby(sorted(set(stretches)), key=lambda stretch: stretch.conv):
        conversation = rebuilt.conversation(number)
        for to_server, same in groupby(own, key=lambda stretch: stretch.to_server):
            wanted = _wanted(rebuilt, conversation, to_server, list(same))
            if segments is not None:
                halves[number, to_server] = wanted
            else:
                _pieces(places, rebuilt, conversation, to_server, wanted)
    if segments is not None and flows is not None:
        datagrams = {number for number, _ in halves if rebuilt.conv(number).protocol != TCP}
        _segments(places, halves, datagrams, segments, flows)
    return places


def _wanted(rebuilt: Rebuilt, conversation: Conversation, to_server: bool, stretches: list[Stretch]) -> Wanted:
    """Header blocks as what is in their frames, and all else as it is."""
    plain = [(each.begin, each.end) for each in stretches if each.kind == PLAIN]
    framed = [(each.begin, each.end) for each in stretches if each.kind == HEADER_BLOCK]
    plain += [(begin, end) for begin, end in framed if end - begin > LONGEST_BLOCK]
    framed = sorted({(begin, end) for begin, end in framed if end - begin <= LONGEST_BLOCK})
    found: list[Interval] = []
    for (begin, _), frames in zip(framed, _bytes(rebuilt, conversation, to_server, framed), strict=True):
        found += [(begin + first, begin + last) for first, last in blocks(frames)]
    return {PLAIN: joined(plain), HEADER_BLOCK: joined(found)}


def _bytes(rebuilt: Rebuilt, conversation: Conversation, to_server: bool, intervals: list[Interval]) -> list[bytes]:
    """The bytes of stretches that are in order, each up to the first byte that is not known."""
    out = [bytearray() for _ in intervals]
    if not intervals:
        return []
    first = 0
    for _, direction, offset, length, data, *_ in rebuilt.runs(conversation):
        if bool(direction) != to_server or data is None:
            continue
        while first < len(intervals) and intervals[first][1] <= offset:
            first += 1
        at = first
        while at < len(intervals) and intervals[at][0] < offset + length:
            begin, end = intervals[at]
            if begin + len(out[at]) >= offset:
                out[at] += data[begin + len(out[at]) - offset : end - offset]
            at += 1
    return [bytes(each) for each in out]


def _pieces(places: Places, rebuilt: Rebuilt, conversation: Conversation, to_server: bool, wanted: Wanted) -> None:
    for row, direction, offset, length, data, *_ in rebuilt.runs(conversation):
        if bool(direction) != to_server or data is None:
            continue
        for kind, intervals in wanted.items():
            for begin, end in overlap(intervals, offset, offset + length):
                at = begin
                while at < end:
                    piece = rebuilt.piece(row, at)
                    upto = min(end, piece.stream_offset + piece.length)
                    if not piece.stream_offset <= at < upto:
                        raise ValueError(f"conversation {piece.conv}: no piece holds byte {at} of row {row}")
                    shift = piece.payload - piece.stream_offset
                    places.take(kind, at + shift, upto + shift)
                    at = upto


def _segments(
    places: Places, halves: dict[tuple[int, bool], Wanted], datagrams: set[int], segments: str, flows: str
) -> None:
    """The rows are in the order of halves, and in each in that of their sequence numbers; datagrams in theirs."""
    wanted: dict[int, tuple[Flow, Wanted]] = {}
    with open(flows, "rb") as file:
        for (number, to_server), stretches in halves.items():
            flow = Flow._make(FLOW.unpack(os.pread(file.fileno(), FLOW.size, (number - 1) * FLOW.size)))
            wanted[number << 1 | (flow.client if to_server else 1 - flow.client)] = flow, stretches
    for half, rows in groupby(_rows(segments), key=lambda row: row.half):
        if half not in wanted:
            continue
        flow, stretches = wanted[half]
        if half >> 1 in datagrams:
            offset = 0
            for parts in _together(rows):
                _masked(places, parts, offset, stretches)
                offset += sum(part.length for part in parts)
            continue
        base, opened = (flow.base_1, FLOW_SYN_1) if half & 1 else (flow.base_0, FLOW_SYN_0)
        start = base if flow.flags & opened else None
        for row in rows:
            if start is None and row.rel + row.length > base:
                start = max(base, row.rel)  # as sweep.pyx begins a stream that was not seen to begin
            if start is not None:
                _masked(places, [row], row.rel - start, stretches)


def _rows(path: str) -> Iterator[Segment]:
    with open(path, "rb") as file:
        while data := file.read(_ROWS * SEGMENT.size):
            yield from map(Segment._make, SEGMENT.iter_unpack(data))


def _together(rows: Iterable[Segment]) -> Iterator[list[Segment]]:
    """The rows of each datagram."""
    held: list[Segment] = []
    for row in rows:
        if held and not row.flags & SEGMENT_CONTINUES:
            yield held
            held = []
        held.append(row)
    if held:
        yield held


def _masked(places: Places, parts: list[Segment], offset: int, wanted: Wanted) -> None:
    """What is wanted of a payload whose first byte is at `offset` of the stream."""
    touched = False
    for part in parts:
        for kind, intervals in wanted.items():
            for begin, end in overlap(intervals, offset, offset + part.stored):
                places.take(kind, part.payload + begin - offset, part.payload + end - offset)
                touched = True
        offset += part.length
    if touched and len(parts) > 1:
        places.divided.append(Divided(tuple((part.payload, part.stored) for part in parts)))

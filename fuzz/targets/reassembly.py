"""TCP reassembly against a model that goes byte by byte: which copy wins, gaps and their reasons, conflicts, counts.

An input is 5 bytes of header (flags, where each half ends) and segments of 10 bytes, see SEGMENT. The content of a
stream follows from the place; a segment may carry other bytes. Numbers are small, so that segments meet.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from support.segments_made import BASE, Rebuilt, Trace
from syswire.convert.model.rows import GAP_NOT_CAPTURED, GAP_SNAPLEN
from syswire.convert.model.segments import SEGMENT_START

if TYPE_CHECKING:
    from pathlib import Path

HEADER = struct.Struct("<Bhh")
SEGMENT = struct.Struct("<BhHBHBB")
"""Flags (1 half, 2 acknowledges, 4 begins a message, 8 longer by far), `rel`, length, how much of it is cut off,
acknowledgement, what the bytes are changed by, how many frames lie between it and the segment before."""
CLIENT, SYN_0, SYN_1, END_0, END_1, BASE_0, BASE_1 = (1 << bit for bit in range(7))


class Seen(NamedTuple):
    """A captured segment; `rel` counts from BASE."""

    half: int
    rel: int
    data: bytes
    length: int
    frame: int


class Half(NamedTuple):
    """What the model makes of one half."""

    stream: list[bytes | tuple[int, int]]
    missing: int
    gaps: int
    conflicts: int
    conflict_bytes: int
    before_start: int
    before_start_bytes: int


def content(half: int, rel: int, length: int, change: int) -> bytes:
    """The bytes of a stream at a place."""
    return bytes((at * 37 + at // 251 + half) & 0xFF ^ change for at in range(rel, rel + length))


class Run:
    """Reassembles one conversation."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def __call__(self, data: bytes) -> None:
        """Raises where streams, gaps or counts differ from the model's."""
        flags, *ends = HEADER.unpack(data[: HEADER.size].ljust(HEADER.size, b"\0"))
        trace = Trace()
        opened = (bool(flags & SYN_0), bool(flags & SYN_1))
        talk = trace.tcp(client=flags & CLIENT, opened=opened)
        for half, (known, syn) in enumerate(((BASE_0, SYN_0), (BASE_1, SYN_1))):
            talk.base[half] = BASE if flags & (known | syn) else 0
        talk.end = [BASE + end if flags & bit else 0 for end, bit in zip(ends, (END_0, END_1), strict=True)]
        seen: list[Seen] = []
        for at in range(HEADER.size, len(data) - SEGMENT.size + 1, SEGMENT.size):
            bits, rel, length, cut, ack, change, apart = SEGMENT.unpack_from(data, at)
            length = 1 + (length % 512 if bits & 8 else length % 64)
            half = bits & 1
            part = content(
                half, rel, max(length - cut % 128 if cut & 128 else length, 0), change if change > 200 else 0
            )
            frame = talk.segment(
                half,
                rel,
                part,
                frame=trace.frames + 1 + apart % 3,
                ack=ack % 2048 if bits & 2 else None,
                length=length,
                flags=SEGMENT_START if bits & 4 else 0,
            )
            seen.append(Seen(half, rel, part, length, frame))
        rebuilt = trace.reassemble(self._scratch / "trace")
        halves = [model([one for one in seen if one.half == half], talk.base[half], talk.end[half], opened[half])
                  for half in (0, 1)]  # fmt: skip
        for half, expected in enumerate(halves):
            assert rebuilt.stream(int(half == talk.client)) == expected.stream, half
        done = rebuilt.done
        for name in ("gaps", "missing_bytes", "conflicts", "conflict_bytes", "before_start", "before_start_bytes"):
            field = "missing" if name == "missing_bytes" else name
            assert getattr(done, name) == sum(getattr(half, field) for half in halves), name
        self._check_pieces(rebuilt, seen)

    @staticmethod
    def _check_pieces(rebuilt: Rebuilt, seen: list[Seen]) -> None:
        """Pieces name the frame that their bytes came in, and runs are the pieces."""
        by_frame = {one.frame: one for one in seen}
        for piece in rebuilt.pieces():
            if piece.known:
                one = by_frame[piece.frame + 1]
                assert one.data[piece.frame_offset : piece.frame_offset + piece.length] == rebuilt.bytes_of(piece)
        runs = b"".join(data for *_, data, _, _, _ in rebuilt.runs() if data is not None)
        assert runs == b"".join(rebuilt.bytes_of(piece) for piece in rebuilt.pieces() if piece.known)


def model(seen: list[Seen], base: int, end: int, opened: bool) -> Half:
    """One half, byte by byte; `seen` in the order of the frames."""
    start = base - BASE if base else None
    owner: dict[int, int] = {}  # place to the byte that was captured first
    claimed: set[int] = set()
    conflicts = conflict_bytes = before = before_bytes = 0
    for one in seen:
        early = min(max(start - one.rel, 0), one.length) if start is not None else 0
        before += early > 0
        before_bytes += early
        differ = 0
        for at in range(one.rel + early, one.rel + one.length):
            claimed.add(at)
            if at < one.rel + len(one.data):
                byte = one.data[at - one.rel]
                differ += owner.setdefault(at, byte) != byte
        conflicts += differ > 0
        conflict_bytes += differ
    first = start if start is not None and (opened or not claimed) else min(claimed, default=None)
    if first is None:
        first = last = 0
    else:
        last = max([first, *(at + 1 for at in claimed), *([end - BASE] if end else [])])
    stream: list[bytes | tuple[int, int]] = []
    for at in range(first, last):
        if at in owner:
            known = bytes((owner[at],))
            before_it = stream[-1] if stream else None
            if isinstance(before_it, bytes):
                stream[-1] = before_it + known
            else:
                stream.append(known)
        else:
            reason = GAP_SNAPLEN if at in claimed else GAP_NOT_CAPTURED
            before_it = stream[-1] if stream else None
            if isinstance(before_it, tuple) and before_it[0] == reason:
                stream[-1] = (reason, before_it[1] + 1)
            else:
                stream.append((reason, 1))
    gaps = [part for part in stream if isinstance(part, tuple) and part[0] == GAP_NOT_CAPTURED]
    missing = sum(length for _, length in gaps)
    return Half(stream, missing, len(gaps), conflicts, conflict_bytes, before, before_bytes)

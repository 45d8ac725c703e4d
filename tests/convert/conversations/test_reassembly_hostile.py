"""What could make reassembly slow or large.

The limits are on bytes read and memory; that on CPU time only makes what is quadratic fail instead of going on for
hours.
"""

from __future__ import annotations

import json
import subprocess
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from support.segments_made import BASE
from syswire.convert.conversations.reassembly import Reassembled
from syswire.convert.model.rows import CONV, GAP_NOT_CAPTURED, GAP_SNAPLEN, PIECE, TCP, Piece
from syswire.convert.model.segments import FLOW, SEGMENT, SEGMENT_ACKS

MIB = 1 << 20
LONGEST = 65_535
CHILD = """
import json, os, resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (200, 200))
from syswire.convert.conversations.reassembly import reassemble
def seen(name, key):
    return int(next(line for line in open("/proc/self/" + name) if line.startswith(key)).split()[1])
folder = sys.argv[1]
payload = os.open(folder + "/payload", os.O_RDONLY)
before = seen("status", "VmHWM"), seen("io", "rchar")
done = reassemble(*(folder + "/" + name for name in ("segments", "convs", "flows", "pieces", "totals")),
                  payload_fd=payload)
after = seen("status", "VmHWM"), seen("io", "rchar")
print(json.dumps([list(done), after[0] - before[0], after[1] - before[1]]))
"""


class Row(NamedTuple):
    """A segment; its bytes are those at `payload`."""

    rel: int
    frame: int
    length: int
    payload: int = 0
    stored: int | None = None
    ack: int | None = None


class Ran(NamedTuple):
    """What came out, in `folder`, and what it took beyond what was there before: bytes of memory and bytes read."""

    done: Reassembled
    memory: int
    read: int
    folder: Path

    def pieces(self) -> Iterator[Piece]:
        return map(Piece._make, PIECE.iter_unpack((self.folder / "pieces").read_bytes()))


Run = Callable[..., Ran]


@pytest.fixture
def ran(tmp_path: Path) -> Run:
    """Reassembles one conversation in a process of its own. The rows of each half come in the order of `rel`."""

    def run(*halves: Iterable[Row], payload: bytes = b"", size: int = 0) -> Ran:
        counts, frames = [0, 0], 0
        with (tmp_path / "segments").open("wb") as out:
            for half, rows in enumerate(halves):
                for row in rows:
                    stored = row.length if row.stored is None else row.stored
                    out.write(
                        SEGMENT.pack(
                            BASE + row.rel, BASE + (row.ack or 0), row.frame, row.frame, row.payload, 2 | half,
                            row.frame, row.frame, row.length, stored, 0 if row.ack is None else SEGMENT_ACKS,
                        )
                    )  # fmt: skip
                    counts[half] += 1
                    frames = max(frames, row.frame)
        with (tmp_path / "payload").open("wb") as out:
            out.write(payload)
            out.truncate(max(size, len(payload)))
        (tmp_path / "convs").write_bytes(CONV.pack(0, 0, 0, 0, b"", b"", 1, 0, 0, 0, 0, 4, 80, TCP, 4, 3, 0, 0))
        (tmp_path / "flows").write_bytes(FLOW.pack(*counts, BASE, BASE, 0, 0, 1, 1, frames, 0, 0, 3, 0, 0, 0))
        command = [sys.executable, "-c", CHILD, str(tmp_path)]
        found = subprocess.run(command, check=True, capture_output=True, text=True)
        done, memory, read = json.loads(found.stdout)
        return Ran(Reassembled(*done), memory * 1024, read, tmp_path)

    return run


def test_a_million_bytes_in_reverse(ran: Run) -> None:
    count = 1_000_000
    found = ran(Row(rel, count - rel, 1, rel) for rel in range(count))
    assert found.done.pieces == count
    assert all(p.stream_offset == p.payload == i and p.frame == count - i - 1 for i, p in enumerate(found.pieces()))
    assert found.memory < 8 * MIB
    assert found.read < 2 * count * SEGMENT.size


def test_many_copies_of_the_same_range(ran: Run) -> None:
    count, length = 200_000, 1460
    other = bytearray(length)
    other[7] = other[1459] = 1
    rows = (Row(0, frame, length, length * (frame % 2)) for frame in range(1, count + 1))
    found = ran(rows, payload=bytes(other) + bytes(length))
    (piece,) = found.pieces()
    assert (piece.length, piece.payload, piece.frame) == (length, length, 0)
    assert (found.done.conflicts, found.done.conflict_bytes) == (count // 2, count)
    assert found.memory < 8 * MIB
    assert found.read < 3 * count * SEGMENT.size


def test_many_copies_that_begin_a_byte_later_each(ran: Run) -> None:
    # Each was captured before the one that begins before it, so each wins one byte and loses all the others.
    count = 20_000
    # The last byte of each differs from the others there.
    rows = (Row(rel, count - rel, LONGEST) for rel in range(count))
    found = ran(rows, payload=bytes(LONGEST - 1) + b"x")
    assert found.done.pieces == count + 1  # what is left of the last one is longer than a piece
    for i, piece in zip(range(count), found.pieces(), strict=False):
        assert (piece.stream_offset, piece.frame, piece.length) == (i, count - i - 1, 1 if i < count - 1 else 65507)
    assert (found.done.conflicts, found.done.conflict_bytes) == (count - 1, count - 1)
    assert found.done.first_conflict is not None
    assert found.done.first_conflict[0] == 2
    assert found.memory < 16 * MIB


def test_losers_are_read_once(ran: Run) -> None:
    count = 4000
    rows = [Row(rel, count - rel, LONGEST, rel * LONGEST) for rel in range(count)]
    found = ran(rows, size=count * LONGEST)
    assert (found.done.pieces, found.done.conflicts) == (count + 1, 0)
    lost = count * LONGEST
    assert found.read < 1.2 * lost
    assert found.memory < 16 * MIB


@pytest.mark.parametrize("stored", [True, False])
def test_more_ends_than_are_kept(stored: bool, ran: Run) -> None:
    # At each of the first few bytes 65,535 segments begin, of all lengths; those that begin later were captured before.
    groups = 5
    rows = (
        Row(group, (groups - group - 1) * LONGEST + length, length, 0, None if stored else 0)
        for group in range(groups)
        for length in range(1, LONGEST + 1)
    )
    found = ran(rows, payload=bytes(LONGEST))
    pieces = found.pieces()
    for byte in range(LONGEST + groups - 1):
        piece = next(pieces)
        first = min(byte, groups - 1)  # the last of the groups that hold it
        assert (piece.stream_offset, piece.length) == (byte, 1)
        assert piece.frame + 1 == (groups - first - 1) * LONGEST + byte - first + 1
        assert piece.reason == (0 if stored else GAP_SNAPLEN)
    assert next(pieces, None) is None
    assert found.memory < 32 * MIB


@pytest.mark.parametrize("stored", [True, False])
def test_ends_that_are_kept_when_others_are_thrown_out(stored: bool, ran: Run) -> None:
    # All begin at the same byte. The first of each length wins its last byte, whatever comes behind it.
    rows = [Row(0, length, length, 0, None if stored else 0) for length in range(1, LONGEST + 1)]
    rows += [Row(0, LONGEST + 1 + i, 2 + i % (LONGEST - 1), 0, None if stored else 0) for i in range(300_000)]
    found = ran(rows, payload=bytes(LONGEST))
    assert found.done.pieces == LONGEST
    assert all((p.frame, p.stream_offset, p.length) == (i, i, 1) for i, p in enumerate(found.pieces()))
    assert found.memory < 32 * MIB


def test_a_long_conversation(ran: Run) -> None:
    # Nothing overlaps, so no payload is read: there is none.
    count, length = 700_000, 1460
    found = ran(
        (Row(i * length, 2 * i + 1, length, i * length, None, i * 100) for i in range(count)),
        (Row(i * 100, 2 * i + 2, 100, i * length, None, (i + 1) * length) for i in range(count)),
    )
    assert found.done.pieces == 2 * count
    assert [p.to_server for p in found.pieces()] == [1, 0] * count
    assert found.memory < 8 * MIB
    assert found.read < 3 * count * SEGMENT.size


def test_a_long_conversation_of_which_each_segment_came_twice(ran: Run) -> None:
    count, length = 150_000, 1460
    size = 2 * count * length
    found = ran((Row(i // 2 * length, i + 1, length, i * length) for i in range(2 * count)), size=size)
    assert (found.done.pieces, found.done.conflicts) == (count, 0)
    assert found.memory < 16 * MIB
    assert found.read < 2.2 * size + 6 * count * SEGMENT.size


def test_holes_between_all_bytes_and_acknowledgements_of_all(ran: Run) -> None:
    count = 300_000
    far = 1 << 30
    found = ran(
        (Row(2 * i + 1, 2 * i + 1, 1, 0, None, far) for i in range(count)),
        (Row(2 * i + 1, 2 * i + 2, 1, 0, None, far) for i in range(count)),
    )
    assert found.done.pieces == 4 * count
    assert (found.done.gaps, found.done.missing_bytes) == (2 * count, 2 * count)
    ways = array("B", (piece.to_server for piece in found.pieces()))
    # The first hole belongs to frame 1 by its key; frame 1 wants all that it acknowledges before it.
    assert ways.tobytes() == b"\1" + b"\0" * 2 * count + b"\1" * (2 * count - 1)
    assert {p.reason for p in found.pieces()} == {0, GAP_NOT_CAPTURED}
    assert found.memory < 8 * MIB

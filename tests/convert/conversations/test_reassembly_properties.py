"""Reassembly against a plain model of it that goes byte by byte and in no hurry."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.segments_made import BASE, MS, T0, Rebuilt, Trace
from syswire.convert.conversations.reassembly import Reassembled
from syswire.convert.model.frame import NO_FRAME
from syswire.convert.model.rows import (
    GAP_NONE,
    GAP_NOT_CAPTURED,
    GAP_SNAPLEN,
    PIECE_BOUNDARY,
    PIECE_IN_FRAME,
    PIECE_JOINS,
)
from syswire.convert.model.segments import SEGMENT_START

INFINITE = float("inf")


@dataclass(frozen=True)
class Seen:
    """A captured segment; `rel` and `ack` count from the half's base."""

    half: int
    rel: int
    data: bytes
    length: int
    ack: int | None
    flags: int
    frame: int = 0


@dataclass(frozen=True)
class Case:
    """A conversation."""

    seen: list[Seen]
    client: int
    opened: tuple[bool, bool]
    end: tuple[int | None, int | None]


class Bit(NamedTuple):
    """What a piece has to say."""

    to_server: int
    offset: int
    known: bytes | None
    length: int
    reason: int
    frame: int
    frame_offset: int
    flags: int
    time: int


@dataclass
class Part:
    """A run of a half that one segment gives, or claims, or none."""

    begin: int
    end: int
    reason: int
    owner: Seen | None
    key: float = 0
    where: Seen | None = None


@dataclass
class Half:
    """One half, byte by byte."""

    start: int = 0
    parts: list[Part] = field(default_factory=list)
    conflicts: list[tuple[int, int]] = field(default_factory=list)  # (losing frame, differing bytes)
    early: list[tuple[int, int]] = field(default_factory=list)  # (frame, bytes before the start)


def model(case: Case, half: int) -> Half:
    """The half as the rules have it."""
    found = Half()
    mine = sorted((one for one in case.seen if one.half == half), key=lambda one: one.frame)
    won: dict[int, Seen] = {}
    claimed: dict[int, Seen] = {}
    for one in mine:
        for at in range(max(0, one.rel), one.rel + one.length):
            claimed.setdefault(at, one)
            if at < one.rel + len(one.data):
                won.setdefault(at, one)
        if one.rel < 0 and one.length:
            found.early.append((one.frame, min(-one.rel, one.length)))
    for one in mine:
        differing = sum(
            won[one.rel + i].data[one.rel + i - won[one.rel + i].rel] != byte
            for i, byte in enumerate(one.data)
            if one.rel + i >= 0
        )
        if differing:
            found.conflicts.append((one.frame, differing))
    found.start = 0 if case.opened[half] or not claimed else min(claimed)
    stop = max([case.end[half] or 0, *(at + 1 for at in claimed)])

    def owner(at: int) -> tuple[int, Seen | None]:
        if at in won:
            return GAP_NONE, won[at]
        return (GAP_SNAPLEN, claimed[at]) if at in claimed else (GAP_NOT_CAPTURED, None)

    for (reason, seen), run in groupby(range(found.start, stop), key=owner):
        places = list(run)
        found.parts.append(Part(places[0], places[-1] + 1, reason, seen))
    key = 0.0
    for part, behind in pairwise([*found.parts, None]):
        assert part is not None
        part.where = part.owner or (behind.owner if behind else None)
        key = max(key, part.where.frame) if part.where else INFINITE
        part.key = key
    if found.parts and found.parts[-1].where is None and len(found.parts) > 1:
        found.parts[-1].where = found.parts[-2].owner
    return found


def turns(case: Case, halves: list[Half]) -> list[tuple[int, Part]]:
    """The parts of both halves in the order in which they have to be handed out."""
    left = [list(half.parts) for half in halves]
    handed: list[tuple[int, Part]] = []
    while left[0] or left[1]:
        half = min((0, 1), key=lambda h: (left[h][0].key if left[h] else INFINITE, not left[h], h != case.client))
        part = left[half].pop(0)
        other = left[1 - half]
        ack = part.owner.ack if part.owner else None
        while ack is not None and other and other[0].begin < ack:
            before = other.pop(0)
            if before.reason != GAP_NONE and before.end > ack:
                other.insert(0, Part(ack, before.end, before.reason, before.owner, before.key, before.where))
                before = Part(before.begin, ack, before.reason, before.owner, before.key, before.where)
            handed.append((1 - half, before))
        handed.append((half, part))
    return handed


def expected(case: Case) -> tuple[list[Bit], list[Half]]:
    """The pieces."""
    halves = [model(case, 0), model(case, 1)]
    bits: list[Bit] = []
    joined: tuple[int, int] | None = None
    for half, part in turns(case, halves):
        flags, frame_offset, known = 0, 0, None
        if part.owner is not None:
            frame_offset = part.begin - part.owner.rel
            flags = 0 if frame_offset else PIECE_BOUNDARY
            if part.reason == GAP_NONE:
                known = part.owner.data[frame_offset : frame_offset + part.end - part.begin]
                flags |= PIECE_IN_FRAME
                if joined == (half, part.begin) and not (frame_offset == 0 and part.owner.flags & SEGMENT_START):
                    flags |= PIECE_JOINS
        joined = None if known is None else (half, part.end)
        frame = part.where.frame if part.where else None
        bits.append(
            Bit(
                int(half == case.client), part.begin - halves[half].start, known, part.end - part.begin, part.reason,
                NO_FRAME if frame is None else frame - 1, frame_offset, flags, 0 if frame is None else T0 + frame * MS,
            )
        )  # fmt: skip
    return bits, halves


def made_of(cases: list[Case], folder: Path) -> Rebuilt:
    trace = Trace()
    for case in cases:
        talk = trace.tcp(client=case.client, opened=case.opened)
        talk.end = [BASE + end if end else 0 for end in case.end]
        for one in case.seen:
            talk.segment(one.half, one.rel, one.data, frame=one.frame, length=one.length, ack=one.ack, flags=one.flags)
    return trace.reassemble(folder)


def numbered(cases: list[Case]) -> list[Case]:
    """With frame numbers from 1, over all of them."""
    frame = 0
    found = []
    for case in cases:
        seen = []
        for one in case.seen:
            frame += 1
            seen.append(Seen(one.half, one.rel, one.data, one.length, one.ack, one.flags, frame))
        found.append(Case(seen, case.client, case.opened, case.end))
    return found


def check(cases: list[Case], folder: Path) -> None:
    made = made_of(cases, folder)
    all_halves: list[Half] = []
    for number, case in enumerate(cases, 1):
        bits, halves = expected(case)
        all_halves += halves
        got = [
            Bit(p.to_server, p.stream_offset, made.bytes_of(p) if p.known else None, p.length, p.reason, p.frame,
                p.frame_offset, p.flags, p.time)
            for p in made.pieces(number)
        ]  # fmt: skip
        assert got == bits
        totals = made.totals[number - 1]
        missing = [[part for part in half.parts if part.reason != GAP_NONE] for half in halves]
        assert totals.missing_bytes == sum(part.end - part.begin for half in missing for part in half)
        assert totals.gaps == sum(runs(half) for half in missing)
        lengths = [sum(part.end - part.begin for part in half.parts) for half in halves]
        assert (totals.bytes_to_server, totals.bytes_to_client) == (lengths[case.client], lengths[1 - case.client])
    counted(made.done, all_halves, len(made.rows))


def runs(parts: list[Part]) -> int:
    return len(parts) - sum(a.end == b.begin for a, b in pairwise(parts))


def counted(done: Reassembled, halves: list[Half], pieces: int) -> None:
    lost = [[part for part in half.parts if part.reason == GAP_NOT_CAPTURED] for half in halves]
    conflicts = [one for half in halves for one in half.conflicts]
    early = [one for half in halves for one in half.early]
    assert done.pieces == pieces
    assert done.gaps == sum(map(runs, lost))
    assert done.missing_bytes == sum(part.end - part.begin for half in lost for part in half)
    shown = [part.where.frame for half in lost for part in half if part.where]
    assert (done.first_gap.frame if done.first_gap else None) == min(shown, default=None)
    assert (done.conflicts, done.conflict_bytes) == (len(conflicts), sum(count for _, count in conflicts))
    assert (done.first_conflict.frame if done.first_conflict else None) == min((f for f, _ in conflicts), default=None)
    assert (done.before_start, done.before_start_bytes) == (len(early), sum(count for _, count in early))
    assert (done.first_before_start.frame if done.first_before_start else None) == min(
        (f for f, _ in early), default=None
    )


@st.composite
def segments(draw: st.DrawFn) -> Seen:
    rel = draw(st.integers(-6, 50))
    length = draw(st.integers(1, 20))
    stored = length if draw(st.booleans()) else draw(st.integers(0, length))
    if draw(st.booleans()):  # what the stream truly has there
        data = bytes(97 + (rel + i) % 26 for i in range(stored))
    else:
        data = draw(st.binary(min_size=stored, max_size=stored))
    ack = draw(st.none() | st.integers(-3, 80))
    return Seen(draw(st.integers(0, 1)), rel, data, length, ack, draw(st.sampled_from([0, 0, SEGMENT_START])))


CASES = st.builds(
    Case,
    st.lists(segments(), max_size=16),
    st.integers(0, 1),
    st.tuples(st.booleans(), st.booleans()),
    st.tuples(st.none() | st.integers(1, 90), st.none() | st.integers(1, 90)),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(CASES, min_size=1, max_size=3))
def test_against_the_model(cases: list[Case]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(numbered(cases), Path(folder))


@pytest.mark.parametrize("seed", range(12))
def test_against_the_model_with_many_overlaps(seed: int, tmp_path: Path) -> None:
    chance = Random(seed)
    seen = []
    for _ in range(400):
        rel, length = chance.randrange(-5, 900), chance.choice((1, 3, 10, 60, 300))
        stored = length if chance.random() < 0.8 else chance.randrange(length + 1)
        data = bytearray(97 + (rel + i) % 26 for i in range(stored))
        if data and chance.random() < 0.3:
            data[chance.randrange(stored)] = 33
        ack = chance.randrange(1300) if chance.random() < 0.5 else None
        seen.append(Seen(chance.randrange(2), rel, bytes(data), length, ack, 0))
    check(numbered([Case(seen, seed % 2, (True, seed % 3 == 0), (1300, None))]), tmp_path)


@settings(max_examples=100, deadline=None)
@given(st.randoms(use_true_random=False), st.integers(1, 30), st.integers(1, 40))
def test_any_order_of_arrival_gives_the_same_streams(chance: Random, segment: int, count: int) -> None:
    streams = [bytes(chance.randrange(256) for _ in range(segment * count)) for _ in range(2)]
    seen = [
        Seen(half, at, streams[half][at : at + segment + chance.randrange(3)], 0, None, 0)
        for half in range(2)
        for at in range(0, segment * count, segment)
    ]
    chance.shuffle(seen)
    exact = [Seen(one.half, one.rel, one.data, len(one.data), None, 0) for one in seen]
    with tempfile.TemporaryDirectory() as folder:
        made = made_of(numbered([Case(exact, 0, (True, True), (None, None))]), Path(folder))
    assert [made.stream(1), made.stream(0)] == [[streams[0]], [streams[1]]]
    assert (made.done.gaps, made.done.conflicts) == (0, 0)
    totals = made.totals[0]
    assert (totals.gaps, totals.missing_bytes) == (0, 0)


@pytest.mark.parametrize("seed", range(6))
def test_long_segments_that_overlap(seed: int, tmp_path: Path) -> None:
    # Painted in the order from the last frame to the first, the first copy of each byte is what is seen in the end.
    chance = Random(seed)
    size = 1_500_000
    truth = chance.randbytes(size)
    trace = Trace()
    talk = trace.tcp()
    painted: list[tuple[int, bytes]] = []
    for _ in range(150):
        rel = chance.randrange(size - 70_000)
        sent = bytearray(truth[rel : rel + chance.choice((1, 1460, 30_000, 65_507, 65_535))])
        for _ in range(chance.choice((0, 0, 1, 50))):
            sent[chance.randrange(len(sent))] ^= 0xFF
        painted.append((rel, bytes(sent)))
        talk.segment(0, rel, bytes(sent))
    stream = bytearray(size)
    there = bytearray(size)
    for rel, data in reversed(painted):
        stream[rel : rel + len(data)] = data
        there[rel : rel + len(data)] = b"\1" * len(data)
    end = there.rindex(1) + 1
    differing = []
    for frame, (rel, data) in enumerate(painted, 1):
        won = stream[rel : rel + len(data)]
        if won != data:
            differing.append((frame, sum(a != b for a, b in zip(won, data, strict=True))))
    made = trace.reassemble(tmp_path)
    at = 0
    for piece in made.pieces():
        assert piece.stream_offset == at
        assert there[at : at + piece.length] == (b"\1" if piece.known else b"\0") * piece.length
        if piece.known:
            assert made.bytes_of(piece) == stream[at : at + piece.length]
        at += piece.length
    assert at == end
    assert len(differing) > 5
    assert (made.done.conflicts, made.done.conflict_bytes) == (len(differing), sum(count for _, count in differing))
    assert made.done.first_conflict is not None
    assert made.done.first_conflict.frame == differing[0][0]

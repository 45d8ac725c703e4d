"""Connections carried out in the test, in every order that threads and races allow, and rebuilt from what was seen."""

from __future__ import annotations

import tempfile
from pathlib import Path

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.loopback import Action, Loopback, content
from support.rebuilt import MS, T0, Capture, Converted
from syswire.convert.model.rows import PIECE_IN_FRAME

actions = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1), st.integers(1, 40)), max_size=40)
snaplens = st.tuples(st.sampled_from([0, 1, 5, 20, 1 << 30]), st.sampled_from([0, 3, 10, 1 << 30]))
both = st.just((True, True))
one = st.sampled_from([(True, False), (False, True)])


def check_bytes(loop: Loopback, result: Converted) -> None:
    """Nothing missing, nothing twice, nothing invented."""
    totals = result.totals[0]
    for way, length in ((1, totals.bytes_to_server), (0, totals.bytes_to_client)):
        expected, known = loop.truth(way)
        assert length == expected
        base = loop.base[way]
        if not any(call for call in loop.calls if not call.write and call.end == way):
            base = min((call.begin for call in loop.calls if call.write and call.end == 1 - way), default=base)
        at = 0
        for _, to_server, offset, size, data, *_ in result.runs():
            if to_server != way:
                continue
            assert offset == at
            assert [data is not None] * size == known[at : at + size]
            if data is not None:
                assert data == content(way, base + at, base + at + size)
            at += size
        assert at == expected


def check_frames(result: Converted) -> None:
    """The sequence numbers cover the streams exactly, and the frames hold the pieces' bytes."""
    packets = [packet for _, packet in dpkt.pcapng.Reader(result.pcapng.open("rb"))]
    assert [frame.time for frame in result.sorted_frames] == sorted(frame.time for frame in result.frames)
    order = {frame.row: number for number, frame in enumerate(result.sorted_frames)}
    following: dict[int, int] = {}
    covered = [0, 0]
    last = 0
    for frame in result.frames:
        way = frame.flags & 1
        assert frame.time >= last
        last = frame.time
        segment = dpkt.ip.IP(packets[order[frame.row]]).data
        assert (segment.seq, segment.flags) == (frame.seq, frame.tcp_flags)
        if way in following:
            assert frame.seq == following[way]
        following[way] = (frame.seq + frame.length + (1 if frame.tcp_flags & 3 else 0)) % 2**32
        if 1 - way in following:
            assert frame.ack == following[1 - way]
        covered[way] += frame.length
    assert covered == [result.totals[0].bytes_to_client, result.totals[0].bytes_to_server]
    rows = {run[0]: run[4] for run in result.runs()}
    first = result.totals[0].pieces_begin
    for row, piece in enumerate(result.pieces(), first):
        if piece.flags & PIECE_IN_FRAME:
            data = bytes(dpkt.ip.IP(packets[order[piece.frame]]).data.data)
            assert data[piece.frame_offset : piece.frame_offset + piece.length] == rows[row]


def check_causes(loop: Loopback, result: Converted) -> None:
    """No byte later than a read of it, none earlier than what its sender had read before."""
    pieces = result.pieces()
    ends: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]] = ([], [])
    for place, piece in enumerate(pieces):
        ends[piece.to_server].append((piece.stream_offset + piece.length, place, piece.time))
    for call in loop.calls:
        if call.write:
            way, mine = 1 - call.end, 1 - call.end
            other = 1 - way
            needed = call.before - loop.base[other]
            if not loop.seen[call.end] or not loop.enters or needed <= 0:
                continue
            begin = call.begin - loop.base[mine]
            own = next(place for end, place, _ in ends[way] if end > begin)
            assert all(place < own for end, place, _ in ends[other] if end <= needed)
        else:
            upto = call.begin + call.length - loop.base[call.end]
            for end, _, time in ends[call.end]:
                if end <= upto:
                    assert time <= T0 + round(call.returned * MS)


def rebuilt(loop: Loopback, script: list[Action], drain: bool) -> Converted:
    loop.play(script)
    if drain:
        loop.drain()
    with tempfile.TemporaryDirectory() as folder:
        result = loop.talk.capture.convert(Path(folder))
        check_bytes(loop, result)
        check_frames(result)
        check_causes(loop, result)
        if loop.enters and not loop.skip:
            assert result.summary.shifted == 0, "with every enter known all is dated as recorded"
    return result


@settings(max_examples=150, deadline=None)
@given(script=actions, snap=snaplens, enters=st.booleans(), opened=st.booleans())
def test_both_ends(script: list[Action], snap: tuple[int, int], enters: bool, opened: bool) -> None:
    talk = Capture().tcp("127.0.0.1", "127.0.0.1")
    if opened:
        talk.connect(0)
        talk.accept(0)
    rebuilt(Loopback(talk, snap, enters=enters), script, drain=False)


@settings(max_examples=60, deadline=None)
@given(script=actions, snap=snaplens, seen=one, enters=st.booleans())
def test_one_end(script: list[Action], snap: tuple[int, int], seen: tuple[bool, bool], enters: bool) -> None:
    talk = Capture().tcp("127.0.0.1", "127.0.0.1")
    rebuilt(Loopback(talk, snap, seen, enters), script, drain=True)


@settings(max_examples=100, deadline=None)
@given(script=actions, snap=snaplens, enters=st.booleans(), skip=st.integers(1, 30))
def test_open_before_the_capture_began(script: list[Action], snap: tuple[int, int], enters: bool, skip: int) -> None:
    talk = Capture().tcp("127.0.0.1", "127.0.0.1", preexisting=True)
    rebuilt(Loopback(talk, snap, enters=enters, skip=skip), script, drain=True)


@pytest.mark.parametrize("enters", [True, False])
def test_more_rows_than_any_buffer_holds(enters: bool) -> None:
    script: list[Action] = []
    for number in range(3_000):
        script += [(0, number % 2, 1 + number % 7), (2, 1 - number % 2, 3), (1, number % 2, 0), (2, 1 - number % 2, 9)]
    talk = Capture().tcp("127.0.0.1", "127.0.0.1")
    rebuilt(Loopback(talk, (3, 2), enters=enters), script, drain=True)

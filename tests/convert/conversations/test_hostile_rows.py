"""Rows that no kernel would cause: whatever they say, the stages end, and what they write holds together."""

from __future__ import annotations

import tempfile
from pathlib import Path

import dpkt
from hypothesis import given, settings
from hypothesis import strategies as st

from support.rebuilt import T0, Capture
from syswire.convert.model.frame import NO_FRAME
from syswire.convert.model.rows import TCP, UDP, UNIX_DATAGRAM, UNIX_STREAM, Chunk

PAYLOAD = bytes(range(256)) * 40
small = st.integers(0, 3)
chunk = st.builds(
    Chunk,
    time=st.one_of(st.integers(T0, T0 + 10), st.integers(0, 2**64 - 1)),
    exit_time=st.one_of(st.integers(T0, T0 + 10), st.integers(0, 2**64 - 1)),
    event=st.integers(0, 2**64 - 1),
    block=st.integers(0, 2**64 - 1),
    payload=st.integers(0, 5_000),
    length=st.one_of(small, st.integers(0, 300), st.integers(0, 2**64 - 1)),
    evt_num=small,
    conv=st.integers(1, 3),
    thread=st.one_of(small, st.integers(0, 2**32 - 1)),
    stored=st.one_of(small, st.integers(0, 5_000)),
    kind=st.one_of(st.just(0), st.integers(0, 255)),
    to_server=st.integers(0, 255),
    end=st.one_of(st.integers(0, 1), st.integers(0, 255)),
    reason=small,
    flags=st.integers(0, 2**32 - 1),
)


@settings(max_examples=200, deadline=None)
@given(
    chunks=st.lists(chunk, max_size=30),
    kinds=st.lists(
        st.tuples(st.sampled_from([TCP, UDP, UNIX_STREAM, UNIX_DATAGRAM, 0, 255]), st.integers(0, 7), st.booleans()),
        min_size=3,
        max_size=3,
    ),
)
def test_whatever_the_rows_say(chunks: list[Chunk], kinds: list[tuple[int, int, bool]]) -> None:
    capture = Capture()
    for protocol, container, preexisting in kinds:
        talk = capture.tcp(port=40_000, preexisting=preexisting, container=container)
        talk.protocol = protocol
        talk.path = 2**32 - 1
    capture.chunks = [row._replace(event=number) for number, row in enumerate(chunks, 1)]
    capture.payload = bytearray(PAYLOAD)
    with tempfile.TemporaryDirectory() as folder:
        result = capture.convert(Path(folder), gap_frames=20)
        packets = list(dpkt.pcapng.Reader(result.pcapng.open("rb")))
    assert len(packets) == len(result.frames) < 500
    covered = [[0, 0] for _ in kinds]
    for totals in result.totals:
        ends, last = [0, 0], 0
        for _, way, offset, length, data, _, _, time in result.runs(totals.conv):
            assert offset == ends[way]
            assert time >= last
            assert data is None or len(data) == length
            ends[way] += length
            last = time
        assert ends == [totals.bytes_to_client, totals.bytes_to_server]
        covered[totals.conv - 1] = ends
        missing = sum(piece.length for piece in result.pieces(totals.conv) if not piece.known)
        assert missing == totals.missing_bytes
        for piece in result.pieces(totals.conv):
            assert piece.reserved == 0
            assert piece.frame == NO_FRAME or totals.first_frame_row <= piece.frame <= totals.last_frame_row
    if result.summary.gap_frames_not_written == 0:
        for frame in result.frames:
            covered[frame.conv - 1][frame.flags & 1] -= frame.length
        assert covered == [[0, 0]] * 3

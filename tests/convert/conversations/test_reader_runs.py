"""Pieces that simply go on come as one run, and from an offset in it one gets back to the piece."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from support.pieces_made import BOUNDARY, IN_FRAME, JOINS, Pieces
from syswire.convert.conversations.totals import Run

RUN_BYTES, RUN_PIECES = 65_536, 512


def read(pieces: Pieces) -> list[list[Run]]:
    """The runs of every conversation."""
    with tempfile.TemporaryDirectory() as folder:
        reader, payload = pieces.reader(Path(folder))
        with reader:
            found = [list(reader.runs(totals.pieces_begin, totals.pieces_end)) for totals in reader]
        os.close(payload)
    return found


def test_joined_pieces_are_one_run(tmp_path: Path) -> None:
    pieces = Pieces()
    pieces.known(1, b"GET / HT")
    pieces.known(1, b"TP/1.1\r\n", joins=True)
    pieces.known(1, b"\r\n", joins=True)
    pieces.known(0, b"HTTP/1.1 204 \r\n\r\n", joins=True, boundary=False)  # of the other direction: joins nothing
    pieces.known(1, b"GET /2")
    pieces.gap(1, 10)
    pieces.known(1, b"after", joins=True)  # behind a gap: joins nothing
    pieces.end()
    runs = read(pieces)[0]
    assert [(run[0], run[1], run[2], run[3], run[4], run[5], run[6]) for run in runs] == [
        (0, 1, 0, 18, b"GET / HTTP/1.1\r\n\r\n", BOUNDARY | IN_FRAME, 0),
        (3, 0, 0, 17, b"HTTP/1.1 204 \r\n\r\n", IN_FRAME | JOINS, 0),
        (4, 1, 18, 6, b"GET /2", BOUNDARY | IN_FRAME, 0),
        (5, 1, 24, 10, None, 0, 4),
        (6, 1, 34, 5, b"after", BOUNDARY | IN_FRAME | JOINS, 0),
    ]
    assert [run[7] for run in runs] == [pieces.rows[row].time for row in (0, 3, 4, 5, 6)]


def test_a_run_ends_with_its_conversation() -> None:
    pieces = Pieces()
    pieces.known(1, b"first")
    pieces.end()
    pieces.known(1, b"second", joins=True)  # a flag that lies
    pieces.end()
    assert [[run[4] for run in runs] for runs in read(pieces)] == [[b"first"], [b"second"]]


def test_runs_are_bounded() -> None:
    pieces = Pieces()
    for number in range(100):
        pieces.known(0, bytes([number]) * 1460, joins=number > 0)
    for number in range(1, 1200):
        pieces.known(1, b"x", joins=number > 1)
    for number in range(2):
        pieces.known(0, bytes([200 + number]) * 32_768, joins=number > 0)  # fills a run exactly
    pieces.end()
    runs = read(pieces)[0]
    assert [(run[1], run[3]) for run in runs] == [
        (0, 44 * 1460),
        (0, 44 * 1460),
        (0, 12 * 1460),
        (1, 512),
        (1, 512),
        (1, 175),
        (0, 65_536),
    ]
    assert b"".join(run[4] or b"" for run in runs if run[1] == 0) == (
        b"".join(bytes([number]) * 1460 for number in range(100)) + b"\xc8" * 32_768 + b"\xc9" * 32_768
    )


def test_the_piece_of_an_offset(tmp_path: Path) -> None:
    pieces = Pieces()
    for number in range(600):
        pieces.known(1, bytes(number % 7), joins=number > 0)
    pieces.known(0, b"reply")
    pieces.end()
    reader, payload = pieces.reader(tmp_path)
    with reader:
        runs = [run for run in reader.runs(0, 601) if run[1] == 1]
        assert len(runs) == 2
        for row, _, offset, length, *_ in runs:
            for at in range(offset, offset + length):
                piece = reader.piece(row, at)
                assert piece.stream_offset <= at < piece.stream_offset + piece.length
                assert piece == pieces.rows[piece.frame]
        assert reader.piece(0) == pieces.rows[0]
        assert reader.piece(0, None) == pieces.rows[0]
        assert reader.piece(600, 0) == pieces.rows[600]
        assert reader.piece(599, 10**9) == pieces.rows[599]  # held by none: the last that is joined
    os.close(payload)


step = st.tuples(
    st.integers(0, 1), st.integers(0, 40).map(lambda size: size * size * 41), st.booleans(), st.sampled_from("kkkkg")
)


@settings(max_examples=60, deadline=None)
@given(steps=st.lists(step, max_size=60))
def test_as_in_plain_python(steps: list[tuple[int, int, bool, str]]) -> None:
    pieces = Pieces()
    expected: list[tuple[int, int, int, bytes | None]] = []
    count, before = 0, (-1, False)
    for number, (way, size, joins, kind) in enumerate(steps):
        size = min(size, 65_507)
        offset = pieces.sent[way]
        if kind == "g":
            pieces.gap(way, size)
            expected.append((number, way, offset, None))
            before = (way, False)
            continue
        data = bytes([number]) * size
        pieces.known(way, data, joins=joins)
        last = expected[-1][3] if expected else None
        fits = last is not None and len(last) < RUN_BYTES and len(last) + size <= RUN_BYTES and count < RUN_PIECES
        if joins and before == (way, True) and fits and last is not None:
            expected[-1] = (*expected[-1][:3], last + data)
            count += 1
        else:
            expected.append((number, way, offset, data))
            count = 1
        before = (way, True)
    pieces.end()
    assert [(run[0], run[1], run[2], run[4]) for run in read(pieces)[0]] == expected

"""Datagrams from both ends: values worked out by hand."""

from __future__ import annotations

from pathlib import Path

from support.rebuilt import CLIENT, MS, SERVER, T0, Capture

BOUNDARY, IN_FRAME, FILLED = 1, 2, 4


def test_a_read_is_the_write_of_the_same_number(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.udp()
    talk.send(CLIENT, 1, b"0123456789", stored=4)
    talk.send(CLIENT, 2, b"abc", stored=0)
    talk.read(SERVER, 3, b"0123456789", stored=7)
    talk.read(SERVER, 4, b"abc")
    talk.send(CLIENT, 5, b"last")
    result = capture.convert(tmp_path)
    assert result.stream(1) == [b"0123456", 3, b"abclast"]
    assert [run[5] for run in result.runs()] == [
        BOUNDARY | IN_FRAME, IN_FRAME | FILLED, 0, BOUNDARY | IN_FRAME | FILLED, BOUNDARY | IN_FRAME,
    ]  # fmt: skip
    assert [(frame.known, frame.length) for frame in result.frames] == [(7, 10), (3, 3), (4, 4)]
    assert {frame.tcp_flags for frame in result.frames} == {0}


def test_lost_datagrams_are_not_filled_from_others(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.udp()
    talk.send(CLIENT, 1, b"aaaa", stored=1)  # lost on the way
    talk.send(CLIENT, 2, b"bb")
    talk.read(SERVER, 3, b"bb")
    talk.send(CLIENT, 4, b"cccc", stored=1)
    talk.read(SERVER, 5, b"cccc")
    talk.read(SERVER, 6, b"unseen")  # its sender was not
    result = capture.convert(tmp_path)
    assert result.stream(1) == [b"a", 3, b"bbc", 3, b"unseen"]
    assert len(result.frames) == 4


def test_the_server_may_be_quicker_than_the_write_returns(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.udp()
    talk.read(SERVER, 1, b"question")
    talk.send(SERVER, 2, b"answer")
    talk.send(CLIENT, 3, b"question")
    talk.read(CLIENT, 4, b"answer")
    result = capture.convert(tmp_path)
    assert [(frame.flags & 1, (frame.time - T0) / MS) for frame in result.frames] == [(1, 1), (0, 2)]
    assert result.summary.shifted == 1


def test_empty_and_oversized_datagrams(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.unix(datagram=True)
    talk.send(CLIENT, 1, b"")
    talk.send(CLIENT, 2, b"x" * 150_000)
    result = capture.convert(tmp_path)
    assert [(frame.known, frame.length) for frame in result.frames] == [
        (0, 0), (65_507, 65_507), (65_507, 65_507), (18_986, 18_986),
    ]  # fmt: skip
    assert [(run[3], run[5]) for run in result.runs()] == [
        (0, BOUNDARY | IN_FRAME), (65_507, BOUNDARY | IN_FRAME), (65_507, IN_FRAME), (18_986, IN_FRAME),
    ]  # fmt: skip


def test_more_outstanding_datagrams_than_are_remembered(tmp_path: Path) -> None:
    capture = Capture()
    talk = capture.udp()
    talk.read(SERVER, 0, b"from before")
    for number in range(1_000):
        talk.send(CLIENT, 1 + number, b"x" * (number % 50))
    for number in range(750, 1_000):
        talk.read(SERVER, 2_000 + number, b"x" * (number % 50))
    result = capture.convert(tmp_path)
    assert len(result.frames) == 1_001

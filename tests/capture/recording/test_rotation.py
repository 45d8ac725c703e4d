"""Names of the files of a recording that rotates, by tcpdump's manual."""

from __future__ import annotations

import time

import pytest

from syswire.capture.rotation import Names, Rotation

NOON = 1_795_435_200.0


@pytest.fixture(autouse=True)
def utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


def names(pattern: str, rotation: Rotation, count: int, every: float = 0, older: bool = True) -> list[str]:
    made = Names(pattern, rotation)
    return [made.next(NOON + number * every, older=older) for number in range(count)]


def test_one_file() -> None:
    assert names("100%d.scap", Rotation(), 1) == ["100%d.scap"]


def test_by_size() -> None:
    assert names("a.scap", Rotation(bytes=1), 4, older=False) == ["a.scap", "a.scap1", "a.scap2", "a.scap3"]


def test_ring_of_files() -> None:
    """Numbers from 0 on, with as many digits as the largest needs."""
    assert names("a", Rotation(bytes=1, files=3), 5, older=False) == ["a0", "a1", "a2", "a0", "a1"]
    assert names("a", Rotation(bytes=1, files=10), 11, older=False)[8:] == ["a8", "a9", "a0"]
    assert names("a", Rotation(bytes=1, files=11), 12, older=False)[8:] == ["a08", "a09", "a10", "a00"]


def test_by_time() -> None:
    rotation = Rotation(seconds=60)
    assert names("%Y-%m-%d_%H.%M.scap", rotation, 3, 60) == [
        "2026-11-23_12.00.scap", "2026-11-23_12.01.scap", "2026-11-23_12.02.scap",
    ]  # fmt: skip
    assert names("a.scap", rotation, 3, 60) == ["a.scap", "a.scap1", "a.scap2"]
    assert names("%H.scap", rotation, 3, 1800) == ["12.scap", "12.scap1", "13.scap"]


def test_by_both() -> None:
    """A file that is too large goes on under the name of its time; files of another time count anew."""
    made = Names("%M", Rotation(bytes=1, seconds=60))
    turns = [(0, True), (10, False), (59.9, False), (61, True), (62, False), (121, True)]
    told = [made.next(NOON + seconds, older=older) for seconds, older in turns]
    assert told == ["00", "001", "002", "01", "011", "02"]


def test_when_it_ends() -> None:
    assert Rotation(seconds=60, files=3).last == 3
    assert Rotation(bytes=1, files=3).last is None
    assert Rotation(bytes=1, seconds=60, files=3).last is None
    assert Rotation().last is None

"""Broken captures: the exit code, one line that says where, and everything that stands before the damage.

What stands before it is counted by the plain reader of the tests. An event whose framing is whole but whose inside is
not (its lengths contradict each other) is an event too: it is counted, and named among the losses.
"""

from __future__ import annotations

import gzip
import json
import random
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import plain_scap
from support.damage import Convert, Ended, blocks, converter, whole_events
from support.made import SAMPLE

DATA = gzip.decompress(SAMPLE.read_bytes())


@pytest.fixture
def convert(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Convert:
    return converter(tmp_path, capfd)


def check_cut(ended: Ended, data: bytes, end: int) -> None:
    """What a plain capture that was cut to `data` has to give; `end` is where its last whole block ends."""
    if not [kind for _, kind in blocks(data) if kind == plain_scap.SECTION]:
        assert ended.code == 3
        assert "at byte 0" in ended.line or "empty" in ended.line
        return
    events = whole_events(data)
    assert ended.entry["counts"]["events"] == events
    if end == len(data):
        assert (ended.code, ended.lines, ended.entry["status"]) == (0, [], "complete")
        return
    assert ended.code == 4
    assert f"at byte {end};" in ended.line and f"kept the {events} events before it" in ended.line
    assert (ended.entry["status"], ended.entry["message"]) == ("damaged", ended.line)
    assert ended.entry["losses"]["unreadable_rest"]["first"]["offset"] == end


@pytest.mark.parametrize("part", range(4))
def test_every_cut_of_the_head(convert: Convert, tmp_path: Path, part: int) -> None:
    source = tmp_path / "cut.scap"
    for size in range(part, 300, 4):
        source.write_bytes(DATA[:size])
        check_cut(convert(source), DATA[:size], blocks(DATA[:size])[-1][0])


@pytest.mark.parametrize("part", range(4))
def test_cuts_at_block_borders(convert: Convert, tmp_path: Path, part: int) -> None:
    """At a border nothing is wrong; one byte before or behind it something is."""
    source = tmp_path / "cut.scap"
    borders = [at for at, _ in blocks(DATA)][1:]
    chosen = random.Random(part).sample(borders, 6) + borders[part:24:4] + borders[-2:]
    for border in chosen:
        for size in (border - 1, border, border + 1):
            data = DATA[:size]
            source.write_bytes(data)
            check_cut(convert(source), data, blocks(data)[-1][0])


def test_events_before_a_cut_are_those_of_the_whole(convert: Convert, tmp_path: Path) -> None:
    """Not only as many: exchanges that were finished before the cut are the same, record by record."""
    source = tmp_path / "act1.scap"
    source.write_bytes(DATA)
    whole = exchanges(convert(source))
    borders = [at for at, _ in blocks(DATA)]
    for border in (borders[len(borders) // 2], borders[-300]):
        source.write_bytes(DATA[: border + 5])
        ended = convert(source)
        assert ended.code == 4
        kept = exchanges(ended)
        events = ended.entry["counts"]["events"]
        assert events == read_by_the_plain_reader(DATA[: border + 5])
        ended_before = {key for key, last in whole.items() if last <= events}
        assert len(ended_before) > 10
        assert ended_before <= set(kept)


def read_by_the_plain_reader(data: bytes) -> int:
    """Events that it yields before it gives up."""
    count = 0
    with pytest.raises(plain_scap.Damaged):
        for record in plain_scap.records(data):
            count += isinstance(record, plain_scap.Event)
    return count


def exchanges(ended: Ended) -> dict[tuple[Any, ...], int]:
    """Finished exchanges by all that cannot change, with the event in which the answer begins."""
    found = {}
    for line in next(ended.folder.glob("*.annotations.jsonl")).read_text("utf-8").splitlines():
        record = json.loads(line)
        if record["type"] == "http" and record["request"] and record["response"]:
            request, response = record["request"], record["response"]
            key = (record["stream"], request["method"], request["target"], request["where"]["event"])
            found[*key, response["status"], response["where"]["event"]] = response["where"]["event"]
    return found


# -- what is no capture at all


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "empty"),
        (b"\0", "at byte 0"),
        (b"hello, this is text\n" * 50, "at byte 0"),
        (bytes(4096), "at byte 0"),
        (b"\x0a\x0d\x0d\x0a" + b"\xff" * 64, "at byte 0"),
        (DATA[:8] + b"\x4d\x3c\x2b\x1b" + DATA[12:], "at byte 0"),
        (b"\xd4\xc3\xb2\xa0" + bytes(20), "at byte 0"),
        (gzip.compress(b"", mtime=0), "at byte 0"),
        (gzip.compress(b"hello", mtime=0), "at byte 0"),
        (b"\x1f\x8b", "gzip"),
        (b"\x28\xb5\x2f\xfd", "zstd"),
    ],
)
def test_not_a_capture(convert: Convert, tmp_path: Path, content: bytes, told: str) -> None:
    source = tmp_path / "what.scap"
    source.write_bytes(content)
    ended = convert(source)
    assert ended.code == 3
    assert told in ended.line and str(source) in ended.line


def test_no_file_at_all(convert: Convert, tmp_path: Path) -> None:
    assert "No such file" in (missing := convert(tmp_path / "missing.scap")).line and missing.code == 3
    (tmp_path / "folder").mkdir()
    assert "directory" in (folder := convert(tmp_path / "folder")).line and folder.code == 3
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert (loop := convert(tmp_path / "loop")).code == 3 and "symbolic" in loop.line
    memory = Path("/proc/self/mem")  # opens, and fails when it is read
    assert (unreadable := convert(memory)).code == 3 and str(memory) in unreadable.line


# -- damage within


@pytest.mark.parametrize("junk", [b"\xff" * 20, bytes(20), b"junk!", DATA[:11]])
def test_junk_behind_the_end(convert: Convert, tmp_path: Path, junk: bytes) -> None:
    source = tmp_path / "junk.scap"
    source.write_bytes(DATA + junk)
    ended = convert(source)
    assert ended.code == 4
    assert f"at byte {len(DATA)}" in ended.line
    assert ended.entry["counts"]["events"] == whole_events(DATA)


@pytest.mark.parametrize("length", [0, 4, 8, 11, 13, 0x7FFFFFFF, 0xFFFFFFFC, 0xFFFFFFFF])
def test_wrong_block_length(convert: Convert, tmp_path: Path, length: int) -> None:
    data = bytearray(DATA)
    events = [at for at, kind in blocks(DATA) if kind in plain_scap.EVENTS]
    struct.pack_into("<I", data, events[1000] + 4, length)
    source = tmp_path / "length.scap"
    source.write_bytes(data)
    ended = convert(source)
    assert ended.code == 4
    assert f"at byte {events[1000]};" in ended.line and "kept the 1000 events" in ended.line
    assert ended.entry["counts"]["events"] == 1000


@pytest.mark.parametrize("length", [0, 1, 21, 25, 0xFFFF, 0xFFFFFFFF])
def test_wrong_event_length(convert: Convert, tmp_path: Path, length: int) -> None:
    """The framing holds: that one event is lost, and told; all others are read."""
    data = bytearray(DATA)
    events = [at for at, kind in blocks(DATA) if kind in plain_scap.EVENTS]
    struct.pack_into("<I", data, events[1000] + 8 + 2 + 16, length)
    source = tmp_path / "event.scap"
    source.write_bytes(data)
    ended = convert(source)
    assert ended.entry["counts"]["events"] == len(events)
    assert ended.entry["losses"]["damaged_event"]["count"] == 1
    assert ended.entry["losses"]["damaged_event"]["first"]["offset"] == events[1000]


def test_unknown_blocks_are_counted(convert: Convert, tmp_path: Path) -> None:
    events = [at for at, kind in blocks(DATA) if kind in plain_scap.EVENTS]
    block = struct.pack("<II", 0x7777, 32) + bytes(20) + struct.pack("<I", 32)
    source = tmp_path / "unknown.scap"
    source.write_bytes(DATA[: events[500]] + block * 3 + DATA[events[500] :])
    ended = convert(source)
    assert (ended.code, ended.lines) == (0, [])
    assert ended.entry["counts"]["events"] == len(events)
    loss = ended.entry["losses"]["unknown_block"]
    assert (loss["count"], loss["bytes"], loss["first"]["offset"]) == (3, 96, events[500])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(flips=st.lists(st.tuples(st.integers(0, len(DATA) - 1), st.integers(1, 255)), min_size=1, max_size=60))
def test_flipped_bytes(convert: Convert, tmp_path: Path, flips: list[tuple[int, int]]) -> None:
    """Whatever is changed: an exit code of the design, one line at most, and whole outputs."""
    data = bytearray(DATA)
    for place, bits in flips:
        data[place] ^= bits
    source = tmp_path / "flips.scap"
    source.write_bytes(data)
    ended = convert(source)
    assert ended.code in (0, 3, 4)
    assert len(ended.lines) == (ended.code != 0)
    if ended.code == 4:
        assert re.search(r"at byte \d+; kept the \d+ events before it$", ended.line)
    elif ended.code == 3:
        assert "at byte 0" in ended.line
    if ended.manifest is not None:
        assert ended.entry["counts"]["events"] <= whole_events(bytes(data))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, len(DATA)), count=st.integers(1, 5000), seed=st.integers(0, 1 << 32))
def test_random_bytes_instead(convert: Convert, tmp_path: Path, place: int, count: int, seed: int) -> None:
    data = DATA[:place] + random.Random(seed).randbytes(count) + DATA[place + count :]
    source = tmp_path / "random.scap"
    source.write_bytes(data)
    ended = convert(source)
    assert ended.code in (0, 3, 4)
    assert len(ended.lines) == (ended.code != 0)

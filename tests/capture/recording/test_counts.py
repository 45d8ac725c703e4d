"""Counts beside a capture: written in their place, and read as something that anybody may have written."""

from __future__ import annotations

import json
import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from support.command import run
from support.made import SAMPLE
from syswire.capture.counts import CountsFile, calls
from syswire.convert.scap.counts import MAX_SIZE, CountsError, Tally, decode, encode, losses, read

SIZE = SAMPLE.stat().st_size

TOLD: dict[str, Any] = {
    "format": "syswire-capture-counts-1",
    "ended": "by SIGINT",
    "size": SIZE,
    "calls": {
        "seen": 1000, "recorded": 600,
        "filtered": {"conditions": 100, "not_a_socket": 200},
        "not_followed": {"calls_of_32_bit": 30, "io_uring": 20},
        "dropped": {"ring_full": 49, "probe_failed": 1},
        "probe": {"bytes_dropped": 4711},
    },
    "events": {"made": 1200, "written": 1100, "filtered": 60, "dropped": {"disk_full": 33, "unknown": 7}},
}  # fmt: skip


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """The sample, where something can be put beside it."""
    return Path(shutil.copy(SAMPLE, tmp_path / "act1.scap.gz"))


def beside(capture: Path, content: bytes) -> Path:
    path = capture.with_name(capture.name + ".counts.json")
    path.write_bytes(content)
    return path


def converted(capture: Path) -> dict[str, Any]:
    """The manifest's entry of the capture."""
    out = capture.parent / "case"
    done = run("convert", capture, "-o", out, "--no-pcapng")
    assert (done.returncode, done.stderr) == (0, "")
    (entry,) = json.loads((out / "manifest.json").read_bytes())["inputs"]
    assert isinstance(entry, dict)
    return entry


def test_what_the_recorder_lost_is_in_the_manifest(capture: Path) -> None:
    path = beside(capture, json.dumps(TOLD).encode())
    entry = converted(capture)
    found = {cause: (loss["count"], loss["bytes"]) for cause, loss in entry["losses"].items() if "recorder" in cause}
    assert found == {
        "recorder_dropped": (50, 4711),
        "recorder_not_written": (40, 0),
        "recorder_not_followed": (50, 0),
        "recorder_filtered": (160, 0),
    }
    import hashlib

    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert entry["counts_file"] == {"name": "act1.scap.gz.counts.json", "sha256": digest}


def test_report_tells_it(capture: Path) -> None:
    beside(capture, json.dumps(TOLD | {"ended": None}).encode())
    out = capture.parent / "case"
    assert run("report", capture, "-o", out, "--no-pcapng", "--format", "html").returncode == 0
    text = (out / "report.html").read_text("utf-8")
    for cause in ("recorder dropped", "recorder not written", "recorder filtered", "recorder unfinished"):
        assert f"Loss in E-01: {cause}" in text


def test_without_counts_nothing_is_said(capture: Path) -> None:
    entry = converted(capture)
    assert entry["counts_file"] is None
    assert not [cause for cause in entry["losses"] if "recorder" in cause]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 100,
        b"[" * 50_000,
        b"{}",
        json.dumps(TOLD | {"format": "other"}).encode(),
        json.dumps(TOLD | {"size": SIZE - 1}).encode(),
        json.dumps(TOLD | {"size": SIZE + 1, "ended": None}).encode(),
        json.dumps(TOLD | {"size": -1}).encode(),
        json.dumps(TOLD | {"size": float(SIZE)}).encode().replace(b".0", b".5"),
        json.dumps(TOLD | {"events": {"dropped": {"x": 1 << 60}}}).encode(),
        json.dumps(TOLD | {"events": {"dropped": {"x": -5}}}).encode(),
        json.dumps(TOLD | {"events": {"dropped": {str(n): 1 for n in range(65)}}}).encode(),
        json.dumps(TOLD | {"events": {"dropped": {"x" * 65: 1}}}).encode(),
        json.dumps(TOLD | {"events": []}).encode(),
        json.dumps(TOLD | {"filter": "x" * 5000}).encode(),
        json.dumps(TOLD).encode() + b" " * MAX_SIZE,
    ],
)
def test_counts_that_cannot_be_used(capture: Path, content: bytes) -> None:
    """They are not believed, and that is told; the capture is read all the same."""
    beside(capture, content)
    with pytest.raises(CountsError):
        read(capture, SIZE)


def test_unusable_counts_are_told(capture: Path) -> None:
    beside(capture, b"no counts")
    entry = converted(capture)
    assert entry["losses"]["recorder_counts_unusable"]["count"] == 1
    assert entry["counts_file"] is None


@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_counts_that_are_no_file(capture: Path, kind: str) -> None:
    """Nobody waits at a pipe or is led elsewhere."""
    path = capture.with_name(capture.name + ".counts.json")
    if kind == "link":
        (capture.parent / "other").write_text(json.dumps(TOLD))
        path.symlink_to(capture.parent / "other")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(CountsError):
        read(capture, SIZE)


def test_counts_of_a_killed_recorder_may_be_of_an_earlier_size(capture: Path) -> None:
    beside(capture, json.dumps(TOLD | {"ended": None, "size": SIZE - 100}).encode())
    found = read(capture, SIZE)
    assert found is not None
    assert losses(found.tally)["recorder_unfinished"].count == 1


def test_same_again() -> None:
    tally = decode(json.dumps(TOLD).encode())
    assert decode(encode(tally)) == tally
    assert tally.calls.dropped == TOLD["calls"]["dropped"]


def test_what_the_probe_counts_adds_up() -> None:
    """Whatever it counts beside that has no part in the sum."""
    told = calls(
        {"seen": 21, "emitted": 1, "dropped": 2, "not_socket": 3, "filtered": 4, "compat": 5, "uring": 6, "records": 99}
    )
    assert (told.seen, told.recorded) == (21, 1)
    assert told.filtered == {"not_a_socket": 3, "conditions": 4}
    assert told.not_followed == {"calls_of_32_bit": 5, "io_uring": 6}
    assert (told.dropped, told.probe) == ({"ring_full": 2}, {"records": 99})


def test_of_each_file_its_own(tmp_path: Path) -> None:
    """Behind a rotation the numbers begin anew; in its place the file never needs more room."""
    path = tmp_path / "a1"
    before, now = Tally(), Tally()
    before.events.made = before.events.written = 10
    before.calls.dropped = {"ring_full": 3, "other": 4}
    now.events.made, now.events.written = 25, 25
    now.calls.dropped = {"ring_full": 8, "other": 4}
    file = CountsFile(str(path), before)
    counts = path.with_name("a1.counts.json")
    assert counts.stat().st_size == 4096
    assert stat.S_IMODE(counts.stat().st_mode) == 0o600
    assert json.loads(counts.read_bytes())["events"]["made"] == 0
    file.write(now, 77, None)
    assert counts.stat().st_size == 4096
    file.write(now, 78, "by SIGTERM")
    file.close()
    told = json.loads(counts.read_bytes())
    assert (told["events"]["made"], told["calls"]["dropped"], told["size"]) == (15, {"ring_full": 5}, 78)
    assert told["ended"] == "by SIGTERM"
    assert counts.stat().st_size < 4096


def test_standard_output_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    CountsFile("-", Tally()).write(Tally(), 1, "by SIGINT")
    assert list(tmp_path.iterdir()) == []

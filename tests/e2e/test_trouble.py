"""What remains of a recording that ends badly, and what is said of events that were too many."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import live, plain_scap

pytestmark = pytest.mark.e2e
BLAST = """
import socket, sys, time
one, two = socket.socketpair()
data, end = bytes(4096), time.monotonic() + float(sys.argv[1])
count = 0
while time.monotonic() < end:
    one.send(data); two.recv(4096); count += 1
print(count)
"""


def blast(seconds: float) -> int:
    """Send and receive 4096 bytes as fast as one process can; returns how often it did."""
    done = subprocess.run([sys.executable, "-c", BLAST, str(seconds)], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.parametrize("more", [(), ("-z",)], ids=["plain", "gzip"])
def test_what_was_recorded_before_it_was_killed_is_there(tmp_path: Path, more: tuple[str, ...]) -> None:
    recorder = live.Recording(tmp_path / "killed.scap", *more)
    try:
        blast(0.2)
        marked = time.time_ns()
        time.sleep(2.5)
    finally:
        recorder.kill()
    listing = subprocess.run(
        [*live.SYSWIRE, "read", str(recorder.file), "-p", "%evt.rawtime"], capture_output=True, text=True
    )
    assert listing.returncode in (0, 4)
    times = [int(line) for line in listing.stdout.split()]
    assert sum(one <= marked for one in times) > 1000
    assert recorder.counts()["ended"] is None


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of four megabytes."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "small", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk(small: Path) -> None:
    recorder = live.Recording(small / "full.scap", "-s", "4096")
    try:
        for _ in range(20):
            blast(0.2)
            if recorder.process.poll() is not None:
                break
        told = recorder.stop()
    finally:
        recorder.kill()
    assert recorder.code == 5, told
    assert "full" in told or "space" in told
    counts = recorder.counts()
    live.assert_balanced(counts)
    assert counts["events"]["dropped"]["disk_full"] > 0
    found = plain_scap.events(plain_scap.load(recorder.file))
    assert len(found) == counts["events"]["written"] > 500


def test_a_burst_beyond_the_ring(tmp_path: Path) -> None:
    """The recorder is stopped meanwhile: what the ring cannot hold is lost, counted to the record, and told."""
    recorder = live.Recording(tmp_path / "burst.scap", "-s", "4096")
    try:
        recorder.process.send_signal(signal.SIGSTOP)
        sent = 0
        while sent < 60_000:
            sent += blast(0.5)
        recorder.process.send_signal(signal.SIGCONT)
        time.sleep(1)
        told = recorder.stop()
    finally:
        recorder.kill()
    counts = recorder.counts()
    live.assert_balanced(counts)
    assert recorder.code == 0
    assert sum(counts["calls"]["dropped"].values()) > 1000
    assert str(sum(counts["calls"]["dropped"].values())) in told.replace(",", "")
    found = plain_scap.events(plain_scap.load(recorder.file))
    assert len(found) == counts["events"]["written"]


def test_nobody_else_may_read_it(tmp_path: Path) -> None:
    with live.recording(tmp_path / "mine.scap"):
        pass
    assert {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {
        "mine.scap": 0o600,
        "mine.scap.counts.json": 0o600,
    }

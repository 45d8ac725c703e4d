"""Recordings of this machine: killed, on a full disk, with more events than the ring holds, filtered, rotated."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.command import PYTHON, one_line, run
from support.plain_scap import Event, records
from support.recording_live import Recording, alone, counts, stored, wait_for
from syswire.capture.requirements import lacking

pytestmark = pytest.mark.skipif(bool(lacking()), reason=f"this machine cannot record: {'; '.join(lacking())}")

Start = Callable[..., Recording]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts recorders that do not outlive the test."""
    begun: list[Recording] = []

    def make(path: Path, *arguments: object, first: Path | None = None) -> Recording:
        begun.append(Recording(path, *arguments, first=first))
        return begun[-1]

    with alone():
        try:
            yield make
        finally:
            for recording in begun:
                recording.kill()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        other, _ = server.accept()
        with other:
            yield client, other


def events(path: Path) -> list[Event]:
    """All events of a capture, by a reader of its own."""
    return [one for one in records(stored(path)) if isinstance(one, Event)]


def say(pair: tuple[socket.socket, socket.socket], text: bytes) -> None:
    pair[0].sendall(text)
    assert pair[1].recv(len(text), socket.MSG_WAITALL) == text


def lines(*command: object) -> list[str]:
    """What a program prints of a capture; it has to end well."""
    environment = os.environ | {"TZ": "UTC"}
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, check=True, env=environment)
    return done.stdout.splitlines()


def test_what_was_said_is_read_alike(start: Start, pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    """By sysdig and by syswire; and the recorder is not in it."""
    path = tmp_path / "a.scap.gz"
    recording = start(path, "-z", "-s", "4096")
    for number in range(20):
        say(pair, b"said %d." % number + bytes(100))
    code, said = recording.end()
    assert code == 0
    assert said.startswith(f"syswire: {path}: ") and said.count("\n") == 1
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}
    made = events(path)
    told = counts(path)
    assert told["events"]["written"] == len(made)
    assert [one.ts for one in made] == sorted(one.ts for one in made)
    own = f"proc.pid={os.getpid()} and fd.port={pair[0].getsockname()[1]}"
    read = lines(*PYTHON, "read", path, own)
    for number in range(20):
        assert sum(f"data=said {number}." in line for line in read) == 2
    assert lines(*PYTHON, "read", path, f"proc.pid={recording.process.pid}") == []
    sysdig = "/usr/bin/sysdig"
    if os.access(sysdig, os.X_OK):
        assert lines(sysdig, "-r", path, own) == read
        listed = lines(*PYTHON, "read", path)
        assert len(listed) == len(made)
        # sysdig 0.29.3 leaves out calls that it has no event for (close_range, prctl), and gives them no number
        assert lines(sysdig, "-r", path) == [line for line in listed if not line.startswith("0 ")]


@pytest.mark.parametrize("compress", [(), ("-z",)])
def test_killed(
    start: Start, pair: tuple[socket.socket, socket.socket], tmp_path: Path, compress: tuple[str, ...]
) -> None:
    """What was flushed is there, though nothing was ended: whole members, whole blocks, counts of that second."""
    path = tmp_path / "a.scap"
    recording = start(path, *compress)
    for number in range(3):
        say(pair, b"said %d." % number)
        wait_for(lambda number=number: b"said %d." % number in stored(path), "the flush")  # type: ignore[misc]
    wait_for(lambda: counts(path)["events"]["written"] > 0, "the counts")
    code, _ = recording.end(signal.SIGKILL)
    assert code == -signal.SIGKILL
    made = events(path)
    for number in range(3):
        assert sum(b"said %d." % number in one.params for one in made) == 2
    told = counts(path)
    assert told["ended"] is None
    assert 0 < told["events"]["written"] <= len(made)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a small disk")
@pytest.mark.parametrize("compress", [(), ("-z",)])
def test_full_disk(
    start: Start, pair: tuple[socket.socket, socket.socket], tmp_path: Path, compress: tuple[str, ...]
) -> None:
    disk = tmp_path / "small"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=True)
    try:
        path = disk / "a.scap"
        recording = start(path, *compress)
        for _ in range(1000):
            if recording.process.poll() is None:
                say(pair, os.urandom(4096))
        if recording.process.poll() is None:
            wait_for(lambda: recording.process.poll() is not None, "the end")
        code, said = recording.end(None)
        assert code == 5
        assert f"syswire: {path}: No space left on device: free space there" in said.splitlines()[-1]
        assert "events lost: the disk was full" in said.splitlines()[-2]
        told = counts(path)
        assert told["ended"] == "the disk was full"
        assert told["size"] == path.stat().st_size
        (tmp_path / "copy").write_bytes(path.read_bytes())
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
    assert len(events(tmp_path / "copy")) == told["events"]["written"] > 0


def test_more_than_the_ring_holds(start: Start, pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    """While the recorder stands still the ring fills: what found no room is counted, to the call."""
    path = tmp_path / "a.scap"
    recording = start(path, "--ring", "1", "-q")
    recording.process.send_signal(signal.SIGSTOP)
    for _ in range(1000):
        say(pair, b"burst " * 500)
    recording.process.send_signal(signal.SIGCONT)
    code, said = recording.end()
    assert code == 0
    told = counts(path)
    lost = told["calls"]["dropped"]["ring_full"]
    assert lost > 1000
    assert said == f"syswire: {path}: {lost} calls lost: the ring was full (a larger --ring holds more)\n"
    made = events(path)
    assert len(made) == told["events"]["written"]
    burst = sum(any(param.startswith(b"burst ") for param in one.params) for one in made)
    assert 2000 - lost <= burst < 2000


def test_end_after_count(start: Start, pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    path = tmp_path / "a.scap"
    recording = start(path, "-n", "50")
    for _ in range(100):
        say(pair, b"x")
    code, _ = recording.end(None)
    assert code == 0
    assert len(events(path)) == 50 == counts(path)["events"]["written"]


def test_filter(start: Start, pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    """Of another connection of the same program there is nothing; what was opened and closed stays."""
    path, port = tmp_path / "a.scap", pair[0].getsockname()[1]
    recording = start(
        path, f"fd.port={port}", "and", f"proc.pid={os.getpid()}", "and", "evt.buffer", "contains", "this"
    )
    # the file also holds the arguments of every process of this machine, so the texts are made up for this run
    wanted, elsewhere, unasked = (word + os.urandom(8).hex().encode() for word in (b"this ", b"not this ", b"that "))
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as other:
        accepted, _ = server.accept()
        for _ in range(5):
            other.sendall(elsewhere)
            accepted.recv(100)
            say(pair, wanted)
            say(pair, unasked)
        accepted.close()
    assert recording.end()[0] == 0
    blocks = stored(path)
    assert [blocks.count(text) for text in (wanted, elsewhere, unasked)] == [10, 0, 0]
    told = counts(path)
    assert told["calls"]["filtered"]["conditions"] >= 10  # by the kernel
    assert told["events"]["filtered"] >= 10  # behind it
    assert len(events(path)) == told["events"]["written"]
    assert "close" in {one.name for one in events(path)}


def test_rotation(start: Start, pair: tuple[socket.socket, socket.socket], tmp_path: Path) -> None:
    """Each file is read alone, and knows a connection that was made before it was begun."""
    path = tmp_path / "a.scap"
    recording = start(path, "-G", "1", "-W", "3")
    number = 0
    while recording.process.poll() is None:
        say(pair, b"said %d." % number)
        number += 1
        wait_for(lambda: any(b"said" in one.read_bytes() for one in tmp_path.glob("a.scap*")), "the first")
    assert recording.end(None)[0] == 0
    files = [path, tmp_path / "a.scap1", tmp_path / "a.scap2"]
    assert {one.name for one in tmp_path.iterdir()} == {
        name for one in files for name in (one.name, f"{one.name}.counts.json")
    }
    port = pair[0].getsockname()[1]
    found: list[str] = []
    for one in files:
        assert counts(one)["events"]["written"] == len(events(one))
        asked = f"fd.port={port} and evt.type=sendto and evt.dir=<"
        mine = lines(*PYTHON, "read", one, "-p", "%evt.buffer", asked)
        assert mine
        found += mine
    assert found == [f"said {index}." for index in range(len(found))]


def test_who_may_not(tool: Callable[[str], str], tmp_path: Path) -> None:
    """A line for each lack, with its remedy, and nothing is written."""
    command = [tool("setpriv"), "--bounding-set=-all", "--inh-caps=-all", *PYTHON, "capture", "-w", "a.scap"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    if done.returncode == 127:
        pytest.skip("rights cannot be given away here")
    assert done.returncode == 5
    assert "neither root's rights nor CAP_BPF and CAP_PERFMON" in done.stderr
    assert all(line.startswith("syswire: ") for line in done.stderr.splitlines())
    assert list(tmp_path.iterdir()) == []


def test_check() -> None:
    done = run("capture", "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1] == "this machine can record"


def test_wrong_usage_is_one_line(tmp_path: Path) -> None:
    for words in ([], ["-w"], ["-w", tmp_path / "a", "proc.nam=x"], ["-w", tmp_path], ["--nonsense"]):
        done = run("capture", *words)
        assert done.returncode == 2
        one_line(done)

"""The file of a recording: whose it is, what it replaces, and what is in it when the recorder is no more."""

from __future__ import annotations

import gzip
import os
import resource
import stat
import subprocess
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.faked_recording import block, event, head, numbers
from syswire.capture.output import MEMBER, Output, OutputError, Syncer, cut, events_in
from syswire.convert.errors import UsageError


class Clock:
    """A time that moves when told to."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def syncer() -> Iterator[Syncer]:
    made = Syncer()
    yield made
    made.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def members(stored: bytes) -> list[bytes]:
    """The contents of the gzip members one after the other; all of them have to be whole."""
    found = []
    while stored:
        stream = zlib.decompressobj(31)
        found.append(stream.decompress(stored))
        assert stream.eof
        stored = stream.unused_data
    return found


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No file may become larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def noise(count: int) -> list[bytes]:
    """Events that cannot be compressed, of 1,000 bytes and some."""
    return [event(number, 7, 7, 1000, os.urandom(1000)) for number in range(count)]


# -- whose it is


@pytest.mark.parametrize("there", [False, True])
def test_private_whatever_the_umask(tmp_path: Path, syncer: Syncer, there: bool) -> None:
    path = tmp_path / "a.scap"
    if there:
        path.write_bytes(b"old")
        path.chmod(0o666)
    before = os.umask(0)
    try:
        Output(str(path), syncer, compress=False).close()
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes() == b""


def test_who_has_the_old_file_open_does_not_see_the_new_one(tmp_path: Path, syncer: Syncer) -> None:
    path = tmp_path / "a.scap"
    path.write_bytes(b"old")
    os.link(path, tmp_path / "other name")
    with path.open("rb") as reader:
        output = Output(str(path), syncer, compress=False)
        output.write(event(1))
        output.close()
        assert reader.read() == (tmp_path / "other name").read_bytes() == b"old"
    assert path.read_bytes() == event(1)


@pytest.mark.parametrize("kind", ["link", "dangling", "directory", "pipe", "device", "socket"])
def test_only_a_regular_file_is_replaced(tmp_path: Path, syncer: Syncer, kind: str) -> None:
    path, target = tmp_path / "a.scap", tmp_path / "target"
    if kind == "link":
        target.write_bytes(b"precious")
        path.symlink_to(target)
    elif kind == "dangling":
        path.symlink_to(target)
    elif kind == "directory":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "device":
        path = Path("/dev/full")
    else:
        import socket

        socket.socket(socket.AF_UNIX).bind(str(path))
    before = path.lstat()
    with pytest.raises(UsageError, match=r"a\.scap|/dev/full"):
        Output(str(path), syncer, compress=False)
    assert path.lstat() == before
    assert target.read_bytes() == b"precious" if kind == "link" else not target.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_file_of_another_user_stays(tmp_path: Path, syncer: Syncer) -> None:
    path = tmp_path / "a.scap"
    path.write_bytes(b"theirs")
    os.chown(path, 65534, 65534)
    with pytest.raises(UsageError, match="another user"):
        Output(str(path), syncer, compress=False)
    assert path.read_bytes() == b"theirs"


def test_no_such_folder(tmp_path: Path, syncer: Syncer) -> None:
    with pytest.raises(OutputError, match="No such file or directory: make the directory"):
        Output(str(tmp_path / "none" / "a.scap"), syncer, compress=False)


# -- what is in it


def test_plain_blocks_are_there_at_once(tmp_path: Path, syncer: Syncer) -> None:
    path = tmp_path / "a.scap"
    output = Output(str(path), syncer, compress=False)
    output.write(head())
    output.write(event(1) + event(2))
    assert path.read_bytes() == head() + event(1) + event(2)
    assert output.size == output.grown == len(path.read_bytes())
    output.close()


def test_compressed_it_is_whole_each_second(tmp_path: Path, syncer: Syncer, clock: Clock) -> None:
    """What stands in the file at any time is what a killed recorder leaves: whole members, all but the last second."""
    path = tmp_path / "a.scap.gz"
    output = Output(str(path), syncer, compress=True, clock=clock)
    told = b""
    for second in range(5):
        for part in range(4):
            output.write(event(4 * second + part))
            clock.now += 0.25
            flushed = output.tick()
            assert flushed == (part == 3)
            if flushed:
                told = b"".join(event(number) for number in range(4 * second + 4))
            assert gzip.decompress(path.read_bytes()) == told
    assert len(members(path.read_bytes())) == 5
    output.write(event(20))
    output.close()
    assert numbers(gzip.decompress(path.read_bytes())) == list(range(21))


def test_large_members_do_not_wait_for_the_second(tmp_path: Path, syncer: Syncer, clock: Clock) -> None:
    path = tmp_path / "a.scap.gz"
    output = Output(str(path), syncer, compress=True, clock=clock)
    events = noise(3 * MEMBER // 1000)
    for one in events:
        output.write(one)
        assert output.grown < path.stat().st_size + MEMBER + (64 << 10)
    assert path.stat().st_size > 2 * MEMBER
    output.close()
    found = members(path.read_bytes())
    assert b"".join(found) == b"".join(events)
    assert all(numbers(member) for member in found)  # each ends with a block


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("limit", [0, 11, 5_000, 12_345, 123_457])
def test_full_disk(tmp_path: Path, syncer: Syncer, compress: bool, limit: int) -> None:
    """The file is cut to what is whole, and what did not find room is counted: nothing is lost in silence."""
    path = tmp_path / "a.scap"
    output = Output(str(path), syncer, compress=compress)
    output.write(head())
    output.flush()
    begin, given = output.size, 0
    with at_most(begin + limit), pytest.raises(OutputError) as raised:
        for number in range(40):
            output.write(b"".join(noise(10)[:9]) + block(0x999, b"unknown."))
            if number % 3 == 2:
                output.flush()
            given = 9 * (number + 1)
    stored = path.read_bytes()
    blocks = gzip.decompress(stored) if compress else stored
    assert len(stored) == output.size <= begin + limit
    kept = len(numbers(blocks))
    assert kept + raised.value.events == given + 9
    assert kept >= (limit - 6_000) * 9 // 10_000  # nearly all that there is room for
    assert "File too large" in str(raised.value)
    output.close()
    assert path.read_bytes() == stored


def test_standard_output() -> None:
    """Nothing but the capture, also compressed; a terminal is refused."""
    code = (
        "import sys; from syswire.capture.output import Output, Syncer\n"
        "s = Syncer(); o = Output('-', s, compress=True); o.write(sys.stdin.buffer.read()); o.close(); s.close()"
    )
    done = subprocess.run([sys.executable, "-c", code], input=head() + event(1), capture_output=True, check=True)
    assert gzip.decompress(done.stdout) == head() + event(1)


@pytest.mark.parametrize("compress", [False, True])
def test_standard_output_on_a_full_disk(tmp_path: Path, compress: bool) -> None:
    """A file behind standard output is cut back too, and only what came from here."""
    code = (
        "import os, resource, sys; from syswire.capture.output import Output, OutputError, Syncer\n"
        f"s = Syncer(); o = Output('-', s, compress={compress})\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20000, 20000)); blocks = sys.stdin.buffer.read()\n"
        "try: o.write(blocks); o.flush()\n"
        "except OutputError as error: sys.stderr.write(str(error.events))"
    )
    blocks = b"".join(noise(50))
    with (tmp_path / "a").open("wb") as out:
        out.write(b"before")
        out.flush()
        done = subprocess.run(
            [sys.executable, "-c", code], input=blocks, stdout=out, stderr=subprocess.PIPE, check=True
        )
    stored = (tmp_path / "a").read_bytes()
    assert stored.startswith(b"before")
    kept = numbers(gzip.decompress(stored[6:]) if compress else stored[6:])
    assert kept == list(range(len(kept))) and 12 < len(kept) < 20
    assert int(done.stderr) == 50 - len(kept)


def test_closed_pipe_is_not_a_full_disk() -> None:
    code = (
        "import os, sys; from syswire.capture.output import Output, Syncer\n"
        "read, write = os.pipe(); os.dup2(write, 1); os.close(read); os.close(write); s = Syncer()\n"
        "try: Output('-', s, compress=False).write(b'x' * 12)\n"
        "except BrokenPipeError: sys.exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9


def test_cut_and_count() -> None:
    blocks = head() + event(1) + block(0x999, b"some") + event(2) + event(3)
    assert events_in(blocks) == 3
    at, found = cut(blocks, 2)
    assert (numbers(blocks[:at]), found, numbers(blocks[at:])) == ([1, 2], 2, [3])
    assert cut(blocks, 9) == (len(blocks), 3)
    assert cut(b"", 1) == (0, 0)


def test_synced_each_five_seconds(tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each file, at its end too, though it is closed by then."""
    synced: list[tuple[int, float]] = []
    monkeypatch.setattr(os, "fsync", lambda fd: synced.append((os.fstat(fd).st_ino, clock.now)))
    made = Syncer()
    output = Output(str(tmp_path / "a"), made, compress=False, clock=clock)
    inode = output.status.st_ino
    for _ in range(12):
        clock.now += 1
        output.tick()
    output.close()
    made.close()
    assert [one for one, _ in synced] == [inode] * 3

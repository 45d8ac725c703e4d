"""Recordings of a machine that is not there: when they end, what is in the files, and that all numbers add up."""

from __future__ import annotations

import gzip
import json
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.faked_recording import READ, Fake, event, head, numbers
from syswire.capture.live import Live
from syswire.capture.machinery import Options
from syswire.capture.output import OutputError
from syswire.capture.recorder import Recorder
from syswire.capture.rotation import Rotation
from syswire.convert.errors import MachineError, UsageError


class Clock:
    """A time that moves a second at every look."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syswire.capture.recorder.PAUSE", 0)


@pytest.fixture
def said() -> list[str]:
    return []


def record(options: Options, fake: Fake, said: list[str], *, until: int = 1000) -> int:
    """Record; a look at the ring takes a second, and after `until` of them somebody presses Ctrl-C."""
    clock, before = Clock(), fake.tick

    def tick(look: int) -> None:
        clock.now += 1
        before(look)
        if look == until:
            os.kill(os.getpid(), signal.SIGINT)

    fake.tick = tick
    return Recorder(options, fake, clock, said.append).run()


def batches(*sizes: int) -> list[list[bytes]]:
    """Batches of so many events, numbered from 0."""
    made, number = [], 0
    for size in sizes:
        made.append([event(number + index) for index in range(size)])
        number += size
    return made


def counts(path: Path) -> dict[str, Any]:
    """What stands beside a capture; its numbers have to add up."""
    beside = path.with_name(path.name + ".counts.json")
    assert beside.stat().st_mode & 0o777 == 0o600
    told: dict[str, Any] = json.loads(beside.read_bytes())
    events = dict(told["events"])
    made, dropped = events.pop("made"), events.pop("dropped")
    assert made == sum(events.values()) + sum(dropped.values())
    return told


# -- the end


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_the_normal_end(tmp_path: Path, said: list[str], number: int) -> None:
    """Also what came after the last look is written; whoever had the signal before has it again."""
    path = tmp_path / "a.scap"
    before = signal.getsignal(number)
    fake = Fake(batches(3, 4, 5, 6), lambda look: os.kill(os.getpid(), number) if look == 2 else None)
    assert record(Options(str(path)), fake, said) == 0
    assert path.read_bytes().startswith(head((7, "seven")))
    assert numbers(path.read_bytes()) == list(range(18))
    assert signal.getsignal(number) == before
    told = counts(path)
    assert (told["ended"], told["events"]["written"]) == (f"by {signal.Signals(number).name}", 18)
    assert told["size"] == path.stat().st_size
    assert said == [f"{path}: 18 events written in 2.0 s; nothing lost"]


def test_nohup(tmp_path: Path, said: list[str]) -> None:
    """Who had SIGHUP ignored goes on when the terminal is closed."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        fake = Fake(batches(1, 1, 1), lambda look: os.kill(os.getpid(), signal.SIGHUP) if look == 1 else None)
        assert record(Options(str(tmp_path / "a")), fake, said, until=3) == 0
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
    assert (fake.looks, counts(tmp_path / "a")["ended"]) == (3, "by SIGINT")


def test_a_signal_before_the_begin(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "a.scap"

    class Slow(Fake):
        def probe(self, options: Options, pushed: Any) -> Any:
            os.kill(os.getpid(), signal.SIGINT)
            return super().probe(options, pushed)

    assert record(Options(str(path)), Slow(batches(1)), said) == 0
    assert not path.exists()
    assert len(said) == 1


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("count", [1, 3, 4, 9, 10])
def test_after_so_many_events(tmp_path: Path, said: list[str], compress: bool, count: int) -> None:
    path = tmp_path / "a.scap"
    assert record(Options(str(path), compress, count=count), Fake(batches(3, 3, 3, 3)), said) == 0
    stored = path.read_bytes()
    assert numbers(gzip.decompress(stored) if compress else stored) == list(range(count))
    told = counts(path)["events"]
    assert (told["made"], told["written"], told["beyond_count"]) == (12, count, 12 - count)


def test_after_so_many_seconds(tmp_path: Path, said: list[str]) -> None:
    """The last looks at the ring take what happened before."""
    path, fake = tmp_path / "a.scap", Fake(batches(1, 1, 1, 1, 1))
    assert record(Options(str(path), seconds=2.5), fake, said) == 0
    assert fake.looks == 3
    assert counts(path)["ended"] == "after 2.5 seconds"


def test_events_of_a_filter_are_counted(tmp_path: Path, said: list[str]) -> None:
    """-n counts what the filter wants; what changes the state is written beside it."""
    path = tmp_path / "a.scap"
    one = [event(1, 7, READ), event(2, 8, READ), event(3, 8), event(4, 7), event(5, 7, READ), event(6, 8, READ)]
    fake = Fake([one, [event(7, 7), event(8, 8)]], blocks=head((7, "seven"), (8, "eight")))
    options = Options(str(path), count=3, filter="proc.name=seven")
    assert record(options, fake, said) == 0
    assert numbers(path.read_bytes()) == [1, 4, 5]
    told = counts(path)
    assert told["events"] == {
        "made": 8, "written": 3, "filtered": 2, "beyond_count": 3, "waiting": 0, "dropped": {},
    }  # fmt: skip
    assert told["filter"] == "proc.name=seven"
    assert fake.pushed is not None and fake.pushed.comms == (b"seven",)


def test_wrong_filter_stops_it_before_it_begins(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        Recorder(Options(str(tmp_path / "a"), filter="proc.nam=x"), Fake([]))


# -- files


@pytest.mark.parametrize("compress", [False, True])
def test_files_by_size(tmp_path: Path, said: list[str], compress: bool) -> None:
    """Each is a capture of its own; one after the other they have all events, once."""
    options = Options(str(tmp_path / "a"), compress, rotation=Rotation(bytes=len(head((7, "seven"))) + 1))
    fake = Fake(batches(2, 2, 2, 2))
    assert record(options, fake, said, until=8) == 0
    found = []
    for name in ("a", "a1", "a2", "a3", "a4")[: fake.states]:
        stored = (tmp_path / name).read_bytes()
        blocks = gzip.decompress(stored) if compress else stored
        assert blocks.startswith(head((7, "seven")))
        found += numbers(blocks)
        told = counts(tmp_path / name)
        assert told["events"]["written"] == len(numbers(blocks))
        assert told["size"] == len(stored)
    assert found == list(range(8))
    assert fake.states >= 2
    assert len(said) == 1 and ": 8 events written in" in said[0]


def test_ring_of_files(tmp_path: Path, said: list[str]) -> None:
    options = Options(str(tmp_path / "a"), rotation=Rotation(bytes=1, files=2))
    assert record(options, Fake([[event(number)] for number in range(12)]), said, until=7) == 0
    assert {path.name for path in tmp_path.iterdir()} == {"a0", "a1", "a0.counts.json", "a1.counts.json"}


def test_files_by_time(tmp_path: Path, said: list[str]) -> None:
    """After the last of -W it ends."""
    options = Options(str(tmp_path / "a"), rotation=Rotation(seconds=3, files=2))
    fake = Fake([[event(number)] for number in range(100)])
    assert record(options, fake, said, until=50) == 0
    assert (fake.looks, fake.states) == (6, 2)
    assert {path.name for path in tmp_path.iterdir()} == {"a", "a1", "a.counts.json", "a1.counts.json"}
    assert counts(tmp_path / "a")["ended"] == "the next file was begun"
    assert counts(tmp_path / "a1")["ended"] == "after 2 files"


def test_a_link_in_place_of_the_next_file(tmp_path: Path, said: list[str]) -> None:
    """It is not followed; the recording ends, and what was recorded and not written is counted."""
    target = tmp_path / "precious"
    (tmp_path / "a1").symlink_to(target)
    options = Options(str(tmp_path / "a"), rotation=Rotation(bytes=1))
    with pytest.raises(OutputError, match="symbolic link"):
        record(options, Fake(batches(4, 4)), said, until=5)
    assert not target.exists()
    assert counts(tmp_path / "a")["events"]["written"] + 0 == len(numbers((tmp_path / "a").read_bytes()))


def test_counts_that_cannot_be_written_stop_it_before_anything_is_removed(tmp_path: Path, said: list[str]) -> None:
    path = tmp_path / "a.scap"
    path.write_bytes(b"old")
    path.with_name("a.scap.counts.json").mkdir()
    with pytest.raises(UsageError, match="directory"):
        record(Options(str(path)), Fake([]), said)
    assert path.read_bytes() == b"old"


# -- losses


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """No file may become larger."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("compress", [False, True])
def test_full_disk(tmp_path: Path, said: list[str], compress: bool) -> None:
    """The file stays readable, and every event is in it or counted; also those that come after."""
    path = tmp_path / "a.scap"
    noise = [[event(number, 7, 7, 800, os.urandom(800))] for number in range(60)]
    with at_most(20_000), pytest.raises(OutputError, match="File too large") as raised:
        record(Options(str(path), compress), Fake(noise), said, until=200)
    assert raised.value.exit_code == 5
    stored = path.read_bytes()
    blocks = gzip.decompress(stored) if compress else stored
    told = counts(path)
    kept = numbers(blocks)
    assert kept == list(range(len(kept))) and 0 < len(kept) < 25
    assert told["events"]["written"] == len(kept)
    assert told["events"]["dropped"] == {"disk_full": 60 - len(kept)}
    assert (told["ended"], told["size"]) == ("the disk was full", len(stored))
    assert f"{60 - len(kept)} events lost: the disk was full" in said[0]


@pytest.mark.parametrize("quiet", [False, True])
def test_losses_are_always_told(tmp_path: Path, said: list[str], quiet: bool) -> None:
    path = tmp_path / "a.scap"
    counters = {"seen": 100, "emitted": 70, "dropped": 9, "not_socket": 8, "filtered": 7, "compat": 5, "uring": 1}
    fake = Fake(batches(3), counters=counters, losses={"refused": 2}, notes=("a note",))
    assert record(Options(str(path), quiet=quiet), fake, said, until=3) == 0
    assert "9 calls lost: the ring was full" in said[-1]
    assert "5 calls not followed: of 32-bit programs; 1 call not followed: by io_uring" in said[-1]
    assert ("a note" in said) == (not quiet)
    told = counts(path)
    calls = told["calls"]
    groups = (*calls["filtered"].values(), *calls["not_followed"].values(), *calls["dropped"].values())
    assert calls["seen"] == calls["recorded"] + sum(groups) == 100
    assert told["state"] == {"refused": 2}


def test_quiet_where_nothing_was_lost(tmp_path: Path, said: list[str]) -> None:
    assert record(Options(str(tmp_path / "a"), quiet=True), Fake(batches(3)), said, until=3) == 0
    assert said == []


def test_counts_of_a_killed_recorder(tmp_path: Path, said: list[str]) -> None:
    """They are of the second before, and say that it did not end."""
    path = tmp_path / "a.scap"
    seen: list[tuple[int, dict[str, Any]]] = []

    def look(number: int) -> None:
        beside = path.with_name("a.scap.counts.json").read_bytes()
        assert len(beside) == 4096
        seen.append((len(numbers(path.read_bytes())), json.loads(beside)))

    assert record(Options(str(path)), Fake(batches(*[2] * 6), look), said, until=6) == 0
    for stored, told in seen:
        assert told["ended"] is None
        assert told["events"]["written"] == stored
    assert [stored for stored, _ in seen] == [0, 2, 4, 6, 8, 10]


@pytest.mark.parametrize("nice", [None, -5])
def test_priority(tmp_path: Path, said: list[str], nice: int | None) -> None:
    fake = Fake([], nice=7)
    assert record(Options(str(tmp_path / "a"), nice=nice), fake, said, until=1) == 0
    assert fake.nice == nice


def test_priority_that_is_not_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual one is done without; one that was asked for is not."""

    def refuse(*_: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "setpriority", refuse)
    Live().prefer(None)
    with pytest.raises(MachineError, match="--nice -5"):
        Live().prefer(-5)

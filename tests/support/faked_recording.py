"""A probe, a drain and a machine that are not there: what a recorder is tested with."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, Self

from syswire.capture.filtering import Pushed
from syswire.capture.machinery import Options
from syswire.convert.scap import event_table
from syswire.convert.scap.snapshot import Machine, Process
from syswire.convert.scap.writer import ScapWriter

CODES = {(row[0], row[1]): code for code, row in reversed(list(enumerate(event_table.EVENTS)))}
READ, READ_DONE = CODES["read", ">"], CODES["read", "<"]
START = 1_700_000_000_000_000_000


def block(kind: int, content: bytes) -> bytes:
    """A block of any kind, its content a multiple of four bytes."""
    size = struct.pack("<I", len(content) + 12)
    return struct.pack("<I", kind) + size + content + size


def event(number: int, tid: int = 7, code: int = READ_DONE, *values: object, size: int = 100) -> bytes:
    """An event block; of read's exit, with `size` bytes that tell its number."""
    if not values:
        values = (size, str(number).encode().ljust(size, b".")) if code == READ_DONE else (3, size)
    return ScapWriter().event(START + number, tid, 0, code, values)  # type: ignore[arg-type]


def numbers(blocks: bytes) -> list[int]:
    """The numbers of the events in whole blocks, head blocks left out: read by the format alone."""
    found, at = [], 0
    while at < len(blocks):
        kind, size = struct.unpack_from("<II", blocks, at)
        assert size >= 12 and blocks[at + size - 4 : at + size] == struct.pack("<I", size)
        if kind == 0x216:
            found.append(struct.unpack_from("<Q", blocks, at + 10)[0] - START)
        at += size
    assert at == len(blocks)
    return found


def head(*names: tuple[int, str]) -> bytes:
    """What stands in front of the events: a machine with these threads, by number and name."""
    writer = ScapWriter()
    processes = [Process(tid, tid, 1, name.encode(), name.encode()) for tid, name in names]
    return writer.section_header() + writer.machine(Machine("fake")) + writer.processes(processes)


@dataclass
class Fake:
    """A machine whose ring gives `batches`, one a look; `tick` is called at every look, with its number."""

    batches: list[list[bytes]]
    tick: Callable[[int], None] = lambda look: None
    counters: dict[str, int] = field(default_factory=dict)
    blocks: bytes = field(default_factory=lambda: head((7, "seven")))
    losses: dict[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    attached: bool = False
    states: int = 0
    looks: int = 0
    nice: int | None = None
    pushed: Pushed | None = None
    counts: dict[str, int] = field(default_factory=lambda: {"events": 0})
    waiting: list[bytes] = field(default_factory=list)

    def probe(self, options: Options, pushed: Pushed) -> FakeProbe:
        self.pushed = pushed
        return FakeProbe(self)

    def drain(self, probe: object, options: Options) -> FakeDrain:
        return FakeDrain(self)

    def prefer(self, nice: int | None) -> None:
        self.nice = nice

    def state(self) -> FakeState:
        assert self.attached, "what happens while the state is read would be missed"
        self.states += 1
        return FakeState(self.blocks, self.losses, self.notes)


class FakeState(NamedTuple):
    """The machine as it stands."""

    blocks: bytes
    losses: Mapping[str, int]
    notes: tuple[str, ...]


class FakeProbe:
    """Counts whether it is attached."""

    ring_fd = -1
    clock_offset = 0

    def __init__(self, fake: Fake) -> None:
        self._fake = fake

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert not self._fake.attached

    def attach(self) -> None:
        self._fake.attached = True

    def detach(self) -> None:
        self._fake.attached = False

    def counters(self) -> Mapping[str, int]:
        return self._fake.counters


class FakeDrain:
    """Gives a batch a look, and what is left when nothing more comes."""

    def __init__(self, fake: Fake) -> None:
        self._fake = fake
        self.counts = fake.counts

    def poll(self, timeout_ms: int) -> int:
        fake = self._fake
        if timeout_ms:
            fake.looks += 1
            fake.tick(fake.looks)
        if not fake.batches:
            return 0
        batch = fake.batches.pop(0)
        fake.waiting += batch
        fake.counts["events"] += len(batch)
        return len(batch) or 1

    def take(self, up_to_ns: int | None) -> bytes:
        blocks = b"".join(self._fake.waiting)
        self._fake.waiting.clear()
        return blocks

"""topprocs_cpu and fdcount_by: tables that are no plain sums."""

from __future__ import annotations

from typing import Final

from ...convert.trace.model import Event
from .base import Chisel, Output
from .sums import CONTAINER, PROCESS, Column, Table
from .values import getter, int_getter, text_getter

TICK: Final = 10_000_000
"""ns of a hundredth of a second, in which the samples are."""
THREADS_MOST: Final = 262_144
"""Threads whose last sample is held."""
DESCRIPTORS_MOST: Final = 1_000_000
"""Different descriptors that are told apart; further ones are not counted."""
CONTAINED_PROCESS: Final = (
    ("proc.name", "Process"), ("proc.pid", "Host_pid"), ("proc.vpid", "Container_pid"), CONTAINER,
)  # fmt: skip


class Processors(Table):
    """topprocs_cpu: time on the processors by process, from the samples that old drivers took each second."""

    filter = "evt.type=procinfo"

    def __init__(self, output: Output) -> None:
        keys = CONTAINED_PROCESS if output.containers else PROCESS
        super().__init__(output, [Column(*key) for key in keys], Column("thread.exectime", "CPU%"), self.share, 10)
        self.key_getters = [text_getter(name) for name, _ in keys]
        self.user = int_getter("evt.rawarg.cpu_usr")
        self.system = int_getter("evt.rawarg.cpu_sys")
        self.last: dict[int, int] = {}
        self.sums: dict[tuple[str, ...], float] = {}
        self.first_ts: int | None = None

    def tick(self, ts: int) -> None:
        """The share is of the time between the first event and the last."""
        if self.first_ts is None and ts > 0:  # what describes containers may have no time
            self.first_ts = ts
        self.last_ts = ts

    def share(self, value: float) -> str:
        """Hundredths of one processor."""
        whole = self.last_ts - (self.first_ts or 0)
        return f"{value / whole * 100 if whole else 0:.2f}%"

    def event(self, event: Event) -> None:
        """Adds a sample."""
        user, system = self.user(event), self.system(event)
        if user is None or system is None:
            return
        ticks = user + system
        before = self.last.get(event.tid, ticks)
        if event.tid in self.last or len(self.last) < THREADS_MOST:
            self.last[event.tid] = ticks
        key: list[str] = []
        for get in self.key_getters:
            part = get(event)
            if part is None:
                return
            key.append(part)
        found = tuple(key)
        self.sums[found] = self.sums.get(found, 0) + max(0, ticks - before) * TICK

    def end(self) -> None:
        """Prints the table."""
        self.print_table(self.sums)


class CountDescriptors(Chisel):
    """fdcount_by: how many different descriptors were used, by a field."""

    def __init__(self, output: Output, field: str) -> None:
        super().__init__(output)
        self.columns = (field, "count")
        self.key = text_getter(field)
        self.number = getter("fd.num")
        self.name = text_getter("fd.name")
        self.seen: dict[str, set[tuple[object, str]]] = {}
        self.held = 0
        self.dropped = 0

    def event(self, event: Event) -> None:
        """Notes the descriptor; one without a name, and standard input, do not count."""
        key, number, name = self.key(event), self.number(event), self.name(event)
        if key is None or not isinstance(number, int) or number <= 0 or not name:
            return
        seen = self.seen.get(key)
        pair = (number, name)
        if seen is not None and pair in seen:
            return
        if self.held >= DESCRIPTORS_MOST:
            self.dropped += 1
            return
        self.held += 1
        if seen is None:
            seen = self.seen[key] = set()
        seen.add(pair)

    def end(self) -> None:
        """The list, the greatest number first."""
        for key, seen in sorted(self.seen.items(), key=lambda item: -len(item[1])):
            self.record((key, len(seen)), f"{key}\t{len(seen)}\n")
        self.close()
        if self.dropped:
            self.output.warn(
                f"{self.dropped} uses of descriptors were not counted: more than {DESCRIPTORS_MOST} came\n"
            )

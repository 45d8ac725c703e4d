"""Chisels that are a sum by a key: one row a chisel, the table that they print, and what counts."""

from __future__ import annotations

from . import text
from .base import Chisel, Output, readable
from .values import getter, text_getter

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Final

    from ...convert.star.keys import Sums
    from ...convert.trace.model import Event

MOST_KEYS: Final = 1_000_000
"""Keys held at once; where more come, those with the smallest sums are dropped, and counted."""

WIDTH: Final = 20
RULE: Final = "-" * 80 + "\n"

UNITS: Final[dict[str, Callable[[float], str]]] = {
    "bytes": text.size,
    "time": text.interval,
    "none": text.number,
}


class Sum:
    """One chisel: `value` summed by `keys` over the events that pass `filter`, the `limit` greatest sums shown.

    `keys` are fields with their headings; `in_containers` stands for them with -pc.
    """

    def __init__(
        self,
        name: str,
        keys: tuple[tuple[str, str], ...],
        in_containers: tuple[tuple[str, str], ...],
        value: tuple[str, str],
        filter: str | None,
        limit: int,
        unit: str,
    ) -> None:
        self.name = name
        self.keys = keys
        self.in_containers = in_containers
        self.value = value
        self.filter = filter
        self.limit = limit
        self.unit = unit


CONTAINER: Final = ("container.name", "container.name")
PROCESS: Final = (("proc.name", "Process"), ("proc.pid", "PID"))
CONTAINED_PROCESS: Final = (
    ("proc.name", "Process"), ("proc.pid", "Host_pid"), ("thread.vtid", "Container_pid"), CONTAINER,
)  # fmt: skip
CONNECTION: Final = (("fd.l4proto", "Proto"), ("fd.name", "Conn"))
PORT: Final = (("fd.sport", "Srv Port"),)
FILE: Final = (("fd.name", "Filename"),)
CALL: Final = (("evt.type", "Syscall"),)

BYTES: Final = ("evt.rawarg.res", "Bytes")
TIME: Final = ("evt.latency", "Time")
ERRORS: Final = ("evt.count", "#Errors")
CALLS: Final = ("evt.count", "# Calls")

ON_NETWORK: Final = "(fd.type=ipv4 or fd.type=ipv6) and evt.is_io=true"
ON_FILES: Final = "fd.type=file and evt.is_io=true"

SUMS: Final = (
    Sum("topconns", CONNECTION, (CONTAINER, *CONNECTION), BYTES, ON_NETWORK, 30, "bytes"),
    Sum("topports_server", PORT, (*PORT, CONTAINER), BYTES, ON_NETWORK, 100, "bytes"),
    Sum("topprocs_net", PROCESS, CONTAINED_PROCESS, BYTES, ON_NETWORK, 100, "bytes"),
    Sum("topprocs_file", PROCESS, CONTAINED_PROCESS, BYTES, ON_FILES, 10, "bytes"),
    Sum("topprocs_errors", PROCESS, CONTAINED_PROCESS, ERRORS, "evt.failed=true", 100, "none"),
    Sum("topfiles_bytes", FILE, (CONTAINER, *FILE), BYTES, ON_FILES, 10, "bytes"),
    Sum("topfiles_time", FILE, (*FILE, CONTAINER), TIME, ON_FILES, 10, "time"),
    Sum("topfiles_errors", FILE, (*FILE, CONTAINER), ERRORS, "fd.type=file and evt.failed=true", 100, "none"),
    Sum("topscalls", CALL, (*CALL, CONTAINER), CALLS, "evt.type!=switch", 30, "none"),
    Sum("topscalls_time", CALL, (*CALL, CONTAINER), TIME, None, 30, "time"),
)
"""The chisels without arguments."""


def by_field(name: str, field: str) -> Sum:
    """The chisels whose key is an argument: fdbytes_by and fdtime_by."""
    keys = ((field, field),)
    if name == "fdbytes_by":
        return Sum(name, keys, keys, BYTES, "evt.is_io=true and evt.failed=false", 30, "bytes")
    return Sum(name, keys, keys, TIME, "evt.is_io=true", 10, "time")


class Column:
    """A column of a table: the field's name and the heading above it."""

    __slots__ = ("heading", "name")

    def __init__(self, name: str, heading: str) -> None:
        self.name = name
        self.heading = heading


class Table(Chisel):
    """Prints a table of numbers by keys, the greatest first. Equal ones stand in the order in which they came."""

    def __init__(
        self,
        output: Output,
        keys: Sequence[Column],
        value: Column,
        show: Callable[[float], str],
        limit: int,
    ) -> None:
        super().__init__(output)
        self.keys = keys
        self.value = value
        self.show = show
        self.limit = limit
        self.columns = [*(key.name for key in keys), value.name]
        self.last_ts = 0

    def tick(self, ts: int) -> None:
        """The time of the JSON object is that of the last event."""
        self.last_ts = ts

    def print_table(self, sums: dict[tuple[str, ...], float]) -> None:
        """The table in the output's mode."""
        from heapq import nsmallest

        rows = nsmallest(self.limit, sums.items(), key=lambda item: -item[1])
        if self.output.mode == "text":
            self.print_text(rows)
        elif self.output.mode == "csv":
            self.write_csv([[*map(readable, key), value] for key, value in rows])
        else:
            self.print_json(rows)

    def print_text(self, rows: Sequence[tuple[tuple[str, ...], float]]) -> None:
        """Headings, a rule, and rows."""
        headings = (self.value, *self.keys)
        self.write("".join(text.cell(column.heading, WIDTH) for column in headings) + "\n" + RULE)
        for key, value in rows:
            cells = [text.cell(self.show(value), WIDTH), *(text.cell(part, WIDTH) for part in key[:-1]), key[-1]]
            self.write("".join(cells) + "\n")

    def print_json(self, rows: Sequence[tuple[tuple[str, ...], float]]) -> None:
        """One object, as sysdig's programs expect it."""
        info = [{"name": key.name, "desc": key.heading, "is_key": True} for key in self.keys]
        value = {"name": self.value.name, "desc": self.value.heading, "is_key": False}
        document = {
            "ts": str(self.last_ts // text.SECOND * text.SECOND),
            "data": [[*map(readable, key), int(value) if value == int(value) else value] for key, value in rows],
            # The description of the value is the third at least: who reads sysdig's output counts on it.
            "info": [*info, *([None] if len(info) == 1 else []), value],
        }
        self.write(self.output.json(document) + "\n")


class SumTable(Table):
    """Sums a field's positive values by other fields; an event that lacks one of them does not count."""

    def __init__(self, row: Sum, output: Output) -> None:
        keys = row.in_containers if output.containers else row.keys
        super().__init__(output, [Column(*key) for key in keys], Column(*row.value), UNITS[row.unit], row.limit)
        self.filter = row.filter
        self.key_getters = [text_getter(name) for name, _ in keys]
        self.value_getter = getter(row.value[0])
        self.sums: dict[tuple[str, ...], float] = {}
        self.dropped = 0
        self.filtered = False

    @property
    def only_its_own(self) -> bool:
        """The time of other events stands in JSON only."""
        return self.output.mode != "json" or not self.filtered

    @property
    def sums_itself(self) -> Sums:
        """It takes sums as they come."""
        return self

    @property
    def key_names(self) -> list[str]:
        """The fields of the key."""
        return [key.name for key in self.keys]

    @property
    def value_name(self) -> str:
        """The field that is summed."""
        return self.value.name

    def capture_filter(self, text: str) -> None:
        """With a filter the last event is not that of the capture."""
        self.filtered = bool(text)

    def event(self, event: Event) -> None:
        """Adds the event's value to its key's sum."""
        value = self.value_getter(event)
        if not isinstance(value, int | float) or value <= 0:
            return
        key: list[str] = []
        for get in self.key_getters:
            part = get(event)
            if part is None:
                return
            key.append(part)
        self.add(tuple(key), value)

    def add(self, key: tuple[str, ...], value: float) -> None:
        """Adds to the key's sum."""
        sums = self.sums
        if key in sums:
            sums[key] += value
            return
        if len(sums) >= MOST_KEYS:
            self.drop()
        self.sums[key] = value

    def drop(self) -> None:
        """Drops the smaller half."""
        kept = sorted(self.sums.items(), key=lambda item: -item[1])[: MOST_KEYS // 2]
        self.dropped += len(self.sums) - len(kept)
        self.sums = dict(kept)

    def end(self) -> None:
        """Prints the table."""
        self.print_table(self.sums)
        if self.dropped:
            self.output.warn(f"{self.dropped} keys with small sums were dropped: more than {MOST_KEYS} came\n")


__all__ = ["CONTAINER", "PROCESS", "SUMS", "Column", "Sum", "SumTable", "Table", "by_field"]

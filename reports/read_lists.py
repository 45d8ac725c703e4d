"""What `read` tells without a capture: the fields, the chisels, one chisel, the events."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from ..convert.filters.fields.table import FIELDS
from ..convert.scap import event_table
from .chisels.api import describe, listing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..convert.filters.fields.field import Field
    from .read_arguments import ReadOptions

NAMES = 30  # width of the column of names
LINE = 120
DEFAULT_FORMAT = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info"
FAMILIES = {
    "evt": "the event: number, time, type, arguments",
    "syscall": "the system call",
    "fd": "the descriptor that the event uses: file, socket, pipe",
    "proc": "the process that caused the event",
    "thread": "the thread that caused the event",
    "user": "the user that the process runs as",
    "group": "the group that the process runs as",
    "container": "the container that the process runs in",
    "fdlist": "the descriptors of a poll",
    "syslog": "messages written to syslog",
    "evtin": "events within tracers' spans; captures read here hold none",
    "span": "tracers' spans; captures read here hold none",
    "k8s": "Kubernetes; known to a live system only",
    "mesos": "Mesos; known to a live system only",
    "marathon": "Marathon; known to a live system only",
}
CLASSES = {
    "P": "of the thread",
    "D": "of the descriptor",
    "E": "of the event",
    "R": "of what went before",
}


def write_lists(given: ReadOptions, write: Callable[[str], object]) -> None:
    """Print the lists that were asked for."""
    if given.show_format:
        write(DEFAULT_FORMAT.replace("*", "") + "\n")
    if given.list_fields:
        write("".join(_markdown() if given.markdown else _fields(given.verbose)))
    if given.list_events:
        write("".join(_events()))
    if given.list_chisels:
        write(listing())
    for name in given.describe:
        write(describe(name))


def _families() -> Iterator[tuple[str, list[Field]]]:
    found: dict[str, list[Field]] = {}
    for row in FIELDS.values():
        found.setdefault(row.name.partition(".")[0], []).append(row)
    yield from found.items()


def _fields(verbose: bool) -> Iterator[str]:
    """The fields by family; with their types and what they depend on where `verbose`."""
    for family, rows in _families():
        yield f"{'-' * 31}\nField Class:                  {family} ({FAMILIES.get(family, family)})\n\n"
        for row in rows:
            more = f"(Type: {row.type.upper()}; {CLASSES[row.klass]}) " if verbose else ""
            yield _entry(row.name, more + row.description)
        yield "\n"


def _markdown() -> Iterator[str]:
    for family, rows in _families():
        yield f"## {family}\n\n{FAMILIES.get(family, family)}\n\nName | Type | Description\n:----|:-----|:-----------\n"
        for row in rows:
            description = row.description.replace("|", "\\|")
            yield f"`{row.name}` | {row.type.upper()} | {description}\n"
        yield "\n"


def _entry(name: str, text: str) -> str:
    """A name, and a text beside it in a column."""
    lines = textwrap.wrap(text, LINE - NAMES) or [""]
    first = f"{name:<{NAMES}}" if len(name) < NAMES else f"{name}\n{'':<{NAMES}}"
    return f"{first}{lines[0]}\n" + "".join(f"{'':<{NAMES}}{line}\n" for line in lines[1:])


def _events() -> Iterator[str]:
    """The event types with their parameters."""
    types = {value: name[3:] for name, value in vars(event_table).items() if name.startswith("PT_")}
    for name, direction, _, _, params, *_ in event_table.EVENTS:
        inside = ", ".join(f"{types[kind]} {param}" for param, kind, _ in params)
        yield f"{direction} {name}({inside})\n"

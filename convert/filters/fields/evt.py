"""The fields of the event itself: evt.* and syscall.type, with sysdig 0.29.3's meanings.

A failed call is one whose exit was understood and returned an error; an exit without its enter fails nobody.
"""

from __future__ import annotations

from ...scap import event_table as table
from ...trace import arguments, moments
from ...trace.codes import ERRNO
from . import evt_kinds as kinds
from .field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...trace.model import Event
    from .field import Argument, Klass, Shown, Type, Value

    Extract = Callable[[Event, str | None], Value]

IO: Final = table.EF_READS_FROM_FD | table.EF_WRITES_TO_FD
NANOSECOND: Final = 1_000_000_000
MILLISECOND: Final = 1_000_000


class Near(int):
    """How far in ns an event is from the time asked for; equal to a number of milliseconds that reaches it."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, int) and int(self) <= int(other) * MILLISECOND

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = int.__hash__


def latency(event: Event) -> int:
    """Time in ns from enter to exit of the thread's last call; 0 within a call, and where there was none or the event
    is not of a call.
    """
    if event.thread is None or event.info.flags & table.EF_SKIPPARSERESET:
        return 0
    return event.thread.last_latency or 0


def _latency(part: Callable[[int], Value]) -> Extract:
    """A part of the latency; missing in packets and procinfo events, which are no calls."""

    def value(event: Event, _: str | None) -> Value:
        known = event.trace.format == "scap" and event.info.name != "procinfo"
        return part(latency(event)) if known else None

    return value


def delta(event: Event, name: str) -> int:
    """Time in ns since the last event that was asked for this field (that was listed, for one); 0 for the first."""
    last: dict[str, tuple[int, int, int]] = event.trace.__dict__.setdefault("asked", {})
    ordinal, ts, found = last.get(name, (0, event.ts, 0))
    if ordinal == event.ordinal:
        return found
    found = event.ts - ts
    last[name] = (event.ordinal, event.ts, found)
    return found


def _output_time(event: Event, _: str | None) -> str:
    if moments.time_mode(event) == "h":
        return moments.clock(event.ts)
    return moments.chosen(event, latency(event), delta(event, "evt.outputtime"))


def _error(event: Event) -> int | None:
    res = event.res
    return res if event.parsed and res is not None and res < 0 else None


def _counted(event: Event, kind: str) -> int | None:
    return 1 if _error(event) is not None and kinds.error_kind(event) == kind else None


def _result(event: Event, _: str | None) -> Value:
    if event.res is None:
        return "SUCCESS" if _returns_id(event) else None
    if event.res >= 0:
        return "SUCCESS"
    params = arguments.schema(event)
    if params and params[0][1] == table.PT_PID:  # an event of a type that has none may come with one
        return str(event.res)  # sysdig names no errors of what returns a process's number
    return ERRNO.get(-event.res, str(event.res))


def _returns_id(event: Event) -> bool:
    """Whether this is the exit of getuid and the like in a file of the newest schema, where that counts as a result."""
    if not event.trace.exit_only or not event.is_exit or not event.params:
        return False
    params = arguments.schema(event)
    return bool(params) and params[0][1] in (table.PT_UID, table.PT_GID)


def _argument(event: Event, name: str | None) -> Value:
    index = _place(event, name)
    if index is None:
        return None
    if event.code in arguments.GENERIC and index == 0:
        return kinds.type_name(event)
    return arguments.text(event, index)


def _raw_argument(event: Event, name: str | None) -> Value:
    index = _place(event, name)
    if index is None:
        return None
    found = arguments.value(event, index)
    cut = isinstance(found, bytes) and table.PARAM_SIZES[arguments.schema(event)[index][1]]
    return None if cut else found  # a number is never bytes: filters order it


def _place(event: Event, name: str | None) -> int | None:
    if name is None:
        return None
    if name.isascii() and name.isdigit():
        return int(name) if len(name) < 10 and int(name) < len(arguments.schema(event)) else None
    return arguments.find(event, name)


def _buffer(event: Event, _: str | None) -> Value:
    index = arguments.find(event, "data")
    return None if index is None else event.params[index]


def _buffer_length(event: Event, _: str | None) -> Value:
    if event.fd is None or not event.info.category.startswith("IO_") or event.res is None or event.res < 0:
        return None
    return event.res


def _direction(event: Event, _: str | None) -> Value:
    if event.info.flags & table.EF_READS_FROM_FD:
        return "read"
    return "write" if event.info.flags & table.EF_WRITES_TO_FD else None


def _waited(event: Event, _: str | None) -> Value:
    return latency(event) if event.is_exit and event.info.flags & table.EF_WAITS else None


def _around(event: Event, at: str | None) -> Value:
    return Near(abs(event.ts - int(at))) if at is not None and at.isascii() and at.isdigit() else None


def _info(event: Event, _: str | None) -> Value:
    if event.info.flags & table.EF_WRITES_TO_FD and kinds.is_syslog(event):
        from . import syslog

        found = syslog.message(event)
        if found is not None:
            return f"syslog sev={syslog.SEVERITIES[found.severity]} msg={found.text}"
    return arguments.args(event)


def row(
    name: str,
    type: Type,
    description: str,
    extract: Extract,
    *,
    klass: Klass = "E",
    argument: Argument = "none",
    shown: Shown = "text",
    filter_only: bool = False,
) -> Field:
    """A row of this table, most of which depend on the event alone."""
    return Field(name, type, klass, argument, description, extract, shown, filter_only)


_TIMES: Final = (
    row("evt.num", "uint64", "number of the event, as sysdig counts", lambda e, _: e.num, shown="id"),
    row("evt.time", "charbuf", "time of day with nanoseconds", lambda e, _: moments.clock(e.ts)),
    row("evt.time.s", "charbuf", "time of day in whole seconds", lambda e, _: moments.clock(e.ts, False)),
    row("evt.time.iso8601", "charbuf", "date and time in ISO 8601, in UTC", lambda e, _: moments.iso8601(e.ts)),
    row("evt.datetime", "charbuf", "date and time of day with nanoseconds", lambda e, _: moments.date(e.ts)),
    row("evt.datetime.s", "charbuf", "date and time of day in whole seconds", lambda e, _: moments.date(e.ts, False)),
    row("evt.rawtime", "abstime", "nanoseconds since 1970", lambda e, _: e.ts, shown="decimal"),
    row("evt.rawtime.s", "abstime", "whole seconds since 1970", lambda e, _: e.ts // NANOSECOND, shown="decimal"),
    row("evt.rawtime.ns", "abstime", "nanoseconds within its second", lambda e, _: e.ts % NANOSECOND, shown="padded"),
    row(
        "evt.reltime", "reltime", "nanoseconds since the capture began",
        lambda e, _: e.ts - e.first_ts, klass="R", shown="padded",
    ),
    row(
        "evt.reltime.s", "reltime", "whole seconds since the capture began",
        lambda e, _: (e.ts - e.first_ts) // NANOSECOND, klass="R", shown="decimal",
    ),
    row(
        "evt.reltime.ns", "reltime", "nanoseconds within a second since the capture began",
        lambda e, _: (e.ts - e.first_ts) % NANOSECOND, klass="R", shown="padded",
    ),
    row("evt.pluginname", "charbuf", "the plugin that made the event: never known here", lambda e, _: None),
    row("evt.plugininfo", "charbuf", "what its plugin says of the event: never known here", lambda e, _: None),
    row(
        "evt.latency", "reltime", "nanoseconds from enter to exit",
        _latency(lambda ns: ns), klass="R", shown="decimal",
    ),
    row(
        "evt.latency.s", "reltime", "whole seconds from enter to exit",
        _latency(lambda ns: ns // NANOSECOND), klass="R", shown="decimal",
    ),
    row(
        "evt.latency.ns", "reltime", "nanoseconds within a second from enter to exit",
        _latency(lambda ns: ns % NANOSECOND), klass="R", shown="padded",
    ),
    row(
        "evt.latency.human", "charbuf", "time from enter to exit with a unit, as 10ms",
        _latency(moments.human), klass="R",
    ),
    row(
        "evt.deltatime", "reltime", "nanoseconds since the event before",
        lambda e, _: delta(e, "evt.deltatime"), klass="R", shown="decimal",
    ),
    row(
        "evt.deltatime.s", "reltime", "whole seconds since the event before",
        lambda e, _: delta(e, "evt.deltatime.s") // NANOSECOND, klass="R", shown="decimal",
    ),
    row(
        "evt.deltatime.ns", "reltime", "nanoseconds within a second since the event before",
        lambda e, _: delta(e, "evt.deltatime.ns") % NANOSECOND, klass="R", shown="padded",
    ),
    row("evt.outputtime", "charbuf", "the time in the form that -t chose", _output_time, klass="R"),
)  # fmt: skip

_KINDS: Final = (
    row("evt.dir", "charbuf", "> for an enter, < for an exit", lambda e, _: e.info.direction),
    row("evt.type", "charbuf", "name of the event's type", lambda e, _: kinds.type_name(e)),
    row(
        "evt.type.is", "uint32", "1 if the event has the type that is named, else 0",
        lambda e, name: int(kinds.type_name(e) == name), argument="required", shown="decimal",
    ),
    row(
        "syscall.type", "charbuf", "name of the system call; missing for what is none",
        lambda e, _: kinds.syscall_name(e),
    ),
    row(
        "evt.category", "charbuf", "group of the event: file, net, ipc, memory, process ...",
        lambda e, _: kinds.category(e),
    ),
    row("evt.cpu", "int16", "processor that the event was recorded on", lambda e, _: e.cpu, shown="id"),
    row("evt.args", "charbuf", "all parameters as one text", lambda e, _: arguments.args(e)),
    row(
        "evt.arg", "charbuf", "one parameter as text, by name or number: evt.arg.res, evt.arg[0]",
        _argument, argument="required",
    ),
    row("evt.rawarg", "dyn", "one parameter as recorded, by name: evt.rawarg.res", _raw_argument, argument="required"),
    row("evt.info", "charbuf", "the parameters, or what they mean where that is known", _info),
    row("evt.buffer", "bytebuf", "the bytes that were read or written", _buffer),
    row("evt.buflen", "uint64", "how many bytes were read or written", _buffer_length, shown="decimal"),
    row("evt.res", "charbuf", "SUCCESS, or the name of the error", _result),
    row("evt.rawres", "int64", "what the call returned", lambda e, _: e.res, shown="decimal"),
    row("evt.failed", "bool", "whether the call returned an error", lambda e, _: _error(e) is not None),
    row("evt.is_io", "bool", "whether events of this type read or write", lambda e, _: bool(e.info.flags & IO)),
    row(
        "evt.is_io_read", "bool", "whether events of this type read",
        lambda e, _: bool(e.info.flags & table.EF_READS_FROM_FD),
    ),
    row(
        "evt.is_io_write", "bool", "whether events of this type write",
        lambda e, _: bool(e.info.flags & table.EF_WRITES_TO_FD),
    ),
    row("evt.io_dir", "charbuf", "read or write", _direction),
    row(
        "evt.is_wait", "bool", "whether the call makes its thread wait",
        lambda e, _: bool(e.info.flags & table.EF_WAITS),
    ),
    row("evt.wait_latency", "reltime", "nanoseconds that a waiting call took", _waited, klass="R", shown="decimal"),
    row("evt.is_syslog", "bool", "whether the event writes to /dev/log", lambda e, _: kinds.is_syslog(e)),
)  # fmt: skip

_COUNTS: Final = (
    row("evt.count", "uint32", "1 for every event", lambda e, _: 1, shown="decimal"),
    row(
        "evt.count.error", "uint32", "1 for every failed call",
        lambda e, _: None if _error(e) is None else 1, shown="decimal",
    ),
    row(
        "evt.count.error.file", "uint32", "1 for a failed call on files",
        lambda e, _: _counted(e, "file"), shown="decimal",
    ),
    row(
        "evt.count.error.net", "uint32", "1 for a failed call on sockets",
        lambda e, _: _counted(e, "net"), shown="decimal",
    ),
    row(
        "evt.count.error.memory", "uint32", "1 for a failed call for memory",
        lambda e, _: _counted(e, "memory"), shown="decimal",
    ),
    row(
        "evt.count.error.other", "uint32", "1 for a failed call of another kind",
        lambda e, _: _counted(e, "other"), shown="decimal",
    ),
    row("evt.count.exit", "uint32", "1 for every exit", lambda e, _: 1 if e.is_exit else None, shown="decimal"),
    row(
        "evt.around", "uint64", "for filters: evt.around[T]=D takes events within D milliseconds of the raw time T",
        _around, argument="required", shown="decimal", filter_only=True,
    ),
    row(
        "evt.abspath", "charbuf", "the path that a directory and a name give; evt.abspath.src, evt.abspath.dst",
        lambda e, which: kinds.absolute_path(e, which), argument="optional",
    ),
    row("evt.is_open_read", "bool", "whether a file was opened to read", lambda e, _: kinds.opened(e, kinds.READ)),
    row("evt.is_open_write", "bool", "whether a file was opened to write", lambda e, _: kinds.opened(e, kinds.WRITE)),
    row(
        "evt.is_open_exec", "bool", "whether a file was made that may be executed",
        lambda e, _: kinds.made_executable(e),
    ),
)  # fmt: skip

FIELDS: Final = (*_TIMES, *_KINDS, *_COUNTS)
"""All fields of this file."""

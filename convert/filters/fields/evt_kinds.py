"""What kind of event an event is: its type's name, its category, whether it opens files, which path it names."""

from __future__ import annotations

from ...scap import event_table as table
from ...trace import arguments
from ...trace.codes import PARAM_DIRFD
from ...trace.paths_text import joined

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ...trace.model import Event

READ: Final = 1
WRITE: Final = 2
CREATE: Final = 4
TEMPORARY: Final = 0x2000
EXECUTE: Final = 0o111

NOT_SYSCALLS: Final = frozenset(
    (146, 147, 148, 149, 152, 196, 228, 234, 244, 260, 268, 270, 280, 286, 290, 322, 354, 356, 358, 360, 402)
)
"""Events that no system call made: sysdig 0.29.3's list, and those of today's schema."""
CATEGORIES: Final = {
    "OTHER": "other", "FILE": "file", "NET": "net", "IPC": "IPC", "WAIT": "wait", "SIGNAL": "signal",
    "SLEEP": "sleep", "TIME": "time", "SCHEDULER": "scheduler", "USER": "user", "SYSTEM": "system",
    "MEMORY": "memory", "PROCESS": "process", "PROCESSING": "processing", "TRACEPOINT": "unknown",
}  # fmt: skip
OLD_CATEGORIES: Final = {
    17: "process", 187: "process", 273: "process", 325: "process", 147: "scheduler", 153: "scheduler",
    233: "signal", 245: "system", 261: "system", 271: "system", 281: "system", 287: "system", 269: "other",
    291: "other", 323: "other",
}  # fmt: skip
"""Categories that sysdig 0.29.3 had for types that have none today."""
FD_CATEGORIES: Final = {
    "file": "file", "directory": "file", "ipv4": "net", "ipv6": "net", "ipv4_bound": "net", "ipv6_bound": "net",
    "fifo": "ipc", "unix": "ipc", "event": "ipc", "signalfd": "ipc", "inotify": "ipc",
}  # fmt: skip
"""Category of reads, writes and the like by what they work on."""

_OPENS: Final = {3: (2, 3), 102: (2, 3), 307: (3, 4), 327: (3, 4)}
"""Places of flags and mode in events that open files."""
_CREAT: Final = {59: 2}
_PATHS: Final = {
    177: (2, 4), 319: (2, 4), 181: (3, 3), 102: (1, 1), 307: (2, 2), 311: (2, 4), 303: (2, 2), 305: (2, 2),
    313: (2, 2), 327: (2, 2),
}  # fmt: skip
"""Places of the path and the second path in events that take a directory and a name."""
_FILE_OPENERS: Final = frozenset((3, 59, 103, 307, 327))
_SOCKET_CALLS: Final = frozenset((21, 23, 27, 57, 247, 249, 389))
_MEMORY_CALLS: Final = frozenset((11, 151, 155, 157, 159, 161))
_KIND_FAMILIES: Final = {
    "file": "file", "directory": "file", "ipv4": "net", "ipv6": "net", "ipv4_bound": "net", "ipv6_bound": "net",
    "unix": "net",
}  # fmt: skip


def _generic_name(event: Event) -> str:
    number = arguments.number(table.PT_SYSCALLID, event.params[0]) if event.params else None
    if number is None:
        return event.info.name
    names = table.SYSCALLS
    if event.trace.exit_only:
        return names[number] if number < len(names) else event.info.name
    if number in table.SYSDIG_SYSCALL_NAMES:
        return table.SYSDIG_SYSCALL_NAMES[number]
    return names[number] if number < len(names) else "<unknown>"


def type_name(event: Event) -> str:
    """The name of the event's type; of a generic event that of its system call."""
    if event.code in arguments.GENERIC:
        return _generic_name(event)
    if not event.trace.exit_only and event.code in table.SYSDIG_EVENT_NAMES:
        return table.SYSDIG_EVENT_NAMES[event.code]
    return event.info.name


def syscall_name(event: Event) -> str | None:
    """The name of the system call; None where there was none."""
    if event.code in NOT_SYSCALLS or event.trace.format != "scap":
        return None
    return type_name(event)


def category(event: Event) -> str:
    """The event's group; of reads, writes and the like that of the descriptor."""
    if event.code in arguments.GENERIC and event.params:
        from .syscall_groups import SYSCALL_CATEGORIES

        return SYSCALL_CATEGORIES.get(arguments.number(table.PT_SYSCALLID, event.params[0]) or 0, "unknown")
    name = event.info.category
    if name.startswith("IO_"):
        return "unknown" if event.fd is None else FD_CATEGORIES.get(event.fd.kind, "unknown")
    return OLD_CATEGORIES.get(event.code) or CATEGORIES.get(name, "unknown")


def error_kind(event: Event) -> str:
    """What a failed call was about: file, net, memory or other; by its descriptor where that is known."""
    if event.fd is not None:
        return _KIND_FAMILIES.get(event.fd.kind, "other")
    if event.code in _FILE_OPENERS:
        return "file"
    if event.code in _SOCKET_CALLS:
        return "net"
    return "memory" if event.code in _MEMORY_CALLS else "other"


def is_syslog(event: Event) -> bool:
    """Whether the event writes to the system log's socket."""
    fd = event.fd
    return bool(fd is not None and event.info.flags & table.EF_WRITES_TO_FD and "/dev/log" in fd.name)


def _number(event: Event, place: int) -> int:
    data = event.params[place] if place < len(event.params) else b""
    return int.from_bytes(data[:4], "little")


def opened(event: Event, flag: int) -> bool:
    """Whether a file was opened with that flag (READ, WRITE)."""
    places = _OPENS.get(event.code)
    return places is not None and bool(_number(event, places[0]) & flag)


def made_executable(event: Event) -> bool:
    """Whether a file was to be made with a permission to execute."""
    if event.code in _CREAT:
        return bool(_number(event, _CREAT[event.code]) & EXECUTE)
    places = _OPENS.get(event.code)
    if places is None or not _number(event, places[0]) & (CREATE | TEMPORARY):
        return False
    return bool(_number(event, places[1]) & EXECUTE)


def absolute_path(event: Event, which: str | None) -> str | None:
    """The path that a call with a directory's descriptor names; `dst` is the second one, where there are two."""
    places = _PATHS.get(event.code)
    if places is None:
        return None
    place = places[1] if which == "dst" else places[0]
    if place >= len(event.params):
        return None
    path = event.params[place].partition(b"\0")[0]
    if path.startswith(b"/"):
        return joined(b"", path).decode("utf-8", "surrogateescape")
    base = _directory(event, PARAM_DIRFD.get(event.code, {}).get(place, 0))
    return joined(base.encode("utf-8", "surrogateescape"), path).decode("utf-8", "surrogateescape")


def _directory(event: Event, place: int) -> str:
    number = arguments.number(table.PT_FD, event.params[place]) if place < len(event.params) else None
    thread = event.thread
    if thread is None or number is None:
        return "<UNKNOWN>"
    if number == arguments.AT_FDCWD:
        return thread.cwd or ""
    found = thread.fds.get(number)
    return "<UNKNOWN>" if found is None else found.name

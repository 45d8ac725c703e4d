"""What each event type does to the rows, for the compiled walk: which it can apply itself and which Python must see.

The rules are those of convert/trace/replay.py for files whose calls have an enter and an exit event; this table says
for each code which of its cases have no effect beside the thread's last call, or one that the walk knows.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from ..filters.fields.fd import has_fd
from ..scap.event_table import EF_SKIPPARSERESET, EF_USES_FD, EVENTS
from ..trace.arguments import schema
from ..trace.model import INFOS, Event, Trace
from ..trace.parsers import PARSERS
from ..trace.replay import ALONE_CODES, CLONES, DESCRIBED, ENTER_FD, EXECUTES, MATCHED, OLD_FLAGS

(PYTHON, UNTOUCHED, ENTER, ENTER_CLOSE, ENTER_SENDTO, EXIT, EXIT_IO, EXIT_CLOSE, EXIT_OPEN, EXIT_CHECKED, EXIT_ACCEPT) = range(11)
"""PYTHON: the plain replay takes it. UNTOUCHED: changes nothing at all. EXIT: ends the call. EXIT_IO, EXIT_CLOSE,
EXIT_OPEN, EXIT_ACCEPT: and does what their names say. EXIT_CHECKED: the plain replay takes it unless the call failed or the exit is
not its enter's."""

PROBE: Final = 7
"""A code whose events have a descriptor and no name of their own for it: the exit of read."""

_IO: Final = frozenset(name for name, parse in PARSERS.items() if parse is PARSERS["read"])
_DATAGRAMS: Final = frozenset(("recvfrom", "recvmsg", "sendto", "sendmsg"))
_MEMORY: Final = frozenset(("brk", "mmap", "mmap2", "munmap"))
_OPENS: Final = frozenset(("open", "openat", "openat2"))
_FAILING: Final = frozenset(
    name
    for name, parse in PARSERS.items()
    if name not in _MEMORY | {"connect", "close", "fcntl", "close_range"}
)
"""Parsers that do nothing for a call that failed."""
_OWN_WAY: Final = CLONES | EXECUTES | frozenset(("getsockopt", "copy_file_range", "procexit", "connect"))


CHANGES_THREADS: Final = (
    CLONES
    | EXECUTES
    | frozenset(DESCRIBED)
    | frozenset(name for name, parse in PARSERS.items() if parse.__module__.endswith("changes") and name not in _MEMORY)
    | {"procexit", "fchdir", "chdir", "container"}
)
"""Events that may change what a field of the thread says: of their own thread or of others."""


class Code(NamedTuple):
    """One event type. Places are indexes of parameters, -1 for none."""

    action: int
    has_exit: bool
    uses_fd: bool  # an exit works on the descriptor of its enter
    on_fd: bool  # the event has a descriptor, by the rules of the replay
    enter_fd: bool  # the first parameter of an enter is the descriptor
    datagram: bool
    has_fd: bool  # fields of descriptors are there
    res: int  # what evt.rawarg.res shows, where it has 8 bytes
    name: int
    flags: int
    dev: int
    ino: int
    enter_name: int
    enter_flags: int
    generic: bool  # its name is in a parameter
    tuple: int
    alone: bool  # an exit that counts without its enter


def _action(code: int) -> int:
    name, direction, _, flags = EVENTS[code][:4]
    if name in DESCRIBED or name in ("switch", "container") or EVENTS[code][2] == "UNKNOWN":
        return PYTHON
    if flags & EF_SKIPPARSERESET:
        return UNTOUCHED
    if name in _OWN_WAY:
        return PYTHON
    if direction == ">":
        return ENTER_CLOSE if name == "close" else ENTER_SENDTO if name == "sendto" else ENTER
    if name in _OPENS:
        return EXIT_OPEN
    if name in ("accept", "accept4"):
        return EXIT_ACCEPT
    if name in _IO:
        return EXIT_IO
    if name == "close":
        return EXIT_CLOSE
    if name == "prctl" or name not in PARSERS:  # sysdig 0.29.3 does not know that prctl renames
        return EXIT
    return EXIT_CHECKED if name in _FAILING else PYTHON


def _place(code: int, *names: str) -> int:
    params = [param[0] for param in EVENTS[code][4]]
    return next((params.index(name) for name in names if name in params), -1)


def table(trace: Trace) -> list[Code]:
    """A row for each code of the event table."""
    rows = []
    for code, row in enumerate(EVENTS):
        event = Event(trace, INFOS[code], code, 0, 0, (b"",) * len(row[4]))
        shown = [(param[0], index) for index, param in enumerate(schema(event)) if param[0] == "res"]
        enter = code - 1 if row[1] == "<" and code and EVENTS[code - 1][0] == row[0] else None
        rows.append(
            Code(
                _action(code),
                MATCHED[code],
                bool(OLD_FLAGS[code] & EF_USES_FD),
                bool(OLD_FLAGS[code]),
                bool(ENTER_FD[code] and OLD_FLAGS[code]),
                row[0] in _DATAGRAMS,
                has_fd(event),
                shown[0][1] if shown else -1,
                _place(code, "name", "path"),
                _place(code, "flags"),
                _place(code, "dev"),
                _place(code, "ino"),
                -1 if enter is None else _place(enter, "name", "path"),
                -1 if enter is None else _place(enter, "flags"),
                row[0] == "syscall",
                _place(code, "tuple"),
                code in ALONE_CODES,
            )
        )
    return rows


__all__ = ["CHANGES_THREADS", "PROBE", "Code", "table"]

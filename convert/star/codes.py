"""What each event type does to the rows, for the compiled walk: which it can apply itself and which Python must see.

The rules are those of convert/trace/replay.py for files whose calls have an enter and an exit event; this table says
for each code which of its cases have no effect beside the thread's last call, or one that the walk knows.
"""

from __future__ import annotations

from ..filters.fields.fd import has_fd
from ..scap.event_table import EF_SKIPPARSERESET, EF_USES_FD, EVENTS
from ..trace.arguments import schema
from ..trace.model import INFOS, Event
from ..trace.parsers import PARSERS
from ..trace.replay import ALONE_CODES, CLONES, DESCRIBED, ENTER_FD, EXECUTES, MATCHED, OLD_FLAGS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ..trace.model import Trace

(
    PYTHON,
    UNTOUCHED,
    ENTER,
    ENTER_CLOSE,
    ENTER_SENDTO,
    EXIT,
    EXIT_IO,
    EXIT_CLOSE,
    EXIT_OPEN,
    EXIT_CHECKED,
    EXIT_ACCEPT,
) = range(11)
"""PYTHON: the plain replay takes it. UNTOUCHED: changes nothing at all. EXIT: ends the call. EXIT_IO, EXIT_CLOSE,
EXIT_OPEN, EXIT_ACCEPT: and does what their names say. EXIT_CHECKED: the plain replay takes it unless the call failed
or the exit is not its enter's."""

PROBE: Final = 7
"""A code whose events have a descriptor and no name of their own for it: the exit of read."""

_IO: Final = frozenset(name for name, parse in PARSERS.items() if parse is PARSERS["read"])
_DATAGRAMS: Final = frozenset(("recvfrom", "recvmsg", "sendto", "sendmsg"))
_MEMORY: Final = frozenset(("brk", "mmap", "mmap2", "munmap"))
_OPENS: Final = frozenset(("open", "openat", "openat2"))
_FAILING: Final = frozenset(
    name for name, parse in PARSERS.items() if name not in _MEMORY | {"connect", "close", "fcntl", "close_range"}
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


class Code:
    """One event type. Places are indexes of parameters, -1 for none.

    `has_exit`: an exit follows. `uses_fd`: an exit works on the descriptor of its enter. `on_fd`: the event has a
    descriptor, by the rules of the replay; `has_fd`: fields of descriptors are there. `enter_fd`: the first parameter
    of an enter is the descriptor. `res`: what evt.rawarg.res shows. `generic`: its name is in a parameter. `alone`: an
    exit that counts without its enter.
    """

    __slots__ = (
        "action", "alone", "datagram", "dev", "enter_fd", "enter_flags", "enter_name", "flags", "generic", "has_exit",
        "has_fd", "ino", "name", "on_fd", "res", "tuple", "uses_fd",
    )  # fmt: skip

    def __init__(self, trace: Trace, code: int) -> None:
        row = EVENTS[code]
        event = Event(trace, INFOS[code], code, 0, 0, (b"",) * len(row[4]))
        shown = [index for index, param in enumerate(schema(event)) if param[0] == "res"]
        enter = code - 1 if row[1] == "<" and code and EVENTS[code - 1][0] == row[0] else None
        self.action = _action(code)
        self.has_exit = MATCHED[code]
        self.uses_fd, self.on_fd = bool(OLD_FLAGS[code] & EF_USES_FD), bool(OLD_FLAGS[code])
        self.enter_fd = bool(ENTER_FD[code] and OLD_FLAGS[code])
        self.datagram, self.has_fd = row[0] in _DATAGRAMS, has_fd(event)
        self.res = shown[0] if shown else -1
        self.name, self.flags = _place(code, "name", "path"), _place(code, "flags")
        self.dev, self.ino, self.tuple = _place(code, "dev"), _place(code, "ino"), _place(code, "tuple")
        self.enter_name = -1 if enter is None else _place(enter, "name", "path")
        self.enter_flags = -1 if enter is None else _place(enter, "flags")
        self.generic, self.alone = row[0] == "syscall", code in ALONE_CODES


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


__all__ = ["CHANGES_THREADS", "PROBE", "Code"]

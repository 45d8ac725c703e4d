"""Replay events against the tables of threads and descriptors, one at a time: raw events in, Event objects out.

Two sets of rules: those of libsinsp 0.29.3, where an exit counts only behind its enter, and those of the newest
library for files of drivers that record no enters (`exit_only`).
"""

from __future__ import annotations

from ..scap.event_table import EF_CREATES_FD, EF_DESTROYS_FD, EF_SKIPPARSERESET, EF_USES_FD, EVENTS, PT_FD
from .changes import switched
from .containers import describe
from .model import INFOS, NO_FD, Event, Group, Thread, Trace, User
from .parsers import ALONE, PARSERS, close_enter, connect_enter, sendto_enter
from .threads import CLONE_INVERTED, EFFORT, EFFORT_EACH, Table, named
from .values import number, signed, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .raw import RawEvent

MAX_USERS = 65_536
EXECUTES = frozenset(("execve", "execveat"))
CLONES = frozenset(("clone", "fork", "vfork", "clone3"))
ON_FD = EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD
STATE_ONLY = 1
LIVE_ENTERS = frozenset(("open", "connect", "creat", "openat", "openat2", "procexit"))
MATCHED = tuple(
    index + 1 < len(EVENTS) and row[1] == ">" and EVENTS[index + 1][1] == "<" and EVENTS[index + 1][0] == row[0]
    for index, row in enumerate(EVENTS)
)
OBSOLETE_ENTERS = frozenset(index for index, row in enumerate(EVENTS) if MATCHED[index] and row[0] not in LIVE_ENTERS)
"""Enters that drivers of the newest schema do not record."""


def _enter_uses_fd(code: int) -> bool:
    """Whether sysdig 0.29.3 takes the first parameter of this enter for the descriptor."""
    flags, params = EVENTS[code][3], EVENTS[code][4]
    return bool(flags & EF_USES_FD) and EVENTS[code][1] == ">" and bool(params) and params[0][1] == PT_FD


ENTER_FD = tuple(_enter_uses_fd(code) for code in range(len(EVENTS)))
NOT_ON_FD = frozenset(("mmap", "mmap2"))  # to sysdig 0.29.3
ON_FD_TOO = frozenset(("setsockopt", "getsockopt", "fstat64"))


def _old_flags(code: int) -> int:
    """The flags on descriptors that sysdig 0.29.3 gave the type."""
    name, direction, _, flags = EVENTS[code][:4]
    flags &= ON_FD
    if name in NOT_ON_FD:
        return 0
    if direction == "<" and name in ON_FD_TOO:
        return flags | EF_USES_FD
    if direction == "<" and code and EVENTS[code - 1][0] == name and not ENTER_FD[code - 1]:
        return flags & ~EF_USES_FD
    return flags


OLD_FLAGS = tuple(_old_flags(code) for code in range(len(EVENTS)))
NEW_FLAGS = tuple(row[3] & ON_FD for row in EVENTS)


def _exit_fd(code: int) -> int:
    """Where the exit of the newest schema tells its descriptor, 0: nowhere."""
    name, direction, _, flags, params = EVENTS[code][:5]
    if direction != "<" or not flags & EF_USES_FD:
        return 0
    places = [index for index, param in enumerate(params) if index and param[1] == PT_FD]
    return 0 if not places else places[-1] if name == "splice" else places[0]


ALONE_CODES = frozenset(
    code for code, row in enumerate(EVENTS) if row[1] == "<" and row[0] in ALONE and (row[0] != "openat" or row[4][1:])
)
"""Exits that count without their enters; the older openat tells no name."""
EXIT_FD = tuple(_exit_fd(code) for code in range(len(EVENTS)))


def evidence_of_schema(code: int, params: tuple[bytes, ...]) -> bool | None:
    """Whether this event tells that the file is of the newest schema: True, False, None (it does not tell)."""
    if code in OBSOLETE_ENTERS:
        return False
    old = EVENTS[code][6]
    if EVENTS[code][1] == "<" and (old is None or len(params) > old):
        return True
    return None


class Replay:
    """The state behind a trace; `apply` takes raw events in file order."""

    def __init__(self, trace: Trace) -> None:
        self.trace = trace
        self.table = Table(trace)
        self.started = False  # behind the leading container descriptions
        self.previous_ts: int | None = None
        self._gone_thread: Thread | None = None

    def settle(self) -> None:
        """Let go what the event before ended."""
        if self.table.leaving is not None:
            thread, fd = self.table.leaving
            self.table.leaving = None
            if thread.fds.get(fd.num) is fd:
                del thread.fds[fd.num]
                self.table.fds -= 1
        if self._gone_thread is not None:
            self.table.remove(self._gone_thread)
            self._gone_thread = None

    def apply(self, raw: RawEvent) -> Event:
        """The event, after it changed the tables."""
        ordinal, num, ts, tid, code, cpu, flags, offset, params = raw
        trace, info = self.trace, INFOS[code]
        self.settle()
        table = self.table
        table.effort = min(EFFORT, table.effort + EFFORT_EACH)
        event = Event(trace, info, code, ts, tid, params)
        event.num, event.ordinal, event.cpu, event.block_flags, event.offset = num, ordinal, cpu, flags, offset
        event.hidden = info.category == "INTERNAL" or bool(flags & STATE_ONLY)
        if not self.started:
            if info.name == "container" and info.direction == ">":
                event.consumed = event.hidden = True
            else:
                self.started = True
                trace.first_ts = ts
        event.first_ts = ts if trace.first_ts is None else trace.first_ts
        event.previous_ts = self.previous_ts
        if self.started:
            self.previous_ts = ts
        if info.direction == "<" and params and info.params and info.params[0][0] in ("res", "fd"):
            event.res = signed(params[0])
        if info.name in DESCRIBED and info.direction == ">":
            DESCRIBED[info.name](trace, event)
        if event.consumed:
            return event
        self._follow(event)
        thread = event.thread = event.thread or trace.threads.get(tid)
        if (NEW_FLAGS if table.newest else OLD_FLAGS)[code] and thread is not None:
            event.fd_num = thread.last_fd
            if event.fd is None and thread.last_fd != NO_FD:
                event.fd = thread.fds.get(thread.last_fd)
            if (fd := event.fd) is not None:
                fd.name_changed = fd.name != fd.old_name
                fd.old_name = fd.name
        return event

    def _follow(self, event: Event) -> None:
        info, trace = event.info, self.trace
        if info.flags & EF_SKIPPARSERESET:
            return
        thread = trace.threads.get(event.tid)
        clone = info.name in CLONES and info.direction == "<"
        if thread is None and not clone and info.name not in ("switch", "container"):
            thread = self.table.placeholder(event.tid)
        event.thread = thread
        if thread is None:
            if clone:
                self.table.cloned(event)
                if event.thread is not None:
                    event.thread.last_valid = False
            return
        if info.name == "switch":
            switched(event)
            return
        if info.direction == ">":
            self._enter(event, thread)
        else:
            self._exit(event, thread, clone)

    def _enter(self, event: Event, thread: Thread) -> None:
        code, name = event.code, event.info.name
        thread.last_fd = NO_FD
        thread.last_type = code
        if ENTER_FD[code] and event.params and (self.table.newest or OLD_FLAGS[code]):
            thread.last_fd = signed(event.params[0])
            event.fd = thread.fds.get(thread.last_fd)
        thread.last_enter = event if MATCHED[code] else None
        thread.last_latency = 0
        if name == "connect" and len(event.params) > 1:
            connect_enter(event)
        elif name == "sendto":
            sendto_enter(self.table, event)
        elif name == "close":
            close_enter(event)
        elif name == "procexit":
            self._gone_thread = thread

    def _exit(self, event: Event, thread: Thread, clone: bool) -> None:
        newest = self.table.newest
        matched = event.code == thread.last_type + 1
        enter = thread.last_enter
        if enter is not None:
            thread.last_latency = event.ts - enter.ts
        thread.last_valid = matched
        if matched:
            event.enter = enter
        elif not newest and event.info.name not in EXECUTES:
            event.parsed = False
            if clone:
                self.table.cloned(event)
                event.thread = event.thread or thread
            elif event.code in ALONE_CODES:
                PARSERS[event.info.name](self.table, event)
            return
        if newest and not matched:
            thread.last_fd = NO_FD
        place = EXIT_FD[event.code]
        if (NEW_FLAGS if newest else OLD_FLAGS)[event.code] & EF_USES_FD:
            if (newest or event.info.name == "getsockopt") and place and place < len(event.params):
                thread.last_fd = signed(event.params[place])
            elif event.info.name == "copy_file_range" and len(event.params) > 1:
                thread.last_fd = signed(event.params[1])
            event.fd = thread.fds.get(thread.last_fd) if thread.last_fd != NO_FD else None
        if clone:
            self.table.cloned(event)
            event.thread = event.thread or thread
            return
        parse = PARSERS.get(event.info.name)
        if parse is not None:
            parse(self.table, event)
        thread.last_enter = None
        if newest:
            thread.last_type = -1


# -- what the trace says of users


def _added_user(trace: Trace, event: Event) -> None:
    got = named(event)
    uid = number(got.get("uid", b""))
    if uid in trace.users or len(trace.users) < MAX_USERS:
        label, home, shell = (text(got.get(name, b""))[:256] for name in ("name", "home", "shell"))
        trace.users[uid] = User(uid, number(got.get("gid", b"")), label, home, shell)


def _added_group(trace: Trace, event: Event) -> None:
    got = named(event)
    gid = number(got.get("gid", b""))
    if gid in trace.groups or len(trace.groups) < MAX_USERS:
        trace.groups[gid] = Group(gid, text(got.get("name", b""))[:256])


DESCRIBED = {"useradded": _added_user, "groupadded": _added_group, "container": describe}

__all__ = ["CLONE_INVERTED", "Replay", "evidence_of_schema"]

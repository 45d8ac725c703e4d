"""What a trace is made of: events, threads, descriptors, and the trace that holds them.

Text of the evidence is `str`, decoded from UTF-8 with surrogateescape: encoding it the same way gives the recorded
bytes. Buffers are bytes. An Event shows its thread and its descriptor as they stand right after it was applied, and is
valid only until the next one is taken: threads and descriptors are live objects and go on changing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..scap.event_table import EVENTS, EventType

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..scap.headers import Machine

INFOS = tuple(EventType(*row) for row in EVENTS)
"""The row of the event table for each event code, with names for its fields."""

UNKNOWN_INFO = EventType("unknown", ">", "UNKNOWN", 0, (), False, None)
"""Stands for event codes that the table does not know."""

NO_FD = -1
"""`Event.fd_num` where the event has no descriptor."""


def decode(value: bytes) -> str:
    """Text of the evidence; `encode` gives the same bytes back."""
    return value.decode("utf-8", "surrogateescape")


def encode(value: str) -> bytes:
    """The recorded bytes of a text made by `decode`."""
    return value.encode("utf-8", "surrogateescape")


class Interface(NamedTuple):
    """An address of a network interface; `family` is 4 or 6, address and netmask are in network order."""

    family: int
    address: bytes
    netmask: bytes
    name: str


class User(NamedTuple):
    """A user of the machine's user list."""

    uid: int
    gid: int
    name: str
    home: str
    shell: str


class Group(NamedTuple):
    """A group of the machine's user list."""

    gid: int
    name: str


class Damage(NamedTuple):
    """Why reading ended early, and where: `offset` in the decompressed input."""

    what: str
    offset: int


@dataclass(slots=True)
class Loss:
    """Something that was left out: how often, how many bytes, and the offset of the first (None: not known)."""

    count: int = 0
    bytes: int = 0
    first: int | None = None


class Fd:
    """A descriptor. Copies by dup and fork are objects of their own.

    `kind` is file, directory, ipv4, ipv6, ipv4_bound, ipv6_bound, fifo, unix, event, unsupported, signalfd,
    eventpoll, inotify, timerfd, netlink, bpf, userfaultfd, io_uring, memfd, pidfd or unknown. The tuple is stored as
    libsinsp stores it: s is the client's side once a role exists; a bound socket has its address in sip and sport.
    """

    __slots__ = (
        "connected", "created", "dev", "dip", "dport", "from_list", "ino", "kind", "l4", "mount", "name",
        "name_changed", "num", "old_name", "openflags", "role", "sip", "source", "dest", "sport", "raw_name",
        "upper_layer", "lower_layer", "pid", "pipe", "failed", "closing", "cloexec",
    )  # fmt: skip

    def __init__(self, num: int, kind: str, name: str = "", ino: int | None = None) -> None:
        self.num = num
        self.kind = kind
        self.name = name
        self.ino = ino
        self.raw_name: str | None = None  # as the process gave it; None where not recorded
        self.old_name = ""
        self.name_changed = False  # by the last event
        self.role: str | None = None  # client or server
        self.l4: str | None = None  # tcp, udp, icmp or raw
        self.sip: bytes | None = None  # 4 or 16 bytes, network order
        self.dip: bytes | None = None
        self.sport: int | None = None
        self.dport: int | None = None
        self.source = 0  # kernel addresses of a unix socket's ends
        self.dest = 0
        self.connected = False
        self.failed = False  # a connect that failed
        self.pipe = False  # made by pipe(2)
        self.dev: int | None = None
        self.mount: int | None = None
        self.openflags: int | None = None  # PPM_O_*
        self.upper_layer = False
        self.lower_layer = False
        self.pid: int | None = None  # of a pidfd
        self.created: int | None = None  # ordinal of the event that made it; None: from the lists
        self.from_list = False
        self.closing = False  # between a close's enter and its exit
        self.cloexec = False

    @property
    def typechar(self) -> str:
        """The letter that sysdig shows for the kind."""
        return TYPECHARS.get(self.kind, "o")

    @property
    def is_bound(self) -> bool:
        """A bound socket: one address, in sip and sport."""
        return self.kind in ("ipv4_bound", "ipv6_bound")

    @property
    def is_tuple(self) -> bool:
        """An IP socket that is not bound: two addresses."""
        return self.kind in ("ipv4", "ipv6")

    @property
    def is_ip(self) -> bool:
        """An IP socket of any kind."""
        return self.kind in ("ipv4", "ipv6", "ipv4_bound", "ipv6_bound")

    @property
    def is_file(self) -> bool:
        """A file or a directory: the name is a path."""
        return self.kind in ("file", "directory")

    def copy(self, num: int) -> Fd:
        """The same under another number (dup, fork)."""
        new = Fd.__new__(Fd)
        for slot in Fd.__slots__:
            setattr(new, slot, getattr(self, slot))
        new.num = num
        return new


TYPECHARS = {
    "unknown": "o", "file": "f", "directory": "d", "ipv4": "4", "ipv6": "6", "ipv4_bound": "4", "ipv6_bound": "6",
    "fifo": "p", "unix": "u", "event": "e", "unsupported": "X", "signalfd": "s", "eventpoll": "l", "inotify": "i",
    "timerfd": "t", "netlink": "n", "bpf": "b", "userfaultfd": "u", "io_uring": "r", "memfd": "m", "pidfd": "P",
}  # fmt: skip
"""Letter by kind."""


class Thread:
    """A thread; what is not known is None. A process is the thread whose tid is its pid.

    `fds` is the table of the thread's descriptors: the main thread's own where the thread shares it. Memory in KB.
    """

    __slots__ = (
        "args", "cap_effective", "cap_inheritable", "cap_permitted", "category", "cgroups", "clone_ts", "comm",
        "container", "own_cwd", "env", "exe", "exepath", "exe_ino", "exe_ino_ctime", "exe_ino_mtime", "exe_lower_layer",
        "exe_from_memfd", "exe_upper_layer", "exe_writable", "exec_ts", "fdlimit", "flags", "from_list", "gid",
        "last_enter", "last_fd", "last_latency", "last_type", "last_valid", "loginuid", "main_tid", "own_fds", "pgid",
        "pfmajor", "pfminor", "pid", "ptid", "root", "sid", "tid", "trace", "tty", "uid", "vmrss", "vmsize", "vmswap",
        "vpgid", "vpid", "vtid", "pidns_start", "program_hash", "exiting", "last_access", "children", "invalid",
        "cloning",
    )  # fmt: skip

    def __init__(self, trace: Trace, tid: int, pid: int) -> None:
        self.trace = trace
        self.tid = tid
        self.pid = pid
        self.ptid: int | None = None
        self.vtid: int | None = None
        self.vpid: int | None = None
        self.comm: str | None = None
        self.exe: str | None = None
        self.exepath: str | None = None
        self.args: list[str] = []
        self.env: list[str] = []
        self.own_cwd = ""  # ends in a slash, as libsinsp keeps it
        self.root: str | None = None
        self.uid: int | None = None
        self.gid: int | None = None
        self.loginuid: int | None = None
        self.sid: int | None = None
        self.pgid: int | None = None
        self.vpgid: int | None = None
        self.tty: int | None = None
        self.flags = 0  # PPM_CL_*
        self.fdlimit: int | None = None
        self.vmsize: int | None = None
        self.vmrss: int | None = None
        self.vmswap: int | None = None
        self.pfmajor: int | None = None
        self.pfminor: int | None = None
        self.cap_inheritable: int | None = None
        self.cap_permitted: int | None = None
        self.cap_effective: int | None = None
        self.exe_writable: bool | None = None
        self.exe_upper_layer: bool | None = None
        self.exe_lower_layer: bool | None = None
        self.exe_from_memfd: bool | None = None
        self.exe_ino: int | None = None
        self.exe_ino_ctime: int | None = None
        self.exe_ino_mtime: int | None = None
        self.pidns_start: int | None = None
        self.cgroups: list[str] = []  # subsystem=path
        self.container: str | None = None  # its id; None: on the host
        self.clone_ts: int | None = None  # ns since the epoch; None: from the lists
        self.exec_ts: int | None = None
        self.category = 0
        self.children = 0
        self.program_hash: int | None = None
        self.from_list = False
        self.invalid = False  # a placeholder: nothing is known but the tid
        self.own_fds: dict[int, Fd] = {}
        self.main_tid = pid
        self.last_enter: Event | None = None
        self.last_type = -1
        self.last_fd = 0  # as libsinsp begins
        self.last_valid = False
        self.last_latency: int | None = None  # ns, of the last exit; None: there was none
        self.last_access = 0
        self.cloning = False
        self.exiting = False

    @property
    def main(self) -> Thread | None:
        """The process's main thread; None where the trace does not know it."""
        return self if self.tid == self.pid else self.trace.find(self.pid)

    @property
    def is_main(self) -> bool:
        """Whether this is the process's main thread."""
        return self.tid == self.pid

    @property
    def fds(self) -> dict[int, Fd]:
        """The table in which this thread's descriptors are looked up: the main thread's with CLONE_FILES."""
        if self.flags & 1 and self.tid != self.pid:
            main = self.trace.main_of(self)
            return main.own_fds if main is not None else self.own_fds
        return self.own_fds

    @property
    def cwd(self) -> str | None:
        """The working directory, ending in a slash: the main thread's where descriptors are shared; may be empty."""
        if self.flags & 1 and self.tid != self.pid:
            main = self.trace.main_of(self)
            return main.own_cwd if main is not None else None
        return self.own_cwd

    def parent(self) -> Thread | None:
        """The thread that made it; None where the trace does not know it."""
        return None if self.ptid is None else self.trace.find(self.ptid)


class Event:
    """One event, and what it meets. `info` is the row of the event table; `params` are the recorded bytes.

    `num` is sysdig's number, 0 for event types that sysdig 0.29.3 does not know; `ordinal` counts every event block
    of the file from 1; `offset` is the block's in the decompressed input. `hidden`: sysdig shows it with -D only.
    """

    __slots__ = (
        "block_flags", "code", "cpu", "enter", "fd", "fd_num", "first_ts", "hidden", "info", "num", "offset", "ordinal",
        "params", "previous_ts", "res", "thread", "tid", "trace", "ts", "parsed", "consumed", "extra",
        "big_endian",
    )  # fmt: skip

    def __init__(self, trace: Trace, info: EventType, code: int, ts: int, tid: int, params: tuple[bytes, ...]) -> None:
        self.trace = trace
        self.info = info
        self.code = code
        self.ts = ts  # ns since the epoch
        self.tid = tid
        self.params = params
        self.num = 0
        self.ordinal = 0
        self.offset = 0
        self.cpu = 0
        self.block_flags = 0
        self.thread: Thread | None = None
        self.fd: Fd | None = None
        self.fd_num: int | None = None  # the number that the event uses, known or not; None: no thread
        self.enter: Event | None = None  # of an exit: the enter that it belongs to
        self.previous_ts: int | None = None  # of the event before; None: this is the first
        self.first_ts = ts
        self.res: int | None = None  # what the call returned; None on enters
        self.hidden = False
        self.big_endian = False  # parameters are in this machine's order whatever the file's
        self.consumed = False  # a description of containers before the first event: sysdig never shows it
        self.parsed = True  # False: an exit without its enter, which changed nothing
        self.extra: object = None  # what other sources than scap have to say

    @property
    def name(self) -> str:
        """The event type's name."""
        return self.info.name

    @property
    def direction(self) -> str:
        """`>` for enter, `<` for exit."""
        return self.info.direction

    @property
    def is_exit(self) -> bool:
        """Whether the event is an exit."""
        return self.info.direction == "<"

    def index(self, name: str) -> int | None:
        """Where the parameter of that name stands; None where the type has none or this event does not carry it."""
        for index, (param, _, _) in enumerate(self.info.params):
            if param == name:
                return index if index < len(self.params) else None
        return None

    def param(self, name: str) -> bytes | None:
        """The recorded bytes of the parameter of that name; None where there is none."""
        found = self.index(name)
        return None if found is None else self.params[found]


class Trace:
    """Events in file order, and what is known beside them. Iterate once.

    `format` is scap, pcap or pcapng. `users` by uid, `groups` by gid. `losses` by cause. `exit_only`: the file was
    written by a driver of the newest schema, which records no enter events.
    """

    def __init__(self, name: str, format: str) -> None:
        self.name = name
        self.format = format
        self.threads: dict[int, Thread] = {}
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.interfaces: list[Interface] = []
        self.machine: Machine | None = None
        self.damage: Damage | None = None
        self.losses: dict[str, Loss] = {}
        self.first_ts: int | None = None
        self.exit_only = False
        self.containers: dict[str, object] = {}  # by id: containers.Container where the trace describes them
        self.headers: list[tuple[int, bytes]] = []  # blocks before the first event, type and body, as recorded

    def __iter__(self) -> Iterator[Event]:
        raise NotImplementedError

    def main_of(self, thread: Thread) -> Thread | None:
        """The main thread that holds what this thread shares; where it is not known, a placeholder for it."""
        return self.threads.get(thread.pid)

    def find(self, tid: int) -> Thread | None:
        """The thread; None where the trace does not know it."""
        return self.threads.get(tid)


__all__ = [
    "INFOS", "NO_FD", "TYPECHARS", "UNKNOWN_INFO", "Damage", "Event", "Fd", "Group", "Interface", "Loss", "Thread",
    "Trace", "User", "decode", "encode",
]  # fmt: skip

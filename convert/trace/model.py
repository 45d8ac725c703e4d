"""What a trace is made of: events, threads, descriptors, and the trace that holds them.

Text of the evidence is `str`, decoded from UTF-8 with surrogateescape: encoding it the same way gives the recorded
bytes. Buffers are bytes. An Event shows its thread and its descriptor as they stand right after it was applied, and is
valid only until the next one is taken: threads and descriptors are live objects and go on changing.
"""

from __future__ import annotations

from ..scap.event_table import EVENTS, EventType
from .rows import TYPECHARS, Fd, Thread

TYPE_CHECKING = False
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


class Record:
    """Named values, equal where all of them are. (Neither typing nor dataclasses: both are slow to import.)"""

    __slots__: tuple[str, ...] = ()

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(getattr(self, name) == getattr(other, name) for name in self.__slots__)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in self.__slots__)})"


class Interface(Record):
    """An address of a network interface; `family` is 4 or 6, address and netmask are in network order."""

    __slots__ = ("address", "family", "name", "netmask")

    def __init__(self, family: int, address: bytes, netmask: bytes, name: str) -> None:
        self.family, self.address, self.netmask, self.name = family, address, netmask, name


class User(Record):
    """A user of the machine's user list."""

    __slots__ = ("gid", "home", "name", "shell", "uid")

    def __init__(self, uid: int, gid: int, name: str, home: str, shell: str) -> None:
        self.uid, self.gid, self.name, self.home, self.shell = uid, gid, name, home, shell


class Group(Record):
    """A group of the machine's user list."""

    __slots__ = ("gid", "name")

    def __init__(self, gid: int, name: str) -> None:
        self.gid, self.name = gid, name


class Damage(Record):
    """Why reading ended early, and where: `offset` in the decompressed input."""

    __slots__ = ("offset", "what")

    def __init__(self, what: str, offset: int) -> None:
        self.what, self.offset = what, offset


class Loss(Record):
    """Something that was left out: how often, how many bytes, and the offset of the first (None: not known)."""

    __slots__ = ("bytes", "count", "first")

    def __init__(self, count: int = 0, bytes: int = 0, first: int | None = None) -> None:
        self.count, self.bytes, self.first = count, bytes, first


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

    def enter_of(
        self, thread: Thread, code: int, ts: int, params: tuple[bytes, ...], num: int, ordinal: int, cpu: int,
        flags: int, offset: int, previous: int,
    ) -> Event:  # fmt: skip
        """The last enter of a thread, which nobody looked at when it came."""
        info = INFOS[code]
        event = Event(self, info, code, ts, thread.tid, params)
        event.num, event.ordinal, event.cpu, event.block_flags, event.offset = num, ordinal, cpu, flags, offset
        event.hidden = info.category == "INTERNAL" or bool(flags & 1)
        event.thread, event.fd_num, event.previous_ts = thread, thread.last_fd, previous
        event.first_ts = ts if self.first_ts is None else self.first_ts
        event.fd = thread.fds.get(thread.last_fd)
        return event

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

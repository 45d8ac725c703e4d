"""A small machine that records its own system calls: threads with descriptors, connections, a scheduler in time order.

Every thread has its own clock; what it does becomes events that are handed out in order of time. Connections remember
what was sent both ways and which of it the recorder stored, so that the truth beside the sample needs no reader.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, field

from syswire.convert.scap.encoding import Address, Tuple, UnixTuple, Value
from syswire.convert.scap.event_table import Code

SNAPLEN = 4096
SECOND = 1_000_000_000
Steps = Generator[int, None, None]


@dataclass(slots=True)
class Row:
    """An event; its ordinal in the file is known once it was handed out."""

    ts: int
    tid: int
    cpu: int
    code: int
    values: list[Value]
    ordinal: int = 0


@dataclass(slots=True)
class Mark:
    """A call that moved bytes [start, stop) of a direction, of which [start, stored) were recorded."""

    start: int
    stop: int
    stored: int
    row: Row


@dataclass(slots=True)
class Flow:
    """One direction of a connection: the true bytes, and what each end's calls recorded of them."""

    data: bytearray = field(default_factory=bytearray)
    marks: list[Mark] = field(default_factory=list)

    def known(self, start: int, stop: int) -> bytes:
        """The bytes of [start, stop) that some call recorded, in order."""
        wanted = bytearray()
        at = start
        for mark in sorted(self.marks, key=lambda m: m.start):
            if mark.stored > at and mark.start < stop:
                begin = max(at, mark.start)
                end = min(stop, mark.stored)
                if end > begin:
                    wanted += self.data[begin:end]
                    at = end
        return bytes(wanted)

    def rows_at(self, offset: int) -> list[Row]:
        """The events that recorded the byte at an offset, of both ends."""
        return [mark.row for mark in self.marks if mark.start <= offset < mark.stored]


@dataclass(slots=True)
class Connection:
    """Two endpoints; `client` and `server` are None for an end of which only the name is known."""

    protocol: str
    client: Address | None
    server: Address | None
    pointers: tuple[int, int] = (0, 0)
    path: str = ""
    preexisting: bool = False
    closed: bool = False
    to_server: Flow = field(default_factory=Flow)
    to_client: Flow = field(default_factory=Flow)
    bytes_to_server: int = 0
    bytes_to_client: int = 0
    client_pids: list[int] = field(default_factory=list)
    server_pids: list[int] = field(default_factory=list)
    number: int = 0

    def tuple(self) -> Tuple | UnixTuple:
        """The tuple that accept and connect record."""
        if self.client is None or self.server is None:
            return UnixTuple(*self.pointers, self.path.encode())
        return Tuple(self.client, self.server)

    def answering(self) -> Tuple | None:
        """The tuple that the client's receive of a datagram records, None for a stream."""
        if self.protocol != "udp" or self.client is None or self.server is None:
            return None
        return Tuple(self.server, self.client)

    def name(self) -> str:
        """sysdig's name of it."""
        if self.client is None or self.server is None:
            return f"{self.pointers[0]:x}->{self.pointers[1]:x} {self.path}"
        return f"{self.client.ip}:{self.client.port}->{self.server.ip}:{self.server.port}"


@dataclass(slots=True)
class End:
    """One end of a connection as a descriptor has it."""

    connection: Connection
    is_server: bool
    sent: int = 0
    received: int = 0

    def flow(self, sending: bool) -> Flow:
        """The direction in which this end sends or receives."""
        return self.connection.to_client if self.is_server == sending else self.connection.to_server


SEND = {
    "write": (Code.SYSCALL_WRITE_E, Code.SYSCALL_WRITE_X),
    "writev": (Code.SYSCALL_WRITEV_E, Code.SYSCALL_WRITEV_X),
    "sendto": (Code.SOCKET_SENDTO_E, Code.SOCKET_SENDTO_X),
}
RECEIVE = {
    "read": (Code.SYSCALL_READ_E, Code.SYSCALL_READ_X),
    "recvfrom": (Code.SOCKET_RECVFROM_E, Code.SOCKET_RECVFROM_X),
}


class Machine:
    """Collects events, runs sessions in order of time and counts what sysdig's chisels would count."""

    def __init__(self, seed: int, start: int) -> None:
        self.random = random.Random(seed)
        self.start = start
        self.connections: list[Connection] = []
        self.by_process: Counter[tuple[str, int]] = Counter()
        self.by_connection: Counter[tuple[str, str, str]] = Counter()
        self._rows: list[tuple[int, int, Row]] = []
        self._sessions: list[tuple[int, int, Steps]] = []
        self._count = 0
        self._ordinal = 0
        self._handed_out = 0

    def record(self, row: Row) -> Row:
        """Take an event; it must not lie before what was handed out already."""
        if row.ts < self._handed_out:
            raise AssertionError(f"thread {row.tid} is {self._handed_out - row.ts} ns late")
        self._count += 1
        heapq.heappush(self._rows, (row.ts, self._count, row))
        return row

    def session(self, at: int, steps: Steps) -> None:
        """Run a generator from a time on; it yields the time at which it wants to go on."""
        self._count += 1
        heapq.heappush(self._sessions, (at, self._count, steps))

    def connection(self, connection: Connection) -> Connection:
        """Count a connection in."""
        self.connections.append(connection)
        connection.number = len(self.connections)
        return connection

    def run(self) -> Iterator[Row]:
        """Run all sessions to their end; events in order of time, numbered from 1."""
        while self._sessions:
            now, _, steps = heapq.heappop(self._sessions)
            yield from self._until(now)
            following = next(steps, None)
            if following is not None:
                self.session(max(following, now), steps)
        yield from self._until(None)

    def _until(self, time: int | None) -> Iterator[Row]:
        self._handed_out = time or 0
        while self._rows and (time is None or self._rows[0][0] < time):
            row = heapq.heappop(self._rows)[2]
            self._ordinal += 1
            row.ordinal = self._ordinal
            yield row


class Thread:
    """A thread: it enters and leaves system calls at its own pace."""

    def __init__(self, machine: Machine, tid: int, pid: int, ptid: int, comm: str, exe: str, args: list[str]) -> None:
        self.machine, self.tid, self.pid, self.ptid = machine, tid, pid, ptid
        self.comm, self.exe, self.args = comm, exe, args
        self.uid = self.gid = 0
        self.now = machine.start + machine.random.randrange(1000, 90_000)
        self.cpu = machine.random.randrange(4)
        self.fds: dict[int, End | str] = {0: "/dev/null", 1: "/dev/null", 2: "/dev/null"}
        self.lowest = 3
        self._leaving: tuple[int, list[Value], Callable[[Row], None] | None] | None = None

    def wait(self, time: int) -> None:
        """Let the clock go on to a time, never back."""
        self.now = max(self.now, time)

    def spend(self, low: int = 300, high: int = 2500) -> None:
        """Let some ns pass outside of the kernel."""
        self.now += self.machine.random.randrange(low, high)

    def enter(
        self,
        codes: tuple[int, int],
        entering: list[Value],
        leaving: list[Value],
        done: Callable[[Row], None] | None = None,
    ) -> Row:
        """Enter a call; `leaving` are its exit's values, unless leave() is told others."""
        if self._leaving is not None:
            raise AssertionError(f"thread {self.tid} is in a call already")
        self.spend()
        self._leaving = (codes[1], leaving, done)
        return self.machine.record(Row(self.now, self.tid, self.cpu, codes[0], entering))

    def leave(self, at: int | None = None, values: list[Value] | None = None) -> Row:
        """Leave the call that was entered, at a time or after a moment."""
        if self._leaving is None:
            raise AssertionError(f"thread {self.tid} is in no call")
        code, leaving, done = self._leaving
        self._leaving = None
        self.spend(400, 4000)
        if at is not None:
            self.wait(at)
        row = self.machine.record(Row(self.now, self.tid, self.cpu, code, leaving if values is None else values))
        if done is not None:
            done(row)
        return row

    def call(self, codes: tuple[int, int], entering: list[Value], leaving: list[Value]) -> Row:
        """A whole call."""
        self.enter(codes, entering, leaving)
        return self.leave()

    def meta(self, code: int, values: list[Value]) -> Row:
        """An event that is no call."""
        self.spend()
        return self.machine.record(Row(self.now, self.tid, self.cpu, code, values))

    def new_fd(self, what: End | str, fd: int | None = None) -> int:
        """The lowest free descriptor from here on belongs to `what`."""
        if fd is None:
            fd = self.lowest
            while fd in self.fds:
                fd += 1
        self.fds[fd] = what
        return fd

    def end(self, fd: int) -> End:
        """The connection end behind a descriptor."""
        what = self.fds[fd]
        if isinstance(what, str):
            raise TypeError(f"descriptor {fd} is {what}")
        return what

    def enter_send(self, fd: int, data: bytes, how: str = "write") -> Row:
        """Enter a send of `data` on a connection or to a file; the bytes are on their way from now on."""
        codes = SEND[how]
        what = self.fds[fd]
        tail: list[Value] = []
        if how == "sendto":
            udp = isinstance(what, End) and what.connection.protocol == "udp"
            tail = [what.connection.tuple() if isinstance(what, End) and udp else None]
        leaving: list[Value] = [len(data), data[:SNAPLEN], fd, len(data), *tail]
        done = None
        if isinstance(what, End):
            flow, start = what.flow(True), what.sent
            if len(flow.data) != start:
                raise AssertionError("sent bytes are not in order")
            flow.data += data
            what.sent += len(data)
            done = self._moved(what, flow, start, len(data), min(len(data), SNAPLEN), True)
        return self.enter(codes, [fd, len(data), *tail], leaving, done)

    def send(self, fd: int, data: bytes, how: str = "write") -> Row:
        """A whole send."""
        self.enter_send(fd, data, how)
        return self.leave()

    def enter_receive(self, fd: int, size: int = 8000, how: str = "read") -> Row:
        """Enter a receive; leave_receive says what came."""
        return self.enter(RECEIVE[how], [fd, size], [fd, size, how])

    def leave_receive(self, data: bytes, at: int | None = None, error: int = 0) -> Row:
        """Leave a receive with data, with nothing (the other end closed) or with an error number."""
        if self._leaving is None:
            raise AssertionError(f"thread {self.tid} is in no call")
        code, (fd, size, how), _ = self._leaving
        if not isinstance(fd, int) or (isinstance(size, int) and len(data) > size):
            raise AssertionError("more bytes than were asked for")
        what = self.fds[fd]
        middle: list[Value] = []
        if how == "recvfrom":
            middle = [what.connection.answering() if isinstance(what, End) else None]
        values: list[Value] = [-error or len(data), data[:SNAPLEN], *middle, fd, size]
        done = None
        if isinstance(what, End) and not error:
            flow, start = what.flow(False), what.received
            if len(flow.data) < start + len(data):
                flow.data[start:] = data
            if flow.data[start : start + len(data)] != data:
                raise AssertionError("received bytes are not those that were sent")
            what.received += len(data)
            done = self._moved(what, flow, start, len(data), min(len(data), SNAPLEN), True)
        self._leaving = (code, values, done)
        return self.leave(at)

    def receive(self, fd: int, data: bytes, size: int = 8000, how: str = "read") -> Row:
        """A whole receive."""
        self.enter_receive(fd, size, how)
        return self.leave_receive(data)

    def sendfile(self, fd: int, source: int, data: bytes) -> Row:
        """sendfile: bytes go out that no call shows."""
        end = self.end(fd)
        flow, start = end.flow(True), end.sent
        flow.data += data
        end.sent += len(data)
        self.enter(
            (Code.SYSCALL_SENDFILE_E, Code.SYSCALL_SENDFILE_X),
            [fd, source, 0, len(data)],
            [len(data), len(data), fd, source, len(data)],
            self._moved(end, flow, start, len(data), 0, False),
        )
        return self.leave()

    def _moved(
        self, end: End, flow: Flow, start: int, length: int, stored: int, counted: bool
    ) -> Callable[[Row], None]:
        """What to note when a call on a connection returns; `counted` where sysdig calls it I/O."""

        def note(row: Row) -> None:
            connection = end.connection
            flow.marks.append(Mark(start, start + length, start + stored, row))
            if flow is connection.to_server:
                connection.bytes_to_server = max(connection.bytes_to_server, start + length)
            else:
                connection.bytes_to_client = max(connection.bytes_to_client, start + length)
            pids = connection.server_pids if end.is_server else connection.client_pids
            if self.pid not in pids:
                pids.append(self.pid)
            if counted and length and connection.client is not None:
                self.machine.by_process[self.comm, self.pid] += length
                self.machine.by_connection[self.comm, connection.protocol, connection.name()] += length

        return note

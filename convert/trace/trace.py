"""Open a trace: `open_trace(source)` gives the events of a scap file as libsinsp shows them."""

from __future__ import annotations

from struct import Struct

from ..errors import InputError
from ..scap import headers
from .fds import listed
from .model import Damage, Event, Group, Interface, Loss, Thread, Trace, User, decode
from .raw import BLOCK, DAMAGE, FULL, RawWalker
from .replay import Replay, evidence_of_schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from ..source import Source
    from ..star.walk import StarWalker
    from .raw import RawEvent

BUFFER = 1 << 20
BATCH = 4096
MAGICS = {0x1A2B3C4D: "<", 0x4D3C2B1A: ">"}
MAX_HEADER = 1 << 26
MAX_LISTED = 1 << 19
MAX_ADDRESSES = 4096
MAX_USERS = 65_536
MAX_KEPT = 1 << 27  # bytes of head blocks kept for who writes the trace again

__all__ = ["open_recording", "open_trace"]


def open_trace(source: Source) -> Trace:
    """The trace in `source`; iterating reads it. The head is read at once: users, interfaces and threads as they were
    are there. Raises InputError where it is not a scap file.
    """
    return ScapTrace(source)


def open_recording(head: bytes) -> ScapTrace:
    """A trace that is still being recorded: `head` are the blocks in front of its events, which `more` takes as they
    come. They have enters and exits, as those of all but the newest drivers. Raises InputError where it is no head.
    """
    trace = ScapTrace(_Head(head))
    trace._set_schema(newest=False)
    return trace


class _Head:
    """Some bytes, as a source that ends behind them."""

    name = "recording"
    damage = None

    def __init__(self, blocks: bytes) -> None:
        self._rest = memoryview(blocks)

    def readinto(self, view: memoryview) -> int:
        count = min(len(view), len(self._rest))
        view[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count


class ScapTrace(Trace):
    """A scap file."""

    def __init__(self, source: Source | _Head) -> None:
        super().__init__(source.name, "scap")
        self._source = source
        self._walker = RawWalker()
        self._replay = Replay(self)
        self._buffer = bytearray(BUFFER)
        self._begin = self._end = self._base = 0
        self._order = "<"
        self._sections = 0
        self._kept = 0
        self._ended = False
        self._decided = False
        self._mark: tuple[int, int] | None = None  # where the first events are, while they are in the buffer
        self._batch: list[RawEvent] = []
        self._processes: list[headers.ProcessEntry] = []
        self._descriptors: list[tuple[int, headers.DescriptorEntry]] = []
        self._loaded = False
        self._fill()
        if self._sections == 0:
            raise InputError(f"{self.name}: {self.damage.what if self.damage else 'not a scap file'}, at byte 0")
        self._load()

    def main_of(self, thread: Thread) -> Thread | None:
        """The main thread that holds what this thread shares; where it is not known, a placeholder for it."""
        return self.threads.get(thread.pid) or self._replay.table.placeholder(thread.pid)

    @property
    def position(self) -> int:
        """Where in the input the next block begins."""
        return self._base

    def more(self, blocks: bytes) -> Iterator[Event]:
        """The events of whole event blocks that follow what was read. Take them all: they change what is known."""
        batch: list[RawEvent] = []
        self._walker.take(bytearray(blocks), 0, len(blocks), self._base, batch, len(blocks))
        self._base += len(blocks)
        self._count()
        yield from map(self._replay.apply, batch)

    @property
    def decided(self) -> bool:
        """Whether the events so far told by which rules the file is to be read."""
        return self._decided

    def sweep(self, walker: StarWalker, visit: Callable[[Event], object]) -> None:
        """Let a compiled walk take the events, from the first one on, instead of iterating. `visit` gets those that
        it does not take, and says whether it is enough.
        """
        replay, batch, before = self._replay, self._batch, self._walker
        self._batch = []
        if self._mark is not None and not before.swapped:  # the walk can take the first ones too
            self._begin, self._base = self._mark
            walker.begin(replay, None)
        else:
            for raw in batch:
                if visit(replay.apply(raw)):
                    return
            walker.begin(replay, before)
        self._walker = walker
        while not self._ended:
            if self._replay is not replay:  # another capture follows in the file
                replay = self._replay
                walker.begin(replay, walker)
            begin = self._begin
            status, at, detail = walker.sweep(self._buffer, begin, self._end, self._base)
            self._base += at - begin
            self._begin = at
            if status == FULL:
                break
            self._meet(status, detail)
        walker.finish()
        self._count()

    def __iter__(self) -> Iterator[Event]:
        while True:
            batch, self._batch = self._batch, []
            apply = self._replay.apply  # another one where another capture follows in the file
            for raw in batch:
                if not self._decided:
                    self._decide(raw)
                yield apply(raw)
            if self._ended and not self._batch:
                break
            self._fill()
        self._replay.settle()

    def _decide(self, raw: RawEvent) -> None:
        told = evidence_of_schema(raw[4], raw[8])
        if told is not None:
            self._set_schema(newest=told)

    def _set_schema(self, *, newest: bool) -> None:
        self._decided = True
        self.exit_only = self._replay.table.newest = newest

    # -- blocks

    def _fill(self) -> None:
        """Read until there are events to take, or to the end."""
        while not self._batch and not self._ended:
            buffer, begin = self._buffer, self._begin
            status, at, detail = self._walker.take(buffer, begin, self._end, self._base, self._batch, BATCH)
            if self._sections == 0 and self._end - begin >= 4 and buffer[begin : begin + 4] != headers.SECTION_BYTES:
                self._break("not a scap file: it does not begin with a section header")
                break
            if self._batch and self._mark is None and self._walker.events == len(self._batch):
                self._mark = begin, self._base
            self._base += at - begin
            self._begin = at
            if status == FULL or (self._batch and status != DAMAGE):
                break  # what follows, a header block or the rest of one, is for after these events
            self._meet(status, detail)
        self._count()

    def _meet(self, status: int, detail: int) -> None:
        """What the walk over the events cannot go past."""
        if status == DAMAGE:
            self._break(f"block length {detail} cannot be")
        elif status == BLOCK:
            self._block(detail)
        else:
            self._read(detail)

    def _read(self, need: int) -> None:
        """More input; `need` bytes from `_begin` on make a block whole."""
        self._mark = None
        if self._begin:
            self._buffer[: self._end - self._begin] = self._buffer[self._begin : self._end]
            self._begin, self._end = 0, self._end - self._begin
        if need > len(self._buffer):
            self._buffer.extend(bytes(min(need, 2 * len(self._buffer)) - len(self._buffer)))
        with memoryview(self._buffer) as view:
            count = self._source.readinto(view[self._end :])
        self._end += count
        if count == 0:
            self._ended = True
            if self._end > self._begin:
                self._break(f"cut: the last {self._end - self._begin} bytes are not a whole block")
            elif self._source.damage is not None:
                self._break("")

    def _break(self, what: str) -> None:
        if self._source.damage is not None:
            what = f"{self._source.damage.what}, at stored byte {self._source.damage.offset}"
        self.damage = Damage(what, self._base)
        self._ended = True

    def _block(self, kind: int) -> None:
        begin, room = self._begin, self._end - self._begin
        if kind == headers.SECTION:
            if room < 12:
                self._read(12)
                return
            order = MAGICS.get(int.from_bytes(self._buffer[begin + 8 : begin + 12], "little"))
            if order is None:
                self._break("not a section header: wrong magic number")
                return
            self._order = order
            self._walker.swapped = order == ">"
        (size,) = Struct(self._order + "I").unpack_from(self._buffer, begin + 4)
        if size < 12 or size % 4 or size > MAX_HEADER:
            self._break(f"block length {size} cannot be")
            return
        if room < size:
            self._read(size)
            return
        body = bytes(self._buffer[begin + 8 : begin + size - 4])
        if kind == headers.SECTION:
            self._section(body)
        else:
            if self._loaded and kind in (*headers.PROCESSES, *headers.DESCRIPTORS):
                self._loaded = False
            try:
                self._header(kind, body, size)
            except headers.ShortEntryError:
                self._lose("short_lists", 1, size)
        if not self._ended:
            self._begin, self._base = begin + size, self._base + size

    def _section(self, body: bytes) -> None:
        if len(body) < 8 or Struct(self._order + "H").unpack_from(body, 4)[0] > 1:
            self._break("section header of an unknown version")
            return
        if self._sections:
            self.threads.clear()
            self.interfaces.clear()
            self.headers.clear()
            self._processes.clear()
            self._descriptors.clear()
            replay = Replay(self)
            replay.previous_ts, replay.started = self._replay.previous_ts, self._replay.started
            replay.table.newest = self._replay.table.newest
            self._replay = replay
            self._loaded = False
        self._sections += 1

    def _header(self, kind: int, body: bytes, size: int) -> None:
        order = self._order
        if self._kept + size <= MAX_KEPT:
            self._kept += size
            self.headers.append((kind, body))
        if kind in headers.MACHINE:
            self.machine = headers.machine(body, order)
        elif kind in headers.PROCESSES:
            for process in headers.processes(body, order, headers.PROCESSES[kind]):
                self._keep(self._processes, process)
        elif kind in headers.DESCRIPTORS:
            tid, entries = headers.descriptors(body, order, headers.DESCRIPTORS[kind])
            for entry in entries:
                self._keep(self._descriptors, (tid, entry))
        elif kind in headers.INTERFACES:
            for face in headers.interfaces(body, order, headers.INTERFACES[kind]):
                if len(self.interfaces) < MAX_ADDRESSES:
                    self.interfaces.append(Interface(face.family, face.address, face.netmask, decode(face.name)))
        elif kind in headers.USERS:
            for user in headers.users(body, order, headers.USERS[kind]):
                self._user(user)
        else:
            self._lose("unknown_block", 1, size)

    def _user(self, user: headers.UserEntry) -> None:
        if len(self.users) + len(self.groups) >= MAX_USERS:
            self._lose("users_refused", 1, 0)
        elif user.group:
            self.groups[user.gid] = Group(user.gid, decode(user.name))
        else:
            self.users[user.uid] = User(user.uid, user.gid, decode(user.name), decode(user.home), decode(user.shell))

    def _keep(self, into: list[Any], entry: object) -> None:
        if len(into) < MAX_LISTED:
            into.append(entry)
        else:
            self._lose("lists_refused", 1, 0)

    def _lose(self, cause: str, count: int, size: int) -> None:
        loss = self.losses.setdefault(cause, Loss(first=self._base))
        loss.count += count
        loss.bytes += size

    def _count(self) -> None:
        walker = self._walker
        if walker.damaged_events:
            self.losses["damaged_event"] = Loss(walker.damaged_events, 0, walker.first_damaged)
        if walker.unknown_types:
            self.losses["unknown_event_type"] = Loss(walker.unknown_types, 0, walker.first_unknown)

    # -- the lists

    def _load(self) -> None:
        """All lists are there: threads first, then what they have open, whose roles follow from who listens."""
        if self._loaded:
            return
        self._loaded = True
        told = {found for raw in self._batch if (found := evidence_of_schema(raw[4], raw[8])) is not None}
        if told:
            self._set_schema(newest=False not in told)
        table = self._replay.table
        for process in self._processes:
            table.listed(process)
        for thread in self.threads.values():
            thread.children = 0
        for thread in self.threads.values():
            if thread.flags & 1 << 13 and (main := self.threads.get(thread.pid)) is not None and main is not thread:
                main.children += 1
        bound = {entry.dport for _, entry in self._descriptors if entry.kind in (5, 6)}
        for tid, entry in self._descriptors:
            owner = self.threads.get(tid)
            if owner is not None:
                table.fds += entry.fd not in owner.own_fds
                owner.own_fds[entry.fd] = listed(entry, bound, self.interfaces)
        self._processes.clear()
        self._descriptors.clear()

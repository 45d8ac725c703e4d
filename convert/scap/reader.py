"""Read a scap stream: blocks in, state and conversations behind; one pass over bounded buffers.

`ScapReader.run` drives the compiled walk and handles the blocks that are not events: section headers, machine info,
lists of interfaces, users, threads and descriptors; unknown blocks are skipped and counted. Reading ends at the first
place where the framing is broken: what, where, and everything before it is kept.
"""

from __future__ import annotations

from collections import Counter
from struct import Struct
from typing import IO, TYPE_CHECKING, NamedTuple

from ..errors import InputError
from . import headers
from .identity import Identities
from .loading import load_descriptor, load_interface, load_thread
from .state import State
from .walk import BLOCK, DAMAGE, LISTED, NEED, Walker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..source import Source
    from .sink import NetSink

BUFFER = 1 << 20
SECTION_MAGIC = 0x1A2B3C4D
ROW = Struct("<QQqQqIIIHH")
MAX_HEADER = 1 << 26
MAX_LISTED = 1 << 19  # descriptors in the lists; held until all are there
MAX_INTERFACES = 4096
MAX_BLOCK_TYPES = 256


class ScapDamage(NamedTuple):
    """Where and why reading ended early: `offset` in the decompressed input."""

    what: str
    offset: int


class EventRow(NamedTuple):
    """One event of a listing: `thread` and `desc` are version ids (0 none), `fd` -1 for none."""

    ordinal: int
    ts: int
    tid: int
    block: int
    fd: int
    evt_num: int
    thread: int
    desc: int
    type: int
    cpu: int


class ScapReader:
    """One capture being read. After `run`: counts, losses, machine, damage; identities by thread version."""

    def __init__(self, source: Source, sink: NetSink, spool: IO[bytes], *, listing: bool = False) -> None:
        """`spool` takes the thread versions (read and write, binary); `sink` hears of the network."""
        self.source = source
        self.identities = self.make_identities(spool)
        self._sink = sink
        self._state = self.make_state()
        self.walker = Walker(self._state, listing=listing)
        self.restart: Callable[[], None] | None = None
        self.machine: headers.Machine | None = None
        self.interfaces: list[headers.InterfaceEntry] = []
        self.unknown_blocks: Counter[int] = Counter()
        self.unknown_bytes = 0
        self.first_unknown_block: int | None = None
        self.short_lists = 0
        self.first_short_list: int | None = None
        self.sections = 0
        self.damage: ScapDamage | None = None
        self.dropped = 0
        self.refused = 0
        self.bytes_read = 0
        self._pending: list[tuple[int, headers.DescriptorEntry]] = []
        self._order = "<"

    def make_identities(self, spool: IO[bytes]) -> Identities:
        """What knows the threads; who reads a capture for another purpose may have another."""
        return Identities(spool)

    def make_state(self) -> State:
        """The tables of a section."""
        return State(self._sink, self.identities)

    def run(self, progress: Callable[[int], None] | None = None) -> Iterator[bytes]:
        """Read to the end. Yields the listing's rows in batches of ROW where a listing was asked for (else nothing).

        Raises InputError where the input is not a scap file or not even one block of it is whole.
        """
        buffer = bytearray(BUFFER)
        view = memoryview(buffer)
        begin = end = base = 0
        while True:
            count = self.source.readinto(view[end:])
            end += count
            self.bytes_read += count
            if progress is not None:
                progress(self.bytes_read)
            while True:
                status, at, detail = self._take(buffer, begin, end, base)
                base += at - begin
                begin = at
                if status != LISTED:
                    break
                yield self.walker.take_rows()
            if self.damage is not None or count == 0:
                break
            if begin:
                buffer[: end - begin] = buffer[begin:end]
                begin, end = 0, end - begin
            if detail > len(buffer):
                view.release()
                buffer.extend(bytes(min(detail, len(buffer) * 2) - len(buffer)))
                view = memoryview(buffer)
        self._load_descriptors()
        if self.damage is None and end > begin:
            self._break(f"cut: the last {end - begin} bytes are not a whole block", base)
        elif self.damage is None and self.source.damage is not None:
            self._break("", base)
        if self.sections == 0:
            raise InputError(f"{self.source.name}: {self.damage.what if self.damage else 'not a scap file'}, at byte 0")
        if rows := self.walker.take_rows():
            yield rows
        self._count_state()
        self.refused += self.identities.refused

    def _take(self, buffer: bytearray, begin: int, end: int, base: int) -> tuple[int, int, int]:
        """Take every whole block. Returns LISTED, or NEED and how many bytes the next one has, and where it begins."""
        while True:
            if self.sections == 0 and end - begin >= 4 and buffer[begin : begin + 4] != headers.SECTION_BYTES:
                self._break("not a scap file: it does not begin with a section header", base)
                return NEED, begin, 0
            if self._pending and end - begin >= 4 and self._at_event(buffer, begin):
                self._load_descriptors()
            status, at, detail = self.walker.walk(buffer, begin, end, base)
            base += at - begin
            begin = at
            if status == BLOCK:
                size = self._block(buffer, begin, end, base, detail)
                if size > 0:
                    begin, base = begin + size, base + size
                    continue
                return NEED, begin, -size
            if status == DAMAGE:
                self._break(f"block length {detail} cannot be", base)
            return (LISTED if status == LISTED else NEED), begin, detail

    def _break(self, what: str, offset: int) -> None:
        if self.source.damage is not None:
            what = f"{self.source.damage.what}, at stored byte {self.source.damage.offset}"
        self.damage = ScapDamage(what, offset)

    def _at_event(self, buffer: bytearray, begin: int) -> bool:
        kind = int.from_bytes(buffer[begin : begin + 4], "little" if self._order == "<" else "big")
        return kind in headers.EVENTS_PLAIN

    def _block(self, buffer: bytearray, begin: int, end: int, base: int, kind: int) -> int:
        """Handle a block that is not an event. Returns its size, or minus the bytes that it needs to be whole."""
        if kind == headers.SECTION:
            if end - begin < 12:
                return -12
            magic = int.from_bytes(buffer[begin + 8 : begin + 12], "little")
            if magic not in (SECTION_MAGIC, 0x4D3C2B1A):
                self._break("not a section header: wrong magic number", base)
                return 0
            self._order = "<" if magic == SECTION_MAGIC else ">"
            self.walker.swapped = self._order == ">"
        (size,) = Struct(self._order + "I").unpack_from(buffer, begin + 4)
        if size < 12 or size % 4 or size > MAX_HEADER:
            self._break(f"block length {size} cannot be", base)
            return 0
        if end - begin < size:
            return -int(size)
        body = bytes(buffer[begin + 8 : begin + size - 4])
        if kind == headers.SECTION:
            self._section(body, base)
            if self.damage is not None:
                return 0
        else:
            try:
                self._header(kind, body, size, base)
            except headers.ShortEntryError:
                self.short_lists += 1
                if self.first_short_list is None:
                    self.first_short_list = base
        return int(size)

    def _section(self, body: bytes, base: int) -> None:
        if len(body) < 8 or Struct(self._order + "H").unpack_from(body, 4)[0] > 1:
            self._break("section header of an unknown version", base)
            return
        if self.sections:
            self._pending.clear()
            self._count_state()
            self.identities.restart(self.walker.last_ts)
            self._state = self.make_state()
            self.walker.replace_state(self._state)
            if self.restart is not None:
                self.restart()
        self.sections += 1

    def _count_state(self) -> None:
        self.dropped += self._state.dropped_events
        self.refused += self._state.refused + self._state.names_refused

    def _header(self, kind: int, body: bytes, size: int, base: int) -> None:
        order = self._order
        if kind in headers.MACHINE:
            self.machine = headers.machine(body, order)
        elif kind in headers.PROCESSES:
            for entry in headers.processes(body, order, headers.PROCESSES[kind]):
                version, container = self.identities.listed(entry, base)
                load_thread(self._state, entry.tid, entry.pid, entry.flags, entry.cwd, version, container)
        elif kind in headers.DESCRIPTORS:
            tid, entries = headers.descriptors(body, order, headers.DESCRIPTORS[kind])
            for descriptor in entries:
                if len(self._pending) < MAX_LISTED:
                    self._pending.append((tid, descriptor))
                else:
                    self.refused += 1
        elif kind in headers.INTERFACES:
            for interface in headers.interfaces(body, order, headers.INTERFACES[kind]):
                if len(self.interfaces) < MAX_INTERFACES:
                    self.interfaces.append(interface)
                load_interface(self._state, interface.family, interface.address, interface.netmask)
        elif kind in headers.USERS:
            for user in headers.users(body, order, headers.USERS[kind]):
                self.identities.user(user)
        else:
            more = kind in self.unknown_blocks or len(self.unknown_blocks) < MAX_BLOCK_TYPES
            self.unknown_blocks[kind if more else 0] += 1
            self.unknown_bytes += size
            if self.first_unknown_block is None:
                self.first_unknown_block = base

    def _load_descriptors(self) -> None:
        """All fd lists are there: roles follow from the ports that somebody listens on."""
        pending, self._pending = self._pending, []
        bound = {entry.dport for _, entry in pending if entry.kind in (5, 6)}
        shared: dict[tuple[object, ...], int] = {}
        for tid, entry in pending:
            server = entry.kind in (3, 4) and entry.sport in bound
            key = entry.description() if entry.inode and entry.kind in (3, 4, 8) else None
            found = shared.get(key, 0) if key is not None else 0
            index = load_descriptor(self._state, entry, tid, entry.fd, server, found)
            if key is not None and index:
                shared[key] = index

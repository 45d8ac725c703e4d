"""The blocks of a scap file that describe the machine at the start: sans-IO, block body in, records out.

Layouts: facts on the scap format, sections 2.1 to 2.5. Every list version is read; an entry that runs past its end or
its block ends the list with a ShortEntryError, after those before it were given.
"""

from __future__ import annotations

from struct import Struct

from .entries import DescriptorEntry, InterfaceEntry, Machine, ProcessEntry, ProcessRest, UserEntry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

SECTION = 0x0A0D0D0A
SECTION_BYTES = b"\n\r\r\n"  # alike in both byte orders
MACHINE = (0x201, 0x8002ABCD)
PROCESSES = {
    0x202: 1, 0x8000ABCD: 1, 0x207: 2, 0x8013ABCD: 2, 0x209: 3, 0x8014ABCD: 3,
    0x210: 4, 0x211: 5, 0x212: 6, 0x213: 7, 0x214: 8, 0x215: 9,
}  # fmt: skip
DESCRIPTORS = {0x203: 1, 0x8001ABCD: 1, 0x218: 2}
INTERFACES = {0x205: 1, 0x8011ABCD: 1, 0x219: 2}
USERS = {0x206: 1, 0x8012ABCD: 1, 0x220: 2}
LONGEST_TAIL = 76  # of a process entry behind the root directory, as far as it is known
EVENTS_PLAIN = frozenset((0x204, 0x8010ABCD, 0x208, 0x216, 0x217, 0x221, 0x222))


class ShortEntryError(ValueError):
    """An entry runs past the end of its block, at `offset` of the body."""

    def __init__(self, offset: int) -> None:
        super().__init__(f"an entry at byte {offset} of the block runs past its end")
        self.offset = offset


_layouts: dict[str, Struct] = {}


class _Body:
    """A cursor over a block body in one byte order; an entry that tells its length ends at `end`."""

    __slots__ = ("at", "data", "end", "order")

    def __init__(self, data: bytes, order: str) -> None:
        self.data = data
        self.order = order
        self.at = 0
        self.end = len(data)

    def entry(self, least: int, *, counted: bool = True) -> int:
        """Begin an entry that tells its length (`counted`: the length includes itself): where it ends."""
        begin, self.end = self.at, len(self.data)
        (size,) = self.take("I")
        end = begin + size + (0 if counted else 4)
        if size < least or end > len(self.data):
            raise ShortEntryError(begin)
        self.end = end
        return end

    def leave(self, end: int) -> None:
        """Go to where the entry ends."""
        self.at, self.end = end, len(self.data)

    def take(self, form: str) -> tuple[int, ...]:
        layout = _layouts.get(self.order + form)
        if layout is None:
            layout = _layouts[self.order + form] = Struct(self.order + form)
        if self.at + layout.size > self.end:
            raise ShortEntryError(self.at)
        values: tuple[int, ...] = layout.unpack_from(self.data, self.at)
        self.at += layout.size
        return values

    def raw(self, count: int) -> bytes:
        if count < 0 or self.at + count > self.end:
            raise ShortEntryError(self.at)
        self.at += count
        return self.data[self.at - count : self.at]

    def text(self) -> bytes:
        (count,) = self.take("H")
        return self.raw(count)


def machine(data: bytes, order: str) -> Machine:
    """Decode a machine info block. Raises ShortEntryError where it has less than 180 bytes."""
    body = _Body(data, order)
    cpus, memory, max_pid = body.take("IQQ")
    hostname = body.raw(128).split(b"\0", 1)[0]
    (boot_time,) = body.take("Q")
    return Machine(cpus, memory, max_pid, hostname, boot_time)


def processes(data: bytes, order: str, version: int) -> Iterator[ProcessEntry]:
    """Decode a process list block of layout `version` (1 to 9), entry by entry. Raises ShortEntryError."""
    body = _Body(data, order)
    while len(data) - body.at >= 4 and (version < 9 or int.from_bytes(data[body.at : body.at + 4], "little") != 0):
        end = len(data)
        if version >= 9:
            end = body.entry(4)
        elif len(data) - body.at < 24:
            return
        tid, pid, ptid = body.take("qqq")
        (sid,) = body.take("q") if version >= 6 else (-1,)
        (vpgid,) = body.take("q") if version >= 8 else (-1,)
        comm, exe = body.text(), body.text()
        exepath = body.text() if version >= 7 else b""
        args, cwd = body.text(), body.text()
        fdlimit, flags, uid, gid = body.take("qIII")
        memory = body.take("IIIQQ") if version >= 2 else (0, 0, 0, 0, 0)
        env = body.text() if version >= 3 else b""
        cgroups = root = tail = b""
        ids: tuple[int, ...] = (-1, -1)
        if version >= 4:
            ids = body.take("qq")
            cgroups = body.text()
        if version >= 5:
            root = body.text()
        loginuid = -1
        if version >= 9:
            tail = data[body.at : min(end, body.at + LONGEST_TAIL)]
            if end - body.at > 29:
                body.at += 12
            if end - body.at >= 4:
                (loginuid,) = body.take("I")
            body.leave(end)
        vmsize, vmrss, vmswap, major, minor = memory
        rest = ProcessRest(sid, vpgid, fdlimit, vmsize, vmrss, vmswap, major, minor, ids[0], ids[1], root, tail)
        yield ProcessEntry(tid, pid, ptid, comm, exe, exepath, args, cwd, flags, uid, gid, env, cgroups, loginuid, rest)


def descriptors(data: bytes, order: str, version: int) -> tuple[int, Iterator[DescriptorEntry]]:
    """Decode an fd list block: the thread id and its descriptors. Raises ShortEntryError."""
    body = _Body(data, order)
    (tid,) = body.take("q")
    return tid, _descriptors(body, version)


def _descriptors(body: _Body, version: int) -> Iterator[DescriptorEntry]:
    least = 21 if version == 2 else 17
    while len(body.data) - body.at >= least:
        end = body.entry(21) if version == 2 else 0
        fd, inode, kind = body.take("qQB")
        sip = dip = name = b""
        sport = dport = l4 = source = dest = open_flags = device = 0
        if kind in (3, 4):
            sip, dip = body.raw(4 if kind == 3 else 16), body.raw(4 if kind == 3 else 16)
            sport, dport, l4 = body.take("HHB")
        elif kind in (5, 6):
            dip = body.raw(4 if kind == 5 else 16)
            dport, l4 = body.take("HB")
        elif kind == 8:
            source, dest = body.take("QQ")
            name = body.text()
        elif kind == 16:
            (open_flags,) = body.take("I")
            name = body.text()
            if version == 2 and end - body.at >= 4:
                (device,) = body.take("I")
        elif kind != 0:
            name = body.text()
        if version == 2:
            body.leave(end)
        yield DescriptorEntry(fd, inode, kind, sip, dip, sport, dport, l4, source, dest, name, open_flags, device)


def interfaces(data: bytes, order: str, version: int) -> Iterator[InterfaceEntry]:
    """Decode an interface list block. In version 2 the length prefix does not count itself. Raises ShortEntryError."""
    body = _Body(data, order)
    while len(data) - body.at >= (8 if version == 2 else 4):
        begin = body.at
        end = body.entry(4, counted=False) if version == 2 else 0
        kind, name_len = body.take("HH")
        if kind not in (1, 2, 3, 4):
            raise ShortEntryError(begin)
        width = 4 if kind in (1, 3) else 16
        address, netmask, _ = body.raw(width), body.raw(width), body.raw(width)
        body.at += 8 if kind in (1, 2) else 0
        name = body.raw(name_len)
        if version == 2:
            body.leave(end)
        yield InterfaceEntry(4 if width == 4 else 6, address, netmask, name)


def users(data: bytes, order: str, version: int) -> Iterator[UserEntry]:
    """Decode a user list block. Raises ShortEntryError."""
    body = _Body(data, order)
    while len(data) - body.at >= (9 if version == 2 else 5):
        end = body.entry(9) if version == 2 else 0
        (kind,) = body.take("B")
        if kind == 0:
            uid, gid = body.take("II")
            name, home, shell = body.text(), body.text(), body.text()
            entry = UserEntry(False, uid, gid, name, home, shell)
        else:
            (gid,) = body.take("I")
            entry = UserEntry(True, 0, gid, body.text())
        if version == 2:
            body.leave(end)
        yield entry


__all__ = [
    "DESCRIPTORS", "EVENTS_PLAIN", "INTERFACES", "MACHINE", "PROCESSES", "SECTION", "SECTION_BYTES", "USERS",
    "DescriptorEntry", "InterfaceEntry", "Machine", "ProcessEntry", "ProcessRest", "ShortEntryError", "UserEntry",
    "descriptors", "interfaces", "machine", "processes", "users",
]  # fmt: skip

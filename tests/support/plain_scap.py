"""A plain reader of scap files, written from the format's description alone: the oracle for the compiled reader.

It shares no code with the product but the generated event table (data). It favours plainness over speed: everything is
held in memory, one `struct` call a field. `records` yields what stands in the file in its order and raises Damaged at
the first byte that cannot be right, after everything before it was yielded.
"""

from __future__ import annotations

import gzip
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from syswire.convert.scap import event_table

SECTION = 0x0A0D0D0A
MACHINE = {0x201, 0x8002ABCD}
PROCESSES = {0x202: 1, 0x207: 2, 0x209: 3, 0x210: 4, 0x211: 5, 0x212: 6, 0x213: 7, 0x214: 8, 0x215: 9}
PROCESSES |= {0x8000ABCD: 1, 0x8013ABCD: 2, 0x8014ABCD: 3}
DESCRIPTORS = {0x203: 1, 0x8001ABCD: 1, 0x218: 2}
INTERFACES = {0x205: 1, 0x8011ABCD: 1, 0x219: 2}
USERS = {0x206: 1, 0x8012ABCD: 1, 0x220: 2}
# Event blocks: (with a flags field, with the number of parameters).
EVENTS = {0x204: (False, False), 0x8010ABCD: (False, False), 0x208: (True, False)}
EVENTS |= {0x216: (False, True), 0x217: (True, True), 0x221: (False, True), 0x222: (True, True)}


class Damaged(Exception):
    """The file cannot be read on; `offset` is that of the block at fault in the decompressed bytes."""

    def __init__(self, offset: int, message: str) -> None:
        super().__init__(f"{message} at offset {offset}")
        self.offset = offset


class Header(NamedTuple):
    """A block before or between the events: its kind, version and decoded entries."""

    offset: int
    block_type: int
    kind: str
    version: int
    entries: list[dict[str, Any]]


class Event(NamedTuple):
    """An event block; params are the bytes of each parameter as stored."""

    ordinal: int
    offset: int
    block_type: int
    ts: int
    tid: int
    cpu: int
    code: int
    flags: int
    params: list[bytes]
    comments: list[bytes]
    order: str

    @property
    def name(self) -> str:
        """The type's name; of a generic event the system call's."""
        if self.code in (0, 1) and self.params and len(self.params[0]) == 2:
            number: int = struct.unpack(self.order + "H", self.params[0])[0]
            return event_table.SYSCALLS[number] if number < len(event_table.SYSCALLS) else "<unknown>"
        return event_table.EVENTS[self.code][0] if self.code < len(event_table.EVENTS) else "<unknown>"

    @property
    def direction(self) -> str:
        """Enter or exit, by the parity of the code."""
        return "<" if self.code & 1 else ">"

    def value(self, index: int) -> int | bytes | None:
        """A parameter: an int where its type has a fixed size, bytes where not, None where it is absent."""
        if index >= len(self.params) or not self.params[index]:
            return None
        raw = self.params[index]
        table = event_table.EVENTS[self.code][4]
        kind = table[index][1] if index < len(table) else event_table.PT_BYTEBUF
        size = event_table.PARAM_SIZES[kind]
        if size not in (1, 2, 4, 8) or kind == event_table.PT_IPV4ADDR or len(raw) != size:
            return raw
        return int.from_bytes(raw, "little" if self.order == "<" else "big", signed=kind in event_table.PARAM_SIGNED)


class Cursor:
    """Reads fields one after the other within a range."""

    def __init__(self, data: bytes, order: str, start: int = 0, end: int | None = None) -> None:
        self.data, self.order, self.at = data, order, start
        self.end = len(data) if end is None else end

    @property
    def left(self) -> int:
        return self.end - self.at

    def take(self, size: int) -> bytes:
        if size > self.left:
            raise ValueError("an entry runs past its block")
        self.at += size
        return self.data[self.at - size : self.at]

    def get(self, code: str) -> int:
        number: int = struct.unpack(self.order + code, self.take(struct.calcsize(self.order + code)))[0]
        return number

    def text(self) -> bytes:
        return self.take(self.get("H"))

    def maybe(self, code: str) -> int | None:
        return self.get(code) if self.left >= struct.calcsize(self.order + code) else None


def process_entry(c: Cursor, version: int) -> dict[str, Any]:
    """One entry of a process list of version 1 to 9."""
    end = None
    if version >= 9:
        start = c.at
        end = start + c.get("I")
        if not start + 4 <= end <= c.end:
            raise ValueError("wrong length of a process entry")
    e: dict[str, Any] = {"tid": c.get("q"), "pid": c.get("q"), "ptid": c.get("q")}
    e["sid"] = c.get("q") if version >= 6 else None
    e["vpgid"] = c.get("q") if version >= 8 else None
    e["comm"], e["exe"] = c.text(), c.text()
    e["exepath"] = c.text() if version >= 7 else None
    e["args"], e["cwd"] = c.text(), c.text()
    e["fdlimit"] = c.get("q")
    e["flags"], e["uid"], e["gid"] = c.get("I"), c.get("I"), c.get("I")
    if version >= 2:
        e["vmsize_kb"], e["vmrss_kb"], e["vmswap_kb"] = c.get("I"), c.get("I"), c.get("I")
        e["pfmajor"], e["pfminor"] = c.get("Q"), c.get("Q")
    e["env"] = c.text() if version >= 3 else None
    if version >= 4:
        e["vtid"], e["vpid"], e["cgroups"] = c.get("q"), c.get("q"), c.text()
    e["root"] = c.text() if version >= 5 else None
    if end is not None:
        tail = Cursor(c.data, c.order, c.at, end)
        if tail.left < 0:
            raise ValueError("a process entry is longer than it says")
        names: list[tuple[str, str]] = []
        if tail.left > 29:
            names += [("pidns_init_start_ts", "Q"), ("tty", "I")]
        names += [("loginuid", "I"), ("exe_writable", "B")]
        names += [("cap_inheritable", "Q"), ("cap_permitted", "Q"), ("cap_effective", "Q")]
        names += [("exe_upper_layer", "B"), ("exe_ino", "Q"), ("exe_ino_ctime", "Q"), ("exe_ino_mtime", "Q")]
        names += [("exe_from_memfd", "B"), ("exe_lower_layer", "B"), ("pgid", "q")]
        for name, code in names:
            e[name] = tail.maybe(code)
        c.at = end
    return e


def descriptor_entry(c: Cursor, version: int) -> dict[str, Any]:
    """One entry of a descriptor list of version 1 or 2."""
    start = c.at
    end = start + c.get("I") if version >= 2 else None
    if end is not None and not start + 4 <= end <= c.end:
        raise ValueError("wrong length of a descriptor entry")
    e: dict[str, Any] = {"fd": c.get("q"), "inode": c.get("Q"), "type": c.get("B")}
    kind = e["type"]
    if kind in (3, 4):
        size = 4 if kind == 3 else 16
        e["sip"], e["dip"] = c.take(size), c.take(size)
        e["sport"], e["dport"], e["l4proto"] = c.get("H"), c.get("H"), c.get("B")
    elif kind in (5, 6):
        e["ip"], e["port"], e["l4proto"] = c.take(4 if kind == 5 else 16), c.get("H"), c.get("B")
    elif kind == 8:
        e["source"], e["destination"], e["name"] = c.get("Q"), c.get("Q"), c.text()
    elif kind == 16:
        e["open_flags"], e["name"] = c.get("I"), c.text()
        e["dev"] = c.get("I") if end is not None and end - c.at >= 4 else None
    elif kind != 0:
        e["name"] = c.text()
    if end is not None:
        if c.at > end:
            raise ValueError("a descriptor entry is longer than it says")
        c.at = end
    return e


def interface_entry(c: Cursor, version: int) -> dict[str, Any]:
    """One entry of an interface list; unlike all others its length leaves itself out."""
    size = c.get("I") if version >= 2 else None
    start = c.at
    if size is not None and size > c.left:
        raise ValueError("wrong length of an interface entry")
    e: dict[str, Any] = {"type": c.get("H")}
    name = c.get("H")
    if e["type"] not in (1, 2, 3, 4):
        raise ValueError(f"unknown interface type {e['type']}")
    wide = 4 if e["type"] in (1, 3) else 16
    e["addr"], e["netmask"], e["bcast"] = c.take(wide), c.take(wide), c.take(wide)
    e["linkspeed"] = c.get("Q") if e["type"] in (1, 2) else None
    e["name"] = c.take(name)
    if size is not None:
        c.at = start + size
    return e


def user_entry(c: Cursor, version: int) -> dict[str, Any]:
    """One entry of a user list: a user (kind 0) or a group (kind 1)."""
    start = c.at
    end = start + c.get("I") if version >= 2 else None
    e: dict[str, Any] = {"kind": c.get("B")}
    if e["kind"] == 0:
        e["uid"], e["gid"], e["name"], e["home"], e["shell"] = c.get("I"), c.get("I"), c.text(), c.text(), c.text()
    else:
        e["gid"], e["name"] = c.get("I"), c.text()
    if end is not None:
        c.at = end
    return e


def header(block_type: int, body: bytes, order: str, offset: int) -> Header | None:
    """Decode a known block that is not an event; None for an unknown one."""
    c = Cursor(body, order)
    if block_type in MACHINE:
        if len(body) != 180:
            raise ValueError("wrong length of the machine information")
        row: dict[str, Any] = {"num_cpus": c.get("I"), "memory": c.get("Q"), "max_pid": c.get("Q")}
        row["hostname"] = c.take(128).split(b"\0", 1)[0]
        row["boot_time"], row["flags"] = c.get("Q"), c.get("Q")
        return Header(offset, block_type, "machine", 1, [row])
    for kind, numbers, entry in (
        ("processes", PROCESSES, process_entry),
        ("interfaces", INTERFACES, interface_entry),
        ("users", USERS, user_entry),
        ("descriptors", DESCRIPTORS, descriptor_entry),
    ):
        if block_type not in numbers:
            continue
        version = numbers[block_type]
        entries: list[dict[str, Any]] = []
        if kind == "descriptors":
            entries.append({"tid": c.get("Q")})
        while c.left >= 4:
            entries.append(entry(c, version))
        return Header(offset, block_type, kind, version, entries)
    return None


def event(block_type: int, body: bytes, order: str, ordinal: int, offset: int) -> Event:
    """Decode an event block; raises ValueError where its lengths contradict each other."""
    has_flags, has_count = EVENTS[block_type]
    c = Cursor(body, order)
    cpu = c.get("H")
    flags = c.get("I") if has_flags else 0
    start = c.at
    ts, tid, length, code = c.get("Q"), c.get("q"), c.get("I"), c.get("H")
    end = start + length
    if length < (26 if has_count else 22) or end > len(body):
        raise ValueError(f"wrong event length {length}")
    wide = "I" if code in event_table.LARGE_PAYLOAD else "H"
    width = 4 if wide == "I" else 2
    if has_count:
        count = c.get("I")
    else:
        count = inferred_count(body, order, c.at, end, code, wide)
    if count * width > end - c.at:
        raise ValueError(f"{count} parameters do not fit the event")
    sizes = [c.get(wide) for _ in range(count)]
    if sum(sizes) > end - c.at:
        raise ValueError("the parameters are longer than the event")
    params = [c.take(size) for size in sizes]
    c.at = (end + 3) & ~3
    return Event(ordinal, offset, block_type, ts, tid, cpu, code, flags, params, options(c), order)


def inferred_count(body: bytes, order: str, at: int, end: int, code: int, wide: str) -> int:
    """Old blocks do not say how many parameters there are: the largest number that the length agrees with."""
    width = 4 if wide == "I" else 2
    known = len(event_table.EVENTS[code][4]) if code < len(event_table.EVENTS) else 0
    for count in range(known, -1, -1):
        if count * width > end - at:
            continue
        sizes = struct.unpack_from(f"{order}{count}{wide}", body, at)
        excess = end - at - count * width - sum(sizes)
        # Old recorders wrote notification and infra events with a length that is 3 too large.
        if excess == 0 or (excess == 3 and code in (280, 286)):
            return count
    raise ValueError("no number of parameters fits the event's length")


def options(c: Cursor) -> list[bytes]:
    """The comments (option code 1) behind an event, if any."""
    comments = []
    while c.left >= 4:
        code, size = c.get("H"), c.get("H")
        if code == 0:
            break
        value = c.take(size)
        c.at += -size % 4
        if code == 1:
            comments.append(value)
    return comments


def records(data: bytes) -> Iterator[Header | Event]:
    """Everything in a file's decompressed bytes, in order; unknown blocks are passed over; raises Damaged."""
    at, order, ordinal = 0, "", 0
    while at < len(data):
        if len(data) - at < 12:
            raise Damaged(at, "cut block header")
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            magic = data[at + 8 : at + 12]
            order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(magic, "")
        if not order:
            raise Damaged(at, "not a section header")
        block_type, length = struct.unpack_from(order + "II", data, at)
        if length < 12 or length % 4:
            raise Damaged(at, f"wrong block length {length}")
        if length > len(data) - at:
            raise Damaged(at, "cut block")
        if struct.unpack_from(order + "I", data, at + length - 4)[0] != length:
            raise Damaged(at, "the block's two lengths differ")
        body = data[at + 8 : at + length - 4]
        try:
            if block_type == SECTION:
                major, minor = struct.unpack_from(order + "HH", body, 4)
                yield Header(at, block_type, "section", major, [{"major": major, "minor": minor, "order": order}])
            elif block_type in EVENTS:
                ordinal += 1
                yield event(block_type, body, order, ordinal, at)
            elif (found := header(block_type, body, order, at)) is not None:
                yield found
        except (ValueError, struct.error) as error:
            raise Damaged(at, str(error)) from error
        at += length


def load(path: Path | str) -> bytes:
    """The bytes of a file, decompressed where it is gzip."""
    data = Path(path).read_bytes()
    return gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data


def events(data: bytes) -> list[Event]:
    """All events of a file's decompressed bytes."""
    return [record for record in records(data) if isinstance(record, Event)]


def headers(data: bytes) -> list[Header]:
    """All decoded blocks that are not events."""
    return [record for record in records(data) if isinstance(record, Header)]

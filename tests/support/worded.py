"""Events whose parameters try every wording: errors, signals, paths, buffers, addresses, descriptors, flags."""

from __future__ import annotations

import struct

from syswire.convert.scap import event_table as table
from syswire.convert.scap.encoding import Address, Polled, Tuple, UnixAddress, UnixTuple, Value
from syswire.convert.scap.snapshot import (
    FD_DIRECTORY,
    FD_EPOLL,
    FD_EVENTFD,
    FD_FIFO,
    FD_INOTIFY,
    FD_NETLINK,
    FD_SIGNALFD,
    FD_TIMERFD,
    FD_UNSUPPORTED,
    L4_ICMP,
    L4_RAW,
    L4_TCP,
    L4_UDP,
    L4_UNKNOWN,
    Bound,
    Descriptor,
    File,
    Group,
    Machine,
    Named,
    Process,
    Socket,
    UnixSocket,
    User,
)
from syswire.convert.scap.writer import ScapWriter
from syswire.convert.trace.codes import FLAGS, PARAM_FLAGS

TID = 10
SECOND = 1_000_000_000
START = 1_000_000_000 * SECOND
DESCRIPTORS: list[Descriptor] = [
    File(3, b"/etc/a\x01b\xc3\xa9c"),
    UnixSocket(4, 0x10, 0x20, b"/run/x"),
    Socket(5, "10.0.0.1", 5000, "10.0.0.2", 80, L4_TCP),
    Socket(6, "10.0.0.1", 5000, "10.0.0.2", 53, L4_UDP),
    Bound(7, "0.0.0.0", 80),
    Bound(8, "::", 80, L4_UDP),
    Named(9, FD_DIRECTORY, b"/dir"),
    Named(10, FD_FIFO, b"pipe:[1]"),
    Named(11, FD_EVENTFD, b"[eventfd]"),
    Named(12, FD_UNSUPPORTED, b"/x"),
    Named(13, FD_SIGNALFD, b"s"),
    Named(14, FD_EPOLL, b"e"),
    Named(15, FD_INOTIFY, b"i"),
    Named(16, FD_TIMERFD, b"t"),
    Named(17, FD_NETLINK, b"NETLINK:r"),
    Socket(18, "2001:db8::1", 5000, "::1", 80, L4_TCP),
    Socket(19, "10.0.0.1", 5000, "10.0.0.2", 0, L4_ICMP),
    Socket(20, "10.0.0.1", 5000, "10.0.0.2", 0, L4_RAW),
    UnixSocket(21, 0, 0, b""),
    Socket(22, "10.0.0.1", 5000, "10.0.0.2", 0, L4_UNKNOWN),
]
PATHS = (
    "/a/../b", "/a//b/", "a", "a/b", "../x", "./a", "", ".", "..", "../../../..", "/", "(NULL)", "<NA>", "/a\x01b",
    "a\x01b", "é", "a ", "x" * 100, "a/", "/" + "x" * 300,
)  # fmt: skip
BUFFERS = (b"abc", b"abc\0", b"a\0b\0", b"\0", b"a\x01\x7f\x80\xff\tz\r\n\0", b"y" * 80, b"y" * 81, b"\xc3\xa9\0")
TIMES = (0, 1, 999, 1000, 1001, 123456, 10**9, 1234567890, 10**10, 3600 * 10**9, 2**63, 2**64 - 2, 2**64 - 1)
ADDRESSES = (
    Address("0.0.0.0", 0), Address("::ffff:10.0.0.1", 80), Address("::", 0), Address("fe80::1:0:0:2", 1),
    UnixAddress(b""), UnixAddress(b"/a\x01b"), b"\x05abc", b"\x02\x01", b"\x00",
)  # fmt: skip
TUPLES = (
    Tuple(Address("0.0.0.0", 0), Address("1.2.3.4", 80)),
    Tuple(Address("::ffff:10.0.0.1", 80), Address("::ffff:10.0.0.2", 81)),
    Tuple(Address("::ffff:10.0.0.1", 80), Address("::1", 81)),
    UnixTuple(0, 0, b""),
    UnixTuple(0xAB, 2**64 - 1, b"/a\x01b"),
    b"\x05abc",
    b"\x00",
)
DYNAMIC = (
    b"\x01" + struct.pack("<q", -5), b"\x01" + struct.pack("<q", 7), b"\x02\xff\xff\xff\xff", b"\x02\x07\0\0\0",
    b"\x03" + b"\xff" * 8, b"\x04" + struct.pack("<Q", 1_500_000_000), b"\x04" + b"\xff" * 8, b"\x05abc", b"", b"\0",
)  # fmt: skip


def code(name: str, direction: str, which: int = 0) -> int:
    """The code of an event type that sysdig 0.29.3 knows; several have one name."""
    return [n for n, row in enumerate(table.EVENTS) if row[:2] == (name, direction) and n < table.SYSDIG_MAX][which]


class Worded:
    """Writes the file; `events` are its events' codes and values, in order."""

    def __init__(self) -> None:
        self.writer = ScapWriter()
        self.out = [
            self.writer.section_header(),
            self.writer.machine(Machine("worded", 4, 1 << 30)),
            self.writer.users([User(0, 0, "root"), User(7, 0, "r\x01t"), Group(0, "wheel")]),
            self.writer.processes(
                [
                    Process(TID, TID, 1, b"proc", b"/bin/proc", cwd=b"/home/u/"),
                    Process(1, 1, 0, b"in\x01it", b"/bin/init", cwd=b"/"),
                ]
            ),
            self.writer.descriptors(TID, DESCRIPTORS),
        ]
        self.count = 0

    def event(self, number: int, values: list[Value]) -> None:
        """One more event of the process."""
        self.count += 1
        self.out.append(self.writer.event(START + self.count * 1001, TID, 0, number, values))

    def data(self) -> bytes:
        """The whole file."""
        return b"".join(self.out)


def worded() -> bytes:
    """Every wording but those of flags."""
    made = Worded()
    numbers(made)
    texts(made)
    descriptors(made)
    return made.data()


def numbers(made: Worded) -> None:
    """Errors, signals, times and choices."""
    read, kill = code("read", "<"), code("kill", ">")
    for number in (*range(1, 140), *range(505, 540), 2**40):
        made.event(read, [-number, b"x"])
    for number in range(70):
        made.event(kill, [1, number])
    for bit in range(32):
        made.event(code("ppoll", ">"), [[], 0, 1 << bit])
    for length in TIMES:
        made.event(code("nanosleep", ">"), [length])
    for number in (0, 9, 40):
        made.event(code("ptrace", "<"), [0, b"\x01" + bytes([number]), b"\x00" + struct.pack("<Q", number)])
    for tid in (TID, 1, 0, -1, 9999, 2**40):
        made.event(kill, [tid, 9])
    for number in (0, 7, 8, -1):
        made.event(code("setuid", ">"), [number])
        made.event(code("setgid", ">"), [number])
    for number in (0, 1, 2, 160, 328):
        made.event(0, [number, 77])


def texts(made: Worded) -> None:
    """Paths, buffers, and values whose type is chosen by a number."""
    for path in PATHS:
        made.event(code("mkdir", ">"), [path, 0o700])
        made.event(code("chdir", "<"), [-1, path])
    for buffer in BUFFERS:
        made.event(code("read", "<"), [5, buffer])
        made.event(code("getcwd", "<"), [0, buffer + b"\0"])
    for value in DYNAMIC:
        made.event(code("setsockopt", "<"), [0, 3, 1, 2, value, 4])


def descriptors(made: Worded) -> None:
    """Descriptors, addresses and tuples."""
    for fd in (*range(24), -1, -100, -2, 2**31, -11):
        made.event(code("read", ">"), [fd, 5])
    made.event(code("poll", ">"), [[Polled(fd, fd) for fd in range(2, 24)], 5])
    made.event(code("poll", ">"), [[Polled(-1, -1), Polled(3, 0x7FFF)], 5])
    for address in ADDRESSES:
        made.event(code("bind", "<"), [-1, address])
    for pair in TUPLES:
        made.event(code("connect", "<"), [-1, pair])


def flagged() -> bytes:
    """Every table of flags that sysdig 0.29.3 knew: single bits, listed values, small numbers, all bits."""
    made = Worded()
    seen = set()
    for number, tables in PARAM_FLAGS.items():
        row = table.event_type(number)
        for index, name in tables.items():
            known = row.nparams_in_0_29_3
            if known is None or index >= known or (name, row.params[index][1]) in seen:
                continue
            seen.add((name, row.params[index][1]))
            size = table.PARAM_SIZES[row.params[index][1]]
            top = (1 << 8 * size) - 1
            values = {bits for _, bits in FLAGS[name]} | {1 << bit for bit in range(8 * size)} | set(range(64)) | {top}
            for value in sorted(values):
                given: list[Value] = [b"\1" * table.PARAM_SIZES[kind] or b"x\0" for _, kind, _ in row.params[:known]]
                given[index] = (value & top).to_bytes(size, "little")
                made.event(number, given)
    return made.data()

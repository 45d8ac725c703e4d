"""Traces made by chance: hostile but valid, of a few threads that do all that changes what is known of them.

The same seed gives the same trace, and a smaller size its beginning, so that a failing case shrinks to the event that
fails. `told` is for what sysdig 0.29.3 reads too: its event types with its parameters, nothing that it stumbles over.
`python tests/support/generated_traces.py SEED SIZE old|new|told FILE` writes one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Literal, NamedTuple, TypeVar

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from support import every_event
from syswire.convert.scap import event_table as table
from syswire.convert.scap.encoding import Address, Polled, Tuple, UnixAddress, UnixTuple, Value, strings
from syswire.convert.scap.snapshot import (
    FD_DIRECTORY,
    FD_EPOLL,
    FD_FIFO,
    L4_TCP,
    L4_UDP,
    Bound,
    Descriptor,
    File,
    Group,
    Interface,
    Machine,
    Named,
    Process,
    Socket,
    UnixSocket,
    User,
)
from syswire.convert.scap.writer import FLAG_STATE_ONLY, Form, ScapWriter

Age = Literal["old", "new", "told"]
Values = dict[str, Value]
Item = TypeVar("Item")

START = 1_700_000_000_000_000_000
FOUR = ("127.0.0.1", "192.168.5.9", "10.0.0.1", "10.0.0.2", "0.0.0.0", "255.255.255.255")
SIX = ("::1", "2001:db8::7", "::ffff:10.0.0.1", "::", "fe80::1")
PORTS = (0, 53, 80, 514, 4000, 65535)
PATHS = ("/etc/hosts", "rel", "../up", "a/./b/../c", "", "/", ".", "..", "/lib/x.so", "/var/log/a.log", "/dev/pts/3",
         "d//e/", "../../../../x", "/tmp/\udcff\udc80", "/run/\u00fc", "/" + "y" * 1100, "z" * 600)  # fmt: skip
NAMES = ("httpd", "curl", "bash", "sh", "a b", "", "\u00fcber", "x" * 15)
DATA = (b"", b"a", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\nhello", b"<14>Nov  1 a: told\n",
        bytes(range(256)), b"set k 0 0 1\r\n", b"line\n" * 20)  # fmt: skip
ERRORS = (-1, -2, -9, -11, -13, -104, -111, -115)
PLAIN = ("/etc/hosts", "rel", "../up", "a/./b/../c", "/", "..", "/lib/x.so", "/var/log/a.log", "/dev/pts/3", "d//e/")
LISTED = (10, 11, 12, 13, 14, 15)
PROCESS_OF = {11: 11, 13: 11, 14: 90, 15: 15}
UNKNOWN = (500, 501)
BORN = (100, 101, 102, 103)
CGROUPS = (b"", strings(["cpu=/user.slice"]), strings(["cpu=/docker/" + "3f" * 32, "memory=/docker/" + "3f" * 32]))
CLONE_FLAGS = (0, 0, 0x2001, 0x2001, 0x2000, 1, 0x2003, 0x400000, 0x400001, 0x12001)
READS, WRITES = (7, 33, 113, 117, 121), (9, 29, 115, 119, 123)
CLONES, FORKS = (15, 157, 217, 223, 335), (183, 219, 225, 185, 221, 227)
EXECUTES = (13, 155, 173, 215, 231, 283, 289, 293, 293)
QUIET = (37, 67, 71, 79, 81, 85, 87, 89, 91, 129, 131, 133, 135, 141, 143, 145, 151, 159, 161, 165, 167, 169, 171,
         177, 189, 203, 207, 209, 211, 213, 237, 239, 243, 251, 253, 255, 265, 277, 301, 303, 305, 329)  # fmt: skip
ALONE = (0, 1, 146, 148, 149, 152, 152, 196, 228, 232, 234, 234, 244, 290)
"""Types without a partner, or that are shown with -D only, and the generic system call."""
LIVE = frozenset(("open", "connect", "creat", "openat", "openat2", "procexit"))
"""Enters that captures of the newest schema have."""


class Pending(NamedTuple):
    """A call that began: what its exit will tell."""

    code: int
    values: Values


class Maker:
    """Makes one trace."""

    def __init__(self, seed: int, age: Age) -> None:
        self.random = Random(seed)
        self.age = age
        self.hostile = age != "told"
        big = self.hostile and self.random.random() < 0.1
        older = self.hostile and self.random.random() < 0.1
        self.writer = ScapWriter("big" if big else "little", Form.V1 if older else Form.V2)
        self.now = START
        self.pending: dict[int, Pending] = {}
        self.later: list[tuple[int, int, Values]] = []  # what another thread is still to tell: tid, code, values
        self.calls: list[Callable[[], Pending]] = [
            self.io, self.io, self.io, self.datagram, self.datagram, self.socket, self.bind, self.connect, self.connect,
            self.accept, self.accept, self.close, self.close, self.dup, self.fcntl, self.pipe, self.open, self.open,
            self.openat, self.execute, self.directory, self.identity, self.quiet, self.quiet, self.made,
        ]  # fmt: skip

    # -- values

    def pick(self, values: Sequence[Item]) -> Item:
        return values[self.random.randrange(len(values))]

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def fd(self) -> int:
        return self.pick((0, 1, 2, 3, 4, 5, 5, 6, 6, 7, 7, 8, 9, 10)) if self.chance(0.95) else self.pick((-1, 999))

    def tid(self) -> int:
        return self.pick((*LISTED, *LISTED, *BORN)) if self.chance(0.95) else self.pick(UNKNOWN)

    def result(self, good: int = 0, failing: float = 0.15) -> int:
        return self.pick(ERRORS) if self.chance(failing) else good

    def path(self) -> str:
        return self.pick(PATHS if self.hostile else PLAIN)

    def endpoint(self, six: bool) -> Address:
        return Address(self.pick(SIX if six else FOUR), self.pick(PORTS))

    def address(self) -> Value:
        if self.chance(0.1):
            return self.pick((UnixAddress(b"/run/s.sock"), UnixAddress(b""), None))
        return self.endpoint(self.chance(0.3))

    def ends(self) -> Value:
        if self.chance(0.15):
            return self.pick((UnixTuple(0xFFFF888000000001, 0xFFFF888000000002, b"/run/s.sock"), UnixTuple(5, 6), None))
        six = self.chance(0.25)
        return Tuple(self.endpoint(six), self.endpoint(six))

    def default(self, kind: int) -> Value:
        """A value of a parameter that the call does not care for."""
        if kind == table.PT_FD:
            return self.fd()
        if kind == table.PT_FSPATH or kind == table.PT_FSRELPATH:
            return self.path()
        if kind == table.PT_CHARBUF:
            return self.pick(NAMES)
        if kind == table.PT_SOCKADDR:
            return self.address()
        if kind == table.PT_SOCKTUPLE:
            return self.ends()
        if kind == table.PT_FDLIST:
            return [Polled(self.fd(), self.random.randrange(128)) for _ in range(self.random.randrange(4))]
        if kind == table.PT_BYTEBUF:
            return self.pick(DATA)
        if kind == table.PT_SYSCALLID:
            return self.random.randrange(every_event.LAST_SYSCALL)
        if table.PARAM_SIZES[kind]:
            return self.pick((0, 0, 1, 2, 5, 7, 100)) % (1 << (8 * table.PARAM_SIZES[kind] - 1))
        return every_event.value(kind, "sample")

    # -- calls: the exit's code and the values by name, of which the enter takes its own

    def io(self) -> Pending:
        data = self.pick(DATA)
        more = self.random.randrange(5000) if self.chance(0.2) else 0
        code = self.pick(READS if self.chance(0.5) else WRITES)
        res = self.result(len(data) + more)
        return Pending(code, {"res": res, "data": data if res >= 0 else b"", "fd": self.fd(), "size": len(data) + more})

    def datagram(self) -> Pending:
        data = self.pick(DATA)
        values: Values = {"res": self.result(len(data)), "data": data, "fd": self.fd(), "tuple": self.ends()}
        return Pending(self.pick((31, 35, 49, 53)), values)

    def socket(self) -> Pending:
        if self.chance(0.1):
            return Pending(43, {"res": self.result(), "fd1": self.fd(), "fd2": self.fd()})
        kind = self.pick((1, 2, 2, 3, 0x80001, 0x802, 5))
        values: Values = {"domain": self.pick((1, 2, 2, 2, 10, 16, 17)), "type": kind}
        return Pending(19, {**values, "fd": self.result(self.fd()), "proto": self.pick((0, 0, 6, 17, 1, 255))})

    def bind(self) -> Pending:
        return Pending(21, {"res": self.result(), "fd": self.fd(), "addr": self.address()})

    def connect(self) -> Pending:
        addr = self.address() if self.age == "new" or (self.hostile and self.chance(0.1)) else None
        return Pending(23, {"res": self.result(failing=0.4), "fd": self.fd(), "tuple": self.ends(), "addr": addr})

    def accept(self) -> Pending:
        return Pending(self.pick((27, 247, 57, 249)), {"fd": self.result(self.fd()), "tuple": self.ends()})

    def close(self) -> Pending:
        return Pending(5, {"res": self.result(), "fd": self.fd()})

    def dup(self) -> Pending:
        return Pending(125, {"fd": self.fd(), "res": self.result(self.fd())})

    def fcntl(self) -> Pending:
        return Pending(151, {"fd": self.fd(), "cmd": self.pick((1, 2, 4, 26)), "res": self.result(self.fd())})

    def pipe(self) -> Pending:
        return Pending(61, {"res": self.result(), "fd1": self.fd(), "fd2": self.fd(), "ino": 77})

    def open(self) -> Pending:
        flags = self.pick((1, 2, 7, 1025, 4097))
        return Pending(self.pick((3, 3, 59)), {"fd": self.result(self.fd()), "name": self.path(), "flags": flags})

    def openat(self) -> Pending:
        dirfd = self.pick((-100, -100, 2, 3, 8, 999))
        values: Values = {"fd": self.result(self.fd()), "dirfd": dirfd, "name": self.path()}
        return Pending(self.pick((307, 307, 103, 327)), {**values, "flags": self.pick((1, 2, 1025))})

    def execute(self) -> Pending:
        code = self.pick(EXECUTES) if not self.hostile or self.chance(0.9) else 331
        return Pending(code, {"res": self.result(), "filename": self.path(), "pathname": self.path()})

    def directory(self) -> Pending:
        code = self.pick((93, 95, 95, 97))
        return Pending(code, {"res": self.result(), "path": self.path(), "fd": self.fd()})

    def identity(self) -> Pending:
        numbers: Values = dict.fromkeys(("uid", "gid", "euid", "egid", "ruid"), self.pick((0, 5, 1000, -1)))
        return Pending(self.pick((199, 201, 193, 195, 275)), {"res": self.result(), **numbers})

    def quiet(self) -> Pending:
        return Pending(self.pick(QUIET), {"res": self.result()})

    def made(self) -> Pending:
        """Descriptors of other kinds, and any type there is."""
        if not self.hostile or self.chance(0.5):
            return Pending(self.pick((63, 127, 137, 139)), {"res": self.result(self.fd())})
        return Pending(self.random.randrange(0, len(table.EVENTS), 2) + 1, {"res": self.result(self.fd())})

    # -- events

    def block(self, tid: int, code: int, values: Values) -> bytes:
        """The event as a block; parameters that `values` does not name are by chance."""
        row = table.event_type(code)
        params = list(row.params)
        if self.age != "new" and row.nparams_in_0_29_3 is not None:
            params = params[: row.nparams_in_0_29_3]
        told = [values[name] if name in values else self.default(kind) for name, kind, _ in params]
        for index, text in every_event.SAFE.get(code, {}).items():
            told[index] = text
        encoded = self.writer.encoder.parameters(code, told)
        if self.hostile and self.chance(0.02) and encoded:
            at = self.random.randrange(len(encoded))
            encoded[at] = self.pick((b"", encoded[at][:3], encoded[at] + b"\xff" * 9))
        self.now += self.pick((0, 1, 1000, 1_000_000, 1_000_000)) if self.chance(0.97) else 3_000_000_000
        if self.hostile and self.chance(0.01):
            self.now -= 5_000_000
        flags = self.pick((None,) * 18 + (0, FLAG_STATE_ONLY))
        return self.writer.raw_event(self.now, tid, self.random.randrange(4), code, encoded, flags=flags)

    def step(self) -> bytes:
        """The next event."""
        if self.later and self.chance(0.5):
            return self.block(*self.later.pop(0))
        tid = self.tid()
        if self.chance(0.08):
            return self.block(tid, self.pick(ALONE), {})
        if self.chance(0.02):
            self.pending.pop(tid, None)
            return self.block(tid, 186, {})
        if self.chance(0.05):
            return self.clone(tid)
        waiting = self.pending.pop(tid, None)
        if waiting is None and self.pending and self.chance(0.6):
            tid = self.pick(tuple(self.pending))
            waiting = self.pending.pop(tid)
        if waiting is not None and self.chance(0.95):
            return self.block(tid, *waiting)
        begun = self.pick(tuple(self.calls))()
        name = table.EVENTS[begun.code][0]
        if name in ("execve", "execveat") and not self.hostile and tid not in (10, 11, 15):
            begun = self.quiet()  # sysdig looks at the process that such a thread was of before
        elif name in ("execve", "execveat"):
            begun.values.update(self.process(tid, self.pick((tid, tid, 10)), 10))
        if self.age == "new" and name not in LIVE:
            return self.block(tid, *begun)
        if self.chance(0.04):
            return self.block(tid, *begun)  # an exit without its enter
        if self.chance(0.96):
            self.pending[tid] = begun
        return self.block(tid, begun.code - 1, begun.values)

    def process(self, tid: int, pid: int, ptid: int) -> Values:
        """What clones and execs tell of a thread."""
        name = self.pick(NAMES)
        ids: Values = {"tid": tid, "pid": pid, "ptid": ptid, "vtid": tid, "vpid": pid}
        args = self.pick((b"", strings(["-c"]), strings(["-x", "b c", ""])))
        memory: Values = {"vm_size": self.random.randrange(9000), "vm_rss": 5, "vm_swap": 0, "cwd": self.path()}
        groups = self.pick(CGROUPS)
        return {**ids, **memory, "exe": f"/bin/{name}", "comm": name, "args": args, "cgroups": groups, "env": b"A=1\0"}

    def clone(self, tid: int) -> bytes:
        """A parent's return and its child's, in either order, or one of them."""
        child, flags = self.pick(BORN), self.pick(CLONE_FLAGS if self.hostile else CLONE_FLAGS[:4])
        code = self.pick((*CLONES, 223, 223)) if flags or self.chance(0.5) else self.pick(FORKS)
        if child == tid and not self.hostile:
            return self.block(tid, code - 1, {})
        of = self.pick((10, tid)) if self.hostile else PROCESS_OF.get(tid, 10)
        pid = of if flags & 0x2000 else child
        shared: Values = {"flags": flags, "uid": self.pick((0, 1000)), "gid": 0}
        parents: Values = {**self.process(tid, of, 10), **shared, "res": self.result(child, 0.05)}
        childs: Values = {**self.process(child, pid, tid), **shared, "res": 0}
        if self.chance(0.1):
            childs["vtid"], childs["vpid"] = 3, 2
        events = [(tid, code, parents), (child, code, childs)]
        if self.chance(0.5):
            events.reverse()
        self.later += events[: self.pick((1, 2, 2, 2))]
        return self.block(tid, code - 1, {}) if self.age != "new" else self.block(*self.later.pop(0))

    # -- the head

    def head(self) -> bytes:
        """What the file says of the machine."""
        writer = self.writer
        blocks = [writer.section_header()]
        if self.chance(0.8):
            blocks.append(writer.machine(Machine("made", 4, 1 << 30, boot_time=START - 1_000_000_000)))
        if self.chance(0.8):
            faces = [Interface("lo", "127.0.0.1", "255.0.0.0", "127.255.255.255")]
            faces += [Interface("eth0", "192.168.5.9", "255.255.255.0", "192.168.5.255")]
            six = Interface("eth0", "2001:db8::1", "ffff:ffff:ffff:ffff::", "::")
            blocks.append(writer.interfaces([*faces, six] if self.chance(0.5) else faces))
        users: list[User | Group] = [
            User(0, 0, "root", "/root", "/bin/sh"),
            User(1000, 1000, "ann", "/home/ann"),
            Group(0, "root"),
        ]
        blocks += [writer.users(users), writer.processes(self.listed())]
        blocks += [writer.descriptors(tid, self.descriptors()) for tid in (10, 11, 13)]
        if self.hostile and self.chance(0.2):
            blocks.append(writer.event(START, 0, 0, 324, (every_event.CONTAINER,)))
        return b"".join(blocks)

    def listed(self) -> list[Process]:
        """The process list: two processes with threads, of which 14 is one of a process that is not listed."""
        groups = self.pick(CGROUPS)
        alone = 0x2000 if self.hostile else 0x2001
        return [
            Process(10, 10, 1, b"httpd", b"/usr/sbin/httpd", b"/usr/sbin/httpd", strings(["-D"]), cgroups=groups),
            Process(11, 11, 10, b"bash", b"-bash", b"/bin/bash", cwd=b"/home/ann", uid=1000, gid=1000, vpid=2, vtid=2),
            Process(12, 10, 1, b"worker", b"/usr/sbin/httpd", flags=0x2001),
            Process(13, 11, 10, b"half", b"-bash", flags=alone, uid=1000),
            Process(14, 90, 1, b"orphan", b"/bin/o", flags=self.pick((0x2001, alone))),
            Process(15, 15, 15, b"own", b"/bin/own", flags=self.pick((0, 1))),
        ]

    def descriptors(self) -> list[Descriptor]:
        """Some of every kind."""
        every: tuple[Descriptor, ...] = (
            File(0, b"/dev/pts/3"), File(1, b"/var/log/a.log", 2), Named(2, FD_DIRECTORY, b"/srv/www", 5),
            Named(3, FD_FIFO, b"pipe:[77]", 77), Bound(4, "0.0.0.0", 80, L4_TCP), Bound(5, "0.0.0.0", 514, L4_UDP),
            Socket(6, "192.168.5.9", 80, "10.0.0.1", 4000), Socket(7, "127.0.0.1", 4000, "127.0.0.1", 80),
            Socket(8, "2001:db8::7", 80, "::1", 4000), UnixSocket(9, 5, 6, b"/run/s.sock"), UnixSocket(10, 6, 5),
            Named(10, FD_EPOLL, b"[eventpoll]"), Bound(8, "::", 53, L4_UDP), File(7, b"/srv/x"),
        )  # fmt: skip
        if not self.hostile:
            every = every[:4] + every[6:11]
        return [one for one in every if self.chance(0.6)]


def generated(seed: int, size: int, age: Age) -> bytes:
    """The trace of that seed with so many events."""
    maker = Maker(seed, age)
    return maker.head() + b"".join(maker.step() for _ in range(size))


if __name__ == "__main__":
    seed, size, age, file = sys.argv[1:]
    wanted: Age = "old" if age == "old" else "new" if age == "new" else "told"
    Path(file).write_bytes(generated(int(seed), int(size), wanted))

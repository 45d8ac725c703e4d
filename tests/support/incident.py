"""A small trace with what the samples lack: users at shells, syslog, memcached, logs, slow files, a container.

`trace()` gives the bytes of a scap file that sysdig 0.29.3 reads, too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from syswire.convert.scap.encoding import Value, strings
from syswire.convert.scap.event_table import Code
from syswire.convert.scap.snapshot import Bound, File, Interface, Process, Socket, UnixSocket, User
from syswire.convert.scap.snapshot import Machine as MachineInfo
from syswire.convert.scap.writer import ScapWriter

SECOND = 1_000_000_000
START = 1_795_166_100 * SECOND
CONTAINER = "3ad7b26ded6d8e7b23da7d48fe889434573036c27ae5a74837233de441c3601e"
CGROUPS = strings([f"cpu=/docker/{CONTAINER}", f"memory=/docker/{CONTAINER}"])


@dataclass
class Clock:
    """Writes events one after the other, each a microsecond later than the one before."""

    writer: ScapWriter = field(default_factory=ScapWriter)
    now: int = START + 250_000_000
    out: list[bytes] = field(default_factory=list)

    def event(self, tid: int, code: int, *values: Value, after: int = 1_000) -> None:
        """One event."""
        self.now += after
        self.out.append(self.writer.event(self.now, tid, 0, code, list(values)))

    def call(self, tid: int, code: int, entering: list[Value], leaving: list[Value], takes: int = 1_000) -> None:
        """Enter and exit."""
        self.event(tid, code, *entering)
        self.event(tid, code + 1, *leaving, after=takes)

    def run(
        self, tid: int, ptid: int, exe: str, args: list[str], comm: str, env: list[str], uid: int = 1000,
        cgroups: bytes = b"", res: int = 0,
    ) -> None:  # fmt: skip
        """execve."""
        values: list[Value] = [
            *(res, exe, strings(args), tid, tid, ptid, "/root", 1024, 0, 0, 9000, 3000, 0, comm, cgroups),
            *(strings(env), 34816, tid, 1000, 0, 0, 0, 0, 1, START, START, uid, exe, tid, uid),
        ]
        self.call(tid, Code.SYSCALL_EXECVE_19_E, [exe], values)

    def fork(self, parent: int, ptid: int, child: int, exe: str, comm: str, uid: int = 1000, cg: bytes = b"") -> None:
        """clone, as both see it."""
        rest: list[Value] = ["/root", 1024, 0, 0, 9000, 3000, 0, comm, cg, 0, uid, uid]
        self.event(parent, Code.SYSCALL_CLONE_20_E)
        self.event(parent, Code.SYSCALL_CLONE_20_X, child, exe, b"", parent, parent, ptid, *rest, parent, parent, 0)
        self.event(child, Code.SYSCALL_CLONE_20_X, 0, exe, b"", child, child, parent, *rest, child, child, 0)

    def write(self, tid: int, fd: int, data: bytes, takes: int = 1_000) -> None:
        """write"""
        self.call(tid, Code.SYSCALL_WRITE_E, [fd, len(data)], [len(data), data, fd, len(data)], takes)

    def read(self, tid: int, fd: int, data: bytes, takes: int = 1_000) -> None:
        """read"""
        self.call(tid, Code.SYSCALL_READ_E, [fd, len(data)], [len(data), data, fd, len(data)], takes)

    def send(self, tid: int, fd: int, data: bytes) -> None:
        """sendto"""
        self.call(tid, Code.SOCKET_SENDTO_E, [fd, len(data), None], [len(data), data, fd, len(data), None])

    def exit(self, tid: int) -> None:
        """procexit"""
        self.event(tid, Code.PROCEXIT_1_E, 0, 0, 0, 0, 1)


def trace() -> bytes:
    """The file."""
    clock = Clock()
    writer = clock.writer

    def process(tid: int, ptid: int, comm: str, exe: str, uid: int = 0, cgroups: bytes = b"") -> Process:
        return Process(
            tid, tid, ptid, comm.encode(), exe.encode(), exe.encode(), uid=uid, cgroups=cgroups, vmsize_kb=5000
        )

    head = [
        writer.section_header(),
        writer.machine(MachineInfo("host01", 4, 8 << 30, 32768, START - SECOND)),
        writer.interfaces([Interface("eth0", "10.0.0.5", "255.255.255.0", "10.0.0.255")]),
        writer.users([User(0, 0, "root", "/root", "/bin/bash"), User(1000, 1000, "averylongusername", "/home/a")]),
        writer.processes(
            [
                process(1, 0, "systemd", "/sbin/init"),
                process(800, 1, "sshd", "/usr/sbin/sshd"),
                process(820, 800, "bash", "-bash", 1000),
                process(900, 1, "memcached", "/usr/bin/memcached"),
                process(950, 1, "daemon", "/usr/sbin/daemon"),
                process(960, 1, "httpd", "/usr/sbin/httpd"),
                process(970, 1, "nginx", "nginx", 0, CGROUPS),
            ]
        ),
        writer.descriptors(900, [Bound(5, "0.0.0.0", 11211), Socket(7, "10.0.0.5", 11211, "10.0.0.9", 40000)]),
        writer.descriptors(
            950,
            [
                File(1, b"/dev/pts/3", 2),
                UnixSocket(4, 0xAA, 0xBB, b"/dev/log"),
                File(6, b"/var/log/my.log", 2),
                File(8, b"/data/slow.bin", 3),
                File(9, b"/dev/null", 3),
                File(2, b"/tmp/errors", 3),
            ],
        ),
        writer.descriptors(960, [Socket(3, "10.0.0.5", 80, "10.0.0.7", 50000), Bound(11, "::", 80)]),
        writer.descriptors(
            970,
            [File(2, b"/tmp/errors", 3), File(3, b"/var/log/x_log", 3), Socket(4, "10.0.0.5", 8080, "10.0.0.7", 50001)],
        ),
    ]
    clean = ["PATH=/bin"]
    # a session: bash runs ls, then a script which runs date, which fails, then changes the directory
    clock.fork(820, 800, 4001, "-bash", "bash")
    clock.run(4001, 820, "ls", ["-l", "/tmp"], "ls", clean)
    clock.exit(4001)
    clock.call(820, Code.SYSCALL_CHDIR_E, [], [0, "/etc"])
    clock.call(820, Code.SYSCALL_CHDIR_E, [], [-2, "/nowhere"])
    clock.fork(820, 800, 4002, "-bash", "bash")
    clock.run(4002, 820, "/bin/sh", ["script.sh"], "sh", clean)
    clock.fork(4002, 820, 4003, "/bin/sh", "sh")
    clock.run(4003, 4002, "date", [], "date", clean)
    clock.exit(4003)
    clock.fork(4002, 820, 4004, "/bin/sh", "sh")
    clock.run(4004, 4002, "missing", [], "sh", clean, res=-2)
    clock.exit(4004)
    clock.exit(4002)
    # a web server's script is told a function by a header
    clock.fork(960, 1, 4010, "/usr/sbin/httpd", "httpd")
    clock.run(4010, 960, "/bin/bash", ["-c", "id"], "bash", [*clean, "HTTP_USER_AGENT=() { :;}; /usr/bin/id", "A=b"], 0)
    clock.fork(4010, 960, 4011, "/bin/bash", "bash", 0)
    clock.run(4011, 4010, "/usr/bin/id", ["-u"], "id", clean, 0)
    clock.exit(4011)
    clock.exit(4010)
    # within a container, a shell
    clock.fork(970, 1, 4020, "nginx", "nginx", 0, CGROUPS)
    clock.run(4020, 970, "sh", ["-c", "cat x"], "sh", clean, 0, CGROUPS)
    clock.fork(4020, 970, 4021, "sh", "sh", 0, CGROUPS)
    clock.run(4021, 4020, "cat", ["x"], "cat", clean, 0, CGROUPS)
    clock.write(4021, 2, b"cat: x: No such file\n")
    clock.exit(4021)
    clock.exit(4020)
    # syslog, in several forms
    for message in (
        b"<38>Nov 20 09:15:00 sshd[800]: Accepted password for a",
        b"<3>daemon: cannot open\n",
        b"<191>local7 debug",
        b"<12>Nov 20 09:15:01 prog: warning",
        b"no priority",
        b"<999>too large",
        b"<5>kernel notice",
    ):
        clock.send(950, 4, message)
        clock.write(950, 4, message)
    # logs
    clock.write(950, 6, b"one line\n")
    clock.write(950, 6, b"two\nlines\n")
    clock.write(950, 6, b"no end")
    clock.write(950, 6, b"dots\x01\xff\tand \xc3\xa9\n\n")
    clock.write(970, 3, b"in the container\n")
    clock.write(950, 2, b"an error\n")
    clock.write(970, 2, b"its error\0hidden\n")
    clock.write(950, 2, b"bin\x01\xff\xc3\xa9\n")
    # memcached
    clock.read(900, 7, b"get user:1 user:2\r\n")
    clock.write(900, 7, b"VALUE user:1 0 5\r\nhello\r\nEND\r\n")
    clock.read(900, 7, b"set user:1 0 60 5\r\nhello\r\n")
    clock.write(900, 7, b"STORED\r\n")
    clock.read(900, 7, b"gets k\r\n")
    clock.read(900, 7, b"delete k\r\n")
    clock.read(900, 7, b"add k 0 0 3\r\nabc\r\n")
    clock.read(900, 7, b"set big 0 60 5000\r\nhello")
    # slow calls
    for takes in (999_999, 1_000_000, 1_000_001, 1_999_999, 12_345_678, 2_000_000_000):
        clock.read(950, 8, b"slow", takes)
        clock.read(960, 3, b"slow", takes)
        clock.read(950, 9, b"slow", takes)
    clock.write(970, 3, b"slow in the container\n", 5_000_000)
    clock.write(970, 4, b"HTTP/1.1 200 OK\r\n", 5_000_000)
    clock.read(960, 3, b"GET /a HTTP/1.1\r\nHost: h.x\r\nA: b\r\n\r\n")
    clock.write(960, 3, b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\nA: b\r\n\r\n", 7_000_000)
    return b"".join([*head, *clock.out])


__all__ = ["CONTAINER", "START", "Clock", "trace"]

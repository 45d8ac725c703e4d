"""Records as the probe puts them into its ring, made by hand: struct formats written from capture/record.h."""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass, field, replace

ENTER, EXIT, DEATH, CHILD = 1, 2, 3, 4
ENTER_SENT, DESCRIPTOR, FAULT, MORE, REST, SENDS, IO, PEEK = 1, 2, 4, 8, 16, 32, 64, 128
HEAD = struct.Struct("<IBBHQQIIq6QHHIQII")
NUMBERS = {
    "read": 0, "write": 1, "open": 2, "close": 3, "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "pipe": 22,
    "dup": 32, "dup2": 33, "sendfile": 40, "socket": 41, "connect": 42, "accept": 43, "sendto": 44, "recvfrom": 45,
    "sendmsg": 46, "recvmsg": 47, "shutdown": 48, "bind": 49, "listen": 50, "socketpair": 53, "clone": 56, "fork": 57,
    "vfork": 58, "execve": 59, "fcntl": 72, "chdir": 80, "fchdir": 81, "creat": 85, "setuid": 105, "setgid": 106,
    "setresuid": 117, "prctl": 157, "openat": 257, "splice": 275, "accept4": 288, "dup3": 292, "pipe2": 293,
    "preadv": 295, "pwritev": 296, "recvmmsg": 299, "sendmmsg": 307, "execveat": 322, "clone3": 435, "close_range": 436,
    "openat2": 437,
}  # fmt: skip


@dataclass(frozen=True)
class About:
    """struct descriptor; addresses as text for the families 2 and 10."""

    fd: int = 3
    family: int = 0
    kind: int = 1
    protocol: int = 6
    local: tuple[str, int] = ("0.0.0.0", 0)
    remote: tuple[str, int] = ("0.0.0.0", 0)
    own: int = 0
    peer: int = 0
    inode: int = 0
    device: int = 0
    queue: tuple[int, int] = (0, 0)

    def packed(self) -> bytes:
        """The 88 bytes of it."""
        family = socket.AF_INET6 if self.family == 10 else socket.AF_INET
        near, far = (
            socket.inet_pton(family, end[0]) if self.family in (2, 10) else b"" for end in (self.local, self.remote)
        )
        ports = (self.local[1], self.remote[1])
        head = struct.pack("<iIQII", self.fd, 0o140777 if self.family else 0o100644, self.inode, self.device, 0)
        head += struct.pack("<BBBBHH16s16s", self.family, self.protocol, self.kind, 1, *ports, near, far)
        return head + struct.pack("<QQII", self.own, self.peer, *self.queue)


def inet(local: tuple[str, int], remote: tuple[str, int], fd: int = 3, **more: int | tuple[int, int]) -> About:
    """A socket of IPv4 or IPv6, by the looks of its address."""
    made = About(fd=fd, family=10 if ":" in local[0] else 2, local=local, remote=remote)
    return replace(made, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Identity:
    """struct identity with what follows it."""

    ppid: int = 1
    pgid: int = 100
    vtid: int = 100
    vpid: int = 100
    vpgid: int = 100
    uid: int = 0
    euid: int = 0
    gid: int = 0
    egid: int = 0
    loginuid: int = 0xFFFFFFFF
    tty: int = 0
    capabilities: tuple[int, int, int] = (0, 0, 0)
    fdlimit: int = 1024
    faults: tuple[int, int] = (0, 0)
    memory: tuple[int, int, int] = (0, 0, 0)
    exe_inode: int = 0
    comm: bytes = b"comm"
    filename: bytes = b""
    arguments: bytes = b""
    cgroup: bytes = b""

    def packed(self) -> bytes:
        """The 160 bytes of it, then the three texts."""
        sid, env_size, cgroup_inode, cut = 0, 0, 0, 0
        numbers = (self.ppid, self.pgid, sid, self.vtid, self.vpid, self.vpgid, self.uid, self.euid, self.gid)
        out = struct.pack("<12I", *numbers, self.egid, self.loginuid, self.tty)
        out += struct.pack("<6Q", *self.capabilities, self.fdlimit, *self.faults)
        out += struct.pack("<4I2Q", *self.memory, env_size, self.exe_inode, cgroup_inode)
        out += struct.pack("<16sHHHH", self.comm, len(self.filename), len(self.arguments), len(self.cgroup), cut)
        return out + self.filename + self.arguments + self.cgroup


def address(ip: str, port: int) -> bytes:
    """struct sockaddr_in or sockaddr_in6."""
    if ":" in ip:
        return struct.pack("<H", 10) + struct.pack(">HI", port, 0) + socket.inet_pton(socket.AF_INET6, ip) + bytes(4)
    return struct.pack("<H", 2) + struct.pack(">H", port) + socket.inet_aton(ip) + bytes(8)


def unix_address(path: bytes) -> bytes:
    """struct sockaddr_un, as long as the path."""
    return struct.pack("<H", 1) + path


def padded(data: bytes) -> bytes:
    """Up to a multiple of eight, with bytes that mean nothing."""
    return data + b"\xee" * (-len(data) % 8)


@dataclass(frozen=True)
class Record:
    """One record; `enter` is the time of the enter, 0 where it has a record of its own or was not seen."""

    call: str | int
    ts: int
    ret: int = 0
    args: tuple[int, ...] = ()
    kind: int = EXIT
    enter: int = 0
    pid: int = 100
    tid: int = 100
    cpu: int = 0
    flags: int = 0
    about: About | None = None
    data: bytes = b""
    moved: int | None = None
    text: bytes = b""
    part: int = 0
    size: int | None = field(default=None, kw_only=True)

    def packed(self) -> bytes:
        """The bytes in the ring, without the ring's own header."""
        number = NUMBERS[self.call] if isinstance(self.call, str) else self.call
        flags = self.flags | (DESCRIPTOR if self.about is not None else 0)
        rest = self.about.packed() if self.about is not None else b""
        rest += padded(self.data) + padded(self.text)
        size = HEAD.size + len(rest) if self.size is None else self.size
        args = [argument & 0xFFFFFFFFFFFFFFFF for argument in (*self.args, 0, 0, 0, 0, 0, 0)[:6]]
        head = (size, self.kind, self.part, number, self.ts, self.enter, self.pid, self.tid, self.ret, *args)
        moved = len(self.data) if self.moved is None else self.moved
        return HEAD.pack(*head, self.cpu, flags, len(self.data), moved, len(self.text), 0) + rest


def both(call: str, begin: int, end: int, ret: int, args: tuple[int, ...], **more: object) -> bytes:
    """A call whose enter came in a record of its own, and its exit."""
    leave = Record(call, end, ret, args, **more)  # type: ignore[arg-type]
    enter = replace(leave, ts=begin, ret=0, kind=ENTER, data=b"", moved=0)
    return enter.packed() + replace(leave, flags=leave.flags | ENTER_SENT).packed()


def one(call: str, begin: int, end: int, ret: int, args: tuple[int, ...], **more: object) -> bytes:
    """A call whose exit tells when it began."""
    return Record(call, end, ret, args, enter=begin, **more).packed()  # type: ignore[arg-type]

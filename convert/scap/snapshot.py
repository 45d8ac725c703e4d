"""What a scap file says of the machine before the first event: records and their entries in the header blocks.

Entries are those of format 1.2: process list V9, descriptor list V2, interface list V2, user list V2. Each entry tells
its own length, so that readers pass over what they do not know. Knows no block framing (writer.py has it).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from .encoding import packed_ip

# Kinds of descriptors, as in the descriptor list.
FD_FILE, FD_DIRECTORY, FD_IPV4, FD_IPV6, FD_IPV4_BOUND, FD_IPV6_BOUND, FD_FIFO, FD_UNIX = range(1, 9)
FD_EVENTFD, FD_UNSUPPORTED, FD_SIGNALFD, FD_EPOLL, FD_INOTIFY, FD_TIMERFD, FD_NETLINK, FD_FILE_V2 = range(9, 17)
# Transport of a socket: not the number of the IP protocol.
L4_UNKNOWN, L4_NONE, L4_TCP, L4_UDP, L4_ICMP, L4_RAW = range(6)
NO_ID = 0xFFFFFFFF
SHORT, LONG = 1024, 4096
# libscap refuses longer names and longer argument, environment and cgroup lists.


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine; memory in bytes, boot time in ns since the epoch."""

    hostname: str = ""
    num_cpus: int = 1
    memory: int = 0
    max_pid: int = 32768
    boot_time: int = 0
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Interface:
    """An address of a network interface; link speed is only written where it is known."""

    name: str
    address: str
    netmask: str
    broadcast: str
    link_speed: int | None = 0


@dataclass(frozen=True, slots=True)
class User:
    """A user of the machine."""

    uid: int
    gid: int
    name: str
    home: str = "/"
    shell: str = "/usr/sbin/nologin"


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the machine."""

    gid: int
    name: str


@dataclass(frozen=True, slots=True)
class Process:
    """A thread as it stood when recording began; a process is the thread whose tid is its pid.

    args, env and cgroups are NUL-separated, each string ended (see encoding.strings). Flags are PPM_CL_*: a thread that
    shares its process's descriptors needs CLONE_FILES (1) beside CLONE_THREAD (0x2000).
    """

    tid: int
    pid: int
    ptid: int
    comm: bytes
    exe: bytes
    exepath: bytes = b""
    args: bytes = b""
    cwd: bytes = b"/"
    sid: int = 0
    vpgid: int = 0
    fdlimit: int = 1024
    flags: int = 0
    uid: int = 0
    gid: int = 0
    vmsize_kb: int = 0
    vmrss_kb: int = 0
    vmswap_kb: int = 0
    pfmajor: int = 0
    pfminor: int = 0
    env: bytes = b""
    vtid: int | None = None
    vpid: int | None = None
    cgroups: bytes = b""
    root: bytes = b"/"
    loginuid: int = NO_ID


@dataclass(frozen=True, slots=True)
class Named:
    """A descriptor that is told by its name: a directory, a pipe, an epoll instance ..."""

    fd: int
    kind: int
    name: bytes
    inode: int = 0


@dataclass(frozen=True, slots=True)
class File:
    """An open file; open flags are PPM_O_*."""

    fd: int
    name: bytes
    open_flags: int = 1
    device: int = 0
    inode: int = 0


@dataclass(frozen=True, slots=True)
class Socket:
    """A connected IP socket, local end first (as /proc shows it)."""

    fd: int
    local_ip: str
    local_port: int
    remote_ip: str
    remote_port: int
    transport: int = L4_TCP
    inode: int = 0


@dataclass(frozen=True, slots=True)
class Bound:
    """A listening or bound IP socket."""

    fd: int
    ip: str
    port: int
    transport: int = L4_TCP
    inode: int = 0


@dataclass(frozen=True, slots=True)
class UnixSocket:
    """A unix socket: the kernel's addresses of its two ends, and the path (empty at a client)."""

    fd: int
    source: int
    destination: int
    path: bytes = b""
    inode: int = 0


Descriptor = Named | File | Socket | Bound | UnixSocket


def _text(prefix: str, value: bytes, limit: int = SHORT) -> bytes:
    value = value[:limit]
    return struct.pack(prefix + "H", len(value)) + value


def machine_body(prefix: str, machine: Machine) -> bytes:
    """The body of the machine block: 180 bytes, never more (readers take a longer one as damage)."""
    name = machine.hostname.encode("utf-8", "surrogateescape")[:127]
    head = struct.pack(prefix + "IQQ128s", machine.num_cpus, machine.memory, machine.max_pid, name)
    return head + struct.pack(prefix + "QQQQ", machine.boot_time, machine.flags, 0, 0)


def interface_entry(prefix: str, interface: Interface) -> bytes:
    """An entry of the interface list; its length leaves itself out, unlike in the other lists."""
    address = packed_ip(interface.address)
    name = interface.name.encode("utf-8", "surrogateescape")
    kind = (1 if len(address) == 4 else 2) + (2 if interface.link_speed is None else 0)
    body = struct.pack(prefix + "HH", kind, len(name))
    body += address + packed_ip(interface.netmask) + packed_ip(interface.broadcast)
    if interface.link_speed is not None:
        body += struct.pack(prefix + "Q", interface.link_speed)
    body += name
    return struct.pack(prefix + "I", len(body)) + body


def user_entry(prefix: str, user: User | Group) -> bytes:
    """An entry of the user list."""
    if isinstance(user, User):
        body = struct.pack(prefix + "BII", 0, user.uid, user.gid)
        for text in (user.name, user.home, user.shell):
            body += _text(prefix, text.encode("utf-8", "surrogateescape"), 255)
    else:
        body = struct.pack(prefix + "BI", 1, user.gid)
        body += _text(prefix, user.name.encode("utf-8", "surrogateescape"), 255)
    return _measured(prefix, body)


def process_entry(prefix: str, process: Process) -> bytes:
    """An entry of process list V9, with the tail up to the login uid (older readers misread more)."""
    p = process
    body = struct.pack(prefix + "5q", p.tid, p.pid, p.ptid, p.sid, p.vpgid)
    body += _text(prefix, p.comm) + _text(prefix, p.exe) + _text(prefix, p.exepath)
    body += _text(prefix, p.args, LONG) + _text(prefix, p.cwd)
    body += struct.pack(prefix + "q3I", p.fdlimit, p.flags, p.uid, p.gid)
    body += struct.pack(prefix + "3I2Q", p.vmsize_kb, p.vmrss_kb, p.vmswap_kb, p.pfmajor, p.pfminor)
    body += _text(prefix, p.env, LONG)
    vtid = p.tid if p.vtid is None else p.vtid
    vpid = p.pid if p.vpid is None else p.vpid
    body += struct.pack(prefix + "qq", vtid, vpid) + _text(prefix, p.cgroups, LONG)
    body += _text(prefix, p.root) + struct.pack(prefix + "I", p.loginuid)
    return _measured(prefix, body)


def descriptor_entry(prefix: str, descriptor: Descriptor) -> bytes:
    """An entry of descriptor list V2: address, address, port, port for a socket (not the order of event tuples)."""
    d = descriptor
    if isinstance(d, Socket):
        local, remote = packed_ip(d.local_ip), packed_ip(d.remote_ip)
        if len(local) != len(remote):
            raise ValueError("a socket of two families")
        kind = FD_IPV4 if len(local) == 4 else FD_IPV6
        rest = local + remote + struct.pack(prefix + "HHB", d.local_port, d.remote_port, d.transport)
    elif isinstance(d, Bound):
        address = packed_ip(d.ip)
        kind = FD_IPV4_BOUND if len(address) == 4 else FD_IPV6_BOUND
        rest = address + struct.pack(prefix + "HB", d.port, d.transport)
    elif isinstance(d, UnixSocket):
        kind = FD_UNIX
        rest = struct.pack(prefix + "QQ", d.source, d.destination) + _text(prefix, d.path)
    elif isinstance(d, File):
        kind = FD_FILE_V2
        rest = struct.pack(prefix + "I", d.open_flags) + _text(prefix, d.name) + struct.pack(prefix + "I", d.device)
    else:
        kind = d.kind
        rest = _text(prefix, d.name)
    return _measured(prefix, struct.pack(prefix + "qQB", d.fd, d.inode, kind) + rest)


def _measured(prefix: str, body: bytes) -> bytes:
    """An entry led by its length, which counts itself."""
    return struct.pack(prefix + "I", len(body) + 4) + body

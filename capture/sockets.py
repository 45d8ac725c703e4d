"""Which socket an inode is: the tables of sockets of this and of other network namespaces.

A namespace is asked over netlink (sock_diag: TCP, UDP, MPTCP in all states that a descriptor can have, unix sockets
with path and peer), others from a thread that goes there; where that is refused, /proc/PID/net has text tables
(proc_net.py). Inodes of sockets are one numbering for all namespaces, so that one table holds them all.

A unix socket is known by its address in the kernel, which is what events carry, where that is to be had: from /proc
(with kernel.kptr_restrict=1 and CAP_SYSLOG: the setting of Ubuntu and RHEL) or from unix_addresses.py. Else it is known
by its inode, which no address can equal.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path

from ..convert.scap.snapshot import L4_ICMP, L4_RAW, L4_TCP, L4_UDP, Bound, Descriptor, Socket, UnixSocket
from . import netlink, proc_net, unix_addresses
from .namespaces import within

SOCK_DIAG_BY_FAMILY = 20
INET_DIAG_REQ_PROTOCOL = 3
UDIAG_SHOW_NAME, UDIAG_SHOW_PEER = 0x1, 0x4
UNIX_DIAG_NAME, UNIX_DIAG_PEER = 0, 2
IPPROTO_MPTCP = 262
# SYN_RECV, TIME_WAIT and NEW_SYN_RECV have no descriptor.
STATES = 0xFFFFFFFF & ~(1 << 3 | 1 << 6 | 1 << 12)
MOST_SOCKETS = 1 << 20
MOST_NAMESPACES = 1024
KERNEL_HALF = 0xFFFF_0000_0000_0000  # addresses of the kernel; hashed ones are below 2**32

_REQUEST = struct.Struct("=BBBBI48x")
_ANSWER = struct.Struct("=BBBB2s2s16s16s12x")
_INODE_AT = 68
_UNIX_REQUEST = struct.Struct("=BBHIIIII")
_UNIX_ANSWER = struct.Struct("=BBBBIII")
_MAPPED = bytes(10) + b"\xff\xff"


@dataclass(frozen=True, slots=True)
class Inet:
    """An IP socket: addresses packed, ports in host order, transport L4_*."""

    local: bytes
    local_port: int
    remote: bytes
    remote_port: int
    transport: int


@dataclass(frozen=True, slots=True)
class Unix:
    """A unix socket: its own path (abstract names with @ in front) and its peer's inode, 0 where there is none.

    The cookie is the kernel's number for it, never given twice; 0 where it is not told.
    """

    path: bytes
    peer: int
    cookie: int = 0


@dataclass(slots=True)
class SocketTable:
    """The sockets found, by inode, and what was wrong on the way (one line each, in order, none twice)."""

    inet: dict[int, Inet] = field(default_factory=dict)
    unix: dict[int, Unix] = field(default_factory=dict)
    addresses: dict[int, int] = field(default_factory=dict)  # of unix sockets in the kernel, by inode
    notes: list[str] = field(default_factory=list)
    left_out: int = 0  # sockets beyond the bound
    namespaces: set[bytes] = field(default_factory=set)  # already read

    def note(self, text: str) -> None:
        """Keep a line about what could not be had."""
        if text not in self.notes:
            self.notes.append(text)

    def put(self, inode: int, found: Inet | Unix) -> None:
        """Add a socket; the first one told of an inode counts. What has no inode has no descriptor."""
        if inode == 0 or inode in self.inet or inode in self.unix:
            return
        if len(self.inet) + len(self.unix) >= MOST_SOCKETS:
            self.left_out += 1
        elif isinstance(found, Inet):
            self.inet[inode] = found
        else:
            self.unix[inode] = found

    def descriptor(self, fd: int, inode: int) -> Descriptor | None:
        """The entry of the descriptor list for the socket `inode`, None where no table has it.

        A bound or listening socket has no other end. IPv4 in IPv6 is told as IPv4, as in events: the list gives roles
        to IPv4 only.
        """
        found = self.inet.get(inode)
        if found is not None:
            return inet_descriptor(fd, inode, found)
        unix = self.unix.get(inode)
        if unix is None:
            return None
        return UnixSocket(fd, self.address(inode), self.address(unix.peer), unix.path, inode)

    def address(self, inode: int) -> int:
        """What a unix socket is known by."""
        return self.addresses.get(inode, inode)


def inet_descriptor(fd: int, inode: int, found: Inet) -> Socket | Bound:
    """How the descriptor list tells an IP socket."""
    local, remote = found.local, found.remote
    connected = found.remote_port != 0 or any(remote)
    if len(local) == 16 and local.startswith(_MAPPED):
        local = local[12:]
        remote = remote[12:] if remote.startswith(_MAPPED) else bytes(4)
    if connected or found.local_port == 0:
        # Not bound yet is told as connected to nothing: a later connect then completes it for every reader.
        return Socket(fd, _text(local), found.local_port, _text(remote), found.remote_port, found.transport, inode)
    return Bound(fd, _text(local), found.local_port, found.transport, inode)


@lru_cache(maxsize=4096)
def _text(address: bytes) -> str:
    return str(ip_address(address))


def read_own(table: SocketTable, proc: str = "/proc") -> None:
    """Add the sockets of our own network namespace."""
    _read_here(table, f"{proc}/self/net", kernel_addresses_shown(proc))


def read_other(table: SocketTable, namespace: bytes, pid: int, proc: str = "/proc") -> None:
    """Add the sockets of the network namespace in which the process `pid` is, once for each namespace.

    Where we may not go there, peers of unix sockets stay unknown. Beyond MOST_NAMESPACES it is noted and left.
    """
    if namespace in table.namespaces:
        return
    if len(table.namespaces) >= MOST_NAMESPACES:
        table.note(f"more than {MOST_NAMESPACES} network namespaces: sockets of the others stay unknown")
        return
    table.namespaces.add(namespace)
    texts = f"{proc}/{pid}/net"
    try:
        within(f"{proc}/{pid}/ns/net", lambda: _read_here(table, texts, kernel_addresses_shown(proc)))
    except OSError:
        for name, transport in PORT_TABLES + RAW_TABLES:
            _read_inet(table, f"{texts}/{name}", transport)
        _read_unix(table, f"{texts}/unix")


RAW_TABLES = (("raw", L4_RAW), ("raw6", L4_RAW), ("icmp", L4_ICMP), ("icmp6", L4_ICMP))
PORT_TABLES = (("tcp", L4_TCP), ("tcp6", L4_TCP), ("udp", L4_UDP), ("udp6", L4_UDP))


def _read_here(table: SocketTable, texts: str, addresses_shown: bool) -> None:
    """Add the sockets of the calling thread's network namespace; `texts` is the folder of its text tables."""
    for family in (socket.AF_INET, socket.AF_INET6):
        for protocol, names in ((socket.IPPROTO_TCP, ("tcp",)), (socket.IPPROTO_UDP, ("udp",)), (IPPROTO_MPTCP, ())):
            _ask_inet(table, family, protocol, [f"{texts}/{name}" for name in names])
    try:
        found = list(unix_answers(netlink.dump(netlink.NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, unix_request())))
    except OSError as error:
        table.note(f"netlink tells no unix sockets ({error.strerror or error}): /proc is read, without their peers")
        _read_unix(table, f"{texts}/unix")
        found = []
    for inode, one in found:
        table.put(inode, one)
    if addresses_shown:
        for line in proc_net.unix(_content(table, f"{texts}/unix")):
            if line.address >= KERNEL_HALF:
                table.addresses[line.inode] = line.address
    elif found:
        by_cookie = unix_addresses.addresses()
        table.addresses |= {inode: by_cookie[one.cookie] for inode, one in found if one.cookie in by_cookie}
    for name, transport in RAW_TABLES:
        _read_inet(table, f"{texts}/{name}", transport)


def _ask_inet(table: SocketTable, family: int, protocol: int, texts: Iterable[str]) -> None:
    transport = L4_UDP if protocol == socket.IPPROTO_UDP else L4_TCP
    try:
        answers = netlink.dump(netlink.NETLINK_SOCK_DIAG, SOCK_DIAG_BY_FAMILY, inet_request(family, protocol))
        for inode, found in inet_answers(answers, transport):
            table.put(inode, found)
    except OSError as error:
        for path in texts:  # none for MPTCP: kernels without it have no such sockets
            table.note(f"netlink tells no {Path(path).name} sockets ({error.strerror or error}): /proc is read")
            _read_inet(table, path + ("6" if family == socket.AF_INET6 else ""), transport)


def inet_request(family: int, protocol: int) -> bytes:
    """The request, struct inet_diag_req_v2; a protocol above 255 goes into an attribute."""
    request = _REQUEST.pack(family, min(protocol, 255), 0, 0, STATES)
    if protocol > 255:
        request += struct.pack("=HHI", 8, INET_DIAG_REQ_PROTOCOL, protocol)
    return request


def inet_answers(answers: Iterable[tuple[int, bytes]], transport: int) -> Iterable[tuple[int, Inet]]:
    """Inode and socket of each struct inet_diag_msg."""
    for kind, body in answers:
        if kind != SOCK_DIAG_BY_FAMILY or len(body) < _INODE_AT + 4:
            continue
        family, _, _, _, local_port, remote_port, local, remote = _ANSWER.unpack_from(body)
        width = 4 if family == socket.AF_INET else 16
        (inode,) = struct.unpack_from("=I", body, _INODE_AT)
        ports = int.from_bytes(local_port, "big"), int.from_bytes(remote_port, "big")
        yield inode, Inet(local[:width], ports[0], remote[:width], ports[1], transport)


def unix_request() -> bytes:
    """The request, struct unix_diag_req, for all unix sockets with their names and peers."""
    show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER
    return _UNIX_REQUEST.pack(socket.AF_UNIX, 0, 0, 0xFFFFFFFF, 0, show, 0xFFFFFFFF, 0xFFFFFFFF)


def unix_answers(answers: Iterable[tuple[int, bytes]]) -> Iterable[tuple[int, Unix]]:
    """Inode and socket of each struct unix_diag_msg."""
    for kind, body in answers:
        if kind != SOCK_DIAG_BY_FAMILY or len(body) < _UNIX_ANSWER.size:
            continue
        _, _, _, _, inode, low, high = _UNIX_ANSWER.unpack_from(body)
        told = netlink.attributes(body[_UNIX_ANSWER.size :])
        peer = int.from_bytes(told.get(UNIX_DIAG_PEER, b"")[:4], sys.byteorder)
        yield inode, Unix(unix_path(told.get(UNIX_DIAG_NAME, b"")), peer, high << 32 | low)


def unix_path(name: bytes) -> bytes:
    """The path of a unix socket's address; an abstract name is shown with @ for each NUL, as /proc does."""
    if name.startswith(b"\0"):
        return name.replace(b"\0", b"@")
    return name.split(b"\0", 1)[0]


def kernel_addresses_shown(proc: str) -> bool:
    """Whether /proc/net/unix may have real addresses (it shows hashes of them elsewhere, which nothing else has)."""
    try:
        return Path(proc, "sys/kernel/kptr_restrict").read_bytes().strip() == b"1"
    except OSError:
        return False


def _read_inet(table: SocketTable, path: str, transport: int) -> None:
    for line in proc_net.inet(_content(table, path)):
        # What these two tables have in the ports' place is the protocol, or the number of the echo.
        ports = (0, 0) if transport in (L4_RAW, L4_ICMP) else (line.local_port, line.remote_port)
        table.put(line.inode, Inet(line.local, ports[0], line.remote, ports[1], transport))


def _read_unix(table: SocketTable, path: str) -> None:
    for line in proc_net.unix(_content(table, path)):
        table.put(line.inode, Unix(line.path, 0))


def _content(table: SocketTable, path: str) -> bytes:
    """The file's text; a table that is not there (IPv6 is off, the process ended) is empty."""
    try:
        with open(path, "rb") as file:
            return file.read(proc_net.LONGEST)
    except (FileNotFoundError, ProcessLookupError):
        return b""
    except OSError as error:
        table.note(f"{Path(path).name} sockets of some network namespace: {error.strerror or error}")
        return b""

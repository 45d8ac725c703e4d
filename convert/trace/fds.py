"""What happens to descriptors: tuples, roles and names, by the rules of libsinsp 0.29.3.

A tuple is stored as told at first; once a role exists the client's side stands first. Facts on libsinsp, sections 3, 4.
"""

from __future__ import annotations

from .model import Fd, decode
from .values import INET, INET6, UNIX, Tuple4, address_text, ip_text, mapped, tuple_text, unmapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..scap.headers import DescriptorEntry
    from .model import Interface, Thread

KINDS = (
    "unknown", "file", "directory", "ipv4", "ipv6", "ipv4_bound", "ipv6_bound", "fifo", "unix", "event", "unsupported",
    "signalfd", "eventpoll", "inotify", "timerfd", "netlink", "file", "bpf", "userfaultfd", "io_uring", "memfd",
    "pidfd",
)  # fmt: skip
L4 = (None, None, "tcp", "udp", "icmp", "raw")
ANY4, ANY6 = bytes(4), bytes(16)


def name_of_tuple(fd: Fd) -> str:
    """The tuple as text; of protocols without ports the addresses only, of a protocol that is not known nothing."""
    if fd.l4 is None:
        return "<unknown>"
    if fd.l4 in ("icmp", "raw"):
        return f"{ip_text(fd.sip or ANY4)}->{ip_text(fd.dip or ANY4)}"
    return f"{address_text(fd.sip or ANY4, fd.sport or 0)}->{address_text(fd.dip or ANY4, fd.dport or 0)}"


def swap(fd: Fd) -> None:
    """Exchange the two sides."""
    fd.sip, fd.dip, fd.sport, fd.dport = fd.dip, fd.sip, fd.dport, fd.sport


def listed(entry: DescriptorEntry, bound: set[int], interfaces: Sequence[Interface]) -> Fd:
    """A descriptor of the lists at the head of a file. `bound` are the ports that somebody listens on."""
    kind = KINDS[entry.kind] if entry.kind < len(KINDS) else "unsupported"
    fd = Fd(entry.fd, kind, decode(entry.name), entry.inode)
    fd.from_list = True
    if entry.kind == 16:
        fd.openflags, fd.dev = entry.open_flags, entry.device
    if kind in ("ipv4", "ipv6"):
        fd.sip, fd.dip, fd.sport, fd.dport = entry.sip, entry.dip, entry.sport, entry.dport
        fd.l4 = L4[entry.l4] if entry.l4 < len(L4) else None
        if kind == "ipv6" and mapped(entry.sip) and mapped(entry.dip):
            fd.kind, fd.sip, fd.dip = "ipv4", entry.sip[12:], entry.dip[12:]
        if fd.kind == "ipv4":
            patch(fd, interfaces)
        fd.name = name_of_tuple(fd)
        if fd.kind == "ipv4":
            fd.role = "server" if fd.sport in bound else "client"
            if fd.role == "server":
                swap(fd)
                fd.name = name_of_tuple(fd)
    elif kind in ("ipv4_bound", "ipv6_bound"):
        fd.sip, fd.sport = entry.dip, entry.dport
        fd.l4 = L4[entry.l4] if entry.l4 < len(L4) else None
        fd.name = address_text(fd.sip, fd.sport)
    elif kind == "unix":
        fd.source, fd.dest = entry.source, entry.dest
        fd.role = "server" if fd.name else "client"
    fd.old_name = fd.name
    fd.connected = fd.is_tuple
    return fd


def patch(fd: Fd, interfaces: Sequence[Interface]) -> None:
    """Fill an all-zero side of a tuple from the machine's interfaces."""
    if fd.kind not in ("ipv4", "ipv6") or not interfaces or fd.sip is None or fd.dip is None:
        return
    if not any(fd.sip):
        fd.sip = _near(fd.dip, interfaces) or fd.sip
    elif not any(fd.dip):
        fd.dip = _near(fd.sip, interfaces) or fd.dip


def _near(other: bytes, interfaces: Iterable[Interface]) -> bytes | None:
    """The address of this machine by which it talks to `other`."""
    four = [face for face in interfaces if len(face.address) == len(other)]
    for face in four:
        if face.address == other:
            return other
    theirs = int.from_bytes(other, "big")
    for face in four:
        mask = int.from_bytes(face.netmask, "big")
        if int.from_bytes(face.address, "big") & mask == theirs & mask:
            return face.address
    for face in four:
        if face.name != "lo":
            return face.address
    return None


def socket_made(num: int, domain: int, kind: int, proto: int) -> Fd:
    """What socket(2) makes; of families that are not followed the kind stays unknown."""
    if domain == UNIX:
        return Fd(num, "unix")
    if domain == 16:
        return Fd(num, "netlink")
    if domain not in (INET, INET6):
        return Fd(num, "unknown")
    width = 4 if domain == INET else 16
    fd = Fd(num, "ipv4" if domain == INET else "ipv6")
    fd.sip = fd.dip = bytes(width)
    fd.sport = fd.dport = 0
    if proto == 6:
        fd.l4 = "raw" if kind & 0xFF == 3 else "tcp"
    elif proto == 17:
        fd.l4 = "raw" if kind & 0xFF == 3 else "udp"
    elif proto == 0:
        fd.l4 = {1: "tcp", 2: "udp"}.get(kind & 0xFF)
    elif proto == 1:
        fd.l4 = "raw" if kind & 0xFF == 3 else "icmp"
    elif proto == 255:
        fd.l4 = "raw"
    return fd


def bind(fd: Fd, found: Tuple4) -> None:
    """A successful bind."""
    if found.family == UNIX:
        fd.name = found.path
        return
    address = found.dip
    kind = "ipv6_bound"
    if found.family == INET or mapped(address):
        address, kind = address[-4:], "ipv4_bound"
    if found.dport > 0:
        fd.kind, fd.role = kind, "server"
        fd.sip, fd.sport, fd.dip, fd.dport = address, found.dport, None, None
    fd.name = address_text(found.dip, found.dport)


def set_tuple(fd: Fd, found: Tuple4, *, overwrite: bool = False) -> bool:
    """Take the tuple that an event tells. False: it says nothing new. The destination stays what it was, unless it
    was nothing or `overwrite` (newer libraries) is set.
    """
    if found.family == UNIX:
        fd.source, fd.dest = found.source, found.dest
        fd.kind = "unix" if fd.kind in ("unknown", "unsupported") else fd.kind
        fd.name = found.path
        return True
    found = unmapped(found)
    none = bytes(len(found.sip))
    kind = "ipv4" if found.family == INET else "ipv6"
    dip, dport = (fd.dip, fd.dport) if fd.kind == kind else (none, 0)
    ours = (fd.sip, fd.sport, dip, dport)
    if kind == "ipv6" and fd.kind in ("ipv4", "ipv4_bound"):
        fd.l4 = None  # libsinsp looks for it in another place
    fd.kind = kind
    if ours in (
        (found.sip, found.sport, found.dip, found.dport),
        (found.dip, found.dport, found.sip, found.sport),
    ):
        fd.dip, fd.dport = dip, dport
        return False
    fd.sip, fd.sport = found.sip, found.sport
    fd.dip = found.dip if overwrite or not dip or not any(dip) or len(dip) != len(found.dip) else dip
    fd.dport = found.dport if overwrite or not dport else dport
    return True


def guess_role(thread: Thread, fd: Fd, *, incoming: bool) -> None:
    """Who is the client of a datagram socket: of IPv4 who sends first, else by what else the process has open."""
    if fd.kind == "ipv4":
        fd.role = "server" if incoming else "client"
        return
    fds = thread.fds.values()
    table = [other for other in fds if other.kind in ("ipv4", "ipv4_bound")] if len(thread.fds) <= 4096 else []
    served = {other.sport for other in table if other.kind == "ipv4_bound"}
    served |= {other.dport for other in table if other.kind == "ipv4"}
    if fd.dport in served:
        if any(other.sport == fd.sport for other in table):
            fd.role = "server" if incoming else "client"
        else:
            fd.role = "server"
        return
    fd.role = "client"


def datagram(thread: Thread, fd: Fd, found: Tuple4, *, incoming: bool, interfaces: Sequence[Interface]) -> None:
    """A sendto, sendmsg, recvfrom or recvmsg that tells its tuple."""
    kind, other = fd.kind, not fd.is_ip and fd.kind != "unknown"
    if not set_tuple(fd, found):
        return
    if found.family == UNIX:
        fd.kind = "unix"
    elif other and fd.kind == "ipv6":
        fd.kind = kind  # the tuple of a datagram does not make an IPv6 socket of what is none
    if fd.kind not in ("ipv4", "ipv6"):
        fd.name = tuple_text(found)
        return
    if fd.l4 is None:
        fd.l4 = "udp"
    patch(fd, interfaces)
    if fd.role is None:
        guess_role(thread, fd, incoming=incoming)
    if fd.role == ("client" if incoming else "server"):
        swap(fd)
    fd.name = name_of_tuple(fd)

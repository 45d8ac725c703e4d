"""fd.*: the descriptor that an event uses, as it stands after the event."""

from __future__ import annotations

from ...scap.event_table import EF_CREATES_FD, EF_DESTROYS_FD, EF_USES_FD
from ...trace.arguments import find
from ...trace.arguments import text as argument_text
from .field import Field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...trace.model import Event, Fd, Trace
    from .field import Value

HAS_FD: Final = EF_CREATES_FD | EF_USES_FD | EF_DESTROYS_FD
KINDS: Final = {
    "file": "file", "directory": "directory", "ipv4": "ipv4", "ipv6": "ipv6", "ipv4_bound": "ipv4",
    "ipv6_bound": "ipv6", "unix": "unix", "fifo": "pipe", "event": "event", "signalfd": "signalfd",
    "eventpoll": "eventpoll", "inotify": "inotify", "timerfd": "timerfd", "netlink": "netlink", "bpf": "bpf",
    "userfaultfd": "userfaultfd", "io_uring": "io_uring", "memfd": "memfd", "pidfd": "pidfd",
}  # fmt: skip
LATER: Final = frozenset(
    ("mmap", "mmap2", "sendmmsg", "recvmmsg", "symlinkat", "unlinkat", "mkdirat", "fchmodat", "fchmod")
)
"""Events whose descriptors only newer libraries know."""
CREATORS: Final = {
    "open": "f", "openat": "f", "creat": "f", "openat2": "f", "open_by_handle_at": "f", "socket": "4", "accept": "4",
    "accept4": "4",
    "eventfd": "e", "pipe": "p", "signalfd": "s", "timerfd_create": "t", "inotify_init": "i",
}  # fmt: skip
"""The letter of a descriptor that is not there (yet): by the event type that makes it."""
NAMED_BY: Final = {
    "open": "name", "creat": "name", "accept": "tuple", "accept4": "tuple", "connect": "tuple", "openat": "name",
    "openat2": "name", "open_by_handle_at": "path",
}  # fmt: skip
"""The parameter of an exit that tells the name of a descriptor that is not there."""


def has_fd(event: Event) -> bool:
    """Whether events of its type have a descriptor: of some, sysdig 0.29.3 did not know it yet."""
    if event.trace.exit_only:
        return bool(event.info.flags & HAS_FD)
    return bool(event.info.flags & HAS_FD) and event.name not in LATER or event.name == "fstat64"


def uses_fd(event: Event) -> bool:
    """Whether the event is of a type that has a descriptor, and its thread or (of packets) its socket is known."""
    return has_fd(event) and (event.thread is not None or event.fd is not None)


def fd_of(event: Event) -> Fd | None:
    """The event's descriptor, None where it has none or it is not known."""
    return event.fd if has_fd(event) else None


def of_fd(extract: Callable[[Fd], Value]) -> Callable[[Event, str | None], Value]:
    """A field that depends on the descriptor alone."""

    def value(event: Event, argument: str | None) -> Value:
        found = fd_of(event)
        return None if found is None else extract(found)

    return value


def of_fd_and_trace(extract: Callable[[Fd, Trace], Value]) -> Callable[[Event, str | None], Value]:
    """A field that depends on the descriptor and the machine's interfaces."""

    def value(event: Event, argument: str | None) -> Value:
        found = fd_of(event)
        return None if found is None else extract(found, event.trace)

    return value


def number(event: Event, argument: str | None) -> Value:
    """fd.num: known wherever the type has a descriptor, -1 if there is none."""
    return event.fd_num if uses_fd(event) else None


def letter(event: Event, argument: str | None) -> Value:
    """fd.typechar"""
    if not uses_fd(event):
        return None
    return CREATORS.get(event.name, "o") if event.fd is None else event.fd.typechar


def told_name(event: Event) -> str | None:
    """The name of a descriptor that is not there: what the exit says, "" if it says nothing, None on enters."""
    if not event.is_exit:
        return None
    index = find(event, NAMED_BY.get(event.name, ""))
    return "" if index is None else argument_text(event, index)


def name(event: Event, argument: str | None) -> str | None:
    """fd.name"""
    if not uses_fd(event):
        return None
    found = event.fd
    if found is None:
        return told_name(event)
    if event.name == "connect" and event.is_exit and event.res is not None and event.res < 0:
        told = told_name(event)
        if told not in (None, "", "NULL"):
            return told
    return found.name


def directory(event: Event, argument: str | None) -> str | None:
    """fd.directory"""
    if not uses_fd(event):
        return None
    found = event.fd
    if found is None:
        told = told_name(event)
        if told is None:
            return None
        head, slash, _ = told.rpartition("/")
        return (head or "/") if slash else "/"
    if found.kind == "directory":
        return found.name
    if found.kind != "file":
        return None
    head, slash, _ = found.name.rpartition("/")
    return (head or "/") if slash else "/"


def filename(found: Fd) -> str | None:
    """fd.filename"""
    if found.kind != "file":
        return None
    _, slash, tail = found.name.rpartition("/")
    return (tail or "/") if slash else "/"


def in_container(of: Callable[[Event, str | None], str | None]) -> Callable[[Event, str | None], Value]:
    """The same with the container's id in front."""

    def value(event: Event, argument: str | None) -> Value:
        inner = of(event, argument)
        if inner is None or event.thread is None:
            return None
        return f"{event.thread.container or ''}:{inner}"

    return value


def unique(event: Event, argument: str | None) -> Value:
    """fd.uid: the digits of the thread id and of the number in a row."""
    return f"{event.tid}{event.fd_num}" if uses_fd(event) and event.fd_num is not None else None


def sides(found: Fd) -> tuple[bytes, ...]:
    """Every address of an IP socket: both ends, or the bound one."""
    empty = bytes(16 if found.kind.startswith("ipv6") else 4)
    if found.is_tuple:
        return (found.sip or empty, found.dip or empty)
    return (found.sip or empty,) if found.is_bound else ()


def ports(found: Fd) -> tuple[int, ...]:
    """Every port of an IP socket."""
    if found.is_tuple:
        return (found.sport or 0, found.dport or 0)
    return (found.sport or 0,) if found.is_bound else ()


def several(of: Callable[[Fd], tuple[Value, ...]]) -> Callable[[Event, str | None], tuple[Value, ...] | None]:
    """A field of several values."""

    def values(event: Event, argument: str | None) -> tuple[Value, ...] | None:
        found = fd_of(event)
        return None if found is None else of(found) or None

    return values


def is_local(ip: bytes | None, trace: Trace) -> bool:
    """Whether it is an address of the machine: an interface's; of IPv6, one in the same /64 as an interface's."""
    if not ip:
        return False
    if len(ip) == 4:
        return any(one.address == ip for one in trace.interfaces if one.family == 4)
    return any(one.address[:8] == ip[:8] for one in trace.interfaces if one.family == 6)


def client_ip(found: Fd) -> Value:
    """fd.cip"""
    return found.sip if found.is_tuple and found.role else None


def server_ip(found: Fd) -> Value:
    """fd.sip"""
    if not found.role:
        return None
    return found.dip if found.is_tuple else found.sip if found.is_bound else None


def client_port(found: Fd) -> Value:
    """The client's port of a connection."""
    return found.sport if found.is_tuple and found.role else None


def cport(event: Event, argument: str | None) -> Value:
    """fd.cport; 0 of a unix or bound socket with a role, as sysdig 0.29.3 has it."""
    found = fd_of(event)
    if found is not None and (found.kind == "unix" or found.is_bound):
        return 0 if found.role and not event.trace.exit_only else None
    return None if found is None else client_port(found)


def server_port(found: Fd) -> Value:
    """fd.sport: of a bound socket also without a role."""
    if found.is_bound:
        return found.sport
    return found.dport if found.is_tuple and found.role else None


def near(of_source: bool) -> Callable[[Fd, Trace], int | None]:
    """Which side is local (or remote): 0 the client's, 1 the server's. Local is the server's where nothing tells."""

    def side(found: Fd, trace: Trace) -> int | None:
        if not found.is_tuple or not found.role:
            return None
        return 0 if is_local(found.sip, trace) == of_source else 1

    return side


def end_ip(of_source: bool) -> Callable[[Fd, Trace], Value]:
    """fd.lip and fd.rip"""
    side = near(of_source)

    def value(found: Fd, trace: Trace) -> Value:
        which = side(found, trace)
        return None if which is None else (found.sip, found.dip)[which]

    return value


def end_port(of_source: bool) -> Callable[[Fd, Trace], Value]:
    """fd.lport and fd.rport"""
    side = near(of_source)

    def value(found: Fd, trace: Trace) -> Value:
        which = side(found, trace)
        return None if which is None else (found.sport, found.dport)[which]

    return value


def as_text(of: Callable[[Event, str | None], Value]) -> Callable[[Event, str | None], Value]:
    """A port as text: names are not looked up. Empty for what is no connection."""

    def value(event: Event, argument: str | None) -> Value:
        port = of(event, argument)
        if port is None:
            return None
        return str(port) if event.fd is not None and event.fd.is_tuple else ""

    return value


def l4(found: Fd) -> Value:
    """fd.l4proto: of a connection only with a role, unless it is raw."""
    if found.is_bound or (found.is_tuple and (found.role or found.l4 == "raw")):
        return found.l4
    return None


def is_server(event: Event, argument: str | None) -> Value:
    """fd.is_server: bound, or the server's address is the machine's. Not the role; in a container none is too."""
    found = fd_of(event)
    if found is None or event.trace.format != "scap":  # packets do not tell whose machine it is
        return None
    if not found.is_tuple:
        return found.is_bound
    nowhere = found.kind == "ipv4" and not any(found.dip or b"") and event.thread is not None
    return is_local(found.dip, event.trace) or (nowhere and bool(event.thread and event.thread.container))


def family(found: Fd) -> Value:
    """fd.sockfamily"""
    return "ip" if found.is_ip else "unix" if found.kind == "unix" else None


def device(found: Fd, trace: Trace) -> int | None:
    """fd.dev; 0 where it is not recorded, None for packets."""
    return found.dev or 0 if trace.format == "scap" else None


def major(found: Fd, trace: Trace) -> Value:
    """fd.dev.major"""
    dev = device(found, trace)
    return None if dev is None else dev >> 8 & 0xFFF


def minor(found: Fd, trace: Trace) -> Value:
    """fd.dev.minor"""
    dev = device(found, trace)
    return None if dev is None else dev & 0xFF | dev >> 12 & 0xFFF00


def never(event: Event, argument: str | None) -> Value:
    """What a file cannot tell."""
    return None


_sport = of_fd(server_port)
_lport, _rport = of_fd_and_trace(end_port(True)), of_fd_and_trace(end_port(False))
_cip, _sip = of_fd(client_ip), of_fd(server_ip)
_lip, _rip = of_fd_and_trace(end_ip(True)), of_fd_and_trace(end_ip(False))
_NO_DNS = "; names are not looked up, so it is always missing"

FIELDS: Final = (
    Field("fd.num", "int64", "E", "none", "Number of the descriptor; -1 if the event got none.", number, "id"),
    Field("fd.type", "charbuf", "D", "none", "Kind of descriptor: file, directory, ipv4, ipv6, unix, pipe, event, "
          "signalfd, eventpoll, inotify, timerfd or netlink.", of_fd(lambda found: KINDS.get(found.kind)), "decimal"),
    Field("fd.typechar", "charbuf", "D", "none", "Kind of descriptor as one letter.", letter, "decimal"),
    Field("fd.name", "charbuf", "D", "none", "Path of a file, or addresses and ports of a connection.", name),
    Field("fd.directory", "charbuf", "D", "none", "Directory that a file lies in.", directory),
    Field("fd.filename", "charbuf", "D", "none", "Name of a file without its directory.", of_fd(filename)),
    Field("fd.ip", "ipaddr", "D", "none", "Either end's IP address; in filters only.", several(sides),
          filter_only=True),
    Field("fd.cip", "ipaddr", "D", "none", "IP address of the client.", _cip),
    Field("fd.sip", "ipaddr", "D", "none", "IP address of the server.", _sip),
    Field("fd.lip", "ipaddr", "D", "none", "IP address of this machine's end.", _lip),
    Field("fd.rip", "ipaddr", "D", "none", "IP address of the other end.", _rip),
    Field("fd.port", "port", "D", "none", "Either end's port; in filters only.", several(ports), "decimal", True),
    Field("fd.cport", "port", "D", "none", "Port of the client.", cport, "decimal"),
    Field("fd.sport", "port", "D", "none", "Port of the server.", _sport, "decimal"),
    Field("fd.lport", "port", "D", "none", "Port of this machine's end.", _lport, "decimal"),
    Field("fd.rport", "port", "D", "none", "Port of the other end.", _rport, "decimal"),
    Field("fd.l4proto", "charbuf", "D", "none", "Transport of a socket: tcp, udp, icmp or raw.", of_fd(l4)),
    Field("fd.sockfamily", "charbuf", "D", "none", "ip or unix, of sockets.", of_fd(family)),
    Field("fd.is_server", "bool", "D", "none", "Whether the server's address is this machine's.",
          is_server),
    Field("fd.uid", "charbuf", "E", "none", "Thread id and number in a row: one text a descriptor.", unique),
    Field("fd.containername", "charbuf", "D", "none", "Container id, a colon, and fd.name.", in_container(name)),
    Field("fd.containerdirectory", "charbuf", "D", "none", "Container id, a colon, and fd.directory.",
          in_container(directory)),
    Field("fd.proto", "port", "D", "none", "Either end's service, by name or port; in filters only.", several(ports),
          "text", True),
    Field("fd.cproto", "charbuf", "D", "none", "Port of the client, as text.", as_text(cport)),
    Field("fd.sproto", "charbuf", "D", "none", "Port of the server, as text.", as_text(_sport)),
    Field("fd.lproto", "charbuf", "D", "none", "Port of this machine's end, as text.", as_text(_lport)),
    Field("fd.rproto", "charbuf", "D", "none", "Port of the other end, as text.", as_text(_rport)),
    Field("fd.net", "ipnet", "D", "none", "Network of either end, in filters only.", several(sides), "text", True),
    Field("fd.cnet", "ipnet", "D", "none", "Network of the client, in filters only.", _cip, "text", True),
    Field("fd.snet", "ipnet", "D", "none", "Network of the server, in filters only.", _sip, "text", True),
    Field("fd.lnet", "ipnet", "D", "none", "Network of this machine's end, in filters only.", _lip, "text", True),
    Field("fd.rnet", "ipnet", "D", "none", "Network of the other end, in filters only.", _rip, "text", True),
    Field("fd.connected", "bool", "D", "none", "Whether a socket is connected.", of_fd(lambda found: found.connected)),
    Field("fd.name_changed", "bool", "E", "none", "Whether this event changed the descriptor's name.",
          of_fd(lambda found: found.name_changed)),
    Field("fd.cip.name", "charbuf", "D", "none", "Domain name of the client" + _NO_DNS + ".", never),
    Field("fd.sip.name", "charbuf", "D", "none", "Domain name of the server" + _NO_DNS + ".", never),
    Field("fd.lip.name", "charbuf", "D", "none", "Domain name of this machine's end" + _NO_DNS + ".", never),
    Field("fd.rip.name", "charbuf", "D", "none", "Domain name of the other end" + _NO_DNS + ".", never),
    Field("fd.dev", "int32", "D", "none", "Device that a file lies on, major and minor in one.",
          of_fd_and_trace(device), "hex"),
    Field("fd.dev.major", "int32", "D", "none", "Major number of the device that a file lies on.",
          of_fd_and_trace(major), "decimal"),
    Field("fd.dev.minor", "int32", "D", "none", "Minor number of the device that a file lies on.",
          of_fd_and_trace(minor), "decimal"),
)  # fmt: skip

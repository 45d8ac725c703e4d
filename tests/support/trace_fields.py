"""Fields of events in sysdig's text, made from a trace's model by short rules of their own: what parity tests compare.

The product's field table (convert/filters/fields) is not used: these tests judge the state, not the fields.
"""

from __future__ import annotations

from collections.abc import Callable

from syswire.convert.trace.model import Event, Fd
from syswire.convert.trace.parsers import path_asked
from syswire.convert.trace.values import ip_text, tuple_of, tuple_text

NONE = "<NA>"
CREATORS = ("open", "openat", "openat2", "creat")


def _bool(value: bool) -> str:
    return "true" if value else "false"


def fd_name(event: Event) -> str | None:
    """The descriptor's name; of one that was not made the name that was asked for."""
    failed = event.is_exit and event.info.name == "connect" and (event.res or 0) < 0
    if event.fd is not None and not failed:
        return event.fd.name
    if event.fd_num is None or not event.is_exit:
        return None
    if event.info.name in CREATORS:
        return path_asked(event)
    if event.info.name in ("connect", "accept", "accept4") and (value := event.param("tuple")) is not None:
        return "NULL" if (found := tuple_of(value)) is None else tuple_text(found)
    return event.fd.name if event.fd is not None else ""


def typechar(event: Event) -> str | None:
    """The letter of the kind; where the descriptor is not known, of what the event would make."""
    if event.fd is not None:
        return event.fd.typechar
    if event.fd_num is None:
        return None
    name = event.info.name
    letters = dict.fromkeys(CREATORS, "f") | {"signalfd": "s", "socket": "4", "accept": "4", "pipe": "p"}
    letters |= {"eventfd": "e", "timerfd_create": "t", "inotify_init": "i"}
    return letters.get(name, "o")


def _fd(rule: Callable[[Fd], object]) -> Callable[[Event], object]:
    return lambda event: None if event.fd is None else rule(event.fd)


def fd_type(fd: Fd) -> str | None:
    """The kind by sysdig's name."""
    kind = {"ipv4_bound": "ipv4", "ipv6_bound": "ipv6", "fifo": "pipe"}.get(fd.kind, fd.kind)
    return None if kind in ("unknown", "unsupported") else kind


def client(fd: Fd, what: str) -> object:
    """Client side."""
    if not fd.is_tuple or fd.role is None:
        return None
    return ip_text(fd.sip or b"") if what == "ip" else fd.sport


def server(fd: Fd, what: str) -> object:
    """Server side, or the bound address."""
    if fd.is_bound and (what == "port" or fd.role is not None):
        return ip_text(fd.sip or b"") if what == "ip" else fd.sport
    if not fd.is_tuple or fd.role is None:
        return None
    return ip_text(fd.dip or b"") if what == "ip" else fd.dport


def l4(fd: Fd) -> str:
    """The transport."""
    if not fd.is_ip or (fd.is_tuple and fd.role is None and fd.l4 != "raw"):
        return NONE
    return fd.l4 or NONE


def _thread(name: str) -> Callable[[Event], object]:
    return lambda event: None if event.thread is None else getattr(event.thread, name)


def cmdline(event: Event) -> str | None:
    """Name and arguments."""
    thread = event.thread
    if thread is None:
        return None
    return " ".join([thread.comm or "", *thread.args])


def parent(event: Event) -> int | None:
    """The process that made the process."""
    return None if event.thread is None else (event.thread.main or event.thread).ptid


def user(event: Event) -> str | None:
    """The user's name."""
    if event.thread is None or event.thread.uid is None:
        return NONE if event.thread is not None else None
    found = event.trace.users.get(event.thread.uid)
    return NONE if found is None else found.name


FIELDS: dict[str, Callable[[Event], object]] = {
    "evt.num": lambda event: event.num,
    "evt.type": lambda event: event.info.name,
    "evt.dir": lambda event: event.info.direction,
    "thread.tid": lambda event: event.tid,
    "proc.name": _thread("comm"),
    "proc.pid": _thread("pid"),
    "proc.exe": _thread("exe"),
    "proc.cwd": _thread("cwd"),
    "proc.cmdline": cmdline,
    "proc.ppid": parent,
    "proc.vmsize": lambda event: None if event.thread is None else event.thread.vmsize or 0,
    "thread.pfminor": lambda event: None if event.thread is None else event.thread.pfminor or 0,
    "thread.vtid": _thread("vtid"),
    "proc.vpid": _thread("vpid"),
    "user.name": user,
    "fd.num": lambda event: event.fd_num,
    "fd.name": fd_name,
    "fd.connected": _fd(lambda fd: _bool(fd.connected)),
    "fd.name_changed": _fd(lambda fd: _bool(fd.name_changed)),
    "fd.type": _fd(fd_type),
    "fd.typechar": typechar,
    "fd.l4proto": _fd(l4),
    "fd.cip": _fd(lambda fd: client(fd, "ip")),
    "fd.cport": _fd(lambda fd: client(fd, "port") if fd.is_tuple else 0 if fd.role else None),
    "fd.sip": _fd(lambda fd: server(fd, "ip")),
    "fd.sport": _fd(lambda fd: server(fd, "port")),
}


def line(event: Event) -> dict[str, str]:
    """All fields as text."""
    return {name: NONE if (value := rule(event)) is None else str(value) for name, rule in FIELDS.items()}

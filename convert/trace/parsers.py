"""What each event does to descriptors, working directories and identities, by the rules of libsinsp.

`PARSERS` has a function for each name of an exit event; it is called where the exit belongs to its enter (files of
before the exit-only schema) and the call's descriptor is known. What a failed call reports changes nothing.
"""

from __future__ import annotations

from .changes import chdir, fchdir, limit, memory, prctl, setsid, taking
from .fds import bind, datagram, name_of_tuple, set_tuple, socket_made, swap
from .model import Fd, encode
from .threads import MAX_FDS, Table, argument, first, named
from .values import (
    LONGEST_PATH,
    TOO_LONG,
    address_of,
    joined,
    number,
    signed,
    text,
    tuple_of,
    tuple_text,
    unmapped,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import Event, Thread

MAX_PER_TABLE = 4096  # descriptors that events may add to one table, as in libsinsp
EINPROGRESS = 115
AT_FDCWD = -100
F_DUPFD, F_DUPFD_CLOEXEC = 1, 26
O_CLOEXEC, O_DIRECTORY = 4096, 1024
SOCK_CLOEXEC = 0x80000
UNKNOWN = "<UNKNOWN>"
NEWER_KINDS = frozenset(("bpf", "userfaultfd", "io_uring", "memfd", "pidfd"))


def add(table: Table, event: Event, fd: Fd) -> None:
    """Put the descriptor into the thread's table; the event is then one on it."""
    thread = event.thread
    assert thread is not None
    fds = thread.fds
    old = fds.get(fd.num)
    thread.last_fd = fd.num
    if old is None and (len(fds) >= MAX_PER_TABLE or table.fds >= MAX_FDS):
        table.refuse("descriptors_refused")
        return
    if old is None:
        table.fds += 1
    fd.created = event.ordinal
    fds[fd.num] = fd
    event.fd = fd


# -- sockets


def _socket(table: Table, event: Event) -> None:
    res = first(event)
    kind = number(argument(event, "type"))
    if res < 0:
        return
    fd = socket_made(res, number(argument(event, "domain")), kind, number(argument(event, "proto")))
    fd.cloexec = bool(kind & SOCK_CLOEXEC)
    add(table, event, fd)


def _socketpair(table: Table, event: Event) -> None:
    if first(event) < 0:
        return
    got = named(event)
    kind = number(argument(event, "type"))
    source, peer = number(got.get("source", b"")), number(got.get("peer", b""))
    for name, ends in (("fd1", (source, peer)), ("fd2", (peer, source))):
        fd = Fd(signed(got.get(name, b"")), "unix")
        fd.source, fd.dest = ends
        fd.cloexec = bool(kind & SOCK_CLOEXEC)
        add(table, event, fd)


def _bind(table: Table, event: Event) -> None:
    found = address_of(event.param("addr") or b"")
    if first(event) >= 0 and event.fd is not None and found is not None:
        bind(event.fd, found)


def connect_enter(event: Event) -> None:
    """A connect's enter that tells the address (newer files)."""
    fd = event.fd
    found = address_of(event.param("addr") or b"")
    if fd is None or found is None:
        return
    if found.family == 1:
        fd.name = found.path
        return
    found = unmapped(found.from_side(bytes(len(found.dip))))
    kind = "ipv4" if found.family == 2 else "ipv6"
    if fd.is_ip:
        if fd.sip is None or len(fd.sip) != len(found.dip):
            fd.sip, fd.sport = found.sip, fd.sport or 0
        fd.kind, fd.dip, fd.dport = kind, found.dip, found.dport


def _connect(table: Table, event: Event) -> None:
    fd, res = event.fd, first(event)
    if fd is None:
        return
    if res < 0 and res != -EINPROGRESS:
        fd.failed = True
        return
    fd.connected = True
    found = tuple_of(event.param("tuple") or b"")
    if found is None and table.newest:
        asked = address_of(event.param("addr") or b"")
        if asked is None:
            return
        found = asked if asked.family == 1 else asked.from_side(bytes(len(asked.dip)), 0)
    if found is None:
        return
    changed = set_tuple(fd, found, overwrite=table.newest)
    if found.family == 1:
        fd.name = tuple_text(found)
        fd.role = fd.role or "client"
        return
    if changed and fd.role == "server" and fd.l4 == "udp":
        swap(fd)
    elif fd.role is None:
        fd.role = "client"
    fd.name = name_of_tuple(fd)


def _accept(table: Table, event: Event) -> None:
    res = first(event)
    if res < 0:
        return
    found = tuple_of(event.param("tuple") or b"")
    if event.thread is not None:
        event.thread.last_fd = res
    if found is None:
        return
    fd = Fd(res, "unix")
    if found.family != 1:
        found = unmapped(found)
        fd.kind = "ipv4" if found.family == 2 else "ipv6"
        fd.sip, fd.sport, fd.dip, fd.dport = found.sip, found.sport, found.dip, found.dport
        fd.l4 = "tcp"
    fd.source, fd.dest, fd.role = found.source, found.dest, "server"
    fd.connected = True
    fd.name = tuple_text(found)
    fd.cloexec = bool(number(argument(event, "flags")) & (SOCK_CLOEXEC | O_CLOEXEC))
    add(table, event, fd)


def _io(table: Table, event: Event) -> None:
    fd = event.fd
    if fd is None or event.thread is None or first(event) < 0:
        return
    if fd.kind in ("ipv4", "ipv6"):
        fd.connected = True
    name = event.info.name
    if name in ("recvfrom", "recvmsg"):
        incoming, found = True, tuple_of(event.param("tuple") or b"")
    elif name in ("sendto", "sendmsg"):
        incoming, found = False, tuple_of(argument(event, "tuple"))
    elif table.newest and name in ("sendmmsg", "recvmmsg"):
        incoming, found = name == "recvmmsg", tuple_of(event.param("tuple") or b"")
    else:
        return
    if found is not None and (fd.l4 != "tcp" or not fd.name):
        datagram(event.thread, fd, found, incoming=incoming, interfaces=event.trace.interfaces)


def sendto_enter(table: Table, event: Event) -> None:
    """A sendto on a descriptor that is not known but tells an IP tuple: a UDP socket."""
    found = tuple_of(event.param("tuple") or b"")
    if event.fd is not None or found is None or found.family == 1 or event.thread is None:
        return
    num = event.thread.last_fd
    fd = Fd(num, "ipv4" if found.family == 2 else "ipv6")
    fd.sip = fd.dip = bytes(len(found.sip))
    fd.sport = fd.dport = 0
    fd.l4 = "udp"
    add(table, event, fd)


# -- files and other descriptors


def _open(table: Table, event: Event) -> None:
    res = first(event)
    if res < 0 or event.thread is None:
        return
    name = asked(event, "name") or asked(event, "path")
    flags = number(asked(event, "flags"))
    if event.info.name == "creat":
        flags = 0
    fd = Fd(res, "directory" if flags & O_DIRECTORY else "file", path_asked(event))
    fd.raw_name = text(name)
    fd.openflags = flags
    fd.cloexec = bool(flags & O_CLOEXEC)
    dev, ino = event.param("dev"), event.param("ino")
    fd.dev = number(dev) if dev else None
    fd.ino = number(ino) if ino else None
    add(table, event, fd)


def path_asked(event: Event) -> str:
    """The absolute path that an open, openat or creat asks for, whatever came of it; empty where none is told."""
    name = asked(event, "name") or asked(event, "path")
    if event.thread is None or not name:
        return ""
    return resolve(event.thread, asked(event, "dirfd") or asked(event, "mountfd"), text(name))


def asked(event: Event, name: str) -> bytes:
    """The parameter's bytes from the enter, which no other thread can have changed since, else from the exit."""
    found = event.enter.param(name) if event.enter is not None else None
    if not found or found in (b"\0", b"<NA>\0"):
        found = event.param(name)
    return found or b""


def resolve(thread: Thread, dirfd: bytes, name: str) -> str:
    """The absolute path that a call names."""
    num = signed(dirfd) if dirfd else AT_FDCWD
    if name.startswith("/") and dirfd:
        return joined(".", name)
    if num == AT_FDCWD:
        return joined(thread.cwd or "", name)
    directory = thread.fds.get(num)
    if directory is None:
        return below_unknown(name) if len(encode(name)) <= LONGEST_PATH - 9 else TOO_LONG
    return joined(directory.name + "/", name)


def below_unknown(name: str) -> str:
    """The path of a name in a directory that is not known; nothing divides the two, and '..' leads out of both."""
    parts, first_part = [UNKNOWN], True
    for part in name.split("/"):
        if part == "..":
            parts, first_part = parts[:-1], False
        elif part not in ("", "."):
            if first_part:
                parts[-1] += part
            else:
                parts.append(part)
            first_part = False
    return "/".join(parts)


def _pipe(table: Table, event: Event) -> None:
    if first(event) < 0:
        return
    got = named(event)
    for name in ("fd1", "fd2"):
        fd = Fd(signed(got.get(name, b"")), "fifo", "", number(got.get("ino", b"")))
        fd.pipe = True
        fd.cloexec = bool(number(got.get("flags", b"")) & O_CLOEXEC)
        add(table, event, fd)


def _anonymous(kind: str) -> Callable[[Table, Event], None]:
    def parse(table: Table, event: Event) -> None:
        res = first(event)
        if res < 0 or (kind in NEWER_KINDS and not table.newest):
            return
        fd = Fd(res, kind)
        if kind == "memfd":
            fd.name = text(event.param("name") or b"")
        if kind == "pidfd":
            fd.pid = signed(event.param("pid") or b"")
            fd.name = f"/proc/{fd.pid}" if event.info.name == "pidfd_open" else ""
        fd.cloexec = bool(number(argument(event, "flags")) & O_CLOEXEC)
        add(table, event, fd)

    return parse


def _close(table: Table, event: Event) -> None:
    fd, thread = event.fd, event.thread
    if fd is None or thread is None:
        return
    if first(event) < 0:
        fd.closing = False
    else:
        table.leaving = (thread, fd)


def close_enter(event: Event) -> None:
    """A close began."""
    if event.fd is not None:
        event.fd.closing = True


def _dup(table: Table, event: Event) -> None:
    res, fd = first(event), event.fd
    if res < 0 or fd is None:
        return
    new = fd.copy(res)
    new.closing = False
    if table.newest:
        new.cloexec = event.info.name == "dup3" and bool(number(argument(event, "flags")) & O_CLOEXEC)
    add(table, event, new)


def _fcntl(table: Table, event: Event) -> None:
    command = number(argument(event, "cmd"))
    if command in (F_DUPFD, F_DUPFD_CLOEXEC):
        _dup(table, event)
        if table.newest and event.fd is not None and first(event) >= 0:
            event.fd.cloexec = command == F_DUPFD_CLOEXEC


def _close_range(table: Table, event: Event) -> None:
    thread = event.thread
    if first(event) < 0 or thread is None:
        return
    low, high = number(argument(event, "first")), number(argument(event, "last"))
    marks = number(argument(event, "flags")) & 4
    fds = thread.fds
    if not table.afford(len(fds)):
        table.refuse("descriptors_refused", 1)
        return
    for num in [num for num in fds if low <= num <= high]:
        if marks:
            fds[num].cloexec = True
        else:
            del fds[num]
            table.fds -= 1


def _execve(table: Table, event: Event) -> None:
    table.executed(event)


PARSERS: dict[str, Callable[[Table, Event], None]] = {
    "socket": _socket, "socketpair": _socketpair, "bind": _bind, "connect": _connect, "accept": _accept,
    "accept4": _accept, "open": _open, "openat": _open, "openat2": _open, "creat": _open, "open_by_handle_at": _open,
    "pipe": _pipe, "pipe2": _pipe, "close": _close, "dup": _dup, "dup2": _dup, "dup3": _dup, "fcntl": _fcntl,
    "close_range": _close_range, "chdir": chdir, "getcwd": chdir, "fchdir": fchdir, "execve": _execve,
    "execveat": _execve,
    "setuid": taking(("uid", "uid")), "setgid": taking(("gid", "gid")),
    "setresuid": taking(("euid", "uid")), "setresgid": taking(("egid", "gid")),
    "setreuid": taking(("euid", "uid")), "setregid": taking(("egid", "gid")),
    "setsid": setsid, "setrlimit": limit, "prlimit": limit, "prctl": prctl, "brk": memory, "mmap": memory,
    "mmap2": memory, "munmap": memory,
    "eventfd": _anonymous("event"), "eventfd2": _anonymous("event"), "signalfd": _anonymous("signalfd"),
    "signalfd4": _anonymous("signalfd"), "epoll_create": _anonymous("eventpoll"),
    "epoll_create1": _anonymous("eventpoll"), "inotify_init": _anonymous("inotify"),
    "inotify_init1": _anonymous("inotify"), "timerfd_create": _anonymous("timerfd"), "bpf": _anonymous("bpf"),
    "userfaultfd": _anonymous("userfaultfd"), "io_uring_setup": _anonymous("io_uring"),
    "memfd_create": _anonymous("memfd"), "pidfd_open": _anonymous("pidfd"), "pidfd_getfd": _anonymous("pidfd"),
} | dict.fromkeys(
    ("read", "readv", "pread", "preadv", "recv", "recvfrom", "recvmsg", "recvmmsg", "write", "writev", "pwrite",
     "pwritev", "send", "sendto", "sendmsg", "sendmmsg"), _io
)  # fmt: skip
"""What an exit event does, by its name."""
ALONE = frozenset(
    ("open", "openat", "openat2", "creat", "accept", "pipe", "socketpair", "eventfd", "signalfd", "timerfd_create",
     "inotify_init", "chdir", "getcwd", "setsid", "brk", "mmap", "mmap2", "munmap")
)  # fmt: skip
"""Those of sysdig 0.29.3's exits that count without their enters too: the exit tells all."""

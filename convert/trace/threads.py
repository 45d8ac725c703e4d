"""What happens to threads: listed, made by clone, changed by execve, ended; by the rules of libsinsp.

Parameters are taken by their names in the event table, so that one function serves every version of an event type.
"""

from __future__ import annotations

from struct import Struct

from ..scap.containers import container_of
from .model import Fd, Loss, Thread, decode
from .values import NO_ID, identity, joined, number, signed, text, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..scap.headers import ProcessEntry
    from .model import Event, Trace

MAX_THREADS = 131_072  # as libsinsp holds
MAX_FDS = 1 << 19  # of all threads together
EFFORT = 1 << 22  # descriptors that may be copied at once by clones, and what each event adds to that
EFFORT_EACH = 256
CLONE_THREAD = 1 << 13
CLONE_INVERTED = 1 << 16  # the child's own return came before its parent's
STALE = 2_000_000_000  # ns after which a thread of the same number is an older one
NONE = "<NA>"


class Table:
    """The threads of a trace, bounded; what found no room is counted in the trace's losses."""

    def __init__(self, trace: Trace, *, newest: bool = False) -> None:
        self.trace = trace
        self.threads = trace.threads
        self.newest = newest
        self.effort = EFFORT
        self.fds = 0
        self.leaving: tuple[Thread, Fd] | None = None  # goes before the next event

    def refuse(self, cause: str, count: int = 1) -> None:
        """Count what found no room."""
        self.trace.losses.setdefault(cause, Loss()).count += count

    def afford(self, count: int) -> bool:
        """Whether `count` descriptors may be gone through now: each event allows a few, so that no file makes the
        reading slow by tables that are large.
        """
        if count > self.effort:
            return False
        self.effort -= count
        return True

    def add(self, thread: Thread) -> bool:
        """Take the thread in; False: there is no room."""
        if thread.tid not in self.threads and len(self.threads) >= MAX_THREADS:
            self.refuse("threads_refused")
            return False
        old = self.threads.get(thread.tid)
        if old is not None:
            self.fds -= len(old.own_fds)
        self.threads[thread.tid] = thread
        self.fds += len(thread.own_fds)
        if thread.flags & CLONE_THREAD and (main := self.threads.get(thread.pid)) is not None and main is not thread:
            main.children += 1
        return True

    def remove(self, thread: Thread, *, force: bool = False) -> None:
        """The thread ended. A main thread stays, closed, where others of its process still live."""
        if self.threads.get(thread.tid) is not thread:
            return
        if thread.children > 0 and not force:
            thread.exiting = True
            return
        if thread.flags & CLONE_THREAD and (main := self.threads.get(thread.pid)) is not None and main is not thread:
            main.children -= main.children > 0
        self._drop(thread)

    def _drop(self, thread: Thread) -> None:
        if self.threads.pop(thread.tid, None) is not None:
            self.fds -= len(thread.own_fds)

    def placeholder(self, tid: int) -> Thread | None:
        """A thread of which nothing is known but the number."""
        thread = Thread(self.trace, tid, tid)
        thread.ptid, thread.comm, thread.exe, thread.invalid = -1, NONE, NONE, True
        return thread if self.add(thread) else None

    # -- the process list

    def listed(self, entry: ProcessEntry) -> None:
        """A thread of the process list."""
        thread = Thread(self.trace, entry.tid, entry.pid)
        thread.from_list = True
        thread.ptid = entry.ptid
        thread.comm, thread.exe, thread.exepath = decode(entry.comm), decode(entry.exe), decode(entry.exepath)
        thread.args, thread.env = words(entry.args), words(entry.env)
        thread.cgroups = words(entry.cgroups)
        thread.container = container_of(entry.cgroups)
        thread.flags = entry.flags
        thread.uid, thread.gid = _user(entry.uid), _user(entry.gid)
        thread.own_cwd = _directory(decode(entry.cwd))
        rest = entry.rest
        if rest is not None:
            thread.sid, thread.vpgid, thread.fdlimit = rest.sid, rest.vpgid, rest.fdlimit
            thread.vmsize, thread.vmrss, thread.vmswap = rest.vmsize, rest.vmrss, rest.vmswap
            thread.pfmajor, thread.pfminor, thread.vtid, thread.vpid = (
                rest.pfmajor,
                rest.pfminor,
                rest.vtid,
                rest.vpid,
            )
            thread.root = decode(rest.root)
            _tail(thread, rest.tail, newest=self.newest)
        self.add(thread)

    # -- clone, fork, vfork

    def cloned(self, event: Event) -> None:
        """A clone, fork or vfork exit, the parent's or the child's."""
        got = named(event)
        res = signed(got.get("res", b""))
        flags = number(got.get("flags", b""))
        tid, vtid = number(got.get("tid", b"")), number(got.get("vtid", b""))
        contained = "vtid" in got and tid != vtid
        if res < 0:
            return
        if res > 0:
            if contained:
                return  # the number is the one within the container: the child's own return makes it
            old = self.threads.get(res)
            stale = self.newest and old is not None and event.ts - (old.clone_ts or 0) >= STALE
            if old is not None and old.flags & CLONE_INVERTED and not stale:
                return
            if old is not None:
                self.remove(old, force=True)
            event.thread = event.thread or self.placeholder(event.tid)
            self._child(event, got, self.threads.get(event.tid), res, flags)
            return
        if event.thread is not None:  # made by its parent's return; one made long ago had the number before
            event.thread.cloning = False
            if event.thread.clone_ts is None or event.ts - event.thread.clone_ts < STALE:
                return
        ptid = number(got.get("ptid", b"")) if not flags & CLONE_THREAD else number(got.get("pid", b""))
        child = self._child(event, got, self.threads.get(ptid), event.tid, flags | CLONE_INVERTED)
        event.thread = child

    def _child(self, event: Event, got: dict[str, bytes], parent: Thread | None, tid: int, flags: int) -> Thread | None:
        own = event.tid == tid
        if flags & CLONE_THREAD:
            pid = number(got.get("pid", b""))
        else:
            pid = tid
        child = Thread(self.trace, tid, pid)
        child.flags, child.clone_ts = flags, event.ts
        child.cloning = not own
        if parent is not None and parent.invalid and parent.comm == NONE:
            self._named_after(parent, got)
        if parent is not None:
            child.ptid = parent.ptid if self.newest and flags & CLONE_THREAD else parent.tid
            for name in ("comm", "exe", "exepath", "args", "env", "root", "sid", "vpgid", "pgid", "tty", "container",
                         "cgroups", "loginuid", "own_cwd", "fdlimit", "uid", "gid", "cap_permitted", "cap_effective",
                         "cap_inheritable", "exe_writable", "exe_ino", "exe_ino_ctime", "exe_ino_mtime",
                         "exe_upper_layer", "exe_lower_layer", "exe_from_memfd", "exec_ts"):  # fmt: skip
                setattr(child, name, getattr(parent, name))
            if parent.flags & 1 and parent.tid != parent.pid:
                child.own_cwd = parent.cwd or ""
        else:
            child.ptid = number(got.get("ptid", b"")) if own else event.tid
        self._identity(child, got, parent)
        if parent is not None and not flags & CLONE_THREAD:
            self._copy_fds(parent, child)
        if own and flags & CLONE_THREAD and pid not in self.threads:
            self._unseen_main(child)
        if not self.add(child):
            return None
        return child

    def _unseen_main(self, child: Thread) -> None:
        """The main thread of a thread that was born before anything was seen of its process: it has the same name."""
        main = Thread(self.trace, child.pid, child.pid)
        main.comm, main.exe, main.args, main.ptid, main.fdlimit = child.comm, child.exe, child.args, -1, -1
        child.ptid = main.tid
        self.add(main)

    def _named_after(self, parent: Thread, got: dict[str, bytes]) -> None:
        """Of a parent of which nothing was known, the child's call tells the names."""
        if "exe" in got:
            parent.exe, parent.args = text(got["exe"]), words(got.get("args", b""))
        parent.comm = text(got["comm"]) if "comm" in got else parent.exe

    def _identity(self, child: Thread, got: dict[str, bytes], parent: Thread | None) -> None:
        if "exe" in got:
            child.exe = text(got["exe"])
            child.args = words(got.get("args", b""))
        if got.get("comm"):
            child.comm = text(got["comm"])
        else:  # the oldest versions do not tell the name
            child.comm = child.exe
        if "uid" in got:
            child.uid, child.gid = identity(got["uid"]), identity(got.get("gid", b""))
        if child.cloning:  # its parent's return tells its parent's numbers
            child.vtid = child.tid
            child.vpid = signed(got["vpid"]) if "vpid" in got and child.tid != child.pid else child.pid
        else:
            child.vtid = signed(got["vtid"]) if "vtid" in got else child.tid
            child.vpid = signed(got["vpid"]) if "vpid" in got else child.pid
        if "cgroups" in got:
            child.cgroups = words(got["cgroups"])
            child.container = container_of(got["cgroups"])
        _memory(child, got)
        if self.newest and parent is None and got.get("cwd"):
            child.own_cwd = _directory(text(got["cwd"]))

    def _copy_fds(self, parent: Thread, child: Thread) -> None:
        table = parent.fds
        if self.fds + len(table) > MAX_FDS or not self.afford(len(table)):
            self.refuse("descriptors_refused", len(table))
            return
        child.own_fds = {num: fd.copy(num) for num, fd in table.items()}

    # -- execve

    def executed(self, event: Event) -> None:
        """A successful execve or execveat."""
        thread = event.thread
        assert thread is not None
        got = named(event)
        if signed(got.get("res", b"")) < 0:
            return
        thread.flags &= CLONE_INVERTED  # it shares nothing any more
        thread.exe = text(got.get("exe", b""))
        thread.args = words(got.get("args", b""))
        thread.comm = text(got["comm"]) if got.get("comm") else thread.exe
        if got.get("pid"):
            thread.pid = signed(got["pid"])
        if got.get("ptid") and (self.newest or thread.ptid in (None, -1)):
            thread.ptid = signed(got["ptid"])
        if self.newest and text(got.get("cwd", b"")):
            set_cwd(thread, text(got["cwd"]))
        if "env" in got:
            thread.env = words(got["env"])
        if "cgroups" in got:
            thread.cgroups = words(got["cgroups"])
            thread.container = container_of(got["cgroups"])
        _memory(thread, got)
        thread.exec_ts = event.ts
        _credentials(thread, got)
        self._exepath(event, thread, got)
        if self.newest:
            self.close_marked(thread)

    def close_marked(self, thread: Thread) -> None:
        """An execve closes what is marked close-on-exec."""
        fds = thread.fds
        if not self.afford(len(fds)):
            self.refuse("descriptors_refused", 1)
            return
        for num in [num for num, fd in fds.items() if fd.cloexec]:
            del fds[num]
            self.fds -= 1

    def _exepath(self, event: Event, thread: Thread, got: dict[str, bytes]) -> None:
        if text(got.get("trusted_exepath", b"")):
            thread.exepath = text(got["trusted_exepath"])
            return
        name = got.get("filename")
        base = thread.cwd or ""
        enter = event.enter
        if name is None and enter is not None:
            asked = named(enter)
            name = asked.get("filename", asked.get("pathname"))
            dirfd = signed(asked["dirfd"]) if asked.get("dirfd") else -100
            if dirfd != -100 and (directory := thread.fds.get(dirfd)) is not None:
                base = directory.name
        if name is not None:
            path = text(name)
            thread.exepath = path if path == NONE else joined(base, path)


def named(event: Event) -> dict[str, bytes]:
    """The recorded parameters by name."""
    return {param[0]: value for param, value in zip(event.info.params, event.params, strict=False)}


def argument(event: Event, name: str) -> bytes:
    """The parameter's bytes from the exit, else from its enter; empty where neither has it."""
    found = event.param(name)
    if found is None and event.enter is not None:
        found = event.enter.param(name)
    return found or b""


def first(event: Event) -> int:
    """What the call returned."""
    return signed(event.params[0]) if event.params else -1


def set_cwd(thread: Thread, path: str) -> None:
    """Change the working directory of the thread's process: to libsinsp its threads always share it."""
    main = thread.main
    if main is not None:
        main.own_cwd = _directory(joined(main.own_cwd, path))


def _directory(path: str) -> str:
    return path if path.endswith("/") or not path else path + "/"


def _user(value: int) -> int | None:
    return None if value == NO_ID else value


def _memory(thread: Thread, got: dict[str, bytes]) -> None:
    for name, attribute in (
        ("fdlimit", "fdlimit"), ("pgft_maj", "pfmajor"), ("pgft_min", "pfminor"), ("vm_size", "vmsize"),
        ("vm_rss", "vmrss"), ("vm_swap", "vmswap"),
    ):  # fmt: skip
        if got.get(name):
            setattr(thread, attribute, number(got[name]))


def _credentials(thread: Thread, got: dict[str, bytes]) -> None:
    for name, attribute in (("vpgid", "vpgid"), ("pgid", "pgid"), ("tty", "tty")):
        if got.get(name):
            setattr(thread, attribute, signed(got[name]))
    if "loginuid" in got:
        thread.loginuid = identity(got["loginuid"])
    for name in ("cap_inheritable", "cap_permitted", "cap_effective"):
        if got.get(name):
            setattr(thread, name, number(got[name]))
    if "flags" in got:
        thread.exe_writable = bool(number(got["flags"]) & 1)
        thread.exe_upper_layer = bool(number(got["flags"]) & 2)
    if "exe_ino" in got:
        thread.exe_ino = number(got["exe_ino"])
        thread.exe_ino_ctime = number(got.get("exe_ino_ctime", b""))
        thread.exe_ino_mtime = number(got.get("exe_ino_mtime", b""))
    if "uid" in got:
        thread.uid = identity(got["uid"])
    if "gid" in got:
        thread.gid = identity(got["gid"])


_LOGIN = Struct("<I")
_CAPS = Struct("<BQQQ")
_TTY = Struct("<QI")
_EXE = Struct("<BQQQBBq")


def _tail(thread: Thread, tail: bytes, *, newest: bool) -> None:
    """The end of a process entry; sysdig 0.29.3 knows no more than the login uid at its beginning."""
    at = 0
    if newest and len(tail) > 29 and len(tail) >= _TTY.size:
        thread.pidns_start, thread.tty = _TTY.unpack_from(tail, 0)
        at = _TTY.size
    if len(tail) >= at + 4:
        thread.loginuid = _user(_LOGIN.unpack_from(tail, at)[0])
        at += 4
    if len(tail) >= at + _CAPS.size:
        writable, thread.cap_inheritable, thread.cap_permitted, thread.cap_effective = _CAPS.unpack_from(tail, at)
        thread.exe_writable = bool(writable)
        at += _CAPS.size
    if newest and len(tail) >= at + _EXE.size:
        upper, thread.exe_ino, thread.exe_ino_ctime, thread.exe_ino_mtime, memfd, lower, thread.pgid = _EXE.unpack_from(
            tail, at
        )
        thread.exe_upper_layer, thread.exe_from_memfd, thread.exe_lower_layer = bool(upper), bool(memfd), bool(lower)


__all__ = ["EFFORT_EACH", "Fd", "Table", "argument", "first", "named", "set_cwd"]

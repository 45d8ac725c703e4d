"""A process and its threads, from /proc/PID: what is read, and what the texts there mean.

A process is read below its open directory, which stays that of the same process even where its number is given to
another one meanwhile. Environments are not read: they are where programs keep secrets.
"""

from __future__ import annotations

import errno
import os
import re
import resource
from dataclasses import dataclass, field

from ..convert.scap.encoding import strings
from ..convert.scap.snapshot import LONG, NO_ID, SHORT, Process
from .proc_descriptors import numbered, read_small

THREAD_FLAGS = 0x2001
"""CLONE_THREAD and CLONE_FILES: a thread that shares its process's descriptors."""
KERNEL_THREAD = 0x200000  # PF_KTHREAD
_STATUS_LIMIT = 1 << 20  # a user can be in 65,536 groups, each of them told
_FILES_LIMIT = re.compile(rb"^Max open files\s+(\d+)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Sets of capabilities, one bit each (linux/capability.h)."""

    inheritable: int = 0
    permitted: int = 0
    effective: int = 0


@dataclass(frozen=True, slots=True)
class Status:
    """What /proc/PID/status tells; users and groups are the effective ones, memory is in KB."""

    name: bytes
    tgid: int
    ppid: int
    uid: int
    gid: int
    vtid: int
    vpid: int
    vpgid: int
    threads: int
    vmsize: int
    vmrss: int
    vmswap: int
    capabilities: Capabilities


@dataclass(frozen=True, slots=True)
class Stat:
    """What only /proc/PID/stat tells."""

    session: int
    tty: int
    flags: int
    minor_faults: int
    major_faults: int


@dataclass(slots=True)
class ReadProcess:
    """A process as it was read: its entries, main thread first, and what was missing."""

    entries: list[tuple[Process, Capabilities]] = field(default_factory=list)
    kernel: bool = False
    refused: bool = False  # something that only its owner may read
    threads_ended: int = 0
    threads_left_out: int = 0


def read_process(process: int, pid: int, controllers: bytes, most_threads: int) -> ReadProcess:
    """The process whose directory is open as `process`, with at most `most_threads` entries.

    `controllers` are those of the unified hierarchy of control groups, joined by blanks. Raises FileNotFoundError or
    ProcessLookupError where the process ended before it was read.
    """
    result = ReadProcess()
    status = parse_status(read_small(process, "status", _STATUS_LIMIT))
    stat = parse_stat(read_small(process, "stat"))
    result.kernel = bool(stat.flags & KERNEL_THREAD)
    reader = _Reader(process)
    exe, args, exepath, cwd, root, cgroups = status.name, b"", b"", b"/", b"/", b""
    fdlimit, loginuid = 0, NO_ID
    if not result.kernel:
        exe, args = split_arguments(reader.text("cmdline", SHORT + LONG), status.name)
        exepath = reader.link("exe")
        cwd, root = reader.link("cwd"), reader.link("root")
        cgroups = parse_cgroups(reader.text("cgroup", 1 << 16), controllers)
        fdlimit, loginuid = reader.files_limit(pid), _number(reader.text("loginuid"), NO_ID)
    main = Process(
        pid, pid, status.ppid, status.name, exe, exepath, args, cwd,
        sid=stat.session, vpgid=status.vpgid, fdlimit=fdlimit, flags=0,
        uid=status.uid, gid=status.gid,
        vmsize_kb=status.vmsize, vmrss_kb=status.vmrss, vmswap_kb=status.vmswap,
        pfmajor=stat.major_faults, pfminor=stat.minor_faults,
        vtid=status.vtid, vpid=status.vpid, cgroups=cgroups, root=root,
        loginuid=loginuid,
    )  # fmt: skip
    result.entries.append((main, status.capabilities))
    if status.threads > 1:
        _read_threads(process, main, result, most_threads)
    result.refused = reader.refused
    return result


def _read_threads(process: int, main: Process, result: ReadProcess, most: int) -> None:
    """Add the threads that are not the main one, in their order."""
    try:
        tids = _thread_numbers(process)
    except OSError:
        result.threads_ended += 1
        return
    tids = [tid for tid in tids if tid != main.pid]
    result.threads_left_out = max(0, len(tids) - (most - 1))
    for tid in tids[: max(0, most - 1)]:
        try:
            status = parse_status(read_small(process, f"task/{tid}/status", _STATUS_LIMIT))
        except OSError:
            result.threads_ended += 1
            continue
        entry = Process(
            tid, main.pid, status.ppid, status.name, main.exe, main.exepath, main.args, main.cwd,
            sid=main.sid, vpgid=main.vpgid, fdlimit=main.fdlimit, flags=THREAD_FLAGS, uid=status.uid, gid=status.gid,
            vmsize_kb=status.vmsize, vmrss_kb=status.vmrss, vmswap_kb=status.vmswap,
            vtid=status.vtid, vpid=status.vpid, cgroups=main.cgroups, root=main.root, loginuid=main.loginuid,
        )  # fmt: skip
        result.entries.append((entry, status.capabilities))


def _thread_numbers(process: int) -> list[int]:
    folder = os.open("task", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
    try:
        return numbered(folder)
    finally:
        os.close(folder)


@dataclass(slots=True)
class _Reader:
    """Reads parts of a process; what is missing or refused is empty, and that it was refused is kept."""

    process: int
    refused: bool = False

    def text(self, name: str, limit: int = 4096) -> bytes:
        try:
            return read_small(self.process, name, limit)
        except PermissionError:
            self.refused = True
        except OSError:
            pass  # it ended, or the kernel has no such file: told by status, or nothing to tell
        return b""

    def link(self, name: str) -> bytes:
        try:
            return os.readlink(name.encode(), dir_fd=self.process)
        except PermissionError:
            self.refused = True
        except OSError:
            pass
        return b""

    def files_limit(self, pid: int) -> int:
        """How many descriptors it may have; the system call is refused for other users' processes, the file is not."""
        try:
            return resource.prlimit(pid, resource.RLIMIT_NOFILE)[0]
        except (PermissionError, ProcessLookupError):
            found = _FILES_LIMIT.search(self.text("limits"))
            return int(found.group(1)) if found else 0


_STATUS_LINE = re.compile(
    rb"^(Name|Tgid|Pid|PPid|Uid|Gid|NStgid|NSpid|NSpgid|VmSize|VmRSS|VmSwap|Threads|CapInh|CapPrm|CapEff):\t(.*)$",
    re.MULTILINE,
)


def parse_status(text: bytes) -> Status:
    """The fields of /proc/PID/status; raises ProcessLookupError where it is not one (the process ended)."""
    fields: dict[bytes, bytes] = dict(_STATUS_LINE.findall(text))
    if b"Tgid" not in fields:
        raise ProcessLookupError(errno.ESRCH, "no status")
    tgid = int(fields[b"Tgid"])
    get = fields.get
    # Of several numbers: real, effective, saved, of files; and in process namespaces, from ours to the innermost.
    return Status(
        unescaped(get(b"Name", b"")),
        tgid,
        int(get(b"PPid", b"0")),
        int(fields[b"Uid"].split()[1]),
        int(fields[b"Gid"].split()[1]),
        int(get(b"NSpid", fields[b"Pid"]).split()[-1]),
        int(get(b"NStgid", b"%d" % tgid).split()[-1]),
        int(get(b"NSpgid", b"0").split()[-1]),
        int(get(b"Threads", b"1")),
        _kilobytes(get(b"VmSize")),
        _kilobytes(get(b"VmRSS")),
        _kilobytes(get(b"VmSwap")),
        Capabilities(*(int(get(name, b"0"), 16) for name in (b"CapInh", b"CapPrm", b"CapEff"))),
    )


def _kilobytes(value: bytes | None) -> int:
    return min(int(value.split()[0]), 0xFFFFFFFF) if value else 0


_ESCAPE = re.compile(rb"\\(n|\\|[0-7]{3})")


def unescaped(name: bytes) -> bytes:
    r"""A thread's name as it is: status tells a line break as \n and a backslash as \\."""
    if b"\\" not in name:
        return name
    return _ESCAPE.sub(lambda found: _plain(found.group(1)), name)


def _plain(escape: bytes) -> bytes:
    if escape == b"n":
        return b"\n"
    return escape if escape == b"\\" else bytes((int(escape, 8) & 0xFF,))


def parse_stat(text: bytes) -> Stat:
    """The fields of /proc/PID/stat, behind the name, which may have anything in it. Raises ProcessLookupError."""
    values = text[text.rfind(b")") + 1 :].split()
    if len(values) < 10:
        raise ProcessLookupError(errno.ESRCH, "no stat")
    return Stat(int(values[3]), int(values[4]), int(values[6]), int(values[7]), int(values[9]))


def split_arguments(cmdline: bytes, name: bytes) -> tuple[bytes, bytes]:
    """The program as it was called, and its further arguments, each ended by a NUL and cut to what the format holds.

    A process without arguments (it ended, or cleared them) is called by its thread's name.
    """
    if not cmdline:
        return name, b""
    exe, _, rest = cmdline.partition(b"\0")
    rest = rest[:LONG]
    return exe[:SHORT], rest


def parse_cgroups(text: bytes, controllers: bytes) -> bytes:
    """Lines of /proc/PID/cgroup as the list holds them: `controller=path`, each ended by a NUL, 4096 bytes at most.

    The unified hierarchy has no controllers in its line; it is told once for each of `controllers`, as recorders do
    that read it in the kernel, or as `unified` where there is none.
    """
    found: list[bytes] = []
    size = 0
    for line in text.split(b"\n"):
        number, _, rest = line.partition(b":")
        names, colon, path = rest.partition(b":")
        if not colon:
            continue
        for name in names.split(b",") if names or number != b"0" else controllers.split() or (b"unified",):
            entry = name.removeprefix(b"name=") + b"=" + path
            size += len(entry) + 1
            if size > LONG:
                return strings(found)
            found.append(entry)
    return strings(found)


def _number(text: bytes, missing: int) -> int:
    return int(text) if text.isdigit() else missing

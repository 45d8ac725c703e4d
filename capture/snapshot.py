"""The state at the start of a recording: the head of a scap file, from the section header to the descriptors.

What runs and what is open is read from /proc and asked of the kernel (sockets.py); what ends or changes meanwhile is
counted, and never stops the reading. Everything is in a fixed order: processes by number, their threads by number,
descriptors by number. Bounds hold what a machine with very many processes can make of it.

Sockets are looked up after all descriptors were read: what was closed in between is unknown, which is right, since it
is closed; recording begins before the state is read, so that no change is lost.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..convert.scap.snapshot import (
    FD_NETLINK,
    FD_UNSUPPORTED,
    L4_TCP,
    L4_UDP,
    Descriptor,
    Interface,
    Named,
    Process,
    UnixSocket,
    process_entry,
)
from ..convert.scap.writer import PROCESS_LIST, ScapWriter
from . import machine
from .proc_descriptors import Mounts, Raw, SocketInode, numbered, read_descriptors
from .proc_process import Capabilities, read_process
from .sockets import Inet, SocketTable, inet_descriptor, read_other, read_own

LIST_BLOCK = 1 << 22
"""Bytes of one process list block; readers refuse larger ones than 64 MiB, and take several lists."""
_TAIL = struct.Struct("<BQQQ")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is recorded at most: threads (processes too), descriptors in all and of one process."""

    threads: int = 1 << 17
    descriptors: int = 1 << 19
    of_process: int = 1 << 17


@dataclass(frozen=True, slots=True)
class State:
    """The head blocks, what is in them, and what is not.

    `losses` counts by cause, causes that did not occur left out. `ended` processes and `threads_ended`: between being
    listed and being read; `refused`: processes of which not all may be read; `unreadable`: for other reasons;
    `processes_left_out`, `threads_left_out`, `descriptors_left_out`, `sockets_left_out`: beyond the bounds;
    `sockets_unknown`: descriptors of sockets that no table tells. `notes` are lines for the user.
    """

    blocks: bytes
    processes: int
    threads: int
    descriptors: int
    losses: dict[str, int]
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Gathered:
    """What was read, before the sockets are known."""

    processes: int = 0
    entries: list[tuple[Process, Capabilities]] = field(default_factory=list)
    raw: list[tuple[int, list[Raw]]] = field(default_factory=list)
    namespaces: dict[bytes, list[int]] = field(default_factory=dict)  # of the network, to its processes
    descriptors: int = 0
    losses: dict[str, int] = field(default_factory=dict)

    def lost(self, cause: str, count: int = 1) -> None:
        if count:
            self.losses[cause] = self.losses.get(cause, 0) + count


def snapshot(skip: frozenset[int] = frozenset(), *, bounds: Bounds | None = None, proc: str = "/proc") -> State:
    """Read the machine's state. The processes `skip` and our own are left out.

    Raises OSError where /proc cannot be read at all.
    """
    gathered = _gather(skip | {os.getpid()}, bounds or Bounds(), proc)
    table = SocketTable()
    read_own(table, proc)
    _read_others(table, gathered, proc)
    gathered.lost("sockets_left_out", table.left_out)
    resolved = [(pid, list(_resolved(pid, raw, table, gathered, proc))) for pid, raw in gathered.raw]
    interfaces = _interfaces(table)
    writer = ScapWriter()
    parts = [
        writer.section_header(),
        writer.machine(machine.machine(proc)),
        writer.interfaces(interfaces),
        writer.users(machine.accounts({entry.uid for entry, _ in gathered.entries})),
    ]
    parts += process_lists(writer, gathered.entries)
    parts += [writer.descriptors(pid, found) for pid, found in resolved if found]
    total = sum(len(found) for _, found in resolved)
    losses = dict(sorted(gathered.losses.items()))
    return State(b"".join(parts), gathered.processes, len(gathered.entries), total, losses, tuple(table.notes))


def process_lists(writer: ScapWriter, entries: Iterable[tuple[Process, Capabilities]]) -> Iterator[bytes]:
    """Process list blocks of about LIST_BLOCK bytes."""
    body: list[bytes] = []
    size = 0
    for process, capabilities in entries:
        body.append(with_capabilities(process_entry("<", process), capabilities))
        size += len(body[-1])
        if size >= LIST_BLOCK:
            yield writer.block(PROCESS_LIST, b"".join(body))
            body, size = [], 0
    if body:
        yield writer.block(PROCESS_LIST, b"".join(body))


def with_capabilities(entry: bytes, capabilities: Capabilities) -> bytes:
    """A process entry (little-endian) with the capabilities behind its login uid.

    With these 29 bytes the tail is as libscap 0.9 wrote it: old and new readers take it alike. What came later (the
    terminal among it) would stand in front of the login uid, and be read as one by old sysdig.
    """
    tail = _TAIL.pack(0, capabilities.inheritable, capabilities.permitted, capabilities.effective)
    return struct.pack("<I", len(entry) + len(tail)) + entry[4:] + tail


def _gather(skip: frozenset[int], bounds: Bounds, proc: str) -> _Gathered:
    gathered = _Gathered()
    mounts = Mounts()
    controllers = _controllers(proc)
    with open(f"{proc}/self/mountinfo", "rb") as file:
        mounts.read(file.read(1 << 22))
    for pid in numbered(proc):
        if pid in skip:
            continue
        if len(gathered.entries) >= bounds.threads:
            gathered.lost("processes_left_out")
            continue
        try:
            folder = os.open(f"{proc}/{pid}", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError:
            gathered.lost("ended")
            continue
        try:
            _gather_process(gathered, folder, pid, mounts, controllers, bounds)
        except PermissionError:
            gathered.lost("refused")
        except (FileNotFoundError, ProcessLookupError):
            gathered.lost("ended")
        except OSError:
            gathered.lost("unreadable")  # what the kernel says of a process in the midst of its end, or no memory
        finally:
            os.close(folder)
    return gathered


def _gather_process(
    gathered: _Gathered, folder: int, pid: int, mounts: Mounts, controllers: bytes, bounds: Bounds
) -> None:
    process = read_process(folder, pid, controllers, bounds.threads - len(gathered.entries))
    gathered.processes += 1
    gathered.entries += process.entries
    gathered.lost("threads_ended", process.threads_ended)
    gathered.lost("threads_left_out", process.threads_left_out)
    if process.kernel:
        return
    room = min(bounds.of_process, bounds.descriptors - gathered.descriptors)
    found = read_descriptors(folder, mounts, room)
    gathered.lost("descriptors_left_out", found.left_out)
    gathered.lost("refused", int(process.refused or found.refused))
    if not found.found:
        return
    gathered.descriptors += len(found.found)
    gathered.raw.append((pid, found.found))
    if any(isinstance(one, SocketInode) for one in found.found):
        try:
            namespace = os.readlink(b"ns/net", dir_fd=folder)
        except OSError:
            return
        gathered.namespaces.setdefault(namespace, []).append(pid)


def _controllers(proc: str) -> bytes:
    """The controllers of the unified hierarchy of control groups, which a process's line does not name."""
    try:
        with open(f"{proc}/cgroups", "rb") as file:
            lines = [line.split() for line in file.read(1 << 16).split(b"\n")[1:]]
    except OSError:
        return b""
    return b" ".join(line[0] for line in lines if len(line) == 4 and line[1] == b"0" and line[3] == b"1")


def _read_others(table: SocketTable, gathered: _Gathered, proc: str) -> None:
    """Read other namespaces' tables, of those whose processes have sockets that are not known yet."""
    try:
        own = os.fsencode(Path(proc, "self/ns/net").readlink())
    except OSError:
        own = b""
    inodes = {pid: [one.inode for one in raw if isinstance(one, SocketInode)] for pid, raw in gathered.raw}
    for namespace, pids in sorted(gathered.namespaces.items(), key=lambda item: item[1][0]):
        if namespace == own:
            continue
        for pid in pids:
            if any(inode not in table.inet and inode not in table.unix for inode in inodes[pid]):
                read_other(table, namespace, pid, proc)


def _resolved(pid: int, raw: Iterable[Raw], table: SocketTable, gathered: _Gathered, proc: str) -> Iterator[Descriptor]:
    for one in raw:
        if not isinstance(one, SocketInode):
            yield one
            continue
        known = table.descriptor(one.fd, one.inode)
        if known is None:
            known = unlisted(one, protocol_name(f"{proc}/{pid}/fd/{one.fd}", one.inode))
            if known is None:
                gathered.lost("sockets_unknown")
                known = Named(one.fd, FD_UNSUPPORTED, b"socket:[%d]" % one.inode, one.inode)
        yield known


def protocol_name(path: str, inode: int) -> bytes:
    """What the kernel calls the protocol of the socket that the link `path` still leads to; empty where it does not."""
    try:
        if str(Path(path).readlink()) != f"socket:[{inode}]":
            return b""
        return os.getxattr(path, "system.sockprotoname").rstrip(b"\0")
    except OSError:
        return b""


def unlisted(one: SocketInode, protocol: bytes) -> Descriptor | None:
    """A socket that is in no table, by its protocol: not bound yet, or of a kind without addresses."""
    base = protocol.removesuffix(b"v6")
    if base in (b"TCP", b"MPTCP", b"UDP", b"UDP-Lite"):
        nowhere = bytes(16 if protocol.endswith(b"v6") else 4)
        transport = L4_TCP if base.endswith(b"TCP") else L4_UDP
        return inet_descriptor(one.fd, one.inode, Inet(nowhere, 0, nowhere, 0, transport))
    if base.startswith(b"UNIX"):
        return UnixSocket(one.fd, one.inode, 0, b"", one.inode)
    name = b"socket:[%d]" % one.inode
    if base == b"NETLINK":
        return Named(one.fd, FD_NETLINK, name, one.inode)
    return Named(one.fd, FD_UNSUPPORTED, protocol + b":" + name, one.inode) if protocol else None


def _interfaces(table: SocketTable) -> list[Interface]:
    try:
        return machine.interfaces()
    except OSError as error:
        table.note(f"netlink tells no interfaces ({error.strerror or error}): which end is ours stays unknown")
        return []

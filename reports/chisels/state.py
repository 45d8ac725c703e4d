"""Chisels that list the state before the first event: lsof, netstat, ps, lscontainers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from ipaddress import ip_address
from typing import Any, Final

from ...convert.errors import UsageError
from ...convert.filters.judge import compile_filter
from ...convert.scap.event_table import Code
from ...convert.trace.model import INFOS, NO_FD, Event, Fd, Thread, Trace
from . import text
from .base import Chisel, Output
from .values import known, text_getter

WIDE: Final = 4096
"""Characters of a name that a list shows at most."""


def moment(trace: Trace, thread: Thread, fd: Fd | None) -> Event:
    """An event that stands for a thread, or a descriptor of it, as it is: fields can be asked of it."""
    code = Code.SYSCALL_READ_E  # an event that uses a descriptor: fields of descriptors are asked of such only
    event = Event(trace, INFOS[code], code, trace.first_ts or 0, thread.tid, ())
    event.thread = thread
    event.fd = fd
    event.fd_num = NO_FD if fd is None else fd.num
    return event


class AtStart(Chisel):
    """Prints when the first event with a time was applied, as sysdig does, and wants no event."""

    trace: Trace | None = None

    def start(self, trace: Trace) -> None:
        """The trace; what describes containers is in the file before the first event that counts."""
        self.trace = trace

    def tick(self, ts: int) -> None:
        """Prints the list."""
        if ts > 0 and not self.finished:
            self.end()

    def end(self) -> None:
        """Prints the list where there was no event."""
        if not self.finished and self.trace is not None:
            self.print_list(self.trace)
            self.close()
        self.finished = True

    def print_list(self, trace: Trace) -> None:
        """The list."""
        raise NotImplementedError


class State(AtStart):
    """A list of threads or descriptors. The filter is asked of each descriptor with its thread."""

    def __init__(self, output: Output, filter: str = "") -> None:
        super().__init__(output)
        found = compile_filter(filter)
        for field in found.fields:
            if field.name.startswith(("evt.", "syscall.")):
                raise UsageError(f"{field.name} is of events: what is open is found by fields of processes and files")
        self.wanted: Callable[[Event], bool] = found.judge
        self.filtered = bool(filter.strip())

    def descriptors(self, trace: Trace) -> Iterator[tuple[Thread, Fd, Event]]:
        """What is open, by thread and number, where the filter lets it pass."""
        for thread in threads_of(trace):
            for _, fd in sorted(thread.fds.items()):
                event = moment(trace, thread, fd)
                if self.wanted(event):
                    yield thread, fd, event


def threads_of(trace: Trace) -> list[Thread]:
    """The threads by number; those of which nothing is known are left out."""
    return [thread for _, thread in sorted(trace.threads.items()) if thread.comm is not None]


class OpenFiles(State):
    """lsof: every open descriptor."""

    columns = ("command", "pid", "tid", "user", "fd", "type", "name")

    def print_list(self, trace: Trace) -> None:
        """Prints the list."""
        process, user = text_getter("proc.name"), text_getter("user.name")
        kind, name = text_getter("fd.type"), text_getter("fd.name")
        self.header(row(("COMMAND", 20), ("PID", 8), ("TID", 8), ("USER", 8), ("FD", 8), ("TYPE", 12)) + "NAME\n")
        for thread, fd, event in self.descriptors(trace):
            command, owner, sort, what = process(event), user(event), kind(event), name(event)
            self.record(
                (command, thread.pid, thread.tid, owner, fd.num, sort, what),
                row((command, 20), (thread.pid, 8), (thread.tid, 8), (owner, 8), (fd.num, 8), (sort, 12))
                + printed(what or "")
                + "\n",
            )


def printed(name: str) -> str:
    """A name on one line: what cannot be printed is left out, as sysdig does."""
    return "".join(char for char in name[:WIDE] if char >= " " and char != "\x7f")


def row(*cells: tuple[object, int]) -> str:
    """Cells of their widths side by side."""
    return "".join(text.cell(known(value), width) for value, width in cells)


def address(ip: bytes | None, port: int | None) -> str:
    """An address and a port."""
    if ip is None or len(ip) not in (4, 16):
        return f"0.0.0.0:{port or 0}"
    return f"{ip_address(ip)}:{port or 0}"


class Connections(State):
    """netstat: every socket that is bound or connected."""

    columns = ("protocol", "server", "client", "state", "tid", "pid", "process")

    def print_list(self, trace: Trace) -> None:
        """Prints the list."""
        process = text_getter("proc.name")
        self.header(
            row(("Proto", 6), ("Server Address", 25), ("Client Address", 25), ("State", 15)) + "TID/PID/Program Name\n"
        )
        for thread, fd, event in self.descriptors(trace):
            if not fd.is_ip:
                continue
            if fd.is_bound:
                server, client, state = address(fd.sip, fd.sport), "0.0.0.0:*", "LISTEN"
            else:
                server, client, state = address(fd.dip, fd.dport), address(fd.sip, fd.sport), "ESTABLISHED"
            command = process(event)
            self.record(
                (fd.l4, server, client, state, thread.tid, thread.pid, command),
                row((fd.l4, 6), (server, 25), (client, 25), (state, 15))
                + f"{thread.tid}/{thread.pid}/{known(command)}\n",
            )


class Processes(State):
    """ps: every thread; with a filter, those of which a descriptor passes it."""

    columns = ("tid", "pid", "user", "virtual_kb", "resident_kb", "fd_limit", "command")

    def print_list(self, trace: Trace) -> None:
        """Prints the list."""
        user = text_getter("user.name")
        self.header(
            row(("TID", 8), ("PID", 8), ("USER", 12), ("VIRT", 11), ("RES", 11), ("FDLIMIT", 10), ("CMD", 20)) + "\n"
        )
        for thread in threads_of(trace):
            bare = moment(trace, thread, None)
            if self.filtered and not self.passes(trace, thread, bare):
                continue
            owner, virtual, resident = user(bare), thread.vmsize or 0, thread.vmrss or 0
            self.record(
                (thread.tid, thread.pid, owner, virtual, resident, thread.fdlimit, thread.comm),
                row(
                    (thread.tid, 8), (thread.pid, 8), (owner, 12), (text.size(virtual * 1024), 11),
                    (text.size(resident * 1024), 11), (thread.fdlimit, 10),
                )
                + f"{known(thread.comm)}\n",
            )  # fmt: skip

    def passes(self, trace: Trace, thread: Thread, bare: Event) -> bool:
        """Whether the filter finds the thread by one of its descriptors, or without one where it has none."""
        fds = thread.fds
        return any(self.wanted(moment(trace, thread, fd)) for fd in fds.values()) if fds else self.wanted(bare)


KINDS: Final = {
    0: "docker", 1: "lxc", 2: "libvirt_lxc", 3: "mesos", 4: "rkt", 5: "custom", 6: "cri", 7: "containerd", 8: "cri-o",
    9: "bpm",
}  # fmt: skip


class Containers(AtStart):
    """lscontainers: the containers that the trace describes; `desc` prints all of the names."""

    columns = ("type", "image", "name", "id")

    def __init__(self, output: Output, form: str | None = None) -> None:
        if form not in (None, "desc"):
            raise UsageError(f"lscontainers takes desc or nothing, not {form}")
        super().__init__(output)
        self.described = form == "desc"

    def print_list(self, trace: Trace) -> None:
        """The list."""
        if self.described:
            self.header("{\n")
        else:
            widths = (("container.type", 15), ("container.image", 16), ("container.name", 20), ("container.id", 13))
            self.header(row(*widths) + "\n" + "".join("-" * (width - 1) + " " for _, width in widths) + "\n")
        found: dict[str, Any] = trace.containers
        for number, (identifier, container) in enumerate(found.items(), 1):
            kind = getattr(container, "type", None)
            kind = KINDS.get(kind, "unknown") if isinstance(kind, int) else kind
            image, name = getattr(container, "image", None), getattr(container, "name", None)
            line = row((kind, 15), (image or "", 16), (name or "", 20), (identifier, 13)) + "\n"
            if self.described:
                pairs = (("type", kind), ("image", image), ("id", identifier), ("name", name))
                inner = "".join(f'  {key} = "{value}",\n' for key, value in pairs if value is not None)
                line = f" {number} = {{\n{inner} }},\n"
            self.record((kind, image, name, identifier), line)
        if self.described:
            self.header("}\n")

"""Chisels that show what was read and written: echo_fds, spy_ip, spy_port, spy_file, stdin, stdout, stderr."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

from ...convert.errors import UsageError
from ...convert.trace.model import Event, decode
from . import text
from .base import Chisel, Output
from .values import data_text, getter, int_getter, known, text_getter

CYAN: Final = "\x1b[36m"
UNKNOWN: Final = "<NA>"


class Echo(Chisel):
    """What goes through all descriptors, under a line that tells which, how much, and for whom."""

    filter = "evt.is_io=true and evt.dir=< and evt.rawres>0"
    columns = ("time", "direction", "bytes", "fd", "process", "container", "container_id", "data")

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self.data = getter("evt.buffer")
        self.result = int_getter("evt.rawarg.res")
        self.reads = getter("evt.is_io_read")
        self.name = text_getter("fd.name")
        self.process = text_getter("proc.name")
        self.container = text_getter("container.name")
        self.container_id = text_getter("container.id")
        self.time = text_getter("evt.time")

    def event(self, event: Event) -> None:
        """Shows the data."""
        data = self.data(event)
        count = self.result(event)
        if not isinstance(data, bytes) or not data or count is None or count <= 0:
            return
        reads = bool(self.reads(event))
        shown = data_text(data, self.output.buffers)
        name, process = self.name(event), self.process(event)
        container, container_id = self.container(event), self.container_id(event)
        if not self.plain:
            direction = "read" if reads else "write"
            self.record((self.time(event), direction, count, name, process, container, container_id, shown))
            return
        color = inside = where = ""
        if self.output.colors:
            color = text.RED if reads else text.BLUE
            inside = text.GREEN if container_id in (None, "host") else CYAN
        if self.output.containers:
            where = f"{inside} [{known(container)}] [{known(container_id)}]"
        verb = f"Read {text.size(count)} from" if reads else f"Write {text.size(count)} to"
        self.write(f"{color}------ {verb} {where} {color} {name or ''} ({known(process)})\n{shown}\n")

    def end(self) -> None:
        """Gives the terminal its colour back."""
        self.header(f"{text.RESET if self.output.colors else ''}\n")
        self.close()


class SpyNetwork(Chisel):
    """What was said with one address or over one port."""

    columns = ("time", "direction", "bytes", "fd", "process", "data")

    def __init__(self, output: Output, condition: str) -> None:
        super().__init__(output)
        self.filter = f"evt.is_io=true and (fd.type=ipv4 or fd.type=ipv6) and {condition}"
        self.data = getter("evt.buffer")
        self.result = int_getter("evt.rawarg.res")
        self.reads = getter("evt.is_io_read")
        self.name = text_getter("fd.name")
        self.process = text_getter("proc.name")
        self.time = text_getter("evt.time")
        self.heading = ""
        self.direction: bool | None = None

    def event(self, event: Event) -> None:
        """Shows the data, under a line that tells the direction and the size of the first of a run."""
        data = self.data(event)
        count = self.result(event)
        if not isinstance(data, bytes) or not data or count is None or count <= 0:
            return
        reads = bool(self.reads(event))
        shown = data_text(data, self.output.buffers)
        if not self.plain:
            direction = "read" if reads else "write"
            self.record((self.time(event), direction, count, self.name(event), self.process(event), shown))
            return
        if reads is not self.direction:
            self.direction = reads
            color = "" if not self.output.colors else text.RED if reads else text.BLUE
            self.heading = f"{color}------ {'Read' if reads else 'Write'} {text.size(count)}\n"
        self.write(f"{self.heading}{shown}\n")

    def end(self) -> None:
        """Gives the terminal its colour back."""
        self.header(f"{text.RESET if self.output.colors else ''}\n")
        self.close()


def spy_ip(output: Output, address: str) -> Chisel:
    """spy_ip ADDRESS."""
    try:
        known_address = ip_address(address)
    except ValueError:
        raise UsageError(f"spy_ip takes an IP address, not {address}") from None
    return SpyNetwork(output, f"fd.ip={known_address}")


def spy_port(output: Output, port: str) -> Chisel:
    """spy_port PORT."""
    if not (port.isascii() and port.isdigit() and len(port) <= 5 and int(port) < 65536):
        raise UsageError(f"spy_port takes a port between 0 and 65535, not {port}")
    return SpyNetwork(output, f"fd.port={int(port)}")


DIRECTIONS: Final = {"R": "evt.is_io_read=true", "W": "evt.is_io_write=true", "RW": "evt.is_io=true"}


class SpyFile(Chisel):
    """What is read from and written to files: all of them, or one."""

    columns = ("time", "process", "tid", "direction", "bytes", "file", "data")

    def __init__(self, output: Output, directions: str = "RW", name: str | None = None) -> None:
        if directions not in DIRECTIONS:
            raise UsageError(f"spy_file takes R, W or RW, not {directions}")
        super().__init__(output)
        if name is None:
            which = "(not fd.name contains /dev/pt and not fd.name contains /dev/tty)"
        else:
            which = f"fd.name={quoted(name)}"
        self.filter = f"{which} and {DIRECTIONS[directions]} and fd.type=file and evt.dir=< and evt.failed=false"
        self.data = getter("evt.buffer")
        self.name = text_getter("fd.name")
        self.writes = getter("evt.is_io_write")
        self.process = text_getter("proc.name")
        self.pid = getter("proc.pid")
        self.result = int_getter("evt.rawarg.res")
        self.time = text_getter("evt.time")
        # Text is what files hold most: lines are kept unless another form was asked for.
        self.form = "ascii" if output.buffers == "dots" and self.plain else output.buffers

    def event(self, event: Event) -> None:
        """A line about the call, and the data behind it."""
        data = self.data(event)
        count = self.result(event)
        if count is None:
            return
        shown = data_text(data, self.form) if isinstance(data, bytes) else ""
        direction = "W" if self.writes(event) else "R"
        when, process, pid, name = self.time(event), self.process(event), self.pid(event), self.name(event)
        values = (when, process, pid if isinstance(pid, int) else None, direction, count, name, shown)
        line = f"{when} {known(process)}({known(pid)}) {direction} {text.size(count)} {known(name)} {shown}\n"
        self.record(values, line)

    def end(self) -> None:
        """The end of the list."""
        self.close()


class Standard(Chisel):
    """What goes through descriptor 0, 1 or 2."""

    columns = ("time", "process", "container", "container_id", "data")

    def __init__(self, output: Output, number: int) -> None:
        super().__init__(output)
        self.number = number
        self.filter = f"fd.num={number} and evt.is_io=true"
        self.data = getter("evt.buffer")
        self.process = text_getter("proc.name")
        self.container = text_getter("container.name")
        self.container_id = text_getter("container.id")
        self.time = text_getter("evt.time")

    def event(self, event: Event) -> None:
        """The data as it is."""
        data = self.data(event)
        if not isinstance(data, bytes):
            if event.param("data") != b"" or not self.plain:
                return
            data = b""  # a call that moved nothing is an empty line
        container, container_id = self.container(event), self.container_id(event)
        if not self.plain:
            self.record((self.time(event), self.process(event), container, container_id, decode(data)))
            return
        before = ""
        if self.number == 2 and self.output.containers:
            if self.output.colors:
                before = text.GREEN if container_id in (None, "host") else text.BLUE
            before += f"{known(container_id):20.20} {known(container):20.20} "
        self.write(f"{before}{decode(data)}\n")

    def end(self) -> None:
        """The end of the output."""
        self.close()


def quoted(value: str) -> str:
    """A value of the filter language that stands for just this text."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


__all__ = ["Echo", "SpyFile", "SpyNetwork", "Standard", "quoted", "spy_ip", "spy_port"]

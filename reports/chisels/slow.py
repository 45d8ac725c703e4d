"""Chisels about time: fileslower, netlower, scallslower, bottlenecks, proc_exec_time."""

from __future__ import annotations

from heapq import heappush, heapreplace
from typing import Final, NamedTuple

from ...convert.errors import UsageError
from ...convert.trace.buffers import Form
from ...convert.trace.model import Event, Trace
from . import text
from .base import Chisel, Output
from .values import int_getter, known, text_getter

MILLISECOND: Final = 1_000_000
NO_CALLS: Final = frozenset(
    ("switch", "procinfo", "procexit", "signaldeliver", "drop", "cpu_hotplug", "tracer", "notification", "page_fault")
)
"""Events of a thread that may come between the beginning and the end of a call."""
THREADS_MOST: Final = 65_536
"""Threads whose last call is held; all are forgotten when there are more."""


def threshold(name: str, milliseconds: str) -> float:
    """The argument of the chisels that show what took long, in ns."""
    try:
        value = float(milliseconds)
    except ValueError:
        value = -1
    if not 0 <= value < 1e12:
        raise UsageError(f"{name} takes a number of milliseconds, not {milliseconds}")
    return value * MILLISECOND


class Contained(Chisel):
    """What shows blue for processes in containers and green for those of the host."""

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self.process = text_getter("proc.name")
        self.container = text_getter("container.name")
        self.container_id = text_getter("container.id")

    def color(self, container_id: str | None) -> str:
        """The colour, "" without colours."""
        if not self.output.colors:
            return ""
        return text.GREEN if container_id in (None, "host") else text.BLUE

    def rules(self, *columns: tuple[str, int]) -> None:
        """Headings of their widths, and a line of dashes below."""
        self.header(" ".join(f"{name:{width}}" for name, width in columns).rstrip() + "\n")
        self.header(" ".join("-" * width for _, width in columns) + "\n")


class SlowIO(Contained):
    """fileslower and netlower: calls on files or sockets that took longer than so many milliseconds."""

    columns = ("time", "container_id", "container", "process", "call", "latency_ms", "fd")

    def __init__(self, output: Output, name: str, milliseconds: str) -> None:
        super().__init__(output)
        of_files = name == "fileslower"
        self.filter = f"evt.is_io=true and {'fd.type=file' if of_files else '(fd.type=ipv4 or fd.type=ipv6)'}"
        self.least = threshold(name, milliseconds)
        self.type = text_getter("evt.type")
        self.name = text_getter("fd.name")
        self.latency = int_getter("evt.latency")
        inside = (("container.id", 20), ("container.name", 20)) if output.containers else ()
        self.rules(
            ("evt.datetime", 23), *inside, ("proc.name", 12), ("evt.type", 8), ("LATENCY(ms)", 12), ("fd.name", 41)
        )

    def event(self, event: Event) -> None:
        """A line for a slow call."""
        latency = self.latency(event)
        name = self.name(event)
        if latency is None or latency <= self.least or name is None or name.startswith("/dev/"):
            return
        when = f"{text.date_and_time(event.ts)}.{event.ts % text.SECOND // MILLISECOND:03d}"
        kind, process = self.type(event), self.process(event)
        container, container_id = self.container(event), self.container_id(event)
        inside = f" {known(container_id):20} {known(container):20}" if self.output.containers else ""
        self.record(
            (when, container_id, container, process, kind, latency / MILLISECOND, name),
            f"{self.color(container_id)}{when}{inside} {known(process):12.12} {known(kind):8} "
            f"{latency // MILLISECOND:12} {name}\n",
        )

    def end(self) -> None:
        """The end of the list."""
        self.close()


class SlowCalls(Contained):
    """scallslower: system calls that took longer than so many milliseconds."""

    columns = ("time", "container_id", "container", "process", "latency_ms", "call")

    def __init__(self, output: Output, milliseconds: str) -> None:
        super().__init__(output)
        self.least = threshold("scallslower", milliseconds)
        self.type = text_getter("evt.type")
        self.latency = int_getter("evt.latency")
        inside = (("container.id ", 20), ("container.name", 20)) if output.containers else ()
        self.rules(("evt.datetime", 23), *inside, ("proc.name", 23), ("LATENCY(ms)", 20), ("evt.type", 20))

    def event(self, event: Event) -> None:
        """A line for a slow call."""
        latency = self.latency(event)
        if latency is None or latency <= self.least:
            return
        when = f"{text.date_and_time(event.ts)}.{event.ts % text.SECOND // MILLISECOND:03d}"
        kind, process = self.type(event), self.process(event)
        container, container_id = self.container(event), self.container_id(event)
        inside = f" {known(container_id):20} {known(container):20}" if self.output.containers else ""
        milliseconds = text.number(latency / MILLISECOND)
        self.record(
            (when, container_id, container, process, latency / MILLISECOND, kind),
            f"{self.color(container_id)}{when}{inside} {known(process):23} {milliseconds:20} {known(kind)}\n",
        )

    def end(self) -> None:
        """The end of the list."""
        self.close()


class Call(NamedTuple):
    """A line of bottlenecks."""

    number: int
    latency: int
    process: str
    tid: int
    direction: str
    type: str
    arguments: str

    def line(self) -> str:
        """As it is printed."""
        seconds, rest = divmod(self.latency, text.SECOND)
        return (
            f"{self.number}) {seconds}.{rest:09d} {self.process} ({self.tid}) {self.direction} "
            f"{self.type} {self.arguments}\n"
        )


class Bottlenecks(Chisel):
    """The ten calls that took longest, each with its beginning and its end."""

    columns = ("event", "latency_ns", "process", "tid", "direction", "call", "arguments")
    shown = 10

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self.type = text_getter("evt.type")
        self.arguments = text_getter("evt.args")
        self.process = text_getter("proc.name")
        self.latency = int_getter("evt.latency")
        self.begun: dict[int, Call] = {}
        self.slowest: list[tuple[int, int, Call | None, Call]] = []

    def start(self, trace: Trace) -> None:
        """Arguments are shown whole, as sysdig does here."""
        trace.form = Form(full=True)  # type: ignore[attr-defined]

    def event(self, event: Event) -> None:
        """Keeps the call where it is one of the slowest so far."""
        if event.info.direction != "<":
            if event.info.name in NO_CALLS:
                return
            if len(self.begun) >= THREADS_MOST:
                self.begun.clear()
            self.begun[event.tid] = self.line(event, 0)  # now: descriptors may have another name at the end
            return
        latency = self.latency(event)
        if not latency or self.type(event) in (None, "switch"):
            return
        if len(self.slowest) >= self.shown and latency <= self.slowest[0][0]:
            return
        begun = self.begun.get(event.tid)
        if begun is not None and begun.type != self.type(event):
            begun = None
        found = (latency, -event.ordinal, begun, self.line(event, latency))
        if len(self.slowest) < self.shown:
            heappush(self.slowest, found)
        else:
            heapreplace(self.slowest, found)

    def line(self, event: Event, latency: int) -> Call:
        """What is shown of an event."""
        process, kind, arguments = self.process(event), self.type(event), self.arguments(event)
        return Call(event.num, latency, known(process), event.tid, event.info.direction, known(kind), arguments or "")

    def end(self) -> None:
        """Prints the calls, the slowest first."""
        for _, _, begun, ended in sorted(self.slowest, reverse=True, key=lambda row: row[:2]):
            for call in (begun, ended):
                if call is not None:
                    self.record(call, call.line())
        self.close()


class Lifetimes(Contained):
    """proc_exec_time: how long each process lived, when it ends."""

    filter = "evt.type=procexit"
    columns = ("time", "duration_ns", "container_id", "container", "process", "arguments")

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self.arguments = text_getter("proc.args")
        self.duration = int_getter("proc.duration")
        inside = (("container.id", 20), ("container.name", 20)) if output.containers else ()
        self.rules(("proc.duration", 13), *inside, ("proc.name", 12), ("proc.args", 20))

    def event(self, event: Event) -> None:
        """A line for a process whose beginning was seen."""
        duration = self.duration(event)
        if duration is None:
            return
        process, arguments = self.process(event), self.arguments(event)
        container, container_id = self.container(event), self.container_id(event)
        inside = f" {known(container_id):20} {known(container):20}" if self.output.containers else ""
        when = f"{text.date_and_time(event.ts)}.{event.ts % text.SECOND:09d}"
        self.record(
            (when, duration, container_id, container, process, arguments),
            f"{self.color(container_id)}{text.interval(duration):13}{inside} {known(process):12} {known(arguments)}\n",
        )

    def end(self) -> None:
        """Gives the terminal its colour back."""
        self.header(f"{text.RESET if self.output.colors else ''}\n")
        self.close()

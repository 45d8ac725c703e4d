"""spy_logs, spy_syslog and around: what was logged, and the events around it in a file."""

from __future__ import annotations

from typing import Final

from ...convert.errors import UsageError
from ...convert.trace.model import Event
from .base import Chisel, Output
from .saved import Saved
from .values import data_text, getter, int_getter, known, text_getter

RANGE_MS: Final = 1000
MOMENTS_MOST: Final = 1_000_000
"""Moments around which events are saved; further ones are counted."""


class Saving(Chisel):
    """What may have the events around its finds written to a file."""

    def __init__(self, output: Output, path: str | None = None, milliseconds: str | None = None) -> None:
        super().__init__(output)
        reach = RANGE_MS
        if milliseconds is not None:
            if not (milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) < 13):
                raise UsageError(f"the time around an event is a number of milliseconds, not {milliseconds}")
            reach = int(milliseconds)
        self.saved = None if path is None else Saved(path, {}, reach * 1_000_000)
        self.found = 0

    def note(self, event: Event) -> None:
        """Has the events around this one saved."""
        self.found += 1
        if self.saved is not None and self.found <= MOMENTS_MOST:
            self.saved.moments.setdefault(event.tid, []).append(event.ts)

    def end(self) -> None:
        """Tells how many were found."""
        if self.saved is not None:
            self.header(self.summary(self.saved))
        if self.saved is not None and self.found > MOMENTS_MOST:
            self.output.warn(f"only the first {MOMENTS_MOST} of {self.found} are saved\n")
        self.close()

    def summary(self, saved: Saved) -> str:
        """The last line."""
        return f"Writing events for {self.found} log entries\n"


class SpyLogs(Saving):
    """Every line that is written to a file that looks like a log."""

    filter = (
        "((fd.name contains .log or fd.name contains _log or fd.name contains /var/log) and not "
        "(fd.name contains .gz or fd.name contains .tgz)) and evt.is_io_write=true and evt.dir=< and evt.failed=false"
    )
    columns = ("time", "container", "process", "file", "line")

    def __init__(self, output: Output, path: str | None = None, milliseconds: str | None = None) -> None:
        super().__init__(output, path, milliseconds)
        self.data = getter("evt.buffer")
        self.name = text_getter("fd.name")
        self.process = text_getter("proc.name")
        self.container = text_getter("container.name")
        self.time = text_getter("evt.time")
        self.form = "ascii" if output.buffers == "dots" or not self.plain else output.buffers

    def event(self, event: Event) -> None:
        """The lines of a write."""
        data = self.data(event)
        if not isinstance(data, bytes):
            return
        self.note(event)
        when, name, process, container = self.time(event), self.name(event), self.process(event), self.container(event)
        where = f"{known(container)} " if self.output.containers else ""
        for line in data_text(data, self.form).split("\n"):
            if line:
                self.record((when, container, process, name, line), f"{where}{known(process)} {known(name)} {line}\n")


class SpySyslog(Saving):
    """Every message that is sent to syslog."""

    filter = "fd.name contains /dev/log and evt.is_io_write=true and evt.dir=< and evt.failed=false"
    columns = ("time", "container_id", "container", "facility", "severity", "process", "tid", "message")

    def __init__(self, output: Output, path: str | None = None, milliseconds: str | None = None) -> None:
        super().__init__(output, path, milliseconds)
        self.facility = text_getter("syslog.facility.str")
        self.severity = text_getter("syslog.severity.str")
        self.message = text_getter("syslog.message")
        self.process = text_getter("proc.name")
        self.tid = int_getter("thread.tid")
        self.container = text_getter("container.name")
        self.container_id = text_getter("container.id")
        self.time = text_getter("evt.time")

    def event(self, event: Event) -> None:
        """A line for a message."""
        self.note(event)
        facility, severity, message = self.facility(event), self.severity(event), self.message(event)
        process, tid = self.process(event), self.tid(event)
        container, container_id = self.container(event), self.container_id(event)
        where = f"{known(container_id):20} {known(container):20} " if self.output.containers else ""
        self.record(
            (self.time(event), container_id, container, facility, severity, process, tid, message),
            f"{where}{known(facility)}.{known(severity)} {known(process)}[{known(tid)}] {known(message)}\n",
        )


class Around(Saving):
    """Saves the events around those that the command line's filter finds."""

    columns = ("time", "process", "tid")

    def __init__(self, output: Output, path: str, milliseconds: str | None = None) -> None:
        super().__init__(output, path, milliseconds)
        self.process = text_getter("proc.name")
        self.time = text_getter("evt.time")

    def capture_filter(self, text: str) -> None:
        """Without a filter there is nothing to look around."""
        if not text.strip():
            raise UsageError("around needs a filter: the events that it finds are those around which others are saved")

    def event(self, event: Event) -> None:
        """A line for an event that was found."""
        self.note(event)
        when, process = self.time(event), self.process(event)
        self.record((when, process, event.tid), f"{when} {known(process)}({event.tid})\n")

    def summary(self, saved: Saved) -> str:
        """The last lines."""
        return f"\nSaving events around {self.found} syslog entries to {saved.path}\n"


__all__ = ["Around", "Saving", "SpyLogs", "SpySyslog"]

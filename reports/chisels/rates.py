"""iobytes, iobytes_file and iobytes_net: bytes in and out for each second of the capture."""

from __future__ import annotations

from typing import Final

from ...convert.trace.model import Event
from . import text
from .base import Chisel, Output
from .values import getter, int_getter

FILTERS: Final = {
    "iobytes": "evt.is_io=true",
    "iobytes_file": "evt.is_io=true and fd.type=file",
    "iobytes_net": "evt.is_io=true and (fd.type=ipv4 or fd.type=ipv6)",
}


class Rate(Chisel):
    """A line when a second is over, under the time of the event that ends it; seconds without events have none."""

    columns = ("time", "in", "out", "total")

    def __init__(self, output: Output, name: str) -> None:
        super().__init__(output)
        self.filter = FILTERS[name]
        self.result = int_getter("evt.rawarg.res")
        self.reads = getter("evt.is_io_read")
        self.second: int | None = None
        self.received = 0
        self.sent = 0

    def tick(self, ts: int) -> None:
        """Ends the second before, where this event begins another."""
        if ts <= 0:
            return  # what describes containers may have no time
        second = ts // text.SECOND
        if self.second is not None and second != self.second:
            self.print_second(second)
        self.second = second

    def event(self, event: Event) -> None:
        """Adds what the call returned."""
        count = self.result(event)
        if count is None or count <= 0:
            return
        if self.reads(event):
            self.received += count
        else:
            self.sent += count

    def print_second(self, second: int) -> None:
        """The line, and all begins anew."""
        when, total = text.clock(second * text.SECOND), self.received + self.sent
        values = (when, self.received, self.sent, total)
        self.record(values, f"{when} in:{self.received} out:{self.sent} tot:{total}\n")
        self.received = self.sent = 0

    def end(self) -> None:
        """Prints the last second, which nothing came to end."""
        if self.second is not None:
            self.print_second(self.second + 1)
        self.close()

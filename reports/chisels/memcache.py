"""memcachelog: what memcached was asked for."""

from __future__ import annotations

import re
from typing import Final

from ...convert.errors import UsageError
from ...convert.trace.model import Event
from . import text
from .base import Chisel, Output
from .values import getter

METHODS: Final = ("get", "set")
ASKED: Final = re.compile(rb"(gets?) ([^ \r\n\0]+)")
GIVEN: Final = re.compile(rb"(set) ([^ \r\n\0]+) [0-9]{1,10} -?[0-9]{1,10} ([0-9]{1,18})")


class MemcacheLog(Chisel):
    """A line for each get, gets and set; of a set the size that it announces."""

    filter = "(fd.sport=11211 or proc.name=memcached) and evt.is_io=true"
    columns = ("time", "method", "size", "key")

    def __init__(self, output: Output, method: str | None = None, least: str | None = None) -> None:
        if method is not None and method not in METHODS:
            raise UsageError(f"memcachelog takes get or set, not {method}")
        if least is not None and not (least.isascii() and least.isdigit() and len(least) < 16):
            raise UsageError(f"memcachelog takes a number of bytes, not {least}")
        super().__init__(output)
        self.data = getter("evt.buffer")
        self.method = method
        self.least = 0 if least is None else int(least)

    def event(self, event: Event) -> None:
        """The line."""
        data = self.data(event)
        if not isinstance(data, bytes):
            return
        found = GIVEN.match(data) or ASKED.match(data)
        if found is None:
            return
        method = found[1].decode("ascii")
        count = int(found[3]) if method == "set" else 0
        if (self.method is not None and not method.startswith(self.method)) or count < self.least:
            return
        key = found[2].decode("utf-8", "surrogateescape")
        when = f"{text.date_and_time(event.ts)}.{event.ts % text.SECOND:09d}"
        self.record((when, method, count, key), f"{when} method={method} size={count}B key={key}\n")

    def end(self) -> None:
        """The end of the log."""
        self.close()

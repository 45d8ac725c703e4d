"""httplog and httptop: requests and what answered them, as the system calls show them."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Final, NamedTuple

from ...convert.errors import UsageError
from ...convert.trace.model import Event
from . import text
from .base import Chisel, Output
from .sums import Column, Table
from .values import getter, text_getter

FILTER: Final = "evt.is_io=true and evt.buflen>0 and (fd.sockfamily=ip or fd.sockfamily=unix)"
REQUEST: Final = re.compile(rb"([A-Z]+) ([^ \r\n]+)")
RESPONSE: Final = re.compile(rb"HTTP/[0-9.]+ ([0-9]{1,9})")
HOST: Final = re.compile(rb"\r?\nHost:[ \t]*([^ \t\r\n]+)[ \t]*\r?\n", re.IGNORECASE)
LENGTH: Final = re.compile(rb"\r?\nContent-Length:[ \t]*([0-9]{1,18})", re.IGNORECASE)
HEAD_END: Final = re.compile(rb"\r?\n\r?\n")
HEAD: Final = 16384
"""Bytes of a buffer that are looked at."""

OPEN_MOST: Final = 65_536
"""Requests without an answer that are held; the oldest go first."""
CALLS_MOST: Final = 262_144
"""Different requests that httptop holds; further ones are counted together as dropped."""

Place = tuple[object, object]


class Request(NamedTuple):
    """A request that waits for its answer. `incoming`: the process read it."""

    method: str
    url: str
    ts: int
    incoming: bool


class Exchange(NamedTuple):
    """A request and the first line of what answered it; `latency` in ns, `length` as the response tells it."""

    request: Request
    status: int
    latency: int
    length: int
    ts: int
    container: str


def parse_request(data: bytes) -> tuple[str, str] | None:
    """Method and URL where `data` begins with a request line: the host is set before what is no whole URL."""
    found = REQUEST.match(data)
    if found is None:
        return None
    method, target = (part.decode("utf-8", "surrogateescape") for part in found.groups())
    host = HOST.search(head_of(data))
    if host is not None and not target.startswith(("http://", "https://")):
        target = host[1].decode("utf-8", "surrogateescape") + target
    return method, target


def head_of(data: bytes) -> bytes:
    """The lines of the head, as far as they were recorded, the last one's end included."""
    data = data[:HEAD]
    end = HEAD_END.search(data)
    return data if end is None else data[: end.end()]


class HttpChisel(Chisel):
    """Pairs requests with responses by process and descriptor."""

    filter = FILTER

    def __init__(self, output: Output) -> None:
        super().__init__(output)
        self.buffer = getter("evt.buffer")
        self.fd = getter("fd.num")
        self.pid = getter("proc.pid")
        self.direction = getter("evt.io_dir")
        self.container = text_getter("container.name")
        self.open: OrderedDict[Place, Request] = OrderedDict()
        self.evicted = 0

    def event(self, event: Event) -> None:
        """Remembers a request, or hands on the exchange that a response completes."""
        data = self.buffer(event)
        if not isinstance(data, bytes):
            return
        place = (self.pid(event), self.fd(event))
        waiting = self.open.get(place)
        found = RESPONSE.match(data)
        if found is None:
            if waiting is None and (request := parse_request(data)) is not None:
                self.remember(place, Request(*request, event.ts, self.direction(event) == "read"))
            return
        status = int(found[1])
        if waiting is None or (100 <= status < 200 and status != 101):
            return
        del self.open[place]
        length = LENGTH.search(head_of(data))
        self.exchange(
            Exchange(
                waiting,
                status,
                event.ts - waiting.ts,
                int(length[1]) if length else 0,
                event.ts,
                self.container(event) or "",
            )
        )

    def remember(self, place: Place, request: Request) -> None:
        """Holds the request until its response comes."""
        if len(self.open) >= OPEN_MOST:
            self.open.popitem(last=False)
            self.evicted += 1
        self.open[place] = request

    def exchange(self, exchange: Exchange) -> None:
        """A request with its response."""
        raise NotImplementedError

    def end(self) -> None:
        """Tells what was given up."""
        if self.evicted:
            self.output.warn(f"{self.evicted} requests without an answer were dropped: more than {OPEN_MOST} waited\n")


class HttpLog(HttpChisel):
    """One line for each exchange, when its response comes."""

    columns = ("time", "container", "direction", "method", "url", "response_code", "latency_ms", "size")

    def exchange(self, exchange: Exchange) -> None:
        """Prints the line."""
        request = exchange.request
        when = f"{text.date_and_time(exchange.ts)}.{exchange.ts % text.SECOND:09d}"
        where = f" {exchange.container}" if self.output.containers else ""
        arrow = "<" if request.incoming else ">"
        milliseconds = exchange.latency // 1_000_000
        self.record(
            (when, exchange.container, arrow, request.method, request.url, exchange.status, milliseconds,
             exchange.length),
            f"{when}{where} {arrow} method={request.method} url={request.url} response_code={exchange.status} "
            f"latency={milliseconds}ms size={exchange.length}B\n",
        )  # fmt: skip

    def end(self) -> None:
        """The end of the log."""
        self.close()
        super().end()


BY: Final = {"ncalls": text.number, "bytes": text.size, "time": text.interval}


class HttpTop(HttpChisel):
    """A table of the URLs that were asked for most, took longest or were largest."""

    def __init__(self, output: Output, by: str = "ncalls") -> None:
        if by not in BY:
            raise UsageError(f"httptop takes ncalls, bytes or time, not {by}")
        super().__init__(output)
        self.by = by
        names = ("container", "method", "url") if output.containers else ("method", "url")
        self.table = Table(output, [Column(name, name) for name in names], Column(by, by), BY[by], 30)
        self.columns = self.table.columns
        self.sums: dict[tuple[str, ...], list[int]] = {}
        self.dropped = 0

    def tick(self, ts: int) -> None:
        """The time of the JSON object."""
        self.table.tick(ts)

    def exchange(self, exchange: Exchange) -> None:
        """Adds the exchange to those of its URL."""
        request = exchange.request
        key = (request.method, request.url)
        if self.output.containers:
            key = (exchange.container, *key)  # type: ignore[assignment]
        found = self.sums.get(key)
        if found is None:
            if len(self.sums) >= CALLS_MOST:
                self.dropped += 1
                return
            found = self.sums[key] = [0, 0, 0]
        found[0] += 1
        found[1] += exchange.length
        found[2] += exchange.latency

    def end(self) -> None:
        """Prints the table; the time of a URL is its mean."""
        worth: dict[tuple[str, ...], float] = {}
        for key, (calls, length, latency) in self.sums.items():
            worth[key] = {"ncalls": calls, "bytes": length, "time": latency / calls}[self.by]
        self.table.print_table(worth)
        if self.dropped:
            self.output.warn(f"{self.dropped} exchanges were not counted: more than {CALLS_MOST} different URLs\n")
        super().end()

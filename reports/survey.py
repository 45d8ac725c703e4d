"""What a report counts over all records, apart from the findings: statuses, exchanges over time, who talked to whom.

Every table has a bound; what no longer fits is summed in an entry of its own, so totals stay right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import NamedTuple, TypeVar

from .annotations import Http, Process, RequestLine, Side, StatusLine, Stream
from .names import Programs, endpoint, machine

PAIRS = 5_000
CONVERSATIONS = 100_000
NOTHING = hashlib.sha256().hexdigest()
BINS = 480
SECOND = 1_000_000_000
_Key = TypeVar("_Key", bound=Hashable)


class Traffic:
    """Bytes and streams of one host, program or pair."""

    __slots__ = ("received", "sent", "streams")

    def __init__(self) -> None:
        self.sent = 0
        self.received = 0
        self.streams = 0

    def add(self, sent: int, received: int) -> None:
        """One more stream with so many payload bytes."""
        self.sent += sent
        self.received += received
        self.streams += 1

    @property
    def total(self) -> int:
        """Bytes in both directions."""
        return self.sent + self.received


class Pair(NamedTuple):
    """Who talked to which service; `sent` of its traffic is what went to the server.

    `spoken` names the protocols, and is empty where none was recognised.
    """

    client: str
    server: str
    protocol: str
    spoken: str = ""
    encrypted: bool = False


OTHER_PAIRS = Pair("others", "others", "")
OTHER_HOSTS = "other hosts"


class Interval:
    """What was said in one span of time: bytes of messages that began in it, HTTP exchanges, and those that failed."""

    __slots__ = ("exchanges", "failed", "length", "missing")

    def __init__(self) -> None:
        self.length = 0
        self.exchanges = 0
        self.missing = 0
        self.failed = 0

    def __iadd__(self, other: Interval) -> Interval:
        self.length += other.length
        self.exchanges += other.exchanges
        self.missing += other.missing
        self.failed += other.failed
        return self


class Timeline:
    """What was said over time in equal intervals, whose width doubles whenever there would be more than BINS."""

    def __init__(self) -> None:
        self.width = SECOND // 8
        self.intervals: dict[int, Interval] = {}

    def add(self, time: int, status: int | None) -> None:
        """One more exchange, at nanoseconds since 1970."""
        interval = self._at(time)
        interval.exchanges += 1
        if status is not None:
            interval.missing += status == 404
            interval.failed += 500 <= status <= 599

    def add_bytes(self, time: int, length: int) -> None:
        """A message of so many bytes began at nanoseconds since 1970."""
        self._at(time).length += length

    def _at(self, time: int) -> Interval:
        interval = self.intervals.get(time // self.width)
        if interval is None:
            interval = self.intervals[time // self.width] = Interval()
            while max(self.intervals) - min(self.intervals) >= BINS:
                self._double()
            interval = self.intervals[time // self.width]
        return interval

    def _double(self) -> None:
        wider: dict[int, Interval] = {}
        for at, interval in self.intervals.items():
            sum_ = wider.setdefault(at // 2, Interval())
            sum_ += interval
        self.width *= 2
        self.intervals = wider


class Clock:
    """RFC 3339 UTC text to nanoseconds since 1970, quick for times that share their minute."""

    def __init__(self) -> None:
        self._minute = ""
        self._base = 0

    def read(self, time: str | None) -> int:
        """0 where there is no time or it is malformed."""
        if not time or time[-1] != "Z":
            return 0
        try:
            if time[:16] != self._minute:
                self._base = int(datetime.strptime(time[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=UTC).timestamp())
                self._minute = time[:16]
            fraction = time[20:-1]
            return (self._base + int(time[17:19])) * SECOND + (int(fraction.ljust(9, "0")[:9]) if fraction else 0)
        except ValueError:
            return 0


class Survey:
    """Fed with every record of every source, in the files' order."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.programs = Programs()
        self.processes = 0
        self.streams: dict[str, int] = {}
        self.exchanges = 0
        self.without_request = 0
        self.without_response = 0
        self.open_before = 0
        self.without_beginning = 0
        self.one_sided = 0
        self.twice: dict[tuple[int, int], int] = {}
        """Conversations that may be those of an earlier input, and count in each."""
        self.joined: dict[tuple[int, int], int] = {}
        """Conversations that are those of an earlier input, and count there."""
        self.with_gaps = 0
        self.missing_bytes = 0
        self.statuses: dict[int, int] = {}
        self.timeline = Timeline()
        self.hosts: dict[str, Traffic] = {}
        self.pairs: dict[Pair, Traffic] = {}
        self.by_program: dict[int, Traffic] = {}
        self.http_ports: dict[int, int] = {}
        self._source, self._packets, self._several = 0, False, False
        self._first_seen: dict[int, int] = {}

    def next_source(self, source: int = 0, *, packets: bool = False, several: bool = False) -> None:
        """Records of another input follow. `several`: there are more, and conversations may stand in two of them."""
        self._source, self._packets, self._several = source, packets, several
        self.programs.next_source()

    def process(self, process: Process) -> None:
        """Count a process record."""
        self.processes += 1
        self.programs.learn(process)

    def stream(self, stream: Stream, client_program: int, server_program: int) -> None:
        """Count a conversation and its bytes; the programs are indexes into the table of `programs`, 0 of none."""
        self.streams[stream.protocol] = self.streams.get(stream.protocol, 0) + 1
        self._beginning(stream)
        if self._several and stream.client is not None and stream.client.ip is not None:
            self._look_elsewhere(stream)
        self.with_gaps += stream.gaps > 0
        self.missing_bytes += stream.missing_bytes
        up, down = stream.bytes_to_server, stream.bytes_to_client
        client, server = machine(stream.client), machine(stream.server)
        _bounded(self.hosts, client, OTHER_HOSTS).add(up, down)
        if server != client:
            _bounded(self.hosts, server, OTHER_HOSTS).add(down, up)
        spoken = ", ".join(dict.fromkeys(stream.protocols))
        pair = Pair(client, endpoint(stream.server), stream.protocol, spoken, stream.encrypted)
        _bounded(self.pairs, pair, OTHER_PAIRS).add(up, down)
        if client_program:
            self.by_program.setdefault(client_program, Traffic()).add(up, down)
        if server_program:
            self.by_program.setdefault(server_program, Traffic()).add(down, up)

    def _beginning(self, stream: Stream) -> None:
        """Whether the stream was open before, and whether a direction of it was captured at all."""
        if not self._packets:
            self.open_before += stream.opened is None and stream.protocol != "udp"
        elif stream.protocol == "tcp":
            self.without_beginning += stream.opened is None
            up = stream.bytes_to_server and stream.sha256_to_server == NOTHING
            down = stream.bytes_to_client and stream.sha256_to_client == NOTHING
            self.one_sided += bool(up) != bool(down)

    def _look_elsewhere(self, stream: Stream) -> None:
        """Count the stream where one of the same addresses and ports was in an earlier input."""
        ends = [(end.ip or "", end.port or 0) for end in (stream.client, stream.server) if end is not None]
        key = hash((stream.protocol, *sorted(ends)))
        seen = self._first_seen.get(key)
        if seen is None:
            if len(self._first_seen) < CONVERSATIONS:
                self._first_seen[key] = self._source
        elif seen != self._source:
            self.twice[seen, self._source] = self.twice.get((seen, self._source), 0) + 1

    def exchange(self, exchange: Http, time: int) -> None:
        """Count an HTTP exchange; its time in nanoseconds since 1970, 0 where there is none."""
        self.exchanges += 1
        self.without_request += exchange.request is None
        status = None if exchange.response is None else exchange.response.status
        if status is None:
            self.without_response += 1
        else:
            status = status if 0 <= status <= 999 else 999
            self.statuses[status] = self.statuses.get(status, 0) + 1
        if time:
            self.timeline.add(time, status)
        self.said(exchange.request, exchange.response)
        port = exchange.server.port if exchange.server is not None else None
        if port is not None:
            self.http_ports[port & 0xFFFF] = self.http_ports.get(port & 0xFFFF, 0) + 1

    def said(self, *sides: RequestLine | StatusLine | Side | None) -> None:
        """Count the bytes of messages, each at the time of its first byte."""
        for side in sides:
            if side is not None and side.where is not None and (time := self.clock.read(side.where.time)):
                self.timeline.add_bytes(time, side.where.length)

    def status_class(self, hundred: int) -> int:
        """How many responses had a status of 100 * hundred to 100 * hundred + 99."""
        return sum(count for status, count in self.statuses.items() if status // 100 == hundred)


def _bounded(table: dict[_Key, Traffic], key: _Key, others: _Key) -> Traffic:
    found = table.get(key)
    if found is None:
        found = table.setdefault(key if len(table) < PAIRS else others, Traffic())
    return found

"""Connections that more than one capture saw: which streams of different inputs are the same one.

Two streams are the same when their protocol, addresses and ports are, as many bytes went each way, and what went one
way has the same SHA-256; or, where hashes are withheld or bytes were not kept, when both were opened at about the same
time of captures that overlap. What could be the same as several others is left alone: it counts once in each input.
Addresses that are translated between two places (NAT) make two connections of one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import NamedTuple

from .annotations import Stream
from .names import Program

CONNECTIONS = 100_000
NOTHING = hashlib.sha256().hexdigest()
OBSERVED = "observed"
APART = 600 * 1_000_000_000
"""Nanoseconds between two openings of what may be one connection: clocks of hosts differ."""

Known = tuple[int, int]
"""A stream: its source and its id."""
Key = tuple[str, tuple[tuple[str, int], ...]]


class Side(NamedTuple):
    """A process that another input knows at an end of a stream: that input, the process's id, what it is."""

    source: int
    process: int
    program: Program
    attribution: str


class _Seen(NamedTuple):
    source: int
    number: int
    swapped: bool
    """Whether its client is the greater of the two ends."""
    sent: tuple[int, int]
    digests: tuple[str | None, str | None]
    """Of the lesser end and of the greater: bytes sent, and their SHA-256."""
    whole: bool
    opened: int
    processes: tuple[Side | None, Side | None]
    """At the client's end and at the server's."""


class Sides:
    """Fed with the streams of every input, then `join`; afterwards it says of a stream what it is known as."""

    def __init__(self, bound: int = CONNECTIONS) -> None:
        self._bound = bound
        self._kept = 0
        self._seen: dict[Key, list[_Seen]] = {}
        self._first: dict[Known, Known] = {}
        self._processes: dict[Known, tuple[Side | None, Side | None]] = {}
        self._shared: set[Known] = set()
        self._ends: dict[Known, tuple[int, int]] = {}
        self.left_out = 0
        """Streams beyond the bound; they were not compared."""

    def add(self, source: int, stream: Stream, opened: int, program: Callable[[int | None], Program | None]) -> None:
        """Note a stream. `opened`: nanoseconds since 1970, 0 where not known; `program` says what a process is."""
        client, server = stream.client, stream.server
        if client is None or server is None or client.ip is None or server.ip is None:
            return
        if self._kept >= self._bound:
            self.left_out += 1
            return
        self._kept += 1
        ends = [(client.ip, client.port or 0), (server.ip, server.port or 0)]
        swapped = ends[0] > ends[1]
        sent = (stream.bytes_to_server, stream.bytes_to_client)
        digests = (stream.sha256_to_server, stream.sha256_to_client)
        sides: list[Side | None] = []
        for process, attribution in (
            (stream.client_process, stream.client_attribution),
            (stream.server_process, stream.server_attribution),
        ):
            known = program(process)
            sides.append(None if process is None or known is None else Side(source, process, known, attribution))
        self._seen.setdefault((stream.protocol, tuple(sorted(ends))), []).append(
            _Seen(
                source,
                stream.id,
                swapped,
                (sent[1], sent[0]) if swapped else sent,
                (digests[1], digests[0]) if swapped else digests,
                not stream.missing_bytes,
                opened,
                (sides[0], sides[1]),
            )
        )

    def join(self, overlap: Callable[[int, int], bool]) -> None:
        """Find what is the same. `overlap` says whether the times of two inputs have something in common."""
        for streams in self._seen.values():
            if len({each.source for each in streams}) > 1:
                self._join(streams, overlap)
        self._seen.clear()

    def _join(self, streams: list[_Seen], overlap: Callable[[int, int], bool]) -> None:
        alike: dict[Known, list[_Seen]] = {}
        for at, one in enumerate(streams):
            for other in streams[at + 1 :]:
                if one.source != other.source and _same(one, other, overlap):
                    alike.setdefault((one.source, one.number), []).append(other)
                    alike.setdefault((other.source, other.number), []).append(one)
        by_place = {(each.source, each.number): each for each in streams}
        for place, others in alike.items():
            if place in self._first or len({each.source for each in others}) < len(others):
                continue
            together = sorted([by_place[place], *others])
            places = {(each.source, each.number) for each in together}
            if any({(each.source, each.number) for each in alike[known]} != places - {known} for known in places):
                continue
            self._shown_once(together)

    def _shown_once(self, together: list[_Seen]) -> None:
        first = together[0]
        home = (first.source, first.number)
        sides: list[Side | None] = [None, None]
        for each in together:
            turned = each.swapped != first.swapped
            for end in (0, 1):
                sides[end] = sides[end] or each.processes[1 - end if turned else end]
        for each in together:
            known = (each.source, each.number)
            self._processes[known] = (sides[1], sides[0]) if each.swapped != first.swapped else (sides[0], sides[1])
            if known != home:
                self._first[known] = home
                self._ends_of(first, each)
        self._shared.add(home)

    def _ends_of(self, first: _Seen, each: _Seen) -> None:
        """Note which input recorded the client's host and which the server's, where each recorded one of them."""
        mine = [side is not None and side.attribution == OBSERVED for side in first.processes]
        theirs = [side is not None and side.attribution == OBSERVED for side in each.processes]
        if first.swapped == each.swapped and mine != theirs and sum(mine) == sum(theirs) == 1:
            ends = (first.source, each.source) if mine[0] else (each.source, first.source)
            self._ends[each.source, each.number] = ends

    def ends(self, source: int, stream: int | None) -> tuple[int, int] | None:
        """Of a stream that was joined: the inputs that recorded the client's host and the server's; None: not told."""
        return self._ends.get((source, -1 if stream is None else stream))

    def first(self, source: int, stream: int | None) -> Known | None:
        """The stream of an earlier input that this one is; None where it is in none."""
        return None if stream is None else self._first.get((source, stream))

    def shared(self, source: int, stream: int | None) -> bool:
        """Whether a later input has this stream too."""
        return (source, stream) in self._shared

    def processes(self, source: int, stream: int | None) -> tuple[Side | None, Side | None]:
        """The processes at the client's and the server's end of a joined stream, whichever input names them."""
        return self._processes.get((source, -1 if stream is None else stream), (None, None))

    def pairs(self) -> Iterable[tuple[int, int]]:
        """For each stream that was joined to an earlier input: that input and its own."""
        return ((home[0], known[0]) for known, home in self._first.items())


def _same(one: _Seen, other: _Seen, overlap: Callable[[int, int], bool]) -> bool:
    if one.sent != other.sent or not any(one.sent):
        return False
    equal = False
    for mine, theirs, length in zip(one.digests, other.digests, one.sent, strict=True):
        if mine is None or theirs is None or not length or NOTHING in (mine, theirs):
            continue
        equal = equal or mine == theirs
        if mine != theirs and one.whole and other.whole:
            return False
    if equal:
        return True
    if not one.opened or not other.opened:
        return overlap(one.source, other.source)
    return overlap(one.source, other.source) and abs(one.opened - other.opened) <= APART

"""Feeding a protocol's parser in tests: whole, in given cuts, with losses; and what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from syswire.convert.model.exchange import HttpExchange
from syswire.convert.model.record import Record, Value
from syswire.convert.model.sighting import Sighting
from syswire.convert.model.span import Span
from syswire.convert.protocols.api import Parser, Sink
from syswire.convert.protocols.http.content_coding import ContentDecoder

Talk = Iterable[tuple[bool, bytes | int]]
"""(to the server, bytes, or a number of lost ones), one a system call, packet or datagram."""


@dataclass
class Inner:
    """What follows in another protocol, kept as it comes."""

    name: str | None
    client: bytes = b""
    server: bytes = b""
    gaps: list[tuple[bool, int]] = field(default_factory=list)
    closed: bool | None = None

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        if to_server:
            self.client += data
        else:
            self.server += data

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        self.gaps.append((to_server, length))

    def close(self, ended: bool = True) -> None:
        assert self.closed is None
        self.closed = ended


@dataclass
class Written:
    """An object, kept in memory."""

    data: bytearray = field(default_factory=bytearray)
    lost: list[tuple[int, int]] = field(default_factory=list)
    """(bytes before, bytes lost)."""
    complete: bool | None = None
    discarded: bool = False

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        assert self.complete is None and not self.discarded
        self.data += data

    def gap(self, length: int, /) -> None:
        self.lost.append((len(self.data), length))

    def close(self, complete: bool, /) -> dict[str, Value]:
        assert self.complete is None and not self.discarded
        self.complete = complete and not self.lost
        if not self.data:
            return {}
        return {"file": None, "sha256": sha256(self.data).hexdigest(), "size": len(self.data)}

    def discard(self) -> None:
        assert self.complete is None and not self.discarded
        self.discarded = True


@dataclass
class Found:
    """A sink that keeps everything."""

    records: list[Record] = field(default_factory=list)
    exchanges: list[HttpExchange] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    weirds: list[tuple[str, Span]] = field(default_factory=list)
    switched: list[Inner] = field(default_factory=list)
    names: dict[bytes, str] = field(default_factory=dict)
    objects: list[Written] | None = None
    """Objects that were opened; None: they are not wanted."""
    handed: int = 0

    def exchange(self, e: HttpExchange, /) -> None:
        self.handed += 1
        assert e.ordinal == self.handed
        assert e.request is not None or e.response is not None
        self.exchanges.append(e)

    def record(self, r: Record, /) -> None:
        self.handed += 1
        assert r.ordinal == self.handed
        assert r.request is not None or r.response is not None
        self.records.append(r)

    def sighting(self, s: Sighting, /) -> None:
        assert 0 < s.exchange <= self.handed
        self.sightings.append(s)

    def weird(self, name: str, span: Span, /) -> None:
        self.weirds.append((name, span))

    def name(self, address: bytes, name: str, /) -> None:
        self.names[address] = name

    @property
    def shared_secrets(self) -> Sequence[bytes]:
        return ()

    @property
    def wants_objects(self) -> bool:
        return self.objects is not None

    def open_object(self, /) -> Written | None:
        if self.objects is None:
            return None
        self.objects.append(Written())
        return self.objects[-1]

    def open_content(self, to_server: bool, codings: Sequence[str], /) -> ContentDecoder:
        return ContentDecoder(codings)

    def switch(self, name: str | None, /) -> Inner:
        self.switched.append(Inner(name))
        return self.switched[-1]

    @property
    def asked(self) -> list[dict[str, Value] | None]:
        """The fields of all requests."""
        return [r.request.fields if r.request else None for r in self.records]

    @property
    def answered(self) -> list[dict[str, Value] | None]:
        """The fields of all responses."""
        return [r.response.fields if r.response else None for r in self.records]

    def said(self) -> object:
        """Everything that has to be the same however the bytes were cut."""
        return self.records, self.exchanges, self.sightings, self.weirds, self.switched, self.names, self.objects


def talk(
    make: Callable[[Sink], Parser],
    calls: Talk,
    *,
    cuts: list[int] | None = None,
    ended: bool = True,
    boundaries: bool = True,
    objects: bool = False,
) -> Found:
    """Parse a conversation.

    `cuts`: sizes of the pieces into which each call's bytes are cut, used in turn; without `boundaries` each piece
    is said to begin a call of its own. With `objects` those are wanted.
    """
    found = Found(objects=[] if objects else None)
    parser = make(found)
    offsets = {True: 0, False: 0}
    turn = 0
    for number, (to_server, content) in enumerate(calls):
        place = f"call {number}"
        if isinstance(content, int):
            parser.gap(to_server, content, offsets[to_server], place)
            offsets[to_server] += content
            continue
        at, boundary = 0, True
        while at < len(content):
            size = len(content) - at
            if cuts:
                size = min(size, cuts[turn % len(cuts)])
                turn += 1
            parser.data(to_server, content[at : at + size], offsets[to_server], place, boundary)
            offsets[to_server] += size
            at += size
            boundary = not boundaries
    parser.close(ended)
    return found

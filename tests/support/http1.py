"""Feeding the HTTP/1 parser in tests: whole, in given cuts, with losses; and what came out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from support.parsing import Inner
from syswire.convert.model.exchange import HttpExchange
from syswire.convert.model.record import Record
from syswire.convert.model.sighting import Sighting
from syswire.convert.model.span import Span
from syswire.convert.protocols.http.content_coding import ContentDecoder
from syswire.convert.protocols.http1.parser import Http1


class Call(NamedTuple):
    """One system call's bytes: what is known of them, then a number of lost ones."""

    to_server: bool
    data: bytes
    lost: int = 0


@dataclass
class Found:
    """A sink that keeps everything."""

    exchanges: list[HttpExchange] = field(default_factory=list)
    sightings: list[Sighting] = field(default_factory=list)
    weirds: list[tuple[str, Span]] = field(default_factory=list)
    switched: list[Inner] = field(default_factory=list)

    def exchange(self, e: HttpExchange, /) -> None:
        self.exchanges.append(e)

    def sighting(self, s: Sighting, /) -> None:
        assert 0 < s.exchange <= self.exchanges[-1].ordinal
        self.sightings.append(s)

    def weird(self, name: str, span: Span, /) -> None:
        self.weirds.append((name, span))

    def record(self, r: Record, /) -> None:
        raise AssertionError("HTTP/1 has exchanges only")

    def name(self, address: bytes, name: str, /) -> None:
        raise AssertionError("HTTP/1 names no address")

    def switch(self, name: str | None, /) -> Inner:
        self.switched.append(Inner(name))
        return self.switched[-1]

    @property
    def shared_secrets(self) -> Sequence[bytes]:
        return ()

    @property
    def wants_objects(self) -> bool:
        return False

    def open_object(self, /) -> None:
        return None

    def open_content(self, to_server: bool, codings: Sequence[str], /) -> ContentDecoder:
        return ContentDecoder(codings)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.weirds]

    @property
    def pairs(self) -> list[tuple[str | None, int | None]]:
        """(target, status) of each exchange."""
        return [
            (e.request.target if e.request else None, e.response.status if e.response else None) for e in self.exchanges
        ]


def client(data: bytes, lost: int = 0) -> Call:
    return Call(True, data, lost)


def server(data: bytes, lost: int = 0) -> Call:
    return Call(False, data, lost)


def read(*calls: Call, cuts: list[int] | None = None, ended: bool = True) -> Found:
    """Parse a conversation. `cuts`: sizes of the pieces into which each call's bytes are cut, used in turn."""
    found = Found()
    parser = Http1(found)
    offsets = {True: 0, False: 0}
    turn = 0
    for number, call in enumerate(calls):
        place = f"call {number}"
        at, boundary = 0, True
        while at < len(call.data):
            size = len(call.data) - at
            if cuts:
                size = cuts[turn % len(cuts)]
                turn += 1
            piece = call.data[at : at + size]
            parser.data(call.to_server, piece, offsets[call.to_server], place, boundary)
            offsets[call.to_server] += len(piece)
            at += len(piece)
            boundary = False
        if call.lost:
            parser.gap(call.to_server, call.lost, offsets[call.to_server], place)
            offsets[call.to_server] += call.lost
    parser.close(ended)
    return found

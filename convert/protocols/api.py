"""What a protocol's parser is given and what it gives back.

A parser sees one conversation, both directions in causal order, and knows neither files nor frames nor clocks: it is
told a `place` with each run of bytes and hands it back with what it found there. It never raises on any input, holds
bounded memory, and gives the same result however the bytes between two boundaries are cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from ..model.exchange import HttpExchange
    from ..model.sighting import Sighting
    from ..model.span import Span


class Sink(Protocol):
    """Who takes what a parser finds."""

    def exchange(self, e: HttpExchange, /) -> None:
        """A request and its response, each exactly once, in the order of the requests."""

    def sighting(self, s: Sighting, /) -> None:
        """A secret; its exchange was handed out before, not always just before."""

    def weird(self, name: str, span: Span, /) -> None:
        """Something against the protocol, or lost, by its name in docs/protocols.md."""


class Parser(Protocol):
    """One conversation's parser. Offsets of a direction never decrease."""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction; `boundary`: a system call's bytes begin with them."""

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""

    def close(self, ended: bool = True) -> None:
        """Nothing follows; everything begun is handed out. `ended`: the conversation did, not merely the capture."""

"""What a protocol's parser is given and what it gives back.

A parser sees one conversation, both directions in causal order, and knows neither files nor frames nor clocks: it is
told a `place` with each run of bytes and hands it back with what it found there. It never raises on any input, holds
bounded memory, and gives the same result however the bytes between two boundaries are cut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model.exchange import HttpExchange
    from ..model.record import Record, Value
    from ..model.sighting import Sighting
    from ..model.span import Span
    from .http.content_coding import ContentDecoder

NO, YES, MORE = 0, 1, 2
"""What a probe says of an opening: it is not this protocol, it is, more bytes have to decide."""


class Opening(Protocol):
    """How a conversation begins, for a probe to judge. Bytes are those that were seen from the first one on."""

    client: bytes
    """At most OPENING_BYTES of what the client sent (recogniser.pyx)."""
    server: bytes
    client_port: int
    """0 where it is not known, or the socket has none."""
    server_port: int
    path: str
    """Of a unix socket, else empty."""
    transport: str
    """tcp, udp, unix or ppp."""
    first_to_server: bool
    """The first bytes that were seen came from the client."""
    over: bool
    """Nothing follows: MORE is NO."""


class ObjectWriter(Protocol):
    """A file that was transferred, while its bytes pass. It has to be closed or discarded."""

    def write(self, data: bytes | bytearray | memoryview, /) -> None:
        """Its next bytes, decoded."""

    def gap(self, length: int, /) -> None:
        """Bytes of it are lost (0: it is not known how many)."""

    def close(self, complete: bool, /) -> dict[str, Value]:
        """All has passed. Returns what the record says of it, under the name `object`; empty where it has no bytes.

        `complete`: its end was seen. The record has to be handed out then, and its sink gives the file its name.
        """

    def discard(self) -> None:
        """It is none after all."""


class Sink(Protocol):
    """Who takes what a parser finds."""

    def exchange(self, e: HttpExchange, /) -> None:
        """A request and its response, each exactly once, in the order of the requests."""

    def record(self, r: Record, /) -> None:
        """What another protocol said, in the order of the requests."""

    def sighting(self, s: Sighting, /) -> None:
        """A secret; its exchange or record was handed out before, not always just before."""

    def weird(self, name: str, span: Span, /) -> None:
        """Something against the protocol, or lost, by its name in docs/protocols.md."""

    def switch(self, name: str | None, /) -> Parser:
        """The conversation goes on as the protocol of that name, None: as its bytes tell.

        Returns the parser to which all that follows is to be handed; it counts its ordinals from 1 again.
        """

    def name(self, address: bytes, name: str, /) -> None:
        """An address (4 or 16 bytes) and the name that an answer gave it."""

    @property
    def shared_secrets(self) -> Sequence[bytes]:
        """Secrets that the user gave, with which RADIUS hides passwords."""

    @property
    def wants_objects(self) -> bool:
        """Whether open_object gives anything: nothing need be done for objects where it does not."""

    def open_object(self, /) -> ObjectWriter | None:
        """A new object; None where objects are not wanted."""

    def open_content(self, to_server: bool, codings: Sequence[str], /) -> ContentDecoder:
        """What undoes the content codings of a body that goes in this direction; it sees to secrets in it."""


class Parser(Protocol):
    """One conversation's parser. Offsets of a direction never decrease."""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction; `boundary`: a system call's bytes begin with them. A datagram comes whole."""

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""

    def close(self, ended: bool = True) -> None:
        """Nothing follows; everything begun is handed out. `ended`: the conversation did, not merely the capture."""

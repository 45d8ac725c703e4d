"""How a parser hands out its records and the secrets in them, counted from 1."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.record import Message, Record
from ..model.sighting import UNKNOWN
from ..model.span import Span

if TYPE_CHECKING:
    from ..model.record import Value
    from ..model.sighting import Sighting
    from .api import Sink


class Login:
    """A login that waits for the server's verdict."""

    def __init__(self, span: Span, fields: dict[str, Value]) -> None:
        self.span = span
        self.fields = fields
        self.sightings: list[Sighting] = []

    def reach(self, span: Span) -> None:
        """A later message of the client belongs to it too."""
        self.span = Span(self.span.place, self.span.offset, span.offset + span.length - self.span.offset)


class Handing:
    """The records of one conversation."""

    def __init__(self, sink: Sink, protocol: str) -> None:
        self._sink = sink
        self._protocol = protocol
        self._ordinal = 0

    def record(self, kind: str, request: Message | None, response: Message | None = None) -> None:
        """One record."""
        self._ordinal += 1
        self._sink.record(Record(kind, self._protocol, self._ordinal, request, response))

    def sightings(self, sightings: list[Sighting], outcome: str | None = None) -> None:
        """Secrets of the record that was the last one; `outcome`: where it is not each one's own."""
        for sighting in sightings:
            sighting.exchange = self._ordinal
            if outcome is not None:
                sighting.outcome = outcome
            self._sink.sighting(sighting)

    def login(self, login: Login, response: Message | None = None, outcome: str = UNKNOWN) -> None:
        """A login with the server's verdict, and the secrets in it."""
        self.record("login", Message(login.span, login.fields), response)
        self.sightings(login.sightings, outcome)


def text(data: bytes) -> str | None:
    """A user's name as text: UTF-8, else one byte a character; None where it is empty."""
    try:
        return data.decode() or None
    except UnicodeDecodeError:
        return data.decode("latin-1")


def shown(fields: dict[str, Value], name: str, data: bytes, most: int) -> None:
    """Put bytes into a record as text, with `<name>_complete` false where they are cut to `most`."""
    fields[name] = data[:most].decode("latin-1")
    if len(data) > most:
        fields[f"{name}_complete"] = False

"""A bind on its way to the server's verdict: one message, or several of a SASL mechanism."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import ACCEPTED, CERTAIN, HASH, LIKELY, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..asn1 import ber
from ..kerberos.tickets import in_spnego
from ..kerberos.tickets import sighting_fields as ticket_fields
from ..sasl.mechanisms import Mechanism
from ..sasl.secret import text, user_name
from .messages import SASL, SICILY_FIND, SIMPLE, Bind, Result

if TYPE_CHECKING:
    from ...model.record import Value

IN_PROGRESS = 14
_SUCCESS = 0
_BLOB = 1 << 16
_KERBEROS = frozenset({"GSSAPI", "GSS-SPNEGO"})
_LAYERED = frozenset({"GSSAPI", "GSS-SPNEGO", "DIGEST-MD5"})
"""After these the connection may be sealed."""


class Place(NamedTuple):
    """A message's bytes, and where they are in the stream."""

    data: bytes
    span: Span

    def part(self, tlv: ber.Tlv) -> tuple[bytes, Span]:
        """Of an element's value."""
        span = Span(self.span.place, self.span.offset + tlv.begin, tlv.end - tlv.begin)
        return self.data[tlv.begin : tlv.end], span


class Login:
    """One authentication."""

    def __init__(self, first: Bind, number: int, place: Place) -> None:
        self.first = first
        self.number = number
        self.span = place.span
        self.answer: Span | None = None
        self.result: Result | None = None
        self.sightings: list[Sighting] = []
        self.continues = False
        """The server has asked for more."""
        self._turns = 0
        self._mechanism: Mechanism | None = None
        self._name = "simple"
        if first.choice.tag == SASL:
            self._name = first.mechanism or ""
            self._mechanism = Mechanism(self._name)
        elif first.choice.tag != SIMPLE:
            self._name, self._mechanism = "sicily", Mechanism("NTLM")
        self._take(first, place)

    @property
    def layered(self) -> bool:
        """Whether what follows a success may be sealed."""
        return self._name.upper() in _LAYERED or self._name == "sicily"

    def takes(self, bind: Bind) -> bool:
        """Whether a further BindRequest belongs to it."""
        if not self.continues or bind.choice.tag == SIMPLE:
            return False
        if bind.choice.tag == SASL:
            return self._name.upper() == (bind.mechanism or "").upper()
        return self._name == "sicily" and bind.choice.tag != SICILY_FIND

    def go_on(self, bind: Bind, number: int, place: Place) -> None:
        """A further BindRequest."""
        self.number = number
        self.continues = False
        self.span = Span(self.span.place, self.span.offset, place.span.offset + place.span.length - self.span.offset)
        self._take(bind, place)

    def _take(self, bind: Bind, place: Place) -> None:
        self._turns += 1
        choice = bind.choice
        if choice.tag == SIMPLE:
            self._simple(bind, place)
            return
        blob = bind.credentials if choice.tag == SASL else choice
        if blob is None or self._mechanism is None or blob.end - blob.begin > _BLOB or choice.tag == SICILY_FIND:
            return
        raw, span = place.part(blob)
        found = self._mechanism.client(raw, raw, span, bind.complete)
        if found is not None:
            sighting = found.sighting("ldap", UNKNOWN, 0)
            if sighting.username is None:
                sighting.username = user_name(self.first.name.encode("latin-1"))
            if not bind.complete:
                sighting.confidence = LIKELY
            self.sightings.append(sighting)
        elif self._name.upper() in _KERBEROS and bind.complete:
            self._ticket(raw, span)

    def _simple(self, bind: Bind, place: Place) -> None:
        secret, span = place.part(bind.choice)
        if not secret:
            return
        self.sightings.append(
            Sighting(
                location="login",
                field=None,
                username=user_name(bind.name.encode("latin-1")),
                secret=secret,
                raw=secret,
                secret_complete=bind.complete,
                span=span,
                protocol="ldap",
                confidence=CERTAIN if bind.complete else LIKELY,
                details={"mechanism": "simple"},
            )
        )

    def _ticket(self, blob: bytes, span: Span) -> None:
        answer = in_spnego(blob)
        if answer is not None:
            place = Span(span.place, span.offset + answer.at, len(answer.cipher))
            self.sightings.append(
                Sighting(
                    location="kerberos",
                    field=None,
                    raw=answer.cipher,
                    secret_complete=True,
                    span=place,
                    protocol="ldap",
                    **ticket_fields(answer),
                )
            )

    def answered(self, result: Result, place: Place) -> bool:
        """A BindResponse. Returns whether it is the last one."""
        begin = self.answer or place.span
        end = place.span.offset + place.span.length
        self.answer = Span(begin.place, begin.offset, end - begin.offset)
        self.result = result
        asks = result.code == IN_PROGRESS
        if self._mechanism is not None:
            if self._name == "sicily":
                asks = asks or (result.code == _SUCCESS and not self._settled(result))
                self._mechanism.server(result.matched.encode("latin-1"))
            elif result.server_credentials is not None:
                self._mechanism.server(place.part(result.server_credentials)[0][:_BLOB])
        self.continues = asks and self._turns < 16
        return not self.continues

    def _settled(self, result: Result) -> bool:
        """Windows answers each step of Sicily with a success; the name that it gives is what it has to say."""
        return not result.matched or bool(self.sightings)

    @property
    def accepted(self) -> bool:
        """Whether the server has said that it succeeded."""
        return self.result is not None and self.result.code == _SUCCESS and not self.continues

    @property
    def verdict(self) -> str:
        """What the server said of it."""
        if self.result is None or self.continues:
            return UNKNOWN
        return ACCEPTED if self.result.code == _SUCCESS else REFUSED

    def user(self) -> str | None:
        """Whom it is about, as on the wire."""
        if self.first.name:
            return self.first.name
        known = self._mechanism.user if self._mechanism is not None else None
        return known[:1024].decode("latin-1") if known else None

    def whose(self) -> str | None:
        """The same as text."""
        name = self.user()
        return None if name is None else text(name.encode("latin-1"))

    def fields(self) -> dict[str, Value]:
        """What the record says of the request."""
        fields: dict[str, Value] = {
            "operation": "bind",
            "message_id": self.number,
            "version": self.first.version,
            "user": self.user(),
            "mechanism": self._name,
        }
        if self.first.choice.tag == SIMPLE and not self.sightings:
            fields["anonymous" if not self.first.name else "unauthenticated"] = True
        if self.sightings:
            fields["secret"] = True
        if any(sighting.form == HASH for sighting in self.sightings):
            fields["challenge_response"] = True
        if not self.first.complete:
            fields["message_complete"] = False
        return fields

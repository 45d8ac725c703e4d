"""What a login gave away: a password, a token, or a challenge with what was answered to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import CERTAIN, CLEARTEXT, UNKNOWN, Sighting

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span

LONGEST_USER = 1024
"""Bytes of a user's name that are told."""


def text(data: bytes) -> str:
    """A user's name as text: UTF-8, else one byte a character."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def user_name(data: bytes | None) -> str | None:
    """The same, bounded; None where it is not known or empty."""
    return text(data[:LONGEST_USER]) if data else None


def user_fields(user: bytes | None) -> dict[str, Value]:
    """The user as a record says it: bounded, None where it is not known."""
    if user is None:
        return {"user": None}
    fields: dict[str, Value] = {"user": user[:LONGEST_USER].decode("latin-1")}
    if len(user) > LONGEST_USER:
        fields["user_complete"] = False
    return fields


class SaslSecret(NamedTuple):
    """A secret on its way to the server's verdict."""

    location: str
    username: str | None
    secret: bytes
    raw: bytes
    span: Span
    complete: bool = True
    form: str = CLEARTEXT
    confidence: str = CERTAIN
    details: dict[str, Value] | None = None
    parts: tuple[bytes, ...] = ()

    def sighting(self, protocol: str, outcome: str, ordinal: int) -> Sighting:
        """What is handed out when the server has answered, or does not any more. `ordinal`: of the login's record."""
        return Sighting(
            location=self.location,
            field=None,
            username=self.username,
            secret=self.secret,
            raw=self.raw,
            secret_complete=self.complete,
            span=self.span,
            outcome=outcome or UNKNOWN,
            exchange=ordinal,
            protocol=protocol,
            form=self.form,
            confidence=self.confidence,
            details=self.details,
            parts=self.parts,
        )

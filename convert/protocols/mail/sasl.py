"""SASL as mail protocols carry it: base64 lines in turn (RFC 4954 for SMTP, 5034 for POP3, RFC 3501 for IMAP)."""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from typing import TYPE_CHECKING

from ..sasl.mechanisms import Mechanism
from .lines import joined

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span
    from ..sasl.secret import SaslSecret

_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-]*={0,3}\Z")


def unpacked(token: bytes) -> bytes | None:
    """Base64 undone; also of the other alphabet, or without its padding. None: it is none."""
    token = token.strip(b" \t")
    if _BASE64.match(token) is None:
        return None
    plain = token.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    try:
        return b64decode(plain + b"=" * (-len(plain) % 4))
    except BinasciiError:
        return None


class SaslExchange:
    """One attempt: what the client sent, and whom it says to be."""

    def __init__(self, mechanism: bytes) -> None:
        self.mechanism = Mechanism(mechanism.decode("latin-1"))
        self.aborted = False

    @property
    def secret(self) -> SaslSecret | None:
        """What was given away."""
        return self.mechanism.secret

    @property
    def turns(self) -> int:
        """How many lines the client has sent."""
        return self.mechanism.turns

    @property
    def most_turns(self) -> int:
        """How many lines a client sends at most."""
        return self.mechanism.most_turns

    def lose(self) -> None:
        """Bytes of it are missing."""
        self.mechanism.lost = True

    def challenge(self, token: bytes) -> None:
        """What the server asks."""
        self.mechanism.server(unpacked(token) or b"")

    def respond(self, token: bytes, span: Span, complete: bool = True) -> None:
        """A line of the client (or its initial response); `span` is that of the token."""
        data: bytes | None = None
        if token == b"*":
            self.aborted = True
        elif token == b"=":
            data = b""
        else:
            data = unpacked(token if complete else token[: len(token) // 4 * 4])
        if data is None:
            self.mechanism.skip()
        else:
            self.mechanism.client(data, token, span, complete)

    def fields(self) -> dict[str, Value]:
        """What a login's record says of the client's side."""
        fields = self.mechanism.fields()
        if self.aborted:
            fields["aborted"] = True
        return fields


class Attempt:
    """A login on its way: the exchange, and where its lines are."""

    def __init__(self, mechanism: bytes, span: Span) -> None:
        self.sasl = SaslExchange(mechanism)
        self.span = span

    def line(self, token: bytes, span: Span, complete: bool) -> None:
        """A line of the client; `span` is the line's, and blanks around the token count for it."""
        self.span = joined(self.span, span)
        bare = token.strip(b" \t")
        lead = len(token) - len(token.lstrip(b" \t"))
        place = type(span)(span.place, span.offset + lead, len(bare))
        self.sasl.respond(bare, place, complete)

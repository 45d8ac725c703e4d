"""SASL as mail protocols carry it: base64 lines in turn (RFC 4954 for SMTP, 5034 for POP3, RFC 3501 for IMAP).

PLAIN by RFC 4616, LOGIN as Exchange and Dovecot speak it, OAUTHBEARER by RFC 7628, XOAUTH2 by Google's page. Of the
mechanisms whose answers are hashes (CRAM-MD5, DIGEST-MD5, SCRAM, NTLM) only the user is taken: by RFC 2195, 2831, 5802
and MS-NLMP. What they answer is neither recorded nor handed out.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import UNKNOWN, Sighting
from .lines import joined

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span

MOST_TURNS = 16
_LONGEST_USER = 1024
_BASE64 = re.compile(rb"[A-Za-z0-9+/_\-]*={0,3}\Z")
_DIGEST_USER = re.compile(rb'(?:^|,)\s*username\s*=\s*"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_SCRAM_USER = re.compile(rb"[nyp][^,]*,[^,]*,n=([^,]*)")
_OAUTH_USER = re.compile(rb"(?:^|\x01)user=([^\x01]*)")
_OAUTH_USER_BY_RFC = re.compile(rb"n,(?:a=([^,]*))?,")
_BEARER = re.compile(rb"(?:^|\x01)auth=Bearer[ ]+([^\x01]*)", re.IGNORECASE)
MECHANISM = re.compile(rb"[A-Za-z0-9_\-]{1,20}\Z")
"""A mechanism's name (RFC 4422, 3.1); servers take it in any case."""


def text(data: bytes) -> str:
    """A user's name as text: UTF-8, else one byte a character."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


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


class Secret(NamedTuple):
    """A secret on its way through the exchange."""

    location: str
    username: bytes | None
    secret: bytes
    raw: bytes
    span: Span
    complete: bool


class SaslExchange:
    """One attempt: what the client sent, and whom it says to be."""

    def __init__(self, mechanism: bytes) -> None:
        self.mechanism = mechanism.upper().decode("latin-1")
        self.user: bytes | None = None
        self.secret: Secret | None = None
        self.aborted = False
        self.lost = False
        """Bytes of it are missing: which line says what is not known any more."""
        self.turns = 0
        self._asked_for = b""

    @property
    def most_turns(self) -> int:
        """How many lines a client sends at most."""
        return {"PLAIN": 1, "LOGIN": 3 if self._asked_for else 2, "XOAUTH2": 2, "OAUTHBEARER": 2, "CRAM-MD5": 1}.get(
            self.mechanism, MOST_TURNS
        )

    def challenge(self, token: bytes) -> None:
        """What the server asks; only LOGIN's prompts matter, since some ask for the user although it was sent."""
        asked = (unpacked(token[:64]) or b"").lower() if self.mechanism == "LOGIN" else b""
        self._asked_for = b"user" if b"user" in asked else b"pass" if b"pass" in asked else b""

    def respond(self, token: bytes, span: Span, complete: bool = True) -> None:
        """A line of the client (or its initial response); `span` is that of the token."""
        turn = self.turns
        self.turns += 1
        if token == b"*":
            self.aborted = True
            return
        if self.lost:
            return
        data = b"" if token == b"=" else unpacked(token if complete else token[: len(token) // 4 * 4])
        if data is None:
            return
        if self.mechanism == "PLAIN":
            self._plain(data, token, span, complete)
        elif self.mechanism == "LOGIN":
            self._login(turn, data, token, span, complete)
        elif self.mechanism in ("XOAUTH2", "OAUTHBEARER"):
            self._bearer(data, token, span, complete)
        elif turn < 3:
            self._hashed(data)

    def _plain(self, data: bytes, token: bytes, span: Span, complete: bool) -> None:
        parts = data.split(b"\0", 2)
        if len(parts) == 3:
            self.user = parts[1] or parts[0] or None
            self._found("auth-plain", parts[2], token, span, complete)

    def _login(self, turn: int, data: bytes, token: bytes, span: Span, complete: bool) -> None:
        asked_for = self._asked_for or (b"user", b"pass", b"")[min(turn, 2)]
        if asked_for == b"user" and turn < 2:
            self.user = data
        elif asked_for == b"pass":
            self._found("auth-login", data, token, span, complete)

    def _bearer(self, data: bytes, token: bytes, span: Span, complete: bool) -> None:
        user = _OAUTH_USER.search(data) or _OAUTH_USER_BY_RFC.match(data)
        if user is not None and user[1] is not None:
            self.user = user[1].replace(b"=2C", b",").replace(b"=3D", b"=") if data[:1] == b"n" else user[1]
        if (bearer := _BEARER.search(data)) is not None:
            self._found(f"auth-{self.mechanism.lower()}", bearer[1], token, span, complete)

    def _hashed(self, data: bytes) -> None:
        user: bytes | None = None
        if self.mechanism == "CRAM-MD5":
            user, blank, _ = data.rpartition(b" ")
            user = user if blank else None
        elif self.mechanism == "DIGEST-MD5":
            match = _DIGEST_USER.search(data)
            user = re.sub(rb"\\(.)", rb"\1", match[1]) if match else None
        elif self.mechanism.startswith("SCRAM-"):
            match = _SCRAM_USER.match(data)
            user = match[1].replace(b"=2C", b",").replace(b"=3D", b"=") if match else None
        elif self.mechanism == "NTLM":
            user = _ntlm_user(data)
        if user is not None and self.user is None:
            self.user = user

    def _found(self, location: str, secret: bytes, token: bytes, span: Span, complete: bool) -> None:
        if secret and self.secret is None:
            self.secret = Secret(location, self.user, secret, token, span, complete)

    def fields(self) -> dict[str, Value]:
        """What a login's record says of the client's side."""
        fields: dict[str, Value] = {"mechanism": self.mechanism, **user_fields(self.user)}
        if self.secret is not None:
            fields["secret"] = True
        if self.aborted:
            fields["aborted"] = True
        return fields


def user_fields(user: bytes | None) -> dict[str, Value]:
    """The user as a record says it: bounded, None where it is not known."""
    if user is None:
        return {"user": None}
    fields: dict[str, Value] = {"user": user[:_LONGEST_USER].decode("latin-1")}
    if len(user) > _LONGEST_USER:
        fields["user_complete"] = False
    return fields


def _ntlm_user(data: bytes) -> bytes | None:
    """The user of an AUTHENTICATE_MESSAGE (MS-NLMP, 2.2.1.3)."""
    if len(data) < 64 or not data.startswith(b"NTLMSSP\0\x03\0\0\0"):
        return None
    length, begin = int.from_bytes(data[36:38], "little"), int.from_bytes(data[40:44], "little")
    name = data[begin : begin + length]
    if not name or len(name) != length:
        return None
    return name.decode("utf-16-le", "replace").encode() if data[60] & 1 else name


def sighting(found: Secret, protocol: str, outcome: str, ordinal: int) -> Sighting:
    """What is handed out of a secret when the server has answered, or does not any more."""
    return Sighting(
        location=found.location,
        field=None,
        username=None if found.username is None else text(found.username[:_LONGEST_USER]),
        secret=found.secret,
        raw=found.raw,
        secret_complete=found.complete,
        span=found.span,
        outcome=outcome or UNKNOWN,
        exchange=ordinal,
        protocol=protocol,
    )


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

"""What a client says in a SASL exchange (RFC 4422), by the mechanism's own messages; bytes are decoded ones.

PLAIN by RFC 4616, LOGIN as Exchange and Dovecot speak it, OAUTHBEARER by RFC 7628, XOAUTH2 by Google's page, X-OAUTH2
as XMPP servers of Google spoke it; CRAM-MD5 by RFC 2195, DIGEST-MD5 by RFC 2831, SCRAM by RFC 5802 and 7677, NTLM by
MS-NLMP. EXTERNAL and ANONYMOUS give nothing away; of mechanisms that are not known nothing is
told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.sighting import CERTAIN, CLEARTEXT, HASH, LIKELY, TOKEN
from ..http import jwt
from ..ntlm import messages
from ..ntlm.exchange import NtlmExchange, sighting_fields
from .hashes import Hash, Scram, digest, digest_parameters, keyed, saslname
from .secret import SaslSecret, user_fields, user_name

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span

MOST_TURNS = 16
"""Messages of a client in one exchange that are looked at."""
NAME = re.compile(rb"[A-Za-z0-9_\-]{1,20}\Z")
"""A mechanism's name (RFC 4422, 3.1); servers take it in any case."""
_TURNS = {"PLAIN": 1, "X-OAUTH2": 1, "LOGIN": 2, "XOAUTH2": 2, "OAUTHBEARER": 2, "CRAM-MD5": 1}
_OAUTH_USER = re.compile(rb"(?:^|\x01)user=([^\x01]*)")
_OAUTH_USER_BY_RFC = re.compile(rb"n,(?:a=([^,]*))?,")
_BEARER = re.compile(rb"(?:^|\x01)auth=Bearer[ ]+([^\x01]*)", re.IGNORECASE)


class Mechanism:
    """One exchange by one mechanism, from its beginning. It never raises."""

    def __init__(self, name: str) -> None:
        self.name = name.upper()
        self.user: bytes | None = None
        """Whom the client says to be; a caller that knows it from elsewhere sets it."""
        self.secret: SaslSecret | None = None
        """The first one that was given away."""
        self.lost = False
        """Bytes of it are missing: which message says what is not known any more, and nothing is told."""
        self.turns = 0
        self._asked_for = b""  # by LOGIN's prompt
        self._challenge: bytes | None = None
        self._scram = Scram(self.name) if self.name.startswith("SCRAM-") else None
        self._ntlm = NtlmExchange() if self.name in ("NTLM", "GSS-SPNEGO") else None

    @property
    def most_turns(self) -> int:
        """How many messages a client sends at most."""
        return _TURNS.get(self.name, MOST_TURNS) + (self.name == "LOGIN" and bool(self._asked_for))

    def server(self, data: bytes) -> None:
        """A challenge of the server, decoded."""
        if self.lost:
            return
        if self.name == "LOGIN":
            # Some ask for the user although it was sent.
            asked = data[:64].lower()
            self._asked_for = b"user" if b"user" in asked else b"pass" if b"pass" in asked else b""
        elif self._scram is not None:
            self._scram.server(data)
        elif self._ntlm is not None:
            self._ntlm.server(data)
        elif self._challenge is None and data and len(data) <= 4096:
            self._challenge = data

    def client(self, data: bytes, raw: bytes, span: Span, complete: bool = True) -> SaslSecret | None:
        """A message of the client, decoded; `raw`: as it stands on the wire, at `span`.

        Returns the secret in it, if it has one and is the first in this exchange.
        """
        turn = self.turns
        self.turns += 1
        if self.lost or turn >= MOST_TURNS:
            return None
        before = self.secret
        if self.name in ("PLAIN", "X-OAUTH2"):
            self._plain(data, raw, span, complete)
        elif self.name == "LOGIN":
            self._login(turn, data, raw, span, complete)
        elif self.name in ("XOAUTH2", "OAUTHBEARER"):
            self._bearer(data, raw, span, complete)
        else:
            self._hashed(data, raw, span, complete)
        return self.secret if before is None else None

    def skip(self) -> None:
        """A message of the client that has no bytes of the mechanism's: it counts as one."""
        self.turns += 1

    def _plain(self, data: bytes, raw: bytes, span: Span, complete: bool) -> None:
        parts = data.split(b"\0", 2)
        if len(parts) == 3:
            self.user = parts[1] or parts[0] or None  # some send the user only as whom they want to act
            self._found(parts[2], raw, span, complete, CLEARTEXT if self.name == "PLAIN" else TOKEN)

    def _login(self, turn: int, data: bytes, raw: bytes, span: Span, complete: bool) -> None:
        asked_for = self._asked_for or (b"user", b"pass", b"")[min(turn, 2)]
        if asked_for == b"user" and turn < 2:
            self.user = data
        elif asked_for == b"pass":
            self._found(data, raw, span, complete, CLEARTEXT)

    def _bearer(self, data: bytes, raw: bytes, span: Span, complete: bool) -> None:
        user = _OAUTH_USER.search(data) or _OAUTH_USER_BY_RFC.match(data)
        if user is not None and user[1] is not None:
            self.user = saslname(user[1]) if data[:1] == b"n" else user[1]
        if (bearer := _BEARER.search(data)) is not None:
            self._found(bearer[1], raw, span, complete, TOKEN)

    def _found(self, secret: bytes, raw: bytes, span: Span, complete: bool, form: str) -> None:
        if secret and self.secret is None:
            name = user_name(self.user)
            details: dict[str, Value] = {"mechanism": self.name}
            if form == TOKEN and (token := jwt.read(secret.decode("latin-1"))) is not None:
                name = name or token[0]
                details = {**token[1], **details}
            where = f"auth-{self.name.lower()}"
            self.secret = SaslSecret(where, name, secret, raw, span, complete, form, CERTAIN, details)

    # Challenges and answers

    def _hashed(self, data: bytes, raw: bytes, span: Span, complete: bool) -> None:
        found: Hash | None = None
        if self.name == "CRAM-MD5":
            user, blank, answer = data.rpartition(b" ")
            if blank:
                self.user = user
                found = keyed(self.name, answer, self._challenge)
        elif self.name == "DIGEST-MD5":
            found = self._digest(data)
        elif self._scram is not None:
            found = self._scram.client(data, self.user)
            self.user = self._scram.user or self.user
        elif self._ntlm is not None:
            self._negotiated(self._ntlm, data, raw, span, complete)
        if found is None or not complete or self.secret is not None:
            return
        sure = CERTAIN if found.details["challenge_seen"] else LIKELY
        where, name = f"auth-{self.name.lower()}", user_name(self.user)
        self.secret = SaslSecret(where, name, found.line, raw, span, complete, HASH, sure, found.details, found.parts)

    def _digest(self, data: bytes) -> Hash | None:
        answer = digest_parameters(data)
        if answer is None:
            return None
        self.user = answer.get(b"username", self.user)
        asked = digest_parameters(self._challenge or b"") or {}
        return digest(answer, asked.get(b"realm"))

    def _negotiated(self, ntlm: NtlmExchange, data: bytes, raw: bytes, span: Span, complete: bool) -> None:
        if (found := messages.find(data, messages.AUTHENTICATE)) is not None:
            told = messages.authenticate(*found, None)
            self.user = told.username.encode("utf-8", "replace") if told is not None and told.username else self.user
        answer = ntlm.client(data)
        if answer is not None and complete and self.secret is None:
            fields = sighting_fields(answer)
            self.secret = SaslSecret(
                "auth-ntlm",
                fields["username"],
                fields["secret"],
                raw,
                span,
                True,
                HASH,
                fields["confidence"],
                fields["details"],
                fields["parts"],
            )

    def fields(self) -> dict[str, Value]:
        """What a login's record says of the client's side."""
        fields: dict[str, Value] = {"mechanism": self.name, **user_fields(self.user)}
        if self.secret is not None:
            fields["secret"] = True
        return fields

"""Logins within IRC: with the connection (PASS), as operator, to services, and by SASL; each until it is answered."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import CLEARTEXT, TOKEN, UNKNOWN
from ...model.span import Span
from ..mail.lines import joined
from ..mail.sasl import unpacked
from ..mail.session import MailSession
from ..sasl.mechanisms import NAME, Mechanism
from ..sasl.secret import SaslSecret, user_fields, user_name

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from ..mail.lines import Line
    from .message import Parameter

_MOST_PENDING = 32
_CHUNK = 400
"""Bytes of base64 in a line of AUTHENTICATE behind which more follow."""
_MOST_SASL = 65536
_OAUTH = re.compile(rb"oauth:[A-Za-z0-9]{8,}\Z", re.IGNORECASE)


class Login:
    """One that waits for its answer."""

    def __init__(self, span: Span, user: bytes | None, fields: dict[str, Value]) -> None:
        self.span = span
        self.user = user
        self.fields = fields
        self.secret: SaslSecret | None = None


class _Attempt:
    """One by SASL: chunks that come one a line are put together."""

    def __init__(self, mechanism: bytes, span: Span) -> None:
        self.mechanism = Mechanism(mechanism.decode("latin-1"))
        self.span = span
        self.token = b""
        self.place: Span | None = None
        self.challenge = b""


def _name(attempt: _Attempt) -> bytes:
    return attempt.mechanism.name.encode("latin-1")


class LoginsSession(MailSession):
    """A conversation with logins of all these kinds."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self.nick: bytes | None = None
        self.registered = False
        """The server has greeted the client."""
        self.opers: deque[Login] = deque()
        self.services: deque[Login] = deque()
        self.attempt: _Attempt | None = None
        self.starttls: Span | None = None
        self._registration: Login | None = None

    def login(self, line: Line, command: bytes, mechanism: str, user: bytes | None) -> Login:
        """A login that begins with this line."""
        fields: dict[str, Value] = {"command": command.decode("latin-1"), "mechanism": mechanism, **user_fields(user)}
        return Login(line.span, user, fields)

    def secret(self, location: str, user: bytes | None, place: Parameter, line: Line) -> SaslSecret:
        """What stands at that place of a line."""
        span = Span(line.span.place, line.span.offset + place.begin, len(place.text))
        token = _OAUTH.match(place.text) is not None
        secret = place.text.partition(b":")[2] if token else place.text
        return SaslSecret(
            location, user_name(user), secret, place.text, span, line.complete, TOKEN if token else CLEARTEXT
        )

    def begin(self, pending: deque[Login], login: Login) -> None:
        """It waits for an answer among its kind."""
        if len(pending) >= _MOST_PENDING:
            self.end(pending, None, UNKNOWN)
        pending.append(login)

    def end(self, pending: deque[Login], said: Message | None, outcome: str) -> None:
        """The oldest of a kind is answered, or will not be."""
        if pending:
            self._hand_out(pending.popleft(), said, outcome)

    def _hand_out(self, login: Login, said: Message | None, outcome: str) -> None:
        ordinal = self.record("login", Message(login.span, login.fields), said)
        if login.secret is not None:
            self.sink.sighting(login.secret.sighting(self.name, outcome, ordinal))

    def forget_verdicts(self) -> None:
        """What answers there were are lost."""
        for pending in (self.opers, self.services):
            while pending:
                self.end(pending, None, UNKNOWN)

    # With the connection

    def registration(self, line: Line) -> Login:
        """PASS, NICK and USER make one login; this line belongs to it."""
        login = self._registration
        if login is None:
            login = self._registration = Login(line.span, None, {"command": "USER", "mechanism": None})
            login.fields.update({"nick": None, "user": None})
        login.span = joined(login.span, line.span)
        return login

    def password(self, line: Line, place: Parameter) -> None:
        """PASS: whose it is is told behind it."""
        if self._registration is not None and self._registration.secret is not None:
            self.end_registration(None, UNKNOWN)
        login = self.registration(line)
        login.fields.update({"command": "PASS", "mechanism": "PASS"})
        if place.text:
            login.secret = self.secret("login", None, place, line)
            login.fields["secret"] = True

    def end_registration(self, said: Message | None, outcome: str) -> None:
        """The client was let in, or not."""
        login, self._registration = self._registration, None
        if login is None:
            return
        if login.secret is not None and self.nick:
            login.secret = login.secret._replace(username=user_name(self.nick))
        self._hand_out(login, said, outcome)

    # SASL

    def authenticate(self, line: Line, place: Parameter) -> None:
        """AUTHENTICATE: a mechanism, or a line of it."""
        attempt, token = self.attempt, place.text
        if attempt is not None and attempt.mechanism.secret is not None and token.upper() == _name(attempt):
            self.end_sasl(None, UNKNOWN)  # it was answered, where the capture does not see
            attempt = None
        if attempt is None:
            if NAME.match(token) is not None:
                self.attempt = _Attempt(token, line.span)
            return
        attempt.span = joined(attempt.span, line.span)
        if token == b"*":
            attempt.token, attempt.place = b"", None
            attempt.mechanism.lost = True
            return
        span = Span(line.span.place, line.span.offset + place.begin, len(token))
        if token != b"+" or not attempt.token:
            attempt.place = span if attempt.place is None else joined(attempt.place, span)
        if token != b"+":
            attempt.token += token
        if len(token) == _CHUNK and line.complete and len(attempt.token) < _MOST_SASL:
            return
        whole, attempt.token = attempt.token, b""
        begin, attempt.place = attempt.place or span, None
        data = unpacked(whole)
        if data is None:
            attempt.mechanism.skip()
        else:
            attempt.mechanism.client(data, whole, begin, line.complete)

    def challenged(self, token: bytes) -> None:
        """AUTHENTICATE of the server; `+` alone is empty, or ends what is just as long as a chunk."""
        attempt = self.attempt
        if attempt is None:
            return
        if token != b"+" and len(attempt.challenge) < _MOST_SASL:
            attempt.challenge += token
        if len(token) != _CHUNK:
            whole, attempt.challenge = attempt.challenge, b""
            attempt.mechanism.server(unpacked(whole) or b"")

    def lose_sasl(self) -> None:
        """Bytes of the client are missing."""
        if self.attempt is not None:
            self.attempt.mechanism.lost = True

    def end_sasl(self, said: Message | None, outcome: str) -> None:
        """The server has judged, or will not."""
        attempt, self.attempt = self.attempt, None
        if attempt is None:
            return
        fields: dict[str, Value] = {"command": "AUTHENTICATE", **attempt.mechanism.fields()}
        ordinal = self.record("login", Message(attempt.span, fields), said)
        if attempt.mechanism.secret is not None:
            self.sink.sighting(attempt.mechanism.secret.sighting(self.name, outcome, ordinal))

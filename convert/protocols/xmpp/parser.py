"""XMPP (RFC 6120): logins by SASL, by SASL 2 (XEP-0388), as it was before (XEP-0078), as component (XEP-0114).

Also: registration and changes of passwords (XEP-0077), STARTTLS. What follows compression (XEP-0138) is not read. Of
messages, presences and queries only the number is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN
from ..mail.lines import joined
from ..mail.session import MailSession, shown
from ..sasl.mechanisms import NAME, Mechanism
from .logins import MOST_PENDING, Login, handshake, legacy
from .scanner import Element, Scanner, Stanza
from .tokens import token_of

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span
    from ..api import Sink
    from ..mail.lines import Line

_CLIENT = frozenset(b"auth authenticate response abort iq handshake starttls compress".split())
_SERVER = frozenset(b"challenge success failure continue iq handshake proceed compressed error".split())
_COUNTED = {b"message": "messages", b"presence": "presences", b"iq": "queries"}
_LONGEST_NAME = 1024


class _Side:
    """What one side said altogether."""

    def __init__(self) -> None:
        self.span: Span | None = None
        self.header: dict[bytes, bytes] = {}
        self.counts = dict.fromkeys(_COUNTED.values(), 0)

    def add(self, span: Span) -> None:
        self.span = span if self.span is None else joined(self.span, span)

    def message(self) -> Message | None:
        if self.span is None:
            return None
        fields: dict[str, Value] = {}
        for attribute, name in ((b"to", "domain"), (b"from", "sender"), (b"id", "stream_id"), (b"version", "version")):
            if attribute in self.header:
                fields.update(shown(name, self.header[attribute], _LONGEST_NAME))
        fields.update(self.counts)
        return Message(self.span, fields)


class Xmpp(MailSession):
    """One conversation."""

    name: ClassVar[str] = "xmpp"

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self._asks = Scanner(self.client, _CLIENT)
        self._says = Scanner(self.server, _SERVER)
        self._sides = {True: _Side(), False: _Side()}
        self._attempt: tuple[Mechanism, Span, str] | None = None
        self._pending: dict[bytes, Login] = {}  # by the id of the query
        self._handshake: Login | None = None
        self._starttls: Span | None = None
        self._compress: Span | None = None
        self._compressed = False

    # Both

    def client_step(self) -> bool:
        """See MailSession."""
        return self._step(True)

    def server_step(self) -> bool:
        """See MailSession."""
        return self._step(False)

    def _step(self, to_server: bool) -> bool:
        if self._compressed:
            incoming = self.client if to_server else self.server
            return bool(incoming.take(len(incoming)))
        scanner = self._asks if to_server else self._says
        found = scanner.read()
        if scanner.too_long is not None:
            self.too_long(scanner.too_long)
            scanner.too_long = None
        if isinstance(found, Stanza):
            self._stanza(to_server, found)
            return True
        return found

    def _stanza(self, to_server: bool, stanza: Stanza) -> None:
        side, name = self._sides[to_server], stanza.top.name
        if name == b"stream":
            side.header = {**side.header, **stanza.top.attributes}
        if name == b"stream" or name in _COUNTED:
            side.add(stanza.span)
        if name in _COUNTED:
            side.counts[_COUNTED[name]] += 1
        if to_server:
            self._asked(name, stanza)
        else:
            self._said(name, stanza)

    # The client

    def _asked(self, name: bytes, stanza: Stanza) -> None:
        if name in (b"auth", b"authenticate"):
            self._begin(name, stanza)
        elif name == b"response":
            self._respond(stanza, stanza.top)
        elif name == b"abort" and self._attempt is not None:
            self._attempt[0].lost = True
        elif name == b"starttls":
            self._starttls, self.waiting = stanza.span, True
        elif name == b"compress":
            self._compress = stanza.span
        elif name == b"handshake":
            self._handshake = handshake(stanza, self._sides[True].header, self._sides[False].header.get(b"id"))
        elif name == b"iq" and stanza.top.attributes.get(b"type") == b"set":
            login = legacy(stanza, self._sides[False].header.get(b"id"))
            if login is not None:
                key = stanza.top.attributes.get(b"id", b"")[:256]
                for old in [key] if key in self._pending else list(self._pending)[: -MOST_PENDING + 1]:
                    self._hand_out(self._pending.pop(old), None, UNKNOWN)
                self._pending[key] = login

    def _begin(self, name: bytes, stanza: Stanza) -> None:
        self._end_attempt(None, UNKNOWN)
        mechanism = stanza.top.attributes.get(b"mechanism", b"")
        if NAME.match(mechanism) is None:
            return
        self._attempt = Mechanism(mechanism.decode()), stanza.span, name.decode()
        first = stanza.top if name == b"auth" else stanza.find(b"initial-response")
        if first is not None and first.span is not None:
            self._respond(stanza, first)

    def _respond(self, stanza: Stanza, element: Element) -> None:
        if self._attempt is None:
            return
        mechanism, span, command = self._attempt
        self._attempt = mechanism, joined(span, stanza.span), command
        token = token_of(element)
        if token is None:
            mechanism.skip()
        else:
            mechanism.client(token.data, token.raw, token.span, element.complete)

    # The server

    def _said(self, name: bytes, stanza: Stanza) -> None:
        if name in (b"challenge", b"continue"):
            if self._attempt is not None:
                element = stanza.top if name == b"challenge" else stanza.find(b"additional-data")
                token = token_of(element) if element is not None else None
                self._attempt[0].server(token.data if token is not None else b"")
        elif name == b"success":
            self._end_attempt(self._answer(stanza), ACCEPTED)
        elif name == b"proceed" and self._starttls is not None:
            self._end_starttls(self._answer(stanza))
            self.begin_tls()
        elif name == b"failure":
            if self._starttls is not None:
                self._end_starttls(self._answer(stanza))
            elif self._compress is not None and self._attempt is None:
                self._compress = None
            else:
                self._end_attempt(self._answer(stanza), REFUSED)
        elif name == b"compressed" and self._compress is not None:
            self.record("command", Message(self._compress, {"command": "compress"}), self._answer(stanza))
            self._compressed = True
        elif name == b"iq":
            self._answered(stanza)
        elif name in (b"handshake", b"error") and self._handshake is not None:
            login, self._handshake = self._handshake, None
            self._hand_out(login, self._answer(stanza), ACCEPTED if name == b"handshake" else REFUSED)

    def _answered(self, stanza: Stanza) -> None:
        kind = stanza.top.attributes.get(b"type", b"")
        if kind in (b"result", b"error"):
            login = self._pending.pop(stanza.top.attributes.get(b"id", b"")[:256], None)
            if login is not None:
                self._hand_out(login, self._answer(stanza), ACCEPTED if kind == b"result" else REFUSED)

    def _answer(self, stanza: Stanza) -> Message:
        top = stanza.top
        fields: dict[str, Value] = {"reply": top.name.decode()}
        if top.name == b"iq":
            fields["reply"] = top.attributes.get(b"type", b"")[:20].decode("latin-1")
        names = [
            one.name for one in stanza.elements[1:] if one.name not in (b"query", b"text", b"error", b"additional-data")
        ]
        if names and (top.name in (b"failure", b"error") or fields["reply"] == "error"):
            fields.update(shown("text", names[-1]))
        return Message(stanza.span, fields)

    # Records

    def _hand_out(self, login: Login, said: Message | None, outcome: str) -> None:
        ordinal = self.record("login", Message(login.span, login.fields), said)
        if login.secret is not None:
            self.sink.sighting(login.secret.sighting(self.name, outcome, ordinal))

    def _end_attempt(self, said: Message | None, outcome: str) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is None:
            return
        mechanism, span, command = attempt
        fields: dict[str, Value] = {"command": command, **mechanism.fields()}
        ordinal = self.record("login", Message(span, fields), said)
        if mechanism.secret is not None:
            self.sink.sighting(mechanism.secret.sighting(self.name, outcome, ordinal))

    def _end_starttls(self, said: Message | None) -> None:
        span, self._starttls, self.waiting = self._starttls, None, False
        if span is not None:
            self.record("command", Message(span, {"command": "starttls"}), said)

    # Losses and the end

    def unanswered(self) -> None:
        """See MailSession."""
        if self._starttls is not None:
            self._end_starttls(None)
            self.tls_next = True

    def client_lost(self, length: int) -> None:
        """See MailSession."""
        self._asks.lose()
        if self._attempt is not None:
            self._attempt[0].lost = True

    def server_lost(self, length: int) -> None:
        """See MailSession."""
        self._says.lose()

    def last_line(self, to_server: bool, line: Line) -> None:
        """See MailSession; a tag without an end is nothing."""

    def finish(self) -> None:
        """See MailSession."""
        self.waiting = False
        rest = self._asks.rest()
        if rest is not None and not self._compressed:
            self._asked(rest.top.name, rest)
            self.waiting = False
        self._end_attempt(None, UNKNOWN)
        for login in self._pending.values():
            self._hand_out(login, None, UNKNOWN)
        self._pending = {}
        one, self._handshake = self._handshake, None
        if one is not None:
            self._hand_out(one, None, UNKNOWN)
        self._end_starttls(None)
        asked, said = self._sides[True].message(), self._sides[False].message()
        self._sides = {True: _Side(), False: _Side()}
        if asked is not None or said is not None:
            self.record("xmpp", asked, said)

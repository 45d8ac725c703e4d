"""Internet Relay Chat (RFC 1459, 2812): logins of every kind, who joins what, and how much is said; never what.

Also: capabilities and SASL (IRCv3: CAP, AUTHENTICATE 3.1 and 3.2), STARTTLS, passwords for services, OPER.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN
from ..mail.session import LONGEST_LINE, shown
from .logins import Login, LoginsSession
from .message import Parameter, Said, parse
from .services import judged, service_of, talks_to_service, told
from .traffic import Traffic

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from ..mail.lines import Line

_TOLD = frozenset(b"JOIN PART QUIT KICK INVITE MODE KILL SQUIT CONNECT".split())
"""What a client does that is recorded, beside logins; of TOPIC and AWAY the text would be payload."""
_OPER_REFUSED = frozenset((b"464", b"481", b"491"))
_SASL_REFUSED = frozenset((b"902", b"904", b"905", b"906", b"907", b"908"))
_LONGEST_NAME = 256


class Irc(LoginsSession):
    """One conversation."""

    name: ClassVar[str] = "irc"

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self._sent = Traffic()
        self._received = Traffic()

    # The client

    def client_step(self) -> bool:
        """See MailSession."""
        line = self.client.line(LONGEST_LINE)
        if line is None:
            return False
        if not line.complete:
            self.too_long(line.span)
        self._client_line(line)
        return True

    def _client_line(self, line: Line) -> None:
        said = parse(line.text)
        if said is None:
            return
        command, span = said.command, line.span
        if command == b"PASS" and said.parameters:
            self.password(line, said.parameters[0])
        elif command == b"NICK" and said.parameters:
            self._name(line, said)
        elif command == b"USER" and not self.registered:
            login = self.registration(line)
            login.fields["user"] = _name(said.parameter(0))
            if len(said.parameters) > 3:
                login.fields.update(shown("real_name", said.last))
        elif command == b"OPER" and len(said.parameters) > 1:
            self.begin(self.opers, self._oper(line, said))
        elif command == b"AUTHENTICATE" and said.parameters:
            self.authenticate(line, said.parameters[0])
        elif command == b"STARTTLS":
            self.starttls = span
            self.waiting = line.complete
        elif (one := told(said)) is not None:
            login = self.login(line, said.command, "SERVICE", one.user or self.nick)
            login.fields["service"] = _name(one.service)
            login.fields["verb"] = _name(one.verb)
            login.secret = self.secret("service", login.user, Parameter(one.password, one.begin), line)
            login.fields["secret"] = True
            self.begin(self.services, login)
        elif command in (b"PRIVMSG", b"NOTICE"):
            self._message(self._sent, said, line, to_server=True)
        elif command in _TOLD and not talks_to_service(said):
            self._record(said, line)

    def _name(self, line: Line, said: Said) -> None:
        nick = said.parameter(0)
        if self.registered:
            self.nick = nick
            self._record(said, line)
        else:
            self.nick = nick
            self.registration(line).fields["nick"] = _name(nick)

    def _oper(self, line: Line, said: Said) -> Login:
        login = self.login(line, b"OPER", "OPER", said.parameter(0))
        if said.parameter(1):
            login.secret = self.secret("oper", login.user, said.parameters[1], line)
            login.fields["secret"] = True
        return login

    def _record(self, said: Said, line: Line) -> None:
        """What a client does: without a channel's key, and without the text that goes with it."""
        fields: dict[str, Value] = {"command": said.command.decode()}
        words = [one.text for one in said.parameters]
        if said.command == b"JOIN":
            if len(words) > 1:
                fields["secret"] = True
            words = words[:1]
        elif said.command == b"MODE" and len(words) > 2 and b"k" in words[1]:
            fields["secret"] = True
            words = words[:2]
        elif said.command == b"QUIT":
            words = []
        elif said.command in (b"PART", b"KICK", b"KILL"):
            words = words[: 2 if said.command == b"KICK" else 1]
        if words:
            fields.update(shown("arguments", b" ".join(words)))
        self.record("irc", Message(line.span, fields), None)

    def _message(self, traffic: Traffic, said: Said, line: Line, to_server: bool) -> None:
        other = said.parameter(0) if to_server else said.source.partition(b"!")[0]
        text = said.last if len(said.parameters) > 1 else b""
        traffic.add(other, len(text), line.span)
        if not text.startswith(b"\x01DCC "):
            return
        fields: dict[str, Value] = {"command": said.command.decode()}
        fields["recipient" if to_server else "sender"] = _name(other)
        fields.update(shown("arguments", text.strip(b"\x01")))
        message = Message(line.span, fields)
        self.record("irc", message if to_server else None, None if to_server else message)

    # The server

    def server_step(self) -> bool:
        """See MailSession."""
        line = self.server.line(LONGEST_LINE)
        if line is None:
            return False
        if not line.complete:
            self.too_long(line.span)
        said = parse(line.text)
        if said is not None:
            self._server_line(said, line)
        return True

    def _server_line(self, said: Said, line: Line) -> None:
        command = said.command
        if command in (b"PRIVMSG", b"NOTICE"):
            if command == b"NOTICE" and self.services and service_of(said.nick) is not None:
                verdict = judged(said.last)
                if verdict is not None:
                    self.end(self.services, self._answer(said, line), ACCEPTED if verdict else REFUSED)
            if b"!" in said.source:
                self._message(self._received, said, line, to_server=False)
        elif command == b"001":
            if not self.registered:
                self.registered = True
                self.nick = said.parameter(0) or self.nick
                self.end_registration(self._answer(said, line), ACCEPTED)
        elif command == b"ERROR":
            refused = b"password" in said.last.lower()
            self.end_registration(self._answer(said, line), REFUSED if refused else UNKNOWN)
        elif command == b"464" and not self.opers and not self.registered:
            self.end_registration(self._answer(said, line), REFUSED)
        elif command == b"381":
            self.end(self.opers, self._answer(said, line), ACCEPTED)
        elif command in _OPER_REFUSED:
            self.end(self.opers, self._answer(said, line), REFUSED)
        elif command == b"AUTHENTICATE":
            self.challenged(said.parameter(0))
        elif command in (b"903", b"900") or command in _SASL_REFUSED:
            self._sasl(said, line)
        elif command in (b"670", b"691") and self.starttls is not None:
            self._starttls(said, line)

    def _sasl(self, said: Said, line: Line) -> None:
        if self.attempt is not None:
            if said.command != b"900":  # 903 follows
                self.end_sasl(self._answer(said, line), REFUSED if said.command in _SASL_REFUSED else ACCEPTED)
        elif said.command == b"900":
            self.end(self.services, self._answer(said, line), ACCEPTED)

    def _starttls(self, said: Said, line: Line) -> None:
        assert self.starttls is not None
        self.record("irc", Message(self.starttls, {"command": "STARTTLS"}), self._answer(said, line))
        self.starttls, self.waiting = None, False
        if said.command == b"670":
            self.begin_tls()

    def _answer(self, said: Said, line: Line) -> Message:
        code = said.command.decode()
        fields: dict[str, Value] = {"code": int(code)} if code.isdigit() else {"command": code}
        return Message(line.span, {**fields, **shown("text", said.last)})

    # Losses and the end

    def unanswered(self) -> None:
        """See MailSession."""
        if self.starttls is not None:
            self.record("irc", Message(self.starttls, {"command": "STARTTLS"}), None)
            self.starttls, self.tls_next = None, True

    def client_lost(self, length: int) -> None:
        """See MailSession."""
        self.lose_sasl()

    def server_lost(self, length: int) -> None:
        """See MailSession."""
        self.forget_verdicts()

    def last_line(self, to_server: bool, line: Line) -> None:
        """See MailSession."""
        if to_server:
            self._client_line(line)

    def finish(self) -> None:
        """See MailSession."""
        self.waiting = False
        self.end_registration(None, UNKNOWN)
        self.end_sasl(None, UNKNOWN)
        self.forget_verdicts()
        if self.starttls is not None:
            self.unanswered()
        sent, received = self._sent.message("recipient"), self._received.message("sender")
        if sent is not None or received is not None:
            self.record("irc", sent, received)
        self._sent, self._received = Traffic(), Traffic()


def _name(data: bytes) -> str:
    return data[:_LONGEST_NAME].decode("latin-1")

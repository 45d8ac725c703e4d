"""POP3 (RFC 1939): logins (USER and PASS, APOP, and AUTH by RFC 5034), mails, and all other commands.

Also: CAPA and pipelining (RFC 2449), STLS (RFC 2595). A command is recorded when it is answered.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from ...model.record import Message
from ...model.sighting import ACCEPTED, CERTAIN, HASH, LIKELY, REFUSED, UNKNOWN
from ...model.span import Span
from ..mail.lines import ENDED, DottedBody, Line, joined
from ..mail.login import LoginSession
from ..mail.message import MailReader
from ..mail.session import LONGEST_LINE, LONGEST_TEXT, MOST_WAITING, shown
from ..sasl.hashes import keyed
from ..sasl.secret import SaslSecret, user_fields, user_name

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink

_COMMAND = re.compile(rb"[ \t]*([A-Za-z0-9]{1,32})(?:[ \t](.*))?\Z", re.DOTALL)
KNOWN = frozenset(
    b"USER PASS APOP AUTH STAT LIST RETR DELE NOOP RSET QUIT TOP UIDL CAPA STLS UTF8 LANG XCLIENT".split()
)
_LISTS = frozenset((b"CAPA", b"RETR", b"TOP"))
_LISTS_ALONE = frozenset((b"LIST", b"UIDL", b"AUTH", b"LANG"))
_MAILS = frozenset((b"RETR", b"TOP"))
_REPLY = re.compile(rb"(\+OK|-ERR)(?:[ \t]+(.*))?\Z", re.DOTALL | re.IGNORECASE)
_STAMP = re.compile(rb"<[^<>\x00-\x20\x7f]{1,250}>")
_CONTINUE = re.compile(rb"\+(?: (.*))?\Z", re.DOTALL)


class _Command:
    """A command that waits for its answer."""

    __slots__ = ("argument", "secret", "span", "user", "verb")

    def __init__(self, verb: bytes, argument: bytes, span: Span) -> None:
        self.verb = verb
        self.argument = argument
        self.span = span
        self.user: bytes | None = None
        self.secret: SaslSecret | None = None


class _Answer:
    """An answer of several lines while it passes."""

    def __init__(self, command: _Command, said: Message, mail: MailReader | None) -> None:
        self.command = command
        self.said = said
        self.mail = mail
        self.lost = False
        self._text = bytearray()
        self._size = 0
        self._lines = 0
        self.body = DottedBody(self._take if mail is None else mail.feed, lenient=True)

    def _take(self, data: bytes) -> None:
        self._text += data[: LONGEST_TEXT + 1 - len(self._text)]
        self._lines += data.count(b"\n")

    def lose(self, length: int) -> None:
        """Bytes are missing."""
        self.lost = True
        self.body.lose()
        if self.mail is not None:
            self.mail.lose(length)

    def end(self, complete: bool, at: int) -> Message:
        """All that came; the server's next byte is at offset `at`."""
        self.said.span = Span(self.said.span.place, self.said.span.offset, at - self.said.span.offset)
        if self.mail is not None:
            # Of TOP nobody knows whether the message has more lines.
            self.said.fields.update(self.mail.finish(complete and self.command.verb == b"RETR"))
        else:
            text = bytes(self._text).replace(b"\r\n", b"\n").removesuffix(b"\n")
            self.said.fields.update(shown("listing", text, LONGEST_TEXT - 2))
            self.said.fields["lines"] = self._lines
            self.said.fields["complete"] = complete
        return self.said


class Pop3(LoginSession):
    """One conversation."""

    name: ClassVar[str] = "pop3"

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self._pending: deque[_Command] = deque()
        self._answer: _Answer | None = None
        self._user: tuple[bytes, Span] | None = None
        self._stamp: bytes | None = None  # of the greeting, for APOP
        self._synced = False
        self._begun = False

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

    def is_command(self, text: bytes) -> bool:
        """See LoginSession."""
        match = _COMMAND.match(text)
        return match is not None and match[1].upper() in KNOWN

    def stray(self, span: Span) -> None:
        """See LoginSession."""
        self._wait(_Command(b"", b"", span))

    def _client_line(self, line: Line) -> None:
        if self.take_token(line):
            return
        match = _COMMAND.match(line.text)
        if match is None or not (self._synced or match[1].upper() in KNOWN):
            if self._synced:
                self._wait(_Command(b"", b"", line.span))
            return
        if self._answer is not None and self._answer.lost and not self._pending:
            self._end_answer(False)  # the client goes on: the end was among what is missing
        self._synced = self._begun = True
        command = _Command(match[1].upper(), match[2] or b"", line.span)
        self._wait(command)
        verb, argument = command.verb, command.argument
        if verb == b"USER":
            command.user = argument
            self._user = (argument, line.span)
            self.logins = True
        elif verb == b"PASS":
            self._password(command, line)
        elif not line.complete:
            pass
        elif verb == b"APOP":
            self._digest(command, line)
        elif verb == b"STLS":
            self.waiting = True
        if verb == b"AUTH" and argument.strip():
            mechanism, _, initial = argument.strip(b" \t").partition(b" ")
            self.begin_login({"command": "AUTH"}, mechanism, initial, line)

    def _password(self, command: _Command, line: Line) -> None:
        secret, command.argument = command.argument, b""
        self.logins = True
        if self._user is not None:
            command.user = self._user[0]
            command.span = joined(self._user[1], line.span)
        if secret:
            begin = line.span.offset + len(line.text) - len(secret)
            span = Span(line.span.place, begin, len(secret))
            command.secret = SaslSecret("login", user_name(command.user), secret, secret, span, line.complete)
        self._user = None

    def _digest(self, command: _Command, line: Line) -> None:
        """APOP: a user, and what the greeting's stamp and the password make (RFC 1939, 7)."""
        argument, command.argument = command.argument.rstrip(b" \t"), b""
        self.logins = True
        user, blank, answer = argument.rpartition(b" ")
        command.user = user if blank else argument
        found = keyed("APOP", answer, self._stamp) if blank else None
        if found is None:
            return
        begin = line.span.offset + line.text.rindex(answer)
        span = Span(line.span.place, begin, len(answer))
        sure = CERTAIN if self._stamp is not None else LIKELY
        command.secret = SaslSecret(
            "apop", user_name(user), found.line, answer, span, True, HASH, sure, found.details, found.parts
        )

    def _wait(self, command: _Command) -> None:
        if len(self._pending) >= MOST_WAITING:
            self._resolve(self._pending.popleft(), None)
        self._pending.append(command)

    # The server

    def server_step(self) -> bool:
        """See MailSession."""
        if self._answer is not None:
            if self._answer.body.read(self.server) != ENDED:
                return False
            self._end_answer(not self._answer.lost)
            return True
        line = self.server.line(LONGEST_LINE)
        if line is None:
            return False
        if not line.complete:
            self.too_long(line.span)
        if (reply := _REPLY.match(line.text)) is not None:
            self._answered(reply[1].upper() == b"+OK", reply[2] or b"", line.span)
        elif (more := _CONTINUE.match(line.text)) is not None:
            if self._pending and self._pending[0].verb == b"AUTH":
                self.asked(more[1] or b"")
        elif self._pending and line.text.strip():
            self.sink.weird("pop3-malformed-reply", line.span)
        return True

    def _answered(self, accepted: bool, text: bytes, span: Span) -> None:
        said = Message(span, {"reply": "+OK" if accepted else "-ERR", **shown("text", text)})
        if not self._pending:
            if not self._begun:
                self._synced = True
                self._stamp = stamp[-1] if (stamp := _STAMP.findall(text)) else None
                self.record("greeting", None, said)
            elif not accepted:
                self.record("command", None, said)
            self._begun = True
            return
        command = self._pending.popleft()
        alone = command.verb in _LISTS_ALONE and not command.argument.strip()
        if command.verb == b"STLS" or (command.verb == b"AUTH" and self.attempt is not None):
            self.waiting = self.token = False
        if accepted and (command.verb in _LISTS or alone):
            mail = MailReader(self.sink, False) if command.verb in _MAILS else None
            self._answer = _Answer(command, said, mail)
        else:
            self._resolve(command, said)

    def _end_answer(self, complete: bool) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            self._resolve(answer.command, answer.end(complete, self.server.at))

    def _resolve(self, command: _Command, said: Message | None) -> None:
        """A command and its answer, None where that is not in the capture."""
        verb = command.verb
        accepted = said is not None and said.fields["reply"] == "+OK"
        outcome = UNKNOWN if said is None else ACCEPTED if accepted else REFUSED
        if verb == b"AUTH" and self.attempt is not None:
            if outcome == REFUSED:
                self.sent_unasked()
            self.end_login(said, outcome)
        elif verb in (b"PASS", b"APOP"):
            self._login(command, said, outcome)
        elif verb == b"USER" and outcome != REFUSED:
            pass  # PASS says it, or finish()
        else:
            if self._user is not None and self._user[1] is command.span:
                self._user = None
            kind = "mail" if verb in _MAILS and accepted else "command"
            self.record(kind, Message(command.span, self._asked(command)), said)
            if verb == b"STLS" and accepted:
                self.begin_tls()

    def _asked(self, command: _Command) -> dict[str, Value]:
        known = command.verb in KNOWN or not (self.logins or command.verb.startswith(b"PAS"))
        fields: dict[str, Value] = {"command": command.verb.decode("latin-1") or None if known else None}
        if command.argument and known and command.verb != b"AUTH":
            fields.update(shown("arguments", command.argument))
        return fields

    def _login(self, command: _Command, said: Message | None, outcome: str) -> None:
        verb = command.verb.decode()
        mechanism = "USER" if verb == "PASS" else verb
        fields: dict[str, Value] = {"command": verb, "mechanism": mechanism, **user_fields(command.user)}
        if command.secret is not None:
            fields["secret"] = True
        ordinal = self.record("login", Message(command.span, fields), said)
        if command.secret is not None:
            self.sink.sighting(command.secret.sighting(self.name, outcome, ordinal))

    # Losses and the end

    def _flush(self) -> None:
        while self._pending:
            self._resolve(self._pending.popleft(), None)

    def unanswered(self) -> None:
        """See MailSession."""
        while len(self._pending) > 1:
            self._resolve(self._pending.popleft(), None)
        if self._pending:
            command = self._pending.popleft()
            if command.verb == b"AUTH":
                self.unanswered_login()
            else:
                self.tls_next = command.verb == b"STLS"

    def client_lost(self, length: int) -> None:
        """See MailSession."""
        if self.attempt is not None:
            self.attempt.sasl.lose()
        self._user = None
        self._synced = False

    def server_lost(self, length: int) -> None:
        """See MailSession."""
        self._begun = True
        if self._answer is not None:
            self._answer.lose(length)
        elif self.token:
            self._pending.clear()
            self.unanswered_login()
        elif not self.waiting:
            self._flush()

    def last_line(self, to_server: bool, line: Line) -> None:
        """See MailSession."""
        if to_server and (self.token or self.is_command(line.text)):
            self._client_line(line)

    def finish(self) -> None:
        """See MailSession."""
        self.waiting = False
        self._end_answer(False)
        self._flush()
        self.end_login(None)
        user, self._user = self._user, None
        if user is not None:
            fields: dict[str, Value] = {"command": "USER", "mechanism": "USER", **user_fields(user[0])}
            self.record("login", Message(user[1], fields), None)

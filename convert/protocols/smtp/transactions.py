"""What SMTP's commands did, by the answers to them: envelopes, mails, and commands of note (RFC 5321, 4.1.1)."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from ...model.record import Message
from ...model.span import Span
from ..mail.lines import joined
from ..mail.login import LoginSession
from ..mail.session import MOST_WAITING, shown
from .mail import Envelope, Mail, Reply, path

if TYPE_CHECKING:
    from ..api import Sink

_FROM = re.compile(rb"FROM[ \t]*:", re.IGNORECASE)
_TO = re.compile(rb"TO[ \t]*:", re.IGNORECASE)
_QUIET = frozenset((b"MAIL", b"RCPT", b"DATA", b"BDAT", b"RSET", b"QUIT", b"NOOP", b"HELP"))
"""Commands of which nothing is recorded where they are accepted: the mail says it, or there is nothing to say."""
KNOWN = frozenset(
    b"EHLO HELO LHLO MAIL RCPT DATA BDAT RSET QUIT NOOP HELP VRFY EXPN AUTH STARTTLS BURL ETRN TURN ATRN"
    b" SEND SOML SAML XCLIENT XFORWARD".split()
)
_SECRET = (b"AUTH", b"PAS")
"""How commands begin, also misspelt ones, whose arguments may be a secret."""
END_OF_DATA = b"."
"""Waits for an answer as commands do."""


class Command:
    """A command that waits for its answer."""

    __slots__ = ("argument", "last", "mail", "span", "verb")

    def __init__(self, verb: bytes, argument: bytes, span: Span) -> None:
        self.verb = verb
        self.argument = argument
        self.span = span
        self.mail: Mail | None = None
        self.last = False


class SmtpTransactions(LoginSession):
    """The server's side of one conversation."""

    name: ClassVar[str] = "smtp"

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self.pending: deque[Command] = deque()
        self.envelope: Envelope | None = None
        self.mail: Mail | None = None
        """Whose bytes pass, or whose next chunk may come."""
        self.chunk = 0
        """Bytes of it still to come."""
        self.judged: list[Reply] = []
        """By an LMTP server, of the recipients of one mail."""
        self.lmtp = False

    def wait(self, command: Command) -> None:
        """Keep a command until it is answered."""
        if len(self.pending) >= MOST_WAITING:
            self.resolve(self.pending.popleft(), None)
        self.pending.append(command)

    def resolve(self, command: Command, reply: Reply | None) -> None:
        """A command and its answer, None where that is not in the capture."""
        verb, accepted = command.verb, reply is None or reply.accepted
        if command.mail is not None and verb not in (END_OF_DATA, b"BDAT"):
            self.record_mail(command.mail, None)  # its last chunk never came
        if verb in (END_OF_DATA, b"BDAT") and command.mail is not None:
            if verb == END_OF_DATA or command.last or not accepted:
                self.record_mail(command.mail, reply)
        elif verb == b"MAIL" and accepted and (found := _FROM.match(command.argument)):
            self.abandon()
            sender, parameters = path(command.argument[found.end() :])
            self.envelope = Envelope(command.span, sender, parameters)
        elif verb == b"RCPT" and (found := _TO.match(command.argument)) and (self.envelope or accepted):
            if self.envelope is None:
                self.envelope = Envelope(None, None)
            self.envelope.add(path(command.argument[found.end() :])[0], reply, command.span)
        elif verb == b"DATA" and reply is not None:
            if reply.code == 354:
                # Who ends commands with LF alone ends the lines of the message so.
                bare = command.span.length == len(verb) + 1
                self.begin_body(command.span, lenient=bare)
            elif self.envelope is not None:
                self.envelope.refusal = reply
            else:
                self.note(command, reply)
        elif verb == b"AUTH":
            self.end_login(None)
        else:
            self._resolve_other(command, reply, accepted)

    def _resolve_other(self, command: Command, reply: Reply | None, accepted: bool) -> None:
        verb = command.verb
        self.note(command, reply)
        if verb in (b"EHLO", b"HELO", b"LHLO", b"RSET", b"QUIT") and accepted:
            self.abandon()
            self.lmtp = verb == b"LHLO" or (self.lmtp and verb in (b"RSET", b"QUIT"))
        elif verb == b"STARTTLS" and reply is not None and reply.code == 220:
            self.begin_tls()

    def note(self, command: Command, reply: Reply | None) -> None:
        """Record a command if there is something to say."""
        if (command.verb in _QUIET and (reply is None or reply.accepted)) or (
            command.verb not in KNOWN and reply is None
        ):
            return
        request = Message(command.span, {"command": command.verb.decode("latin-1") or None})
        if self.logins and command.verb not in KNOWN:
            request.fields["command"] = None
            command.argument = b""
        if command.argument and not command.verb.startswith(_SECRET):
            request.fields.update(shown("arguments", command.argument))
        self.record("command", request, reply.message() if reply else None)

    # Mails

    def record_mail(self, mail: Mail, reply: Reply | None) -> None:
        """A message is over, or nothing more comes of it; recorded once."""
        judged, self.judged = self.judged, []
        if mail.over:
            return
        mail.end(False, self.client.at)
        if self.mail is mail:
            self.mail = None
        response = reply.message() if reply else None
        envelope, self.envelope = self.envelope, None
        if response is not None and len(judged) > 1 and envelope is not None:
            pairs = zip(envelope.recipients, judged, strict=False)
            response.fields["replies"] = [{"recipient": recipient, **one.fields()} for recipient, one in pairs]
            response.span = joined(judged[0].span, judged[-1].span)
        mail.over = True
        begin = envelope.span if envelope is not None and envelope.span is not None else mail.span
        span = Span(begin.place, begin.offset, mail.span.offset + mail.span.length - begin.offset)
        said = envelope or Envelope(None, None)
        self.record("mail", Message(span, {**said.fields(), **mail.fields()}), response)

    def abandon(self) -> None:
        """An envelope without a message: who was to get it, or was refused, is worth a record."""
        envelope, self.envelope = self.envelope, None
        if envelope is not None and envelope.span is not None:
            request = Message(envelope.span, {**envelope.fields(), "complete": False})
            self.record("mail", request, envelope.refusal.message() if envelope.refusal else None)

    def begin_body(self, span: Span, lenient: bool) -> None:
        """The bytes of a message follow DATA."""
        self.mail = Mail(self.sink, span, dotted=True, lenient=lenient)

    def flush(self, keep: int = 0) -> None:
        """The answers to all commands but the last `keep` are not in the capture."""
        while len(self.pending) > keep:
            self.resolve(self.pending.popleft(), None)

"""SMTP, submission and LMTP (RFC 5321, 2033): mails, logins (RFC 4954), and commands of note.

Also: STARTTLS (RFC 3207), CHUNKING (RFC 3030), PIPELINING (RFC 2920), SIZE (RFC 1870), enhanced codes (RFC 2034),
SMTPUTF8 (RFC 6531). What commands meant is decided when they are answered, in their order.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.sighting import ACCEPTED, REFUSED
from ..mail.lines import ENDED, MORE, Line
from ..mail.session import LONGEST_LINE
from .mail import Mail, Replies, Reply
from .transactions import END_OF_DATA, Command, SmtpTransactions

if TYPE_CHECKING:
    from ...model.span import Span
    from ..api import Sink

_COMMAND = re.compile(rb"[ \t]*([A-Za-z0-9]{1,32})(?:[ \t]+(.*))?\Z", re.DOTALL)
_WHOLE_COMMAND = re.compile(
    rb"(?:EHLO|HELO|LHLO)[ \t]+[!-~].*|MAIL FROM:.*|RCPT TO:.*|AUTH[ \t]+[A-Za-z0-9_\-]{3,20}([ \t]+[!-~]+)?"
    rb"|BDAT[ \t]+[0-9]{1,18}([ \t]+LAST)?|(?:VRFY|EXPN)[ \t]+[!-~].*|DATA|RSET|QUIT|NOOP|STARTTLS",
    re.IGNORECASE | re.DOTALL,
)
_CHUNK = re.compile(rb"([0-9]{1,18})(?:[ \t]+(LAST))?[ \t]*\Z", re.IGNORECASE)
_ANSWERS = {235: b"AUTH", 334: b"AUTH", 354: b"DATA"}
_GREETINGS = (220, 421, 521, 554)
_ENDS_CHUNKS = (b"RSET", b"EHLO", b"HELO", b"LHLO", b"MAIL", b"QUIT")


class Smtp(SmtpTransactions):
    """One conversation."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self._replies = Replies()
        self._synced = False  # the client's next line is a command for sure
        self._begun = False  # something was said
        self._answered = False  # by the server
        self._bdat: Command | None = None  # whose chunk passes
        self._data_unseen: Span | None = None  # DATA without an answer

    # The client

    def client_step(self) -> bool:
        """See MailSession."""
        if self.chunk:
            return self._read_chunk()
        if self.mail is not None and self.mail.body is not None:
            return self._read_body(self.mail)
        if self._data_unseen is not None:
            return self._begin_unseen(self._data_unseen)
        line = self.client.line(LONGEST_LINE)
        if line is None:
            return False
        if not line.complete:
            self.too_long(line.span)
        self._client_line(line)
        return True

    def _client_line(self, line: Line) -> None:
        if self.take_token(line):
            return
        match = _COMMAND.match(line.text)
        whole = self.is_command(line.text)
        if match is None or not (self._synced or whole):
            if self._synced and line.text.strip():
                self.wait(Command(b"", b"", line.span))
            return
        verb, argument = match[1].upper(), match[2] or b""
        command = Command(verb, argument, line.span)
        self._begun = True
        self.wait(command)
        if verb == b"AUTH":
            mechanism, _, initial = argument.strip(b" \t").partition(b" ")
            self.unsure = not self._synced
            self.begin_login({"command": "AUTH"}, mechanism, initial, line)
            return
        self._synced = True
        if not line.complete:
            return
        if self.mail is not None and verb in _ENDS_CHUNKS:
            command.mail, self.mail = self.mail, None
        if verb in (b"DATA", b"STARTTLS"):
            self.waiting = True
        elif verb == b"BDAT" and (size := _CHUNK.match(argument)) is not None:
            if self.mail is None:
                self.mail = Mail(self.sink, line.span, dotted=False)
            command.mail, command.last = self.mail, size[2] is not None
            self._bdat = command
            self.chunk = int(size[1])
            if not self.chunk:
                self._end_chunk()

    def _read_chunk(self) -> bool:
        if not len(self.client):
            return False
        data = self.client.take(self.chunk)
        self.chunk -= len(data)
        if self.mail is not None:
            self.mail.feed(data)
        if not self.chunk:
            self._end_chunk()
        return True

    def _end_chunk(self) -> None:
        command, self._bdat = self._bdat, None
        if command is not None and self.mail is not None and command.mail is self.mail and command.last:
            self.mail.end(True, max(self.client.at, command.span.offset + command.span.length))
            self.mail = None

    def _read_body(self, mail: Mail) -> bool:
        assert mail.body is not None
        if not len(self.client):
            return False
        verdict = mail.body.read(self.client)
        if verdict == MORE:
            return False
        if verdict == ENDED:
            self._end_body(mail, not mail.lost)
            return True
        if not mail.told_odd:
            mail.told_odd = True
            self.sink.weird("smtp-odd-end-of-data", self.client.span(2))
        mail.odd = mail.body.undecided(self.client)
        if not mail.odd:
            mail.body.go_on(self.client)
        return not mail.odd

    def _end_body(self, mail: Mail, complete: bool) -> None:
        mail.end(complete, self.client.at)
        self.mail = None
        self._synced = True
        command = Command(END_OF_DATA, b"", mail.span)
        command.mail = mail
        if mail.early is not None:
            self.resolve(command, mail.early)
        else:
            self.wait(command)

    def _begin_unseen(self, span: Span) -> bool:
        """What follows a DATA that was not answered: another command, where it was refused, or the message."""
        first, ended, _ = self.client.peek(LONGEST_LINE).partition(b"\n")
        if not ended and len(self.client) < LONGEST_LINE:
            return False
        self._data_unseen = None
        if not self.is_command(first.removesuffix(b"\r")):
            self.begin_body(span, lenient=bool(ended) and not first.endswith(b"\r"))
        return True

    # The server

    def server_step(self) -> bool:
        """See MailSession."""
        line = self.server.line(LONGEST_LINE)
        if line is None:
            return False
        if not line.complete:
            self.too_long(line.span)
        for reply in self._replies.add(line):
            self._answer(reply)
        if self._replies.malformed is not None:
            if line.text.strip():
                self.sink.weird("smtp-malformed-reply", self._replies.malformed)
            self._replies.malformed = None
        return True

    def _answer(self, reply: Reply) -> None:
        mail = self.mail
        if mail is not None and mail.body is not None and not self.pending:
            if mail.odd:
                mail.body.end(self.client)
                self._end_body(mail, not mail.lost)
            elif mail.lost:
                self._end_body(mail, False)
                self._synced = False
            else:
                mail.early = mail.early or reply
                return
        greets = not self._answered and reply.code == 220 and (not self.pending or self.pending[0].verb != b"STARTTLS")
        self._answered = True
        if greets or not self.pending:
            if greets or (not self._begun and reply.code in _GREETINGS):
                self._synced = True
                self.record("greeting", None, reply.message())
            elif not reply.accepted:
                self.record("command", None, reply.message())
            self._begun = True
            return
        self._catch_up(reply.code)
        command = self.pending[0]
        if command.verb == b"AUTH":
            self._answer_login(reply)
        elif command.verb == END_OF_DATA and self.lmtp and self._one_of_many(reply):
            return
        else:
            self.pending.popleft()
            if command.verb in (b"DATA", b"STARTTLS") and not self.pending:
                self.waiting = False
            self.resolve(command, reply)

    def _answer_login(self, reply: Reply) -> None:
        if reply.code == 334 and self.attempt is not None:
            self.asked(reply.text)
            return
        command = self.pending.popleft()
        self.waiting = self.token = False
        if self.attempt is None:
            self.note(command, reply)
        elif self.unsure and reply.code // 10 not in (23, 45, 50, 53):
            self.attempt = None  # text of a mail
        else:
            self._synced = True
            if not reply.accepted:
                self.sent_unasked()
            self.end_login(reply.message(), ACCEPTED if reply.code < 300 else REFUSED)

    def is_command(self, text: bytes) -> bool:
        """See LoginSession."""
        return _WHOLE_COMMAND.fullmatch(text.rstrip(b" \t")) is not None

    def stray(self, span: Span) -> None:
        """See LoginSession."""
        self.wait(Command(b"", b"", span))

    def _catch_up(self, code: int) -> None:
        """Some codes answer one command only: if it waits behind others, their answers were none or were not seen."""
        verb = _ANSWERS.get(code)
        if verb is not None and self.pending[0].verb != verb and any(one.verb == verb for one in self.pending):
            while self.pending[0].verb != verb:
                self.resolve(self.pending.popleft(), None)

    def _one_of_many(self, reply: Reply) -> bool:
        """LMTP (RFC 2033, 4.2) answers for each recipient: whether more answers follow."""
        self.judged.append(reply)
        return self.envelope is not None and len(self.judged) < len(self.envelope.recipients)

    # Losses and the end

    def unanswered(self) -> None:
        """See MailSession."""
        if not self.pending:
            return
        self.flush(1)
        command = self.pending.popleft()
        if command.verb == b"DATA":
            self._data_unseen = command.span
        elif command.verb == b"STARTTLS":
            self.tls_next = True
        else:
            self.unanswered_login()

    def client_lost(self, length: int) -> None:
        """See MailSession."""
        if self.attempt is not None:
            self.attempt.sasl.lose()
        self._data_unseen = None
        if self.chunk:
            taken = min(length, self.chunk)
            self.chunk -= taken
            length -= taken
            if self.mail is not None:
                self.mail.lose(taken)
            if not self.chunk:
                self._end_chunk()
            if not length:
                return
        elif self.mail is not None and self.mail.body is not None:
            self.mail.lose(length)
            return
        self._synced = False

    def server_lost(self, length: int) -> None:
        """See MailSession."""
        self._replies.lose()
        self._begun = self._answered = True
        self.judged = []
        if self.token:
            self.flush(1)
            self.pending.clear()
            self.unanswered_login()
        elif not self.waiting:
            self.flush(1 if self.chunk else 0)

    def last_line(self, to_server: bool, line: Line) -> None:
        """See MailSession."""
        if to_server and self.mail is None and not self.chunk:
            self._client_line(line)

    def finish(self) -> None:
        """See MailSession."""
        self.waiting = False
        mail, self.mail = self.mail, None
        if mail is not None and mail.body is not None:
            if mail.odd:
                mail.feed(self.client.take(len(self.client)))
            self._end_body(mail, False)
        self.chunk = 0
        self.flush()
        if mail is not None and not mail.over:
            self.record_mail(mail, None)
        self.end_login(None)
        self.abandon()

"""Logins of SMTP (RFC 4954): AUTH, the lines in turn, and clients that do not wait for theirs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..model.sighting import ACCEPTED, REFUSED, UNKNOWN
from ..model.span import Span
from .mail_session import LONGEST_LINE
from .sasl import MECHANISM, Attempt, unpacked
from .smtp_transactions import Command, SmtpTransactions

if TYPE_CHECKING:
    from .api import Sink
    from .mail_lines import Line
    from .smtp_mail import Reply

WHOLE_COMMAND = re.compile(
    rb"(?:EHLO|HELO|LHLO)[ \t]+[!-~].*|MAIL FROM:.*|RCPT TO:.*|AUTH[ \t]+[A-Za-z0-9_\-]{3,20}([ \t]+[!-~]+)?"
    rb"|BDAT[ \t]+[0-9]{1,18}([ \t]+LAST)?|(?:VRFY|EXPN)[ \t]+[!-~].*|DATA|RSET|QUIT|NOOP|STARTTLS",
    re.IGNORECASE | re.DOTALL,
)
"""A command that would hardly stand in the text of a mail."""


class SmtpLogins(SmtpTransactions):
    """A client's logins in one conversation."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self.synced = False
        """The client's next line is a command for sure."""
        self.token = False
        """The client's next line belongs to `attempt`."""
        self._alone = False  # it came, or comes, without the server's word
        self._unsure = False  # `attempt` stands where the text of a mail may stand

    def begin_login(self, command: Command, line: Line) -> None:
        """AUTH was sent."""
        mechanism, _, initial = command.argument.strip(b" \t").partition(b" ")
        if MECHANISM.match(mechanism) is None:
            return
        self._drop_login()
        self.attempt = Attempt(mechanism, line.span)
        self._unsure = not self.synced
        if initial := initial.strip(b" \t"):
            begin = line.span.offset + line.text.rindex(initial)
            self.attempt.sasl.respond(initial, Span(line.span.place, begin, len(initial)), line.complete)
        self._alone, self.waiting = False, line.complete

    def take_token(self, line: Line) -> bool:
        """Whether a line is one of the login that is under way."""
        attempt = self.attempt
        assert attempt is not None
        self.token = False
        leaves = line.text.strip(b" \t").upper() == b"QUIT" or (
            self._alone and (WHOLE_COMMAND.fullmatch(line.text) is not None or unpacked(line.text) is None)
        )
        if leaves and line.text != b"*":
            if self._alone:
                self.end_login(None)
            return False
        attempt.line(line.text, line.span, line.complete)
        if not self._alone:
            self.waiting = line.complete
        elif attempt.sasl.turns >= attempt.sasl.most_turns or attempt.sasl.aborted:
            self.end_login(None)
        else:
            self.token = True
        return True

    def answer_login(self, reply: Reply) -> None:
        """The server answers AUTH, or a line that followed it."""
        attempt = self.attempt
        if attempt is None:
            self.note(self.pending.popleft(), reply)
            return
        if reply.code == 334:
            attempt.sasl.challenge(reply.text)
            self.token, self.waiting, self._unsure = True, False, False
            if attempt.sasl.turns > attempt.sasl.most_turns:
                self._drop_login()
            return
        self.pending.popleft()
        self.waiting = self.token = False
        self.synced = True
        if self._unsure and reply.code // 10 not in (23, 45, 50, 53):
            self._drop_login()
            return
        if not reply.accepted and not attempt.sasl.turns and len(self.client):
            self._sent_unasked(attempt)
        self.end_login(reply)

    def _sent_unasked(self, attempt: Attempt) -> None:
        """A client that did not wait has sent its tokens all the same; the server takes them for commands."""
        while attempt.sasl.turns < attempt.sasl.most_turns:
            end = self.client.find(b"\n")
            text = self.client.peek(end).rstrip(b"\r") if 0 <= end <= LONGEST_LINE else b""
            if not text or WHOLE_COMMAND.fullmatch(text) is not None or unpacked(text) is None:
                return
            line = self.client.line(LONGEST_LINE)
            assert line is not None
            attempt.line(line.text, line.span, True)
            self.wait(Command(b"", b"", line.span))

    def end_login(self, reply: Reply | None) -> None:
        """See SmtpTransactions."""
        attempt, self.attempt = self.attempt, None
        self.token = False
        if attempt is None or (self._unsure and reply is None):
            return
        outcome = UNKNOWN if reply is None else ACCEPTED if reply.code < 300 else REFUSED
        self.login(attempt, {"command": "AUTH"}, reply.message() if reply else None, outcome)

    def _drop_login(self) -> None:
        """What looked like a login was none, or never ended."""
        self.attempt, self.token = None, False

    def login_unanswered(self) -> None:
        """The answer to the last line of the login is not in the capture."""
        if self.attempt is not None:
            self._alone = True
            if self.attempt.sasl.turns >= self.attempt.sasl.most_turns or self.attempt.sasl.aborted:
                self.end_login(None)
            else:
                self.token = True

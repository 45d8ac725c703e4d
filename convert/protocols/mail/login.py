"""Logins by SASL within a mail protocol's lines: in turn, without waiting, and where the server's side is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import UNKNOWN
from ...model.span import Span
from ..sasl.mechanisms import NAME
from .sasl import Attempt, unpacked
from .session import LONGEST_LINE, MailSession

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink
    from .lines import Line


class LoginSession(MailSession):
    """A conversation with logins."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self.attempt: Attempt | None = None
        self.token = False
        """The client's next line belongs to `attempt`."""
        self.unsure = False
        """`attempt` stands where the text of a mail may stand: without a fitting answer it was none."""
        self.logins = False
        """The conversation has logins: what is not understood may be a secret."""
        self._alone = False  # the line came, or comes, without the server's word
        self._said: dict[str, Value] = {}

    # What a protocol does

    def is_command(self, text: bytes) -> bool:
        """Whether a line would hardly be anything but a command."""
        raise NotImplementedError

    def stray(self, span: Span) -> None:
        """The server takes this line of a login for a command that it does not know."""
        raise NotImplementedError

    # The client

    def begin_login(self, said: dict[str, Value], mechanism: bytes, initial: bytes, line: Line) -> None:
        """A login was begun in this line; `said`: what its record says first. `initial`: what came with it."""
        self.logins = True
        if NAME.match(mechanism) is None:
            return
        self.attempt, self.token, self._said = Attempt(mechanism, line.span), False, said
        if initial := initial.strip(b" \t"):
            begin = line.span.offset + line.text.rindex(initial)
            self.attempt.sasl.respond(initial, Span(line.span.place, begin, len(initial)), line.complete)
        self._alone, self.waiting = False, line.complete

    def take_token(self, line: Line) -> bool:
        """Whether a line is one of the login that is under way, then it was taken."""
        attempt = self.attempt
        if not self.token or attempt is None:
            return False
        self.token = False
        leaves = line.text.strip(b" \t").upper() == b"QUIT" or (
            self._alone and (self.is_command(line.text) or unpacked(line.text) is None)
        )
        if leaves and line.text != b"*":
            if self._alone:
                self.end_login(None)
            return False
        attempt.line(line.text, line.span, line.complete)
        if self._alone:
            self._go_on_alone(attempt)
        else:
            self.waiting = line.complete
        return True

    def _go_on_alone(self, attempt: Attempt) -> None:
        if attempt.sasl.turns >= attempt.sasl.most_turns or attempt.sasl.aborted:
            self.end_login(None)
        else:
            self.token = True

    # The server

    def asked(self, challenge: bytes) -> None:
        """The server wants another line."""
        if self.attempt is not None:
            self.attempt.sasl.challenge(challenge)
            self.token, self.waiting, self.unsure = True, False, False

    def unanswered_login(self) -> None:
        """The answer to the last line of the login is not in the capture."""
        if self.attempt is not None:
            self._alone = True
            self._go_on_alone(self.attempt)

    def sent_unasked(self) -> None:
        """A client that did not wait has sent its lines all the same, when the login is refused at once."""
        attempt = self.attempt
        while attempt is not None and attempt.sasl.turns < min(attempt.sasl.most_turns, 2):
            end = self.client.find(b"\n")
            text = self.client.peek(end).rstrip(b"\r") if 0 <= end <= LONGEST_LINE else b""
            if not text or self.is_command(text) or unpacked(text) is None:
                return
            line = self.client.line(LONGEST_LINE)
            assert line is not None
            attempt.line(line.text, line.span, True)
            self.stray(line.span)

    def end_login(self, response: Message | None, outcome: str = UNKNOWN) -> None:
        """The login that is under way, if there is one, is over: its record, then its secret."""
        attempt, self.attempt = self.attempt, None
        self.token = False
        if attempt is None or (self.unsure and response is None):
            return
        request = Message(attempt.span, {**self._said, **attempt.sasl.fields()})
        ordinal = self.record("login", request, response)
        if attempt.sasl.secret is not None:
            self.sink.sighting(attempt.sasl.secret.sighting(self.name, outcome, ordinal))

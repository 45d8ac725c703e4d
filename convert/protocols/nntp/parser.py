"""NNTP (RFC 3977, 4644): logins (RFC 4643), articles that are read or posted, and all other commands.

Also: STARTTLS (RFC 4642). What follows COMPRESS (RFC 8054) is not read. A command is recorded when it is answered.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, ClassVar

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN
from ...model.span import Span
from ..mail.lines import ENDED, Line, joined
from ..mail.login import LoginSession
from ..mail.session import LONGEST_LINE, MOST_WAITING, shown
from ..sasl.secret import SaslSecret, user_fields, user_name
from .articles import Answer, Posting

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink

KNOWN = frozenset(
    b"AUTHINFO ARTICLE BODY CAPABILITIES CHECK COMPRESS DATE GROUP HDR HEAD HELP IHAVE LAST LIST LISTGROUP MODE"
    b" NEWGROUPS NEWNEWS NEXT OVER POST QUIT SLAVE STARTTLS STAT TAKETHIS XHDR XOVER XPAT XREADER XGTITLE".split()
)
_COMMAND = re.compile(rb"[ \t]*([A-Za-z0-9]{1,32})(?:[ \t]+(.*))?\Z", re.DOTALL)
_AUTHINFO = re.compile(rb"(USER|PASS)[ \t](.*)\Z", re.DOTALL | re.IGNORECASE)
_SASL = re.compile(rb"SASL[ \t]++([^ \t]++)(?:[ \t]++([^ \t]*+))?[ \t]*+\Z", re.IGNORECASE)
_REPLY = re.compile(rb"([1-5][0-9]{2})(?:[ \t](.*))?\Z", re.DOTALL)
_LISTS = frozenset((100, 101, 215, 220, 221, 222, 224, 225, 230, 231, 282))
_POSTS = {b"POST": 340, b"IHAVE": 335}
_SECRET = (b"AUTH", b"PASS")


class _Command:
    """A command that waits for its answer."""

    __slots__ = ("argument", "posting", "secret", "span", "user", "verb")

    def __init__(self, verb: bytes, argument: bytes, span: Span) -> None:
        self.verb = verb
        self.argument = argument
        self.span = span
        self.user: bytes | None = None
        self.secret: SaslSecret | None = None
        self.posting: Posting | None = None


class Nntp(LoginSession):
    """One conversation."""

    name: ClassVar[str] = "nntp"

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self._pending: deque[_Command] = deque()
        self._answer: tuple[_Command, Answer] | None = None
        self._posting: Posting | None = None
        self._unseen: _Command | None = None  # it may be posted what follows: the answer is not in the capture
        self._user: tuple[bytes, Span] | None = None
        self._synced = self._begun = self._compressed = False

    # The client

    def client_step(self) -> bool:
        """See MailSession."""
        if self._compressed:
            return bool(self.client.take(len(self.client)))
        if self._posting is not None:
            if not len(self.client) or self._posting.body.read(self.client) != ENDED:
                return False
            self._end_posting(not self._posting.lost)
            return True
        if self._unseen is not None:
            return self._begin_unseen(self._unseen)
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
        if self._answer is not None and self._answer[1].lost and not self._pending:
            self._end_answer(False)  # the client goes on: the end was among what is missing
        self._synced = self._begun = True
        command = _Command(match[1].upper(), match[2] or b"", line.span)
        self._wait(command)
        if command.verb == b"AUTHINFO":
            self._authinfo(command, line)
        elif not line.complete:
            pass
        elif command.verb in _POSTS or command.verb in (b"STARTTLS", b"COMPRESS"):
            self.waiting = True
        elif command.verb == b"TAKETHIS":
            self._posting = command.posting = Posting(self.sink, line.span)

    def _authinfo(self, command: _Command, line: Line) -> None:
        argument, command.argument = command.argument, b""
        self.logins = True
        if (sasl := _SASL.match(argument)) is not None:
            self.begin_login({"command": "AUTHINFO SASL"}, sasl[1], sasl[2] or b"", line)
            return
        match = _AUTHINFO.match(argument)
        if match is None:
            return
        if match[1].upper() == b"USER":
            command.verb, command.user = b"AUTHINFO USER", match[2]
            self._user = (match[2], line.span)
            return
        command.verb = b"AUTHINFO PASS"
        if self._user is not None:
            command.user = self._user[0]
            command.span = joined(self._user[1], line.span)
        self._user = None
        if secret := match[2]:
            span = Span(line.span.place, line.span.offset + len(line.text) - len(secret), len(secret))
            command.secret = SaslSecret("login", user_name(command.user), secret, secret, span, line.complete)

    def _wait(self, command: _Command) -> None:
        if len(self._pending) >= MOST_WAITING:
            self._resolve(self._pending.popleft(), None, 0)
        self._pending.append(command)

    def _begin_unseen(self, command: _Command) -> bool:
        first, ended, _ = self.client.peek(LONGEST_LINE).partition(b"\n")
        if not ended and len(self.client) < LONGEST_LINE:
            return False
        self._unseen = None
        if self.is_command(first.removesuffix(b"\r")):
            self._resolve(command, None, 0)
        else:
            self._begin_posting(command)
        return True

    def _begin_posting(self, command: _Command) -> None:
        self._posting = command.posting = Posting(self.sink, command.span)
        self._pending.appendleft(command)

    def _end_posting(self, complete: bool) -> None:
        posting, self._posting = self._posting, None
        if posting is not None:
            posting.end(complete, self.client.at)
            if not any(command.posting is posting for command in self._pending):
                command = _Command(b"POST", b"", posting.span)
                command.posting = posting
                self._wait(command)

    # The server

    def server_step(self) -> bool:
        """See MailSession."""
        if self._compressed:
            return bool(self.server.take(len(self.server)))
        if self._answer is not None:
            if self._answer[1].body.read(self.server) != ENDED:
                return False
            self._end_answer(not self._answer[1].lost)
            return True
        line = self.server.line(LONGEST_LINE)
        if line is None:
            return False
        if not line.complete:
            self.too_long(line.span)
        if (reply := _REPLY.match(line.text)) is not None:
            self._answered(int(reply[1]), reply[2] or b"", line.span)
        elif self._pending and line.text.strip():
            self.sink.weird("nntp-malformed-reply", line.span)
        return True

    def _answered(self, code: int, text: bytes, span: Span) -> None:
        said = Message(span, {"code": code, **shown("text", text)})
        if not self._pending:
            if not self._begun and code in (200, 201, 400, 502):
                self._synced = True
                self.record("greeting", None, said)
            elif code >= 400:
                self.record("command", None, said)
            self._begun = True
            return
        command = self._pending[0]
        if command.verb == b"AUTHINFO" and self.attempt is not None and code == 383:
            self.asked(text)
            return
        self._pending.popleft()
        if command.verb in (b"STARTTLS", b"COMPRESS", b"AUTHINFO") or (command.verb in _POSTS and not command.posting):
            self.waiting = self.token = False
        if command.posting is None and _POSTS.get(command.verb) == code:
            self._begin_posting(command)
        elif code in _LISTS or (code == 211 and command.verb == b"LISTGROUP"):
            self._answer = (command, Answer(self.sink, said, code))
        else:
            self._resolve(command, said, code)

    def _end_answer(self, complete: bool) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            self._resolve(answer[0], answer[1].end(complete, self.server.at), answer[1].code)

    def _resolve(self, command: _Command, said: Message | None, code: int) -> None:
        """A command and its answer, None (and 0) where that is not in the capture."""
        verb, accepted = command.verb, 200 <= code < 300
        outcome = UNKNOWN if said is None else ACCEPTED if accepted else REFUSED
        if verb == b"AUTHINFO" and self.attempt is not None:
            if outcome == REFUSED:
                self.sent_unasked()
            self.end_login(said, outcome)
        elif verb == b"AUTHINFO PASS" or (verb == b"AUTHINFO USER" and accepted):
            self._login(command, said, outcome)
        elif verb == b"AUTHINFO USER" and (said is None or code == 381):
            pass  # PASS says it, or finish()
        elif command.posting is not None:
            self._record_posting(command, command.posting, said)
        else:
            kind = "mail" if code in (220, 221, 222) and verb in (b"ARTICLE", b"HEAD", b"BODY") else "command"
            self.record(kind, Message(command.span, self._asked(command)), said)
            if verb == b"STARTTLS" and code == 382:
                self.begin_tls()
            elif verb == b"COMPRESS" and code == 206:
                self._compressed = True

    def _record_posting(self, command: _Command, posting: Posting, said: Message | None) -> None:
        if posting is self._posting:
            self._posting = None  # it is judged before its end, or nothing more comes
        posting.end(False, self.client.at)
        fields: dict[str, Value] = {"command": command.verb.decode("latin-1")}
        if command.argument:
            fields.update(shown("arguments", command.argument))
        self.record("mail", Message(posting.span, {**fields, **posting.fields}), said)

    def _asked(self, command: _Command) -> dict[str, Value]:
        known = command.verb in KNOWN or not (self.logins or command.verb.startswith(_SECRET))
        fields: dict[str, Value] = {"command": command.verb.decode("latin-1") or None if known else None}
        if command.verb == b"AUTHINFO USER":
            fields = {"command": "AUTHINFO USER", **user_fields(command.user)}
            if self._user is not None and self._user[1] is command.span:
                self._user = None
        elif command.argument and known:
            fields.update(shown("arguments", command.argument))
        return fields

    def _login(self, command: _Command, said: Message | None, outcome: str) -> None:
        if command.verb == b"AUTHINFO USER":
            self._user = None
        fields: dict[str, Value] = {"command": command.verb.decode(), "mechanism": "USER", **user_fields(command.user)}
        if command.secret is not None:
            fields["secret"] = True
        ordinal = self.record("login", Message(command.span, fields), said)
        if command.secret is not None:
            self.sink.sighting(command.secret.sighting(self.name, outcome, ordinal))

    # Losses and the end

    def _flush(self) -> None:
        while self._pending:
            self._resolve(self._pending.popleft(), None, 0)

    def unanswered(self) -> None:
        """See MailSession."""
        while len(self._pending) > 1:
            self._resolve(self._pending.popleft(), None, 0)
        command = self._pending.popleft() if self._pending else None
        if command is None:
            return
        if command.verb == b"AUTHINFO":
            self.unanswered_login()
        elif command.verb in _POSTS:
            self._unseen = command
        else:
            self._resolve(command, None, 0)
            self.tls_next = command.verb == b"STARTTLS"

    def client_lost(self, length: int) -> None:
        """See MailSession."""
        if self.attempt is not None:
            self.attempt.sasl.lose()
        if self._posting is not None:
            self._posting.lose(length)
        self._user = None
        self._synced = False

    def server_lost(self, length: int) -> None:
        """See MailSession."""
        self._begun = True
        if self._answer is not None:
            self._answer[1].lose(length)
        elif self.token:
            self._pending.clear()
            self.unanswered_login()
        elif not self.waiting and self._posting is None:
            self._flush()

    def last_line(self, to_server: bool, line: Line) -> None:
        """See MailSession."""
        if to_server and self._posting is None and (self.token or self.is_command(line.text)):
            self._client_line(line)

    def finish(self) -> None:
        """See MailSession."""
        self.waiting = False
        unseen, self._unseen = self._unseen, None
        if unseen is not None:
            self._resolve(unseen, None, 0)
        self._end_answer(False)
        self._end_posting(False)
        self._flush()
        self.end_login(None)
        user, self._user = self._user, None
        if user is not None:
            fields: dict[str, Value] = {"command": "AUTHINFO USER", "mechanism": "USER", **user_fields(user[0])}
            self.record("login", Message(user[1], fields), None)

"""IMAP4rev1 and rev2 (RFC 3501, 9051): logins, mails that are fetched or appended, and all other commands.

Also: LITERAL+ (RFC 7888), SASL-IR (RFC 4959), STARTTLS, COMPRESS=DEFLATE (RFC 4978), IDLE (RFC 2177). A command is
recorded when its tag is answered, a fetched mail when its last byte has passed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN
from ..mail.lines import Line
from ..mail.login import LoginSession
from ..mail.session import shown
from ..sasl.secret import SaslSecret, user_fields, user_name
from .deflate import Inflater
from .mail import appended, fetched
from .syntax import MOST_TEXT, Phrase, Phrases, Taker

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.span import Span
    from ..api import Sink

KNOWN = frozenset(
    b"CAPABILITY NOOP LOGOUT STARTTLS AUTHENTICATE LOGIN ENABLE SELECT EXAMINE CREATE DELETE RENAME SUBSCRIBE"
    b" UNSUBSCRIBE LIST LSUB XLIST NAMESPACE STATUS APPEND IDLE CLOSE UNSELECT EXPUNGE SEARCH FETCH STORE COPY MOVE"
    b" CHECK ID SORT THREAD COMPRESS GETQUOTA GETQUOTAROOT SETQUOTA GETACL SETACL DELETEACL MYRIGHTS LISTRIGHTS"
    b" GETMETADATA SETMETADATA NOTIFY UNAUTHENTICATE REPLACE ESEARCH LANGUAGE COMPARATOR".split()
)
_COMMAND = re.compile(rb"([^\x00-\x20(){%*\"\\+\x7f]{1,64}) +(?:(UID) +)?([A-Za-z0-9\-]{1,32})(?: +|\Z)", re.IGNORECASE)
_TAGGED = re.compile(rb"([^\x00-\x20(){%*\"\\+\x7f]{1,64}) +(OK|NO|BAD)(?: +(.*))?\Z", re.IGNORECASE | re.DOTALL)
_UNTAGGED = re.compile(rb"\* (?:(OK|PREAUTH|BYE|NO|BAD)(?: +|\Z))?", re.IGNORECASE)
_LOGIN = (b"LOGIN", b"LOGON", b"AUTH")
MOST_OPEN = 256
"""Commands without an answer that are kept."""
MOST_UNTAGGED = 32
_LONGEST_UNTAGGED = 512


class _Command:
    """A command that waits for its answer."""

    def __init__(self, tag: bytes, verb: bytes, phrase: Phrase) -> None:
        self.tag = tag
        self.verb = verb
        self.span = phrase.span
        self.fields: dict[str, Value] = {"tag": tag.decode("latin-1"), "command": verb.decode("latin-1")}
        self.secret: SaslSecret | None = None
        self.mails: list[dict[str, Value]] = []
        self.untagged: list[Value] = []
        self.untagged_total = 0


class Imap(LoginSession):
    """One conversation."""

    name: ClassVar[str] = "imap"

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self._asks = Phrases(self.client, self._wants_of_client)
        self._says = Phrases(self.server, self._wants_of_server)
        self._open: dict[bytes, _Command] = {}
        self._mails: list[dict[str, Value]] = []  # of the APPEND whose bytes pass
        self._waits_for = b""  # the tag whose answer decides how to go on
        self._begun = False
        self._synced = False
        self._inflaters: dict[bool, Inflater] | None = None

    # Compression

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction (api.py)."""
        if self._inflaters is None or self.inner is not None:
            super().data(to_server, data, offset, place, boundary)
            return
        self._inflate(not to_server, b"", 0, None)
        self._inflate(to_server, data, offset, place)

    def _inflate(self, to_server: bool, data: bytes, offset: int, place: object) -> None:
        """Undo compression; without data: of what is held."""
        if self._inflaters is None:
            return
        inflater, incoming = self._inflaters[to_server], self.client if to_server else self.server
        if inflater.broken():
            return
        for out, at, where, packed in inflater.feed(data, offset, place) if data else inflater.flush():
            incoming.feed(out, at, where, packed)
            self.run()
        if inflater.broken():
            self.sink.weird("imap-broken-compression", inflater.block)
            self.finish()

    def _begin_compression(self) -> None:
        self._inflaters = {True: Inflater(), False: Inflater()}
        for to_server, incoming in ((True, self.client), (False, self.server)):
            for data, offset, place in list(incoming.drain()):
                self._inflate(not to_server, b"", 0, None)
                self._inflate(to_server, data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that are not known (api.py); behind one nothing can be decompressed."""
        if self._inflaters is None or self.inner is not None:
            super().gap(to_server, length, offset, place)
            return
        self._inflate(True, b"", 0, None)
        self._inflate(False, b"", 0, None)
        for inflater in self._inflaters.values():
            inflater.give_up()
        self.finish()

    def close(self, ended: bool = True) -> None:
        """Nothing follows (api.py)."""
        self._inflate(True, b"", 0, None)
        self._inflate(False, b"", 0, None)
        super().close(ended)

    # The client

    def client_step(self) -> bool:
        """See MailSession."""
        phrase = self._asks.read()
        if phrase is None:
            return False
        self._client_phrase(phrase)
        return True

    def _wants_of_client(self, phrase: Phrase) -> Taker | None:
        return appended(self.sink, phrase, self._appended)

    def _appended(self, span: Span, fields: dict[str, Value]) -> None:
        if len(self._mails) < MOST_UNTAGGED:
            self._mails.append(fields)

    def is_command(self, text: bytes) -> bool:
        """See LoginSession."""
        match = _COMMAND.match(text)
        return match is not None and match[3].upper() in KNOWN

    def stray(self, span: Span) -> None:
        """See LoginSession."""

    def _client_phrase(self, phrase: Phrase) -> None:
        line = phrase.first
        if not line.complete and len(line.text) >= MOST_TEXT:
            self.too_long(line.span)
        mails, self._mails = self._mails, []
        if self.take_token(line):
            return
        match = _COMMAND.match(line.text)
        if match is None or not (self._synced or match[3].upper() in KNOWN):
            return
        self._synced = self._begun = True
        verb = (b"UID " if match[2] else b"") + match[3].upper()
        command = _Command(match[1], verb, phrase)
        command.mails = mails
        if len(self._open) >= MOST_OPEN:
            self._resolve(self._open.pop(next(iter(self._open))), None, UNKNOWN)
        if (old := self._open.pop(command.tag, None)) is not None:
            self._resolve(old, None, UNKNOWN)
        self._open[command.tag] = command
        if verb == b"LOGIN":
            self._password(command, phrase, match.end())
        elif verb == b"AUTHENTICATE":
            mechanism, _, initial = line.text[match.end() :].strip(b" ").partition(b" ")
            self.begin_login(dict(command.fields), mechanism, initial, line)
            self._waits_for = command.tag
        elif match[1].upper().startswith(_LOGIN) or match[3].upper().startswith(_LOGIN):
            command.fields["secret"] = self.logins = True  # without its tag, with UID, or misspelt
            if verb not in KNOWN:
                command.fields["command"] = None
        elif verb in KNOWN or verb.startswith(b"UID ") or not self.logins:
            if verb in (b"STARTTLS", b"COMPRESS") and line.complete:
                self.waiting, self._waits_for = True, command.tag
            if argument := phrase.text()[match.end() :]:
                command.fields.update(shown("arguments", argument))

    def _password(self, command: _Command, phrase: Phrase, begin: int) -> None:
        self.logins = True
        tokens = phrase.tokens(begin)
        user = tokens[0].value if tokens else None
        command.fields.update({"mechanism": "LOGIN", **user_fields(user)})
        if len(tokens) > 1 and tokens[1].value:
            token = tokens[1]
            command.fields["secret"] = True
            command.secret = SaslSecret("login", user_name(user), token.value, token.raw, token.span, token.complete)

    # The server

    def server_step(self) -> bool:
        """See MailSession."""
        phrase = self._says.read()
        if phrase is None:
            return False
        self._server_phrase(phrase)
        return True

    def _wants_of_server(self, phrase: Phrase) -> Taker | None:
        return fetched(self.sink, phrase, self._fetched)

    def _fetched(self, span: Span, fields: dict[str, Value]) -> None:
        command = next((one for one in self._open.values() if one.verb.endswith(b"FETCH")), None)
        request = None if command is None else Message(command.span, dict(command.fields))
        self.record("mail", request, Message(span, fields))

    def _server_phrase(self, phrase: Phrase) -> None:
        line = phrase.first
        if line.text[:2] in (b"+ ", b"+"):
            if self.waiting and self._waits_for in self._open and self.attempt is not None:
                self.asked(line.text[2:])
        elif (untagged := _UNTAGGED.match(line.text)) is not None:
            self._untagged(untagged[1], phrase)
        elif (tagged := _TAGGED.match(line.text)) is not None:
            self._answered(tagged[1], tagged[2].upper(), tagged[3] or b"", phrase)
        elif line.text.strip() and self._open:
            self.sink.weird("imap-malformed-response", line.span)

    def _untagged(self, word: bytes | None, phrase: Phrase) -> None:
        if not self._begun and word is not None:
            text = phrase.text()[3 + len(word) :]
            fields: dict[str, Value] = {"reply": word.upper().decode(), **shown("text", text)}
            self.record("greeting", None, Message(phrase.span, fields))
            self._synced = self._begun = True
            return
        self._begun = True
        command = next(iter(self._open.values()), None)
        if command is None:
            return
        command.untagged_total += 1
        if len(command.untagged) < MOST_UNTAGGED:
            command.untagged.append(phrase.text()[2 : _LONGEST_UNTAGGED + 2].decode("latin-1"))

    def _answered(self, tag: bytes, word: bytes, text: bytes, phrase: Phrase) -> None:
        if self._asks.untouched:
            self._asks.forget()  # the server does not take the literal that was announced
            self.logins = True  # it may come all the same
            self._mails = []
        command = self._open.pop(tag, None)
        if command is None:
            return
        if tag == self._waits_for:
            self.waiting = self.token = False
            self._waits_for = b""
        fields: dict[str, Value] = {"reply": word.decode(), **shown("text", text)}
        if command.untagged:
            fields["untagged"] = command.untagged
        if command.untagged_total > len(command.untagged):
            fields["untagged_total"] = command.untagged_total
        self._resolve(command, Message(phrase.span, fields), ACCEPTED if word == b"OK" else REFUSED)
        if word == b"OK" and command.verb == b"STARTTLS":
            self.begin_tls()
        elif word == b"OK" and command.verb == b"COMPRESS" and self._inflaters is None:
            self._begin_compression()

    def _resolve(self, command: _Command, said: Message | None, outcome: str) -> None:
        """A command and its answer, None where that is not in the capture."""
        if command.verb == b"AUTHENTICATE" and self.attempt is not None:
            if outcome == REFUSED:
                self.sent_unasked()
            self.end_login(said, outcome)
        elif command.verb == b"LOGIN":
            ordinal = self.record("login", Message(command.span, command.fields), said)
            if command.secret is not None:
                self.sink.sighting(command.secret.sighting(self.name, outcome, ordinal))
        elif command.mails:
            for mail in command.mails:
                self.record("mail", Message(command.span, {**command.fields, **mail}), said)
        else:
            self.record("command", Message(command.span, command.fields), said)

    # Losses and the end

    def unanswered(self) -> None:
        """See MailSession."""
        command = self._open.pop(self._waits_for, None)
        self._waits_for = b""
        if command is None:
            return
        if command.verb == b"AUTHENTICATE":
            self.unanswered_login()
        else:
            self._resolve(command, None, UNKNOWN)
            self.tls_next = command.verb == b"STARTTLS"

    def client_lost(self, length: int) -> None:
        """See MailSession."""
        if self.attempt is not None:
            self.attempt.sasl.lose()
        self._asks.lose(length)
        self._synced = False

    def server_lost(self, length: int) -> None:
        """See MailSession."""
        self._begun = True
        self._says.lose(length)
        if self.token:
            self._open.pop(self._waits_for, None)
            self.unanswered_login()

    def last_line(self, to_server: bool, line: Line) -> None:
        """See MailSession."""
        if to_server and (phrase := self._asks.end(line)) is not None:
            self._client_phrase(phrase)

    def finish(self) -> None:
        """See MailSession."""
        if (phrase := self._asks.end(None)) is not None:
            self._client_phrase(phrase)
        self._says.end(None)
        self.waiting = False
        for tag in list(self._open):
            self._resolve(self._open.pop(tag), None, UNKNOWN)
        self.end_login(None)

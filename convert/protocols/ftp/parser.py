"""FTP's control connection: logins, commands with their replies, and transfers with where their bytes pass.

RFC 959, 1123 (4.1), 2228 (AUTH), 2389 (FEAT, OPTS), 2428 (EPRT, EPSV), 3659 (MLSD, REST, SIZE), 4217 (AUTH TLS).
Replies answer commands in order; where bytes are lost so that this order is no longer known, each stands for itself.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from ...model.record import Message, Record
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from .channel import of_eprt, of_epsv, of_pasv, of_port
from .lines import Lines, Replies, lead, without_telnet

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Parser, Sink
    from .channel import Channel
    from .lines import Line, Reply

_MOST_PENDING = 500
_MOST_HELD = 2 * 1024 * 1024
_MOST_PRELIMINARY = 16
_COMMAND = re.compile(rb"[A-Za-z]{2,12}(?=[ \t]|\Z)")
_TRANSFERS = frozenset(("RETR", "STOR", "STOU", "APPE", "LIST", "NLST", "MLSD"))
_LOGIN = frozenset(("USER", "PASS", "ACCT"))
_BLOBS = frozenset(("ADAT", "MIC", "CONF", "ENC"))
_PASSWORD_CHANGE = re.compile(r"(PSWD|PASSWD|PASS|CPWD|CHPWD)\b", re.IGNORECASE)
_TLS = frozenset(("TLS", "TLS-C", "TLS-P", "SSL"))
_SIZE = re.compile(r"\(([0-9]{1,18}) bytes\)", re.IGNORECASE)
_STORED = re.compile(r"FILE: *(\S[^\r\n]*)")
_KNOWN = re.compile(
    rb"(?:USER|PASS|ACCT|CWD|CDUP|QUIT|REIN|PORT|PASV|TYPE|STRU|MODE|RETR|STO[RU]|APPE|ALLO|REST|RN(?:FR|TO)|ABOR|DELE"
    rb"|RMD|MKD|PWD|LIST|NLST|SITE|SYST|STAT|HELP|NOOP|AUTH|PBSZ|PROT|CCC|FEAT|OPTS|EPRT|EPSV|MDTM|SIZE|ML[SD][TD])"
    rb"(?=[ \r\n])",
    re.IGNORECASE,
)
_REPLY = re.compile(rb"[1-6][0-9]{2}(?:[ \-]|\Z)")


class _Entry(msgspec.Struct, gc=False):
    """A command that waits for its final reply."""

    verb: str
    argument: str
    span: Span
    fields: dict[str, Value]
    secret: Sighting | None = None
    user: _Entry | None = None
    """Of PASS: the USER before it, if they make one login."""
    followed: bool = False
    """Of USER: a PASS came before its reply."""
    preliminary: list[Reply] = []
    reply: Reply | None = None
    channel: Channel | None = None
    hidden: bool = False
    """What the server says of it may repeat a secret."""

    @property
    def weight(self) -> int:
        """Bytes that are held, about."""
        return 2 * len(self.argument) + 512


class Ftp:
    """The parser of one control connection."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client = Lines(_KNOWN)
        self._server = Lines(_REPLY)
        self._replies = Replies()
        self._pending: deque[_Entry] = deque()
        self._held = 0
        self._waiting: _Entry | None = None  # USER that was asked for a password
        self._user: str | None = None
        self._let_in = False
        self._type = "A"
        self._restart: int | None = None
        self._mode: str | None = None
        self._channel: Channel | None = None
        self._handed = 0
        self._asked = False
        self._pipelined = False
        self._paired = True
        self._inner: Parser | None = None

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        if self._inner is not None:
            self._inner.data(to_server, data, offset, place, boundary)
            return
        lines = self._client if to_server else self._server
        lines.feed(data, offset, place)
        self._read(to_server, lines, place)

    def _read(self, to_server: bool, lines: Lines, place: object) -> None:
        while (line := lines.next()) is not None:
            if to_server:
                self._ask(line)
            else:
                self._hear(line, lines.read == 1)
            if self._inner is not None:
                at, rest = lines.buffer.at, lines.buffer.take(len(lines.buffer))
                if rest:
                    self._inner.data(to_server, rest, at, place, False)
                return

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        if self._inner is not None:
            self._inner.gap(to_server, length, offset, place)
            return
        lines = self._client if to_server else self._server
        self._finish(to_server)
        lines.gap(length, offset)
        if self._pipelined:
            self._paired = False
        if not to_server or not self._paired:
            self._flush()

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        if self._inner is not None:
            self._inner.close(ended)
            return
        self._finish(True)
        self._finish(False)
        self._flush()
        self._release()

    def _finish(self, to_server: bool) -> None:
        """Take what is known of a line and of a reply of which no more is."""
        if to_server:
            line = self._client.rest()
            if line is not None:
                self._ask(line)
            return
        line = self._server.rest()
        if line is not None and _REPLY.match(line.data):
            self._hear(line, False)
        reply = self._replies.rest()
        if reply is not None:
            self._answer(reply)

    # commands

    def _ask(self, line: Line) -> None:
        found = _COMMAND.match(line.data)
        if found is None:
            if line.data and self._client.read > 1:  # else the capture begins within a line
                self._sink.weird("ftp-not-a-command", line.span)
            return
        if not line.complete:
            self._sink.weird("ftp-cut-line", line.span)
        verb = found[0].decode("ascii").upper()
        argument = line.data[found.end() + 1 :]
        entry = self._entry(verb, found[0].decode("ascii"), argument, line)
        self._asked = True
        if verb != "PASS":
            self._release()
        if verb == "PASS":
            self._join(entry)
        if not self._paired:
            self._hand_out(entry)
            return
        self._pipelined = self._pipelined or bool(self._pending)
        self._pending.append(entry)
        self._held += entry.weight
        if len(self._pending) > _MOST_PENDING or self._held > _MOST_HELD:
            self._paired = False
            self._flush()

    def _entry(self, verb: str, word: str, argument: bytes, line: Line) -> _Entry:
        text = argument.decode("latin-1")
        entry = _Entry(verb, text, line.span, {"command": word})
        typed = self._user is not None and not self._let_in and _KNOWN.match(line.data + b"\n") is None
        if verb in _LOGIN:
            entry.argument = text if verb == "USER" else ""
            self._login(entry, line)
        elif verb in _TRANSFERS:
            entry.fields["path"] = text if line.data[len(word) :] else None
            entry.fields["representation"] = self._type
            if self._restart is not None and verb in {"RETR", "STOR", "APPE"}:
                entry.fields["restart_at"] = self._restart
            self._restart = None
        elif verb in _BLOBS or typed or (verb.startswith("PAS") and verb != "PASV"):
            # A password may be typed without its command, or behind one that is misspelt.
            entry.fields.update({"command": None if typed else word, "argument": None, "secret": True})
            entry.argument = ""
            entry.hidden = verb not in _BLOBS
        elif verb == "SITE" and (change := _PASSWORD_CHANGE.match(text)):
            entry.fields.update({"argument": change[0], "secret": True})
        else:
            entry.fields["argument"] = text if line.data[len(word) :] else None
        if not line.complete:
            entry.fields["argument_complete"] = False
        return entry

    def _login(self, entry: _Entry, line: Line) -> None:
        """USER, PASS and ACCT; the last two carry a secret unless they are empty."""
        if entry.verb == "USER":
            self._user = entry.argument
        entry.fields["user"] = self._user
        if entry.verb == "USER":
            return
        begin = lead(line.raw) + len(entry.verb) + 1
        raw = line.raw[begin:]
        if raw:
            place, offset = line.span.place, line.span.offset + begin
            entry.fields["secret"] = True
            field = "account" if entry.verb == "ACCT" else None
            user = _readable(self._user)
            span = Span(place, offset, len(raw))
            found = ("login", field, user, without_telnet(raw), raw, line.complete, span)
            entry.secret = Sighting(*found, protocol="ftp")

    def _join(self, entry: _Entry) -> None:
        """PASS belongs to a USER that was asked for a password, or is still to be answered."""
        if self._waiting is not None:
            entry.user, self._waiting = self._waiting, None
        elif self._pending and self._pending[-1].verb == "USER" and self._pending[-1].user is None:
            entry.user = self._pending[-1]
            entry.user.followed = True

    # replies

    def _hear(self, line: Line, first: bool) -> None:
        if first and not _REPLY.match(line.data) and not self._asked:
            return  # the capture begins within a line
        reply = self._replies.add(line)
        if reply is not None:
            self._answer(reply)

    def _answer(self, reply: Reply) -> None:
        if reply.odd:
            self._sink.weird("ftp-bad-reply", reply.span)
        if reply.code is None and (len(self._pending) != 1 or self._pending[0].preliminary):
            return
        if not self._pending:
            kind = "command" if self._asked or self._handed else "greeting"
            self._record(kind, None, Message(reply.span, reply.fields()), None)
            return
        entry = self._pending[0]
        if not reply.final:
            if len(entry.preliminary) < _MOST_PRELIMINARY:
                entry.preliminary = [*entry.preliminary, reply]
                entry.channel = entry.channel or self._channel
            return
        self._pending.popleft()
        self._held -= entry.weight
        entry.reply = reply
        if entry.verb == "USER" and reply.code in {331, 332, 336}:
            if not entry.followed:
                self._waiting = entry
            return
        if entry.verb == "USER" and entry.followed:
            self._unjoin(entry)
        self._learn(entry, reply)
        self._hand_out(entry)
        if entry.verb == "AUTH" and reply.code == 234 and entry.argument.strip().upper() in _TLS:
            self._flush()
            self._inner = self._sink.switch("tls")

    def _unjoin(self, user: _Entry) -> None:
        if self._pending and self._pending[0].user is user:
            self._pending[0].user = None

    def _learn(self, entry: _Entry, reply: Reply) -> None:
        """What the commands to come depend on."""
        done = reply.code is not None and 200 <= reply.code < 300
        text = "\n".join(reply.text)
        if reply.code in {230, 232}:
            self._let_in = True
        elif entry.verb == "TYPE" and done:
            self._type = entry.argument.strip().upper()[:8] or self._type
        elif entry.verb in {"PORT", "EPRT"} and done:
            self._mode = "active"
            self._channel = of_port(entry.argument) if entry.verb == "PORT" else of_eprt(entry.argument)
        elif reply.code in {227, 229}:
            self._mode = "passive"
            self._channel = of_pasv(text) if reply.code == 227 else of_epsv(text)
        elif entry.verb == "REST" and reply.code == 350:
            self._restart = int(entry.argument) if entry.argument.isdecimal() and len(entry.argument) < 19 else None
        elif entry.verb == "REIN" and done:
            self._user, self._type = None, "A"

    def _flush(self) -> None:
        """Nothing answers what waits."""
        while self._pending:
            entry = self._pending.popleft()
            if entry.verb != "USER" or not entry.followed:
                self._hand_out(entry)
        self._held = 0

    def _release(self) -> None:
        """A USER that no PASS follows."""
        if self._waiting is not None:
            entry, self._waiting = self._waiting, None
            self._hand_out(entry)

    # records

    def _record(self, kind: str, request: Message | None, response: Message | None, channel: Channel | None) -> None:
        self._handed += 1
        self._sink.record(Record(kind, "ftp", self._handed, request, response, channel))

    def _hand_out(self, entry: _Entry) -> None:
        replies = [*entry.preliminary, *([entry.reply] if entry.reply is not None else [])]
        request = Message(entry.span, entry.fields)
        user = entry.user
        if user is not None:
            request.span = _joined(user.span, entry.span)
        channel: Channel | None = None
        kind = "login" if entry.verb in _LOGIN else "command"
        if entry.verb in _TRANSFERS:
            kind, channel = "transfer", entry.channel or self._channel
            entry.fields["mode"] = self._mode
            self._channel = self._mode = None
        response = None
        if replies:
            response = Message(_joined(replies[0].span, replies[-1].span), self._said(entry, kind))
        if user is not None and user.reply is not None:
            told: dict[str, Value] = {"user_code": user.reply.code, "user_text": "\n".join(user.reply.text)}
            fields = response.fields if response is not None else {"result": UNKNOWN}
            span = _joined(user.reply.span, response.span if response is not None else user.reply.span)
            response = Message(span, {**fields, **told})
        self._record(kind, request, response, channel)
        if entry.secret is not None:
            entry.secret.outcome = outcome(entry.reply.code if entry.reply is not None else None)
            entry.secret.exchange = self._handed
            self._sink.sighting(entry.secret)

    def _said(self, entry: _Entry, kind: str) -> dict[str, Value]:
        """The fields of an answer."""
        fields: dict[str, Value] = {}
        code = entry.reply.code if entry.reply is not None else None
        if kind == "login":
            asked_on = code is not None and 330 <= code < 340
            fields["result"] = "continued" if asked_on else outcome(code)
        if entry.reply is not None:
            fields.update(entry.reply.fields())
            if entry.hidden:
                fields["text"] = None
            elif entry.verb in _BLOBS or entry.verb == "AUTH":
                fields["text"] = re.sub(r"(?<=ADAT=)\S+", "", str(fields["text"]))
        if entry.preliminary:
            fields["preliminary"] = [reply.fields() for reply in entry.preliminary]
        if kind == "transfer":
            texts = "\n".join("\n".join(reply.text) for reply in entry.preliminary)
            size = _SIZE.search(texts)
            if size is not None:
                fields["size"] = int(size[1])
            stored = _STORED.search(texts) if entry.verb == "STOU" else None
            if stored is not None:
                fields["stored_as"] = stored[1]
        return fields


def outcome(code: int | None) -> str:
    """What a final reply says of a password (RFC 959, 5.4; RFC 2228, section 8)."""
    if code in {230, 232, 202}:
        return ACCEPTED
    if code is not None and (code in {430, 530} or 500 <= code < 600):
        return REFUSED
    return UNKNOWN


def _readable(name: str | None) -> str | None:
    """A user name as text."""
    if name is None:
        return None
    raw = name.encode("latin-1")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return name


def _joined(first: Span, last: Span) -> Span:
    return Span(first.place, first.offset, last.offset + last.length - first.offset)

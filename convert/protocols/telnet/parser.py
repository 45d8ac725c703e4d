"""Telnet: logins as they are typed, and the session around them.

RFC 854, 855 (commands, options), 857 (echo), 1073 (window), 1079 (speed), 1091 (terminal type), 1096 (X display), 1184
(line mode), 1408 and 1572 (environment). A login is told from what the server asks. What a user types elsewhere is
listed, unless the server echoes and did not echo it: then it may be a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.span import Span
from . import options as options
from .authentication import Authentication
from .login import Dialogue
from .prompts import PASSWORD, asked
from .stream import WILL, WONT, Option, Stream, Sub, Text
from .typed import Typed, Typing

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Parser, Sink

_MOST_OPTIONS = 200
_MOST_COMMANDS = 500
_MOST_COMMAND_BYTES = 32 * 1024
_MOST_BANNER = 2048
_MOST_ECHO = 8192


class _Side:
    """What is counted of one direction."""

    def __init__(self) -> None:
        self.stream = Stream()
        self.first: Span | None = None
        self.end = 0
        self.bytes = 0
        self.complete = True
        self.options: list[Value] = []
        self.quiet = False

    def count(self, length: int, offset: int, place: object) -> None:
        """Bytes that passed."""
        if self.first is None:
            self.first = Span(place, offset, 0)
        self.end = offset + length

    def message(self, fields: dict[str, Value]) -> Message | None:
        """All of this direction, if there was any."""
        if self.first is None:
            return None
        span = Span(self.first.place, self.first.offset, self.end - self.first.offset)
        return Message(span, {**fields, "options": self.options, "bytes": self.bytes})


class Telnet:
    """The parser of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client = _Side()
        self._server = _Side()
        self._handed = 0
        self._dialogue = Dialogue(self._login, sink.sighting)
        self._authentication = Authentication(self._login, sink.sighting)
        self._typing = Typing(self._begin)
        self._told: dict[str, Value] = {}
        self._lines = 0
        self._commands: list[Value] = []
        self._room = _MOST_COMMAND_BYTES
        self._listed_all = True
        self._banner = bytearray()
        self._banner_open = True
        self._echoing = False
        self._waiting: Typed | None = None  # a line of which the echo is awaited
        self._echo = bytearray()
        self._echo_wanted = False
        self._tls = {True: False, False: False}
        self._inner: Parser | None = None

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        if self._inner is not None:
            self._inner.data(to_server, data, offset, place, boundary)
            return
        side = self._client if to_server else self._server
        side.count(len(data), offset, place)
        side.bytes += len(data)
        if not side.quiet:
            self._read(to_server, side, data, offset, place)

    def _read(self, to_server: bool, side: _Side, data: bytes, offset: int, place: object) -> None:
        for part in side.stream.feed(data, offset, place):
            if isinstance(part, Text):
                if to_server:
                    self._type(part)
                else:
                    self._hear(part)
            elif isinstance(part, Option):
                self._option(to_server, side, part)
            else:
                self._sub(to_server, side, part)
                if self._inner is not None:
                    rest = data[max(part.end - offset, 0) :]
                    if rest:
                        self._inner.data(to_server, rest, part.end, place, False)
                    return
            if side.quiet:
                return

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        if self._inner is not None:
            self._inner.gap(to_server, length, offset, place)
            return
        side = self._client if to_server else self._server
        side.count(length, offset, place)
        side.stream.gap()
        if to_server:
            self._typing.lose()
        else:
            self._dialogue.lose()
            self._banner_open = False
            self._echo_wanted = False

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        line = self._typing.rest()
        if line is not None and asked(line.prompt) == PASSWORD:
            self._dialogue.enter(line._replace(complete=False, entered=True))
        self._list()
        self._authentication.close()
        self._dialogue.close()
        request: dict[str, Value] = {**self._told, "lines": self._lines, "commands": self._commands}
        if not self._listed_all:
            request["commands_complete"] = False
        client = self._client.message(request)
        server = self._server.message({"banner": self._banner.decode("latin-1")})
        if client is not None or server is not None:
            self._handed += 1
            self._sink.record(Record("session", "telnet", self._handed, client, server))
        if self._inner is not None:
            self._inner.close(ended)

    # what the server says

    def _hear(self, part: Text) -> None:
        self._dialogue.hear(part)
        if self._banner_open:
            self._banner += part.data[: _MOST_BANNER - len(self._banner)]
            self._banner_open = len(self._banner) < _MOST_BANNER
        if self._echo_wanted:
            self._echo += part.data[: _MOST_ECHO - len(self._echo)]
            if b"\n" in self._echo or len(self._echo) >= _MOST_ECHO:
                self._echo_wanted = False

    # what the user types

    def _type(self, part: Text) -> None:
        self._banner_open = False
        for line in self._typing.feed(part.data, part.raw, part.offset, part.place):
            self._enter(line)

    def _begin(self) -> bytes | None:
        """A line is begun; its echo is what the server sends from here on. Returns the server's last line."""
        self._dialogue.look()
        self._list()
        self._echo.clear()
        self._echo_wanted = True
        return self._dialogue.last_line()

    def _enter(self, line: Typed) -> None:
        self._list()
        if line.entered:
            self._lines += 1
        if self._dialogue.enter(line):
            self._echo_wanted = False
            return
        if line.entered and line.text.strip():
            self._waiting = line

    def _list(self) -> None:
        """The line before, now that its echo has come if it does."""
        line, self._waiting = self._waiting, None
        if line is None:
            return
        shown = self._dialogue.heard and line.complete and line.prompt is not None
        shown = shown and (not self._echoing or _is_in(line.text, bytes(self._echo.partition(b"\n")[0])))
        if len(self._commands) >= _MOST_COMMANDS or len(line.text) > self._room:
            self._listed_all = False
            return
        self._room -= len(line.text)
        self._commands.append(line.text.decode("latin-1") if shown else None)

    # Telnet itself

    def _option(self, to_server: bool, side: _Side, option: Option) -> None:
        if len(side.options) < _MOST_OPTIONS:
            side.options.append([options.verb(option.verb), options.name(option.number)])
        if not to_server and option.number == options.ECHO and option.verb in {WILL, WONT}:
            self._echoing = option.verb == WILL

    def _sub(self, to_server: bool, side: _Side, sub: Sub) -> None:
        if sub.number == options.AUTHENTICATION:
            self._authentication.said(to_server, sub)
        if sub.number == options.START_TLS:
            self._tls[to_server] = True
            if all(self._tls.values()):
                self._inner = self._sink.switch("tls")
        elif sub.number == options.ENCRYPT and sub.data[:1] == bytes((options.ENCRYPT_START,)):
            self._sink.weird("telnet-encrypted", sub.span)
            side.quiet = True
        elif sub.number == options.COMPRESS2 and not to_server:
            self._sink.weird("telnet-compressed", sub.span)
            side.quiet = True
        elif to_server:
            options.learn(sub.number, sub.data, self._told)
            user = self._told.get("user")
            if isinstance(user, str):
                self._dialogue.user_told = user

    def _login(self, request: Message, response: Message | None) -> int:
        self._handed += 1
        self._sink.record(Record("login", "telnet", self._handed, request, response))
        return self._handed


def _is_in(text: bytes, echo: bytes) -> bool:
    """Whether the characters of a line come in this order in the first line that the server sent after it was begun."""
    at = 0
    for byte in text:
        at = echo.find(byte, at) + 1
        if not at:
            return False
    return True

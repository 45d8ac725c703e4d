"""STOMP 1.0 to 1.2: logins with the server's verdict, messages and subscriptions; bodies are counted, not kept.

https://stomp.github.io/stomp-specification-1.2.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..handing import Handing, Login, shown, text
from ..stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink

_MOST_HEAD = 64 * 1024
_MOST_LENGTH = 1 << 32
_CONNECTS = frozenset({b"CONNECT", b"STOMP"})
_TOLD = {b"destination": "destination", b"content-type": "content_type", b"message": "message"}
_REFUSALS = (b"auth", b"login", b"password", b"credential", b"denied", b"access", b"user")


class _Frame:
    """A frame whose body has not come whole."""

    def __init__(self, command: bytes, headers: dict[bytes, tuple[bytes, int]], begin: Span) -> None:
        self.command = command
        self.headers = headers
        """Name: value, and where it stands in the stream."""
        self.begin = begin
        self.passed = 0
        length = headers.get(b"content-length", (b"", 0))[0].strip()
        known = length.isdigit() and len(length) < 11 and int(length) <= _MOST_LENGTH
        self.left: int | None = int(length) if known else None
        """Of a body whose length is known; else NUL ends it."""


class _Side:
    def __init__(self) -> None:
        self.buffer = StreamBuffer()
        self.frame: _Frame | None = None
        self.blank: bytes | None = None
        """How the head that has begun ends: lines end alike."""
        self.quiet = False


class Stomp:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._handing = Handing(sink, "stomp")
        self._sides = {True: _Side(), False: _Side()}
        self._login: Login | None = None

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        side = self._sides[to_server]
        if side.quiet:
            return
        side.buffer.feed(data, offset, place)
        while self._body(to_server, side) if side.frame else self._head(to_server, side):
            pass

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        side = self._sides[to_server]
        if side.quiet:
            return
        frame = side.frame
        side.buffer.gap(length, offset)
        if frame is not None and frame.left is not None and length <= frame.left:
            frame.left -= length
            frame.passed += length
            return
        self._sink.weird("stomp-gap", Span(place, offset, length))
        if frame is not None:
            self._take(to_server, side, frame, False)
        side.quiet = True

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        for to_server, side in self._sides.items():
            if side.frame is not None and not side.quiet:
                self._take(to_server, side, side.frame, False)
        if self._login is not None:
            self._handing.login(self._login)
            self._login = None

    def _head(self, to_server: bool, side: _Side) -> bool:
        """The command and the headers of the next frame, once they are whole."""
        if side.quiet:
            return False
        buffer = side.buffer
        while (first := buffer.peek(1)) in {b"\n", b"\r"}:
            buffer.skip(1)
        if not first:
            return False
        if side.blank is None:
            ended = buffer.find(b"\n", _MOST_HEAD)
            if ended >= 0:
                side.blank = b"\n\r\n" if buffer.peek(1, ended - 1) == b"\r" else b"\n\n"
        found = buffer.find(side.blank, _MOST_HEAD) if side.blank is not None else -1
        if found < 0 or side.blank is None:
            if len(buffer) >= _MOST_HEAD:
                self._sink.weird("stomp-long-head", buffer.span(_MOST_HEAD))
                side.quiet = True
            return False
        end = found + 1
        begin = buffer.span(1)
        head = buffer.peek(end)
        size = end + len(side.blank) - 1
        side.blank = None
        lines = head.split(b"\n")
        command = lines[0].rstrip(b"\r")
        if not command.isalpha() or not command.isupper() or len(command) > 16:
            self._sink.weird("stomp-malformed", begin)
            side.quiet = True
            return False
        headers: dict[bytes, tuple[bytes, int]] = {}
        at = begin.offset + len(lines[0]) + 1
        for line in lines[1:-1]:
            name, colon, value = line.rstrip(b"\r").partition(b":")
            if colon:
                headers.setdefault(name, (value, at + len(name) + 1))
            at += len(line) + 1
        if to_server and command in _CONNECTS:
            self._connect(headers, buffer, begin)
        buffer.skip(size)
        side.frame = _Frame(command, headers, begin)
        return True

    def _body(self, to_server: bool, side: _Side) -> bool:
        buffer, frame = side.buffer, side.frame
        assert frame is not None
        if not len(buffer):
            return False
        if frame.left:
            passed = min(frame.left, len(buffer))
            buffer.skip(passed)
            frame.left -= passed
            frame.passed += passed
            return True
        end = buffer.find(b"\0", len(buffer))
        passed = end if end >= 0 else len(buffer)
        buffer.skip(passed + (end >= 0))
        frame.passed += passed
        if end < 0:
            return False
        self._take(to_server, side, frame, True)
        return True

    def _take(self, to_server: bool, side: _Side, frame: _Frame, whole: bool) -> None:
        side.frame = None
        span = side.buffer.span_from(frame.begin)
        command = frame.command
        if to_server:
            if command in _CONNECTS and self._login is not None:
                self._login.span = span
            elif command in {b"SEND", b"SUBSCRIBE", b"UNSUBSCRIBE"}:
                kind = "publish" if command == b"SEND" else "subscribe"
                self._handing.record(kind, Message(span, self._fields(frame, whole)))
        elif command in {b"CONNECTED", b"ERROR"}:
            self._judge(frame, span, whole)
        elif command == b"MESSAGE":
            self._handing.record("publish", None, Message(span, self._fields(frame, whole)))

    def _fields(self, frame: _Frame, whole: bool) -> dict[str, Value]:
        fields: dict[str, Value] = {"command": frame.command.decode("ascii").lower()}
        for name, told in _TOLD.items():
            if name in frame.headers:
                shown(fields, told, frame.headers[name][0], _MOST_HEAD)
        if frame.command in {b"SEND", b"MESSAGE"}:
            fields["body_length"] = frame.passed
            if not whole:
                fields["body_complete"] = False
        return fields

    def _connect(self, headers: dict[bytes, tuple[bytes, int]], buffer: StreamBuffer, begin: Span) -> None:
        """CONNECT and STOMP: nothing in them is escaped."""
        if self._login is not None:
            self._handing.login(self._login)
        fields: dict[str, Value] = {}
        for name, told in ((b"accept-version", "accept_version"), (b"host", "virtual_host"), (b"login", "user")):
            if name in headers:
                shown(fields, told, headers[name][0], 1024)
        login = self._login = Login(begin, fields)
        secret, at = headers.get(b"passcode", (b"", 0))
        if secret:
            fields["secret"] = True
            user = text(headers[b"login"][0]) if b"login" in headers else None
            span = buffer.span_at(at, len(secret))
            login.sightings.append(Sighting("login", None, user, secret, secret, True, span, protocol="stomp"))

    def _judge(self, frame: _Frame, span: Span, whole: bool) -> None:
        login, self._login = self._login, None
        accepted = frame.command == b"CONNECTED"
        fields: dict[str, Value] = {"result": "ok" if accepted else "error"}
        for name in (b"version", b"server"):
            if name in frame.headers:
                shown(fields, "version" if name == b"version" else "server_version", frame.headers[name][0], 1024)
        said = frame.headers.get(b"message", (b"", 0))[0]
        if said and not any(one.secret in said for one in (login.sightings if login else ())):
            shown(fields, "message", said, 4096)
        if login is None:
            self._handing.record("login", None, Message(span, fields))
            return
        refused = any(word in said.lower() for word in _REFUSALS)
        self._handing.login(login, Message(span, fields), ACCEPTED if accepted else REFUSED if refused else UNKNOWN)

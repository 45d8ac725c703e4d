"""memcached: logins by SASL in the binary protocol, and by a first `set` in the text protocol, with the verdict.

Of other commands nothing is told: keys and values may be anything.
https://github.com/memcached/memcached/wiki/BinaryProtocolRevamped, .../wiki/SASLAuthProtocol, .../doc/protocol.txt
("Authentication")
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..handing import Handing, Login, shown, text
from ..sasl.mechanisms import Mechanism
from ..sql.packets import Framer, Packet
from ..stream_buffer import StreamBuffer
from .probe import HEADER, SET, header

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.record import Value
    from ..api import Sink

_AUTH, _STEP = 0x21, 0x22
_FAILED = 0x20
_GOES_ON = 0x21
_MOST_LINE = 512


class BinaryFramer(Framer):
    """Messages of the binary protocol in one direction."""

    header = HEADER

    def __init__(self, take: Callable[[Packet], None], magic: int) -> None:
        super().__init__(take)
        self._magic = magic
        self.status = 0
        self.skip_to = 0
        """Where the value begins in the body."""

    def measure(self, head: bytes) -> tuple[int, int, bool] | None:
        """The operation's number."""
        length = header(head, self._magic)
        if length < 0:
            return None
        self.status = int.from_bytes(head[6:8], "big")
        self.skip_to = head[4]
        self.key = int.from_bytes(head[2:4], "big")
        return head[1], length, False

    def find(self, tail: bytes, anchor: int) -> tuple[int, bool]:
        """Nothing is looked for."""
        return len(tail), False

    key = 0
    """Bytes of the key."""


class Memcached:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._handing = Handing(sink, "memcached")
        self._framers = {True: BinaryFramer(self._said, 0x80), False: BinaryFramer(self._answered, 0x81)}
        self._lines: dict[bool, StreamBuffer] | None = None
        self._begun = False
        self._quiet = False
        self._login: Login | None = None
        self._mechanism: Mechanism | None = None

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        if self._quiet or not data:
            return
        if not self._begun and to_server:
            self._begun = True
            self._lines = None if data[0] == 0x80 else {True: StreamBuffer(), False: StreamBuffer()}
        if self._lines is None:
            self._framers[to_server].feed(data, offset, place)
            return
        self._lines[to_server].feed(data, offset, place)
        self._line(to_server, self._lines[to_server])

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        if self._quiet:
            return
        if self._lines is not None:
            self._quiet = True
            self._finish(None, UNKNOWN)
            return
        framer = self._framers[to_server]
        before = framer.synced
        framer.gap(length, offset)
        if before and not framer.synced:
            self._sink.weird("memcached-gap", Span(place, offset, length))

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        self._finish(None, UNKNOWN)
        self._quiet = True

    # The text protocol: its first command may be a login.

    def _line(self, to_server: bool, buffer: StreamBuffer) -> None:
        if to_server and self._login is None:
            end = buffer.find(b"\n", _MOST_LINE)
            if end < 0:
                self._quiet = len(buffer) >= _MOST_LINE
                return
            match = SET.match(buffer.peek(end + 1))
            if match is None:
                self._quiet = True
                return
            size = int(match[1])
            if len(buffer) < end + 1 + size + 2:
                return
            self._set(buffer, end + 1, size)
        elif not to_server and self._login is not None:
            end = buffer.find(b"\n", _MOST_LINE)
            if end < 0 and len(buffer) < _MOST_LINE:
                return
            said = buffer.peek(max(end, 0)).rstrip(b"\r")
            accepted = said == b"STORED"
            fields: dict[str, Value] = {"result": "ok" if accepted else "error"}
            shown(fields, "message", said, _MOST_LINE)
            refused = said.startswith(b"CLIENT_ERROR authentication")
            outcome = ACCEPTED if accepted else REFUSED if refused else UNKNOWN
            self._finish(Message(buffer.span(end + 1), fields), outcome)
            self._quiet = True

    def _set(self, buffer: StreamBuffer, begin: int, size: int) -> None:
        """`set key flags time size`, and in its value "user password"."""
        span = buffer.span(begin + size + 2)
        user, blank, secret = buffer.peek(size, begin).partition(b" ")
        login = self._login = Login(span, {"mechanism": "set"})
        if not blank or not user or not secret:
            self._quiet = True
            self._login = None
            return
        shown(login.fields, "user", user, 250)
        login.fields["secret"] = True
        place = buffer.span_at(span.offset + begin + len(user) + 1, len(secret))
        one = Sighting("login", None, text(user), secret, secret, True, place, protocol="memcached")
        login.sightings.append(one)

    # The binary protocol

    def _said(self, packet: Packet) -> None:
        if packet.tag not in {_AUTH, _STEP}:
            return
        framer = self._framers[True]
        key = framer.key
        name = packet.body[framer.skip_to : framer.skip_to + key]
        begin = framer.skip_to + key
        if packet.tag == _AUTH:
            self._finish(None, UNKNOWN)
            self._login = Login(packet.span, {"mechanism": name[:64].decode("latin-1")})
            self._mechanism = Mechanism(name[:64].decode("latin-1"))
        login, mechanism = self._login, self._mechanism
        if login is None or mechanism is None:
            return
        login.reach(packet.span)
        value = packet.body[begin:]
        if not value:
            return
        found = mechanism.client(value, value, packet.part(begin, begin + len(value)), packet.complete)
        if mechanism.user:
            shown(login.fields, "user", mechanism.user, 1024)
        if found is not None:
            if found.form != "hash":
                login.fields["secret"] = True
            login.sightings.append(found.sighting("memcached", UNKNOWN, 0))

    def _answered(self, packet: Packet) -> None:
        if packet.tag not in {_AUTH, _STEP} or self._login is None:
            return
        framer = self._framers[False]
        status = framer.status
        if status == _GOES_ON:
            if self._mechanism is not None:
                self._mechanism.server(packet.body[framer.skip_to + framer.key :])
            return
        fields: dict[str, Value] = {"result": "error" if status else "ok", "code": status}
        outcome = ACCEPTED if not status else REFUSED if status == _FAILED else UNKNOWN
        self._finish(Message(packet.span, fields), outcome)

    def _finish(self, response: Message | None, outcome: str) -> None:
        login, self._login, self._mechanism = self._login, None, None
        if login is not None:
            self._handing.login(login, response, outcome)

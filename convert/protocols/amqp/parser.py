"""AMQP 0-9-1 and 1.0: logins by SASL with the server's verdict, and to where messages are published.

What messages hold is not kept. Where bytes are missing between frames, what follows in that direction is not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..handing import Handing, Login, shown, text
from ..sasl.mechanisms import Mechanism
from ..sql.packets import Framer, Packet
from .methods import close, mechanisms, performative, published, start_ok, table
from .probe import HEADERS

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.record import Value
    from ..api import Sink

_METHOD, _END = 1, 0xCE
_START, _START_OK, _SECURE, _SECURE_OK, _TUNE, _CLOSE = 10, 11, 20, 21, 30, 50
_PUBLISH, _DELIVER = 0x003C0028, 0x003C003C
_SASL_FRAME = 1
_MECHANISMS, _INIT, _CHALLENGE, _RESPONSE, _OUTCOME = 0x40, 0x41, 0x42, 0x43, 0x44
_LONGEST_FRAME = 1 << 30
_HEADER = 0x100
"""Tag of a header: AMQP and a version."""


class AmqpFramer(Framer):
    """Frames in one direction, behind the header."""

    def __init__(self, take: Callable[[Packet], None]) -> None:
        super().__init__(take)
        self.header = 8

    def measure(self, head: bytes) -> tuple[int, int, bool] | None:
        """A header, or a frame of either version: 0-9-1 has 7 bytes and an octet behind its body."""
        if self.header == 7:
            length = int.from_bytes(head[3:], "big") + 1
            return (head[0], length, False) if head[0] in {1, 2, 3, 8} and length <= _LONGEST_FRAME else None
        if head[:4] == b"AMQP":
            return _HEADER + HEADERS[head] if head in HEADERS else _HEADER + 2, 0, False
        length = int.from_bytes(head[:4], "big") - 8
        return (head[5], length, False) if 0 <= length <= _LONGEST_FRAME and head[4] >= 2 else None

    def find(self, tail: bytes, anchor: int) -> tuple[int, bool]:
        """Nothing is looked for: a frame could be anything."""
        return len(tail), False


class Amqp:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._handing = Handing(sink, "amqp")
        self._client, self._server = AmqpFramer(self._said), AmqpFramer(self._answered)
        self._login: Login | None = None
        self._mechanism: Mechanism | None = None
        self._offered = b""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        (self._client if to_server else self._server).feed(data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        framer = self._client if to_server else self._server
        before = framer.synced
        framer.gap(length, offset)
        if before and not framer.synced:
            self._sink.weird("amqp-gap", Span(place, offset, length))

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        rest = self._client.rest()
        if rest is not None and rest.body:
            self._said(rest)
        self._judge(None, {}, UNKNOWN)

    # The client

    def _said(self, packet: Packet) -> None:
        if packet.tag >= _HEADER:
            if packet.tag == _HEADER:
                self._client.header = self._server.header = 7
            return
        if self._client.header == 8:
            if packet.tag == _SASL_FRAME:
                self._said_sasl(packet)
            return
        number = self._method(packet)
        if number == (10 << 16 | _START_OK):
            self._start(packet)
        elif number == (10 << 16 | _SECURE_OK) and self._login is not None:
            size = int.from_bytes(packet.body[4:8], "big")
            self._respond(packet, packet.body[8 : 8 + size], 8, 8 + size <= len(packet.body))
        elif number == _PUBLISH:
            self._published(packet, True)

    def _method(self, packet: Packet) -> int:
        """Class and number of a method of 0-9-1; 0 of other frames."""
        if packet.tag != _METHOD:
            return 0
        if packet.complete and packet.body[-1:] != bytes([_END]):
            self._sink.weird("amqp-bad-frame", packet.span)
        return int.from_bytes(packet.body[:4], "big")

    def _start(self, packet: Packet) -> None:
        told = start_ok(packet)
        if told is None:
            return
        self._begin(packet, told.mechanism)
        if told.mechanism.upper() == b"AMQPLAIN":
            self._amqplain(packet, told.response, told.begin)
        else:
            self._respond(packet, told.response, told.begin, told.whole)

    def _begin(self, packet: Packet, name: bytes) -> None:
        self._judge(None, {}, UNKNOWN)
        self._login = Login(packet.span, {"mechanism": name[:64].decode("latin-1")})
        self._mechanism = Mechanism(name[:64].decode("latin-1"))

    def _amqplain(self, packet: Packet, response: bytes, begin: int) -> None:
        assert self._login is not None
        found = table(response)
        user, _ = found.get(b"LOGIN", (b"", 0))
        if user:
            shown(self._login.fields, "user", user, 1024)
        secret, at = found.get(b"PASSWORD", (b"", 0))
        if secret:
            self._login.fields["secret"] = True
            span = packet.part(begin + at, begin + at + len(secret))
            details: dict[str, Value] = {"mechanism": "AMQPLAIN"}
            one = Sighting("auth-amqplain", None, text(user), secret, secret, True, span, protocol="amqp")
            one.details = details
            self._login.sightings.append(one)

    def _respond(self, packet: Packet, response: bytes, begin: int, whole: bool) -> None:
        """A message of the mechanism's."""
        login, mechanism = self._login, self._mechanism
        if login is None or mechanism is None:
            return
        if packet.span != login.span:
            login.reach(packet.span)
        span = packet.part(begin, begin + len(response))
        found = mechanism.client(response, response, span, whole and packet.complete)
        if mechanism.user:
            shown(login.fields, "user", mechanism.user, 1024)
        if found is not None:
            if found.form != "hash":
                login.fields["secret"] = True
            login.sightings.append(found.sighting("amqp", UNKNOWN, 0))

    def _said_sasl(self, packet: Packet) -> None:
        told = performative(packet)
        if told is None or not told.fields:
            return
        if told.code == _INIT:
            self._begin(packet, told.fields[0][0])
            if len(told.fields) > 1:
                self._respond(packet, *told.fields[1], True)
        elif told.code == _RESPONSE:
            self._respond(packet, *told.fields[0], True)

    # The server

    def _answered(self, packet: Packet) -> None:
        if packet.tag >= _HEADER:
            return
        if self._server.header == 8:
            if packet.tag == _SASL_FRAME:
                self._answered_sasl(packet)
            return
        number = self._method(packet)
        if number >> 16 == 10:
            self._connection(number & 0xFFFF, packet)
        elif number == _DELIVER:
            self._published(packet, False)

    def _connection(self, number: int, packet: Packet) -> None:
        if number == _START:
            self._offered = mechanisms(packet)
        elif number == _SECURE and self._mechanism is not None:
            self._mechanism.server(packet.body[8:-1])
        elif number == _TUNE:
            self._judge(packet.span, {"result": "ok"}, ACCEPTED)
        elif number == _CLOSE and self._login is not None:
            told = close(packet) or (0, b"")
            fields: dict[str, Value] = {"result": "error", "code": told[0]}
            shown(fields, "message", told[1], 1024)
            self._judge(packet.span, fields, REFUSED if told[0] == 403 else UNKNOWN)

    def _answered_sasl(self, packet: Packet) -> None:
        told = performative(packet)
        if told is None:
            return
        first = told.fields[0][0] if told.fields else b""
        if told.code == _CHALLENGE and self._mechanism is not None:
            self._mechanism.server(first)
        elif told.code == _MECHANISMS:
            self._offered = first
        elif told.code == _OUTCOME:
            code = int.from_bytes(first, "big")
            fields: dict[str, Value] = {"result": "error" if code else "ok", "code": code}
            self._judge(packet.span, fields, ACCEPTED if not code else REFUSED if code == 1 else UNKNOWN)

    def _judge(self, span: Span | None, fields: dict[str, Value], outcome: str) -> None:
        """The server has decided, or will not any more."""
        login, self._login, self._mechanism = self._login, None, None
        if login is not None:
            if span is not None and self._offered:
                shown(fields, "mechanisms", self._offered, 1024)
            self._handing.login(login, Message(span, fields) if span is not None else None, outcome)

    def _published(self, packet: Packet, to_server: bool) -> None:
        told = published(packet, not to_server)
        if told is not None:
            fields: dict[str, Value] = {"command": "publish" if to_server else "deliver"}
            shown(fields, "exchange", told[0], 256)
            shown(fields, "routing_key", told[1], 256)
            message = Message(packet.span, fields)
            self._handing.record("publish", message if to_server else None, None if to_server else message)

"""MQTT: logins with the server's verdict, subscriptions and their answers, and what is published to which topic.

Payloads are counted and not kept. Where bytes are missing, or the capture begins in the middle, the next CONNECT is
looked for: nothing else of MQTT is unmistakable.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message
from ...model.sighting import ACCEPTED, REFUSED, UNKNOWN, Sighting
from ...model.span import Span
from ..handing import Handing, Login, text
from ..stream_buffer import StreamBuffer
from . import packets

if TYPE_CHECKING:
    from ..api import Sink

_MOST_CONNECT = 512 * 1024
"""Five fields of 64 KiB each at most, and properties."""
_MOST_OTHER = 132 * 1024
"""A topic and properties; a list of topics is told as far as it goes."""
_MOST_WAITING = 256


class _Side:
    """One direction."""

    def __init__(self) -> None:
        self.buffer = StreamBuffer()
        self.synced = False
        self.packet: tuple[int, int, int, Span] | None = None
        """Flags and type, bytes of the header, bytes behind it, and where a packet begins that has not come whole."""
        self.publish: Message | None = None
        """One whose payload has not come whole."""


class Mqtt:
    """One conversation's parser."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._handing = Handing(sink, "mqtt")
        self._client, self._server = _Side(), _Side()
        self._version = 4
        self._login: Login | None = None
        self._asked: dict[tuple[int, int], Message] = {}
        """SUBSCRIBE and UNSUBSCRIBE by the type of the answer and the packet's number."""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """See api.Parser."""
        side = self._client if to_server else self._server
        side.buffer.feed(data, offset, place)
        self._pass(side, to_server)
        while self._step(side, to_server):
            pass

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """See api.Parser."""
        side = self._client if to_server else self._server
        if side.synced and side.packet is not None:
            self._cut(side, to_server)
        known = side.buffer.gap(length, offset)
        self._pass(side, to_server)
        if not known and side.synced:
            self._sink.weird("mqtt-gap", Span(place, offset, length))
            side.synced, side.packet = False, None

    def close(self, ended: bool = True) -> None:
        """See api.Parser."""
        for to_server, side in ((True, self._client), (False, self._server)):
            if side.synced and side.packet is not None:
                self._cut(side, to_server)
            self._pass(side, to_server, True)
        self._flush()

    def _flush(self) -> None:
        if self._login is not None:
            login, self._login = self._login, None
            self._handing.login(login)
        for asked in self._asked.values():
            self._handing.record("subscribe", asked)
        self._asked.clear()

    def _pass(self, side: _Side, to_server: bool, over: bool = False) -> None:
        """Hand out what was published, when its payload has passed."""
        message, buffer = side.publish, side.buffer
        if message is None or (buffer.skipping and not over):
            return
        side.publish = None
        if buffer.skipping:
            message.span = Span(message.span.place, message.span.offset, buffer.at - message.span.offset)
        self._handing.record("publish", message if to_server else None, None if to_server else message)

    # Packets

    def _step(self, side: _Side, to_server: bool) -> bool:
        """Take the next packet; returns whether there may be another."""
        buffer = side.buffer
        if buffer.skipping or not len(buffer):
            return False
        if not side.synced and not self._search(side, to_server):
            return False
        if side.packet is None:
            told = packets.header(buffer.peek(5))
            if told is None or not buffer.peek(1)[0] >> 4:
                self._sink.weird("mqtt-malformed", buffer.span(1))
                side.synced = False
                return True
            if not told[0]:
                return False
            side.packet = buffer.peek(1)[0], told[0], told[1], buffer.span(told[0] + told[1])
        first, head, length, span = side.packet
        most = _MOST_CONNECT if first >> 4 == packets.CONNECT else _MOST_OTHER
        kept = min(length, most)
        if first >> 4 == packets.PUBLISH:
            kept = min(kept, self._before_payload(side, head))
        if len(buffer) < head + kept:
            return False
        side.packet = None
        body = buffer.peek(kept, head)
        # Where the password is has to be said while its bytes are held.
        self._take(to_server, first, body, length, span, side)
        buffer.skip(head + length)
        self._pass(side, to_server)
        return True

    def _before_payload(self, side: _Side, head: int) -> int:
        """How many bytes of a PUBLISH are looked at: its topic, its number and properties."""
        size = int.from_bytes(side.buffer.peek(2, head), "big") if len(side.buffer) >= head + 2 else 0
        most = size + 4
        if self._version == 5:
            told = packets.header(b"\0" + side.buffer.peek(4, head + most))
            most += told[0] - 1 + told[1] if told is not None and told[0] else 4
        return most

    def _search(self, side: _Side, to_server: bool) -> bool:
        """Find a CONNECT; of the server's bytes none is unmistakable."""
        buffer = side.buffer
        if not to_server:
            buffer.clear()
            return False
        held = buffer.peek(len(buffer))
        for match in packets.NAMES.finditer(held):
            if packets.begins(held, match.start()):
                buffer.skip(match.start())
                side.synced = True
                return True
        buffer.skip(max(len(held) - packets.LONGEST_BEGIN, 0))
        return False

    def _cut(self, side: _Side, to_server: bool) -> None:
        """The rest of a packet is not in the capture."""
        assert side.packet is not None
        first, head, length, span = side.packet
        side.packet = None
        if first >> 4 == packets.CONNECT:
            body = side.buffer.peek(min(len(side.buffer) - head, _MOST_CONNECT), head)
            self._take(to_server, first, body, length, Span(span.place, span.offset, head + len(body)), side)

    def _take(self, to_server: bool, first: int, body: bytes, length: int, span: Span, side: _Side) -> None:
        kind = first >> 4
        if kind == packets.PUBLISH:
            side.publish = Message(span, packets.publish(first & 15, body, length, self._version))
        elif to_server:
            self._said(kind, body, span, side)
        elif kind == packets.CONNACK:
            self._judge(body, span)
        elif kind in {packets.SUBACK, packets.UNSUBACK}:
            asked = self._asked.pop((kind, int.from_bytes(body[:2], "big")), None)
            self._handing.record("subscribe", asked, Message(span, packets.codes(body, self._version)))

    # The client

    def _said(self, kind: int, body: bytes, span: Span, side: _Side) -> None:
        if kind == packets.CONNECT:
            self._connect(body, span, side)
        elif kind in {packets.SUBSCRIBE, packets.UNSUBSCRIBE}:
            number, fields = packets.topics(kind, body, self._version)
            word = "subscribe" if kind == packets.SUBSCRIBE else "unsubscribe"
            message = Message(span, {"command": word, "packet_id": number, **fields})
            before = self._asked.pop((kind + 1, number), None)
            if before is None and len(self._asked) >= _MOST_WAITING:
                before = self._asked.pop(next(iter(self._asked)))
            if before is not None:
                self._handing.record("subscribe", before)
            self._asked[kind + 1, number] = message

    def _connect(self, body: bytes, span: Span, side: _Side) -> None:
        self._flush()
        told = packets.Connect(body)
        self._version = told.version
        if not self._server.synced:  # CONNACK is the first that a server says
            self._server.synced, self._server.packet = True, None
        login = self._login = Login(span, told.fields)
        if told.password is not None:
            data, begin, whole = told.password
            at = span.offset + span.length - len(body) + begin
            place = side.buffer.span_at(at, len(data))
            who = text(told.user) if told.user else None
            login.sightings.append(Sighting("login", None, who, data, data, whole, place, protocol="mqtt"))

    # The server

    def _judge(self, body: bytes, span: Span) -> None:
        told = packets.connack(body, self._version)
        if told is None:
            return
        fields, code = told
        login, self._login = self._login, None
        if login is None:
            self._handing.record("login", None, Message(span, fields))
            return
        outcome = ACCEPTED if not code else REFUSED if code in packets.REFUSING else UNKNOWN
        self._handing.login(login, Message(span, fields), outcome)

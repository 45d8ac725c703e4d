"""SIP (RFC 3261) over UDP, where a datagram is a message, and over TCP, where lengths divide them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...model.span import Span
from ..stream_buffer import StreamBuffer
from .dialogue import Dialogue

if TYPE_CHECKING:
    from ..api import Sink

_FIRST = re.compile(rb"(?:[!-~]{1,64} [!-~]{1,4096} SIP/2\.0|SIP/2\.0 [1-6][0-9]{2}(?: [^\r\n]*)?)\r?\n")
_LONGEST_LINE = 8192
_LONGEST_HEAD = 1 << 16
_ALIVE = b"\r\n\0"
_MOST_DIGITS = 10


class SipDatagrams:
    """SIP over UDP: each call brings one message."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._dialogue = Dialogue(sink)

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """A datagram."""
        message = bytes(data)
        begin = len(message) - len(message.lstrip(_ALIVE))
        if begin == len(message):
            return

        def where(at: int, length: int) -> Span:
            return Span(place, offset + begin + at, length)

        if self._dialogue.heard(to_server, message[begin:], where) is None:
            self._sink.weird("sip-malformed", where(0, len(message) - begin))

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """A datagram that is not known, or the rest of one: what was read of it stands."""

    def close(self, ended: bool = True) -> None:
        """Hand out what waits."""
        self._dialogue.close()


class _Side:
    """One direction of a stream."""

    def __init__(self) -> None:
        self.buffer = StreamBuffer()
        self.begun = False
        """A message's first line is next."""
        self.odd = False
        """Lines that are none were told of."""


class SipStream:
    """SIP over TCP: heads that end with an empty line, bodies as long as they say."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._dialogue = Dialogue(sink)
        self._sides = {True: _Side(), False: _Side()}

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction, however they are cut."""
        side = self._sides[to_server]
        side.buffer.feed(data, offset, place)
        while self._seek(side) and self._head(to_server, side):
            pass

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that are not known: of a body, or the way is found again at the next first line."""
        side = self._sides[to_server]
        self._rest(to_server, side)
        if not side.buffer.gap(length, offset):
            side.begun, side.odd = False, True

    def close(self, ended: bool = True) -> None:
        """Hand out what waits, also what has begun."""
        for to_server, side in self._sides.items():
            self._rest(to_server, side)
        self._dialogue.close()

    def _seek(self, side: _Side) -> bool:
        """Pass over lines until one begins a message."""
        buffer = side.buffer
        while not side.begun:
            end = buffer.find(b"\n", _LONGEST_LINE)
            if end < 0:
                if len(buffer) >= _LONGEST_LINE:
                    buffer.take(_LONGEST_LINE)
                    continue
                return False
            line = buffer.peek(end + 1)
            if _FIRST.fullmatch(line):
                side.begun, side.odd = True, False
                break
            if line.strip(_ALIVE) and not side.odd:
                side.odd = True
                self._sink.weird("sip-malformed", buffer.span(end + 1))
            buffer.take(end + 1)
        return True

    def _head(self, to_server: bool, side: _Side) -> bool:
        """Read a head that is here as a whole; False where it has to wait."""
        buffer = side.buffer
        end = buffer.find(b"\n\r\n", _LONGEST_HEAD)
        if end < 0 and len(buffer) < _LONGEST_HEAD:
            return False
        size = end + 3 if end >= 0 else _LONGEST_HEAD
        length = self._tell(to_server, side, size)
        if end < 0:
            self._sink.weird("sip-too-long", buffer.span(size))
        buffer.take(size)
        side.begun, side.odd = False, end < 0
        buffer.skip(length)
        return True

    def _tell(self, to_server: bool, side: _Side, size: int) -> int:
        """Hand out a head of so many bytes, and return how long its body is."""
        buffer = side.buffer
        at = buffer.at

        def where(begin: int, length: int) -> Span:
            return buffer.span_at(at + begin, length)

        head = self._dialogue.heard(to_server, buffer.peek(size), where)
        told = (head.first("content-length") or "") if head is not None else ""
        return int(told) if told.isdecimal() and told.isascii() and len(told) < _MOST_DIGITS else 0

    def _rest(self, to_server: bool, side: _Side) -> None:
        """Take what is there of a head whose end is not."""
        if side.begun:
            self._tell(to_server, side, len(side.buffer))
            side.buffer.clear()
            side.begun = False

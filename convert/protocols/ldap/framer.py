"""One direction of LDAP: one message behind the other, and, behind a SASL layer, buffers that cannot be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..asn1 import ber
from ..stream_buffer import StreamBuffer
from .messages import HEAD, Envelope, envelope, well_formed

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.span import Span

HELD = 1 << 16
"""Bytes of a message that are held; the rest of a longer one is passed over."""
_LONGEST = 1 << 28
_LONGEST_LAYER = 1 << 24
"""Bytes of a buffer of a SASL layer (RFC 4422, 3.7)."""
_WRAPPED = 4


class Framer:
    """Cuts a stream into messages. Behind a loss the next call has to begin with one that is whole and well formed."""

    def __init__(self, heard: Callable[[bytes, Envelope, Span], None], lost: Callable[[str, Span], None]) -> None:
        self.buffer = StreamBuffer()
        self.paused = False
        """What follows may be another protocol's: it is held."""
        self.layered = False
        """A SASL layer may have begun."""
        self._heard = heard
        self._weird = lost
        self._lost = False
        self._doubted = False

    def feed(self, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """The next bytes."""
        if self._lost:
            if not boundary:
                return
            self._lost, self._doubted = False, True
            self.buffer.clear()
        self.buffer.feed(data, offset, place)
        self.run()

    def run(self) -> None:
        """Hand out every message that is here."""
        buffer = self.buffer
        while not self.paused and len(buffer):
            head = buffer.peek(HEAD)
            if self.layered and head[0] != ber.SEQUENCE:
                if len(head) < _WRAPPED:
                    return
                size = int.from_bytes(head[:_WRAPPED], "big")
                if size > _LONGEST_LAYER:
                    self._lose(False)
                    return
                buffer.skip(_WRAPPED + size)
                continue
            size = ber.measure(head[:10]) if head[0] == ber.SEQUENCE else ber.NO
            if size == ber.UNDECIDED or (len(head) < min(size, HEAD)):
                return
            held = min(size, HELD)
            if not 0 < size <= _LONGEST or (len(buffer) < held and envelope(head) is None):
                self._lose(True)
                return
            if len(buffer) < held:
                return
            span = buffer.span(size)
            data = buffer.peek(held)
            found = envelope(data)
            if found is None or (found.complete and not well_formed(data, found)):
                if self._doubted or found is None:
                    self._lose(found is None or not self._doubted)
                    return
                self._weird("ldap-malformed", span)
                buffer.skip(size)
                continue
            if self._doubted and not found.complete:
                self._lose(False)
                return
            self._doubted = False
            buffer.skip(size)
            self._heard(data, found, span)

    def gap(self, length: int, offset: int) -> None:
        """Bytes that are not known. What was begun before them is handed out as far as it goes."""
        self.rest()
        if not self.buffer.gap(length, offset):
            self._lost = True

    def rest(self) -> None:
        """Hand out a message whose end is missing."""
        buffer = self.buffer
        if self._lost or self._doubted or self.paused or not len(buffer):
            return
        data = buffer.peek(HELD)
        found = envelope(data) if data[0] == ber.SEQUENCE else None
        span = buffer.span(len(data))
        buffer.clear()
        if found is not None and not found.complete:
            self._heard(data, found, span)

    def _lose(self, told: bool) -> None:
        if told:
            self._weird("ldap-lost", self.buffer.span(1))
        self._lost = True
        self.buffer.clear()

"""TLS's record layer in one direction, as long as it can be read (RFC 8446 section 5): bounded, and over gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ..stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from ...model.span import Span

CHANGE, ALERT, HANDSHAKE, APPLICATION, HEARTBEAT = 20, 21, 22, 23, 24
OLD = 0x80
"""Not of the record layer: a hello in the format of SSL 2."""
BROKEN = -1
"""What comes is no record."""
_LONGEST = (1 << 14) + 2048
KEPT = 1 << 16
"""Bytes of one handshake message that are kept: more than any hello has; of a chain the first certificate is there."""
_RECORDS = 1 << 16
"""Records that are looked into: a hello may come in records of one byte, but not everything."""
_MESSAGES = frozenset({0, 1, 2, 4, 6, 11, 12, 13, 14, 15, 16, 22})
"""Types of handshake messages that pass in the clear."""
_TYPES = range(CHANGE, HEARTBEAT + 1)
_FIRST = 64
"""Bytes of an alert or heartbeat that are kept."""


class Found(NamedTuple):
    """A handshake message, or another record."""

    kind: int
    """CHANGE, ALERT, HANDSHAKE ..., OLD or BROKEN."""
    message: int
    """The type of a handshake message; of another record its length."""
    body: bytes
    complete: bool
    begin: Span
    """Where the record begins."""
    end: int
    """Stream offset behind it."""


class Records:
    """One direction. The owner calls `next` until it says None, and stops to feed when it has seen enough."""

    def __init__(self) -> None:
        self._in = StreamBuffer()
        self._first = True
        self._seen = 0
        self._kind = 0  # of the record that is being read
        self._left = 0  # of it
        self._size = 0
        self._begin: Span | None = None  # of that record
        self._missing = False  # in the message that is being read
        self._doubted = False  # where the next message begins is not known
        self._head = bytearray()  # of a handshake message: its type and length, and what is kept of its body
        self._wanted = 0  # of its body, still to come
        self._message: Span | None = None

    def feed(self, data: bytes, offset: int, place: object) -> None:
        """The bytes that follow."""
        self._in.feed(data, offset, place)

    def stop(self) -> None:
        """Throw away what is held."""
        self._in.clear()
        self._head.clear()

    def gap(self, length: int, offset: int) -> Found | None:
        """Bytes that are not known. Returns BROKEN where it is no longer known where records begin."""
        buffer = self._in
        at = buffer.span(0)
        if self._first or self._begin is None or len(buffer) or length > self._left:
            buffer.gap(length, offset)
            return Found(BROKEN, 0, b"", False, at, offset)
        buffer.gap(length, offset)
        self._left -= length
        if self._kind != HANDSHAKE:
            self._missing = True
        elif length <= self._wanted and len(self._head) >= 4:
            self._missing = True
            self._wanted -= length
            if not self._wanted:
                return self._whole()
        else:
            self._doubted = True
        return None

    def next(self) -> Found | None:
        """What is whole; of what is longer than is kept, the first part."""
        if self._first:
            old = self._old()
            if old is not None:
                return old
        if self._first:
            return None
        while True:
            if not self._left:
                if self._begin is not None and self._kind != HANDSHAKE:
                    found = self._record(True)
                    self._begin = None
                    return found
                if len(self._in) < 5:
                    return None
                if not self._header():
                    return Found(BROKEN, 0, b"", False, self._in.span(0), self._in.at)
                continue
            if self._kind == HANDSHAKE:
                whole = self._handshake()
                if whole is not None:
                    return whole
            else:
                part = self._in.take(self._left)
                self._left -= len(part)
                self._head += part[: max(_FIRST - len(self._head), 0)]
            if self._left:
                return None

    def rest(self) -> Found | None:
        """The message that was begun, at the end of all."""
        if self._message is None or len(self._head) < 4:
            return None
        found = Found(HANDSHAKE, self._head[0], bytes(self._head[4:]), False, self._message, self._in.at)
        self._message = None
        return found

    def _header(self) -> bool:
        head = self._in.peek(5)
        size = int.from_bytes(head[3:], "big")
        self._seen += 1
        if self._seen > _RECORDS or head[0] not in _TYPES or head[1] != 3 or head[2] > 4 or size > _LONGEST:
            return False
        self._begin = self._in.span(5 + size)
        self._in.take(5)
        if head[0] != HANDSHAKE or self._kind != HANDSHAKE:
            self._head.clear()
            self._wanted = 0
            self._message = None
            self._missing = False
        elif self._doubted:
            self._head.clear()
            self._message = None
        self._kind, self._size, self._left = head[0], size, size
        return True

    def _record(self, complete: bool) -> Found:
        begin = self._begin
        assert begin is not None
        body = bytes(self._head)
        self._head.clear()
        return Found(self._kind, self._size, body, complete and not self._missing, begin, self._in.at)

    def _handshake(self) -> Found | None:
        """Take what is there of the message; where its beginning is lost, of the whole record."""
        head = self._head
        if self._doubted and self._left == self._size:
            begin = self._in.peek(min(4, self._left))
            if len(begin) < min(4, self._left):
                return None
            self._doubted = not (len(begin) == 4 and begin[0] in _MESSAGES and begin[1] < 2)
        if self._doubted:
            self._left -= len(self._in.take(self._left))
            return None
        while self._left and len(self._in):
            if not head:
                self._message = self._begin
                self._missing = False
            if len(head) < 4:
                part = self._in.take(min(4 - len(head), self._left))
                self._left -= len(part)
                head += part
                if len(head) < 4:
                    continue
                self._wanted = int.from_bytes(head[1:4], "big")
            part = self._in.take(min(self._wanted, self._left))
            self._left -= len(part)
            self._wanted -= len(part)
            room = KEPT + 4 - len(head)
            if len(part) > room or self._missing:
                part = b"" if self._missing else part[:room]
                self._missing = True
            head += part
            if not self._wanted:
                return self._whole()
        return None

    def _whole(self) -> Found:
        head = self._head
        assert self._message is not None
        found = Found(HANDSHAKE, head[0], bytes(head[4:]), not self._missing, self._message, self._in.at)
        head.clear()
        self._message = None
        return found

    def _old(self) -> Found | None:
        """Whether the stream begins with a hello of SSL 2, which has no record layer: two bytes of length before it."""
        head = self._in.peek(3)
        if not head:
            return None
        if head[0] & 0x80 == 0:
            self._first = False
            return None
        if len(head) < 3:
            return None
        size = (head[0] & 0x7F) << 8 | head[1]
        if head[2] not in (1, 4) or size < 11:
            self._first = False
            return None
        if len(self._in) < 2 + size:
            return None
        begin = self._in.span(2 + size)
        self._in.take(2)
        body = self._in.take(size)
        self._first = False
        return Found(OLD, body[0], body, True, begin, self._in.at)

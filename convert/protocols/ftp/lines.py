"""Lines of an FTP control connection and the replies they make (RFC 959, 4 and 5; RFC 854 for what is Telnet)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from ...model.span import Span
from ..stream_buffer import StreamBuffer

if TYPE_CHECKING:
    from ...model.record import Value

MOST_LINE = 64 * 1024
MOST_TEXT = 64 * 1024
"""Kept of one reply, all its lines together."""
_IAC = re.compile(rb"\xff(?:[\xfb-\xfe].|[\xf0-\xfa]|(\xff))", re.DOTALL)
_CODE = re.compile(rb"([1-9][0-9]{2})(?:([ \-])|\Z)?")


class Line(msgspec.Struct, gc=False):
    """One line without its end and without what is Telnet's."""

    data: bytes
    raw: bytes
    """With Telnet's commands in it, which may stand before or within."""
    span: Span
    """With its end."""
    complete: bool


class Lines:
    """One direction. Feed it, then take lines with `next` until it says None."""

    def __init__(self, begins: re.Pattern[bytes]) -> None:
        self.buffer = StreamBuffer()
        self._begins = begins  # what a line begins with, so that one behind a loss is known
        self._skipping = False
        self._after_loss = False
        self._searched = 0
        self.read = 0
        """Lines that were read, or begun before a loss."""

    def feed(self, data: bytes, offset: int, place: object) -> None:
        """Bytes of this direction, in order."""
        self.buffer.feed(data, offset, place)

    def gap(self, length: int, offset: int) -> None:
        """Lost bytes: the line that they are in goes with them."""
        self.buffer.gap(length, offset)
        self._skipping, self._searched = False, 0
        self._after_loss = True

    def next(self) -> Line | None:
        """The next line, also one that is too long to wait for its end; None where there is none yet."""
        buffer = self.buffer
        while True:
            end = buffer.find(b"\n", len(buffer) if self._skipping else MOST_LINE, self._searched)
            if end < 0:
                if self._skipping:
                    buffer.take(len(buffer))
                elif len(buffer) >= MOST_LINE:
                    self._searched = 0
                    self._skipping = True
                    return self._take(MOST_LINE, False)
                else:
                    self._searched = len(buffer)
                return None
            self._searched = 0
            if self._is_line():
                return self._take(end + 1, True)
            buffer.take(end + 1)
            self._skipping = self._after_loss = False

    def rest(self) -> Line | None:
        """What is there of a line that nothing follows."""
        size = min(len(self.buffer), MOST_LINE)
        return self._take(size, False) if size and self._is_line() else None

    def _is_line(self) -> bool:
        """Whether a line begins here, and not merely goes on."""
        if self._skipping:
            return False
        return not self._after_loss or self._begins.match(self.buffer.peek(16)) is not None

    def _take(self, size: int, complete: bool) -> Line:
        span = self.buffer.span(size)
        raw = self.buffer.take(size)
        self.read += 1
        self._after_loss = False
        if complete:
            raw = raw[:-1]
        raw = raw.removesuffix(b"\r")
        return Line(without_telnet(raw), raw, span, complete)


def without_telnet(raw: bytes) -> bytes:
    """A line without Telnet's commands; a doubled 255 is one."""
    return _IAC.sub(lambda found: b"\xff" if found[1] else b"", raw) if b"\xff" in raw else raw


def lead(raw: bytes) -> int:
    """Bytes of Telnet's commands before the line itself."""
    at = 0
    while (found := _IAC.match(raw, at)) is not None and not found[1]:
        at = found.end()
    return at


class Reply(msgspec.Struct, gc=False):
    """A server's reply; `code` is None where a line has none."""

    code: int | None
    text: list[str]
    span: Span
    complete: bool = True
    """All its lines are known and kept."""
    odd: bool = False
    """Against the grammar."""

    @property
    def final(self) -> bool:
        """Not one that says that another follows (1yz)."""
        return self.code is None or self.code >= 200

    def fields(self) -> dict[str, Value]:
        """What a record shows."""
        fields: dict[str, Value] = {"code": self.code, "text": "\n".join(self.text)}
        if not self.complete:
            fields["text_complete"] = False
        return fields


class Replies:
    """Makes replies of lines (RFC 959, 4.2): the first of several has a hyphen, the last one the code and a blank."""

    def __init__(self) -> None:
        self._open: Reply | None = None
        self._room = 0

    def add(self, line: Line) -> Reply | None:
        """The reply that ends with this line."""
        found = _CODE.match(line.data)
        code = int(found[1]) if found else None
        mark = found[2] if found else None
        reply = self._open
        if reply is not None:
            before = reply.span
            size = line.span.offset + line.span.length - before.offset
            reply.span = Span(before.place, before.offset, size)
            last = code == reply.code and found is not None and (mark == b" " or len(line.data) == 3)
            self._text(reply, line.data[4:] if code == reply.code else line.data)
            reply.complete = reply.complete and line.complete
            if last:
                self._open = None
                return reply
            return None
        text = line.data if found is None else line.data[4:] if mark is not None else line.data[3:]
        odd = found is None or (mark is None and len(line.data) > 3)
        self._room = MOST_TEXT
        reply = Reply(code, [], line.span, line.complete, odd)
        self._text(reply, text)
        if mark == b"-":
            self._open = reply
            return None
        return reply

    def _text(self, reply: Reply, text: bytes) -> None:
        if self._room <= 0:
            reply.complete = False
            return
        if len(text) >= self._room:
            text = text[: self._room]
            reply.complete = False
        self._room -= len(text) + 1
        reply.text.append(text.decode("latin-1"))

    def rest(self) -> Reply | None:
        """A reply of which the last line was not seen."""
        reply, self._open = self._open, None
        if reply is not None:
            reply.complete = False
        return reply

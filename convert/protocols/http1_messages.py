"""One direction of an HTTP/1 conversation, divided into messages (RFC 9112, 2 and 6).

A Half knows its own bytes only. Whose answer a response is, and so whether it has a body, it asks its owner. Where
bytes are lost or are no HTTP it skips to the next system call that begins with a start line. Invariants: no input
raises, no byte is searched twice, and cuts between two boundaries change nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..model.span import Span
from .http1_bodies import CHUNKED, NO_BODY, UNTIL_CLOSE, Body
from .http1_heads import HeadText, oddities
from .http1_probe import is_cut_start_line, is_odd_start_line, is_start_line, may_become_start_line
from .http1_scan import Head, find_head_end, parse_head, skip_blank_lines

if TYPE_CHECKING:
    from .http1_owner import Owner

HEAD_BYTES = 1 << 16
"""The longest head, and the longest trailer section, that is taken for one."""

_START, _HEAD, _BODY, _TRAILERS, _PEEK, _SEEK, _OPAQUE = range(7)
_STATUS_BYTES = len("HTTP/1.1 200")


class Half:
    """The messages of one direction."""

    __slots__ = (
        "_at",
        "_body",
        "_buffer",
        "_fresh",
        "_offset",
        "_owner",
        "_place",
        "_places",
        "_peek_offset",
        "_peek_place",
        "_state",
        "_strict",
        "_tunnel",
        "to_server",
    )

    def __init__(self, to_server: bool, owner: Owner) -> None:
        self.to_server = to_server
        self._owner = owner
        self._state = _START
        self._strict = True
        self._fresh = True  # nothing of this direction was understood yet
        self._tunnel = False  # what follows an accepted CONNECT, of which nothing was seen yet
        self._buffer = bytearray()
        self._at = 0  # what was given ends here
        self._offset = 0  # where the message begins
        self._place: object = None
        self._places: list[tuple[int, object]] = []  # of the head that is being read, by position
        self._body: Body | None = None
        self._peek_offset = 0
        self._peek_place: object = None

    @property
    def at(self) -> int:
        """Where in the stream what was given ends."""
        return self._at

    @property
    def seeking(self) -> bool:
        """Bytes are skipped: what they are is not known."""
        return self._state == _SEEK

    def become_opaque(self) -> None:
        """Another protocol follows: nothing more is read here."""
        if self._state in {_HEAD, _BODY, _PEEK, _TRAILERS}:
            self.close(False)
        self._state = _OPAQUE
        self._buffer.clear()

    def become_tunnel(self) -> None:
        """Anything may follow (CONNECT): it is read on only if it begins as HTTP/1 does."""
        self.become_opaque()
        self._state = _START
        self._strict = self._tunnel = True

    def data(self, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of this direction; `boundary`: a system call's bytes begin with them."""
        if boundary and (self._state != _START or self._buffer):
            self._boundary(offset, place)
        pos, size = 0, len(data)
        self._at = offset + size
        while pos < size:
            state = self._state
            if state <= _HEAD:
                pos = self._head(data, pos, offset, place)
            elif state == _BODY:
                body = self._body
                assert body is not None
                pos = body.feed(data, pos, offset, place)
                if body.done or body.lost:
                    self._body_over(body, offset + pos, place)
            elif state == _TRAILERS:
                pos = self._trailers(data, pos, offset)
            elif state == _PEEK:
                pos = self._peek(data, pos, offset, place)
            else:
                return

    def _boundary(self, offset: int, place: object) -> None:
        state = self._state
        if state == _SEEK:
            self._state = _START
            self._strict = True
        elif state == _START:
            if self._buffer and not may_become_start_line(self.to_server, bytes(self._buffer[:64])):
                self._skip(bytes(self._buffer))
                if self._state == _SEEK:
                    self._state = _START
        elif state == _PEEK:
            self._unpeek()
            self._boundary(offset, place)
        elif state == _BODY and self._endless() and self._owner.next_is_due():
            self._state = _PEEK
            self._peek_offset, self._peek_place = offset, place

    def _endless(self) -> bool:
        return self._body is not None and self._body.kind == UNTIL_CLOSE

    # Heads

    def _head(self, data: bytes, pos: int, offset: int, place: object) -> int:
        buffer = self._buffer
        known = len(buffer)
        if not known:
            pos = skip_blank_lines(data, pos)
            if pos == len(data):
                return pos
            self._offset, self._place = offset + pos, place
            self._places = [(0, place)]
            end = find_head_end(data, pos, pos + HEAD_BYTES)
            if end >= 0:
                if not self._accept(data[pos : data.find(b"\n", pos)]):
                    return len(data)
                self._head_over(data[pos:end], True, offset + end)
                return end
        elif self._places[-1][1] is not place:
            self._places.append((known, place))
        buffer += data[pos : pos + HEAD_BYTES - known]
        if self._state == _START:
            line_end = buffer.find(b"\n", known)
            if line_end >= 0:
                if not self._accept(bytes(buffer[:line_end])):
                    return len(data)
                self._state = _HEAD
        if self._state == _HEAD:
            end = find_head_end(buffer, max(0, known - 2), HEAD_BYTES)
            if end >= 0:
                raw = bytes(buffer[:end])
                buffer.clear()
                self._head_over(raw, True, offset + pos + end - known)
                return pos + end - known
        if len(buffer) == HEAD_BYTES:
            if self._state == _HEAD or self._accept_cut():
                self._cut_head("head-too-long")
            else:
                self._skip(bytes(buffer))
            return len(data)
        return pos + len(buffer) - known

    def _accept(self, line: bytes) -> bool:
        """Judge a whole first line (without LF); False: skipped to the next boundary."""
        if not is_start_line(self.to_server, line):
            if not (self._may_be_odd() and is_odd_start_line(self.to_server, line)):
                self._skip(line)
                return False
            self.weird("odd-start-line", len(line))
        self._fresh = self._tunnel = False
        if self.to_server:
            self._owner.begin_request()
        return True

    def _may_be_odd(self) -> bool:
        """Whether a message must begin here, however odd: behind another, or as the first answer to a request."""
        return not self._strict or (self._fresh and not self.to_server and self._owner.next_is_due())

    def _accept_cut(self) -> bool:
        """Judge a first line whose end is not known."""
        if not is_cut_start_line(self.to_server, bytes(self._buffer)):
            return False
        self._fresh = self._tunnel = False
        if self.to_server:
            self._owner.begin_request()
        return True

    def _head_over(self, raw: bytes, complete: bool, end: int) -> None:
        head = parse_head(raw, self.to_server)
        for name in oddities(head) if head.flags else ():
            self.weird(name, len(raw))
        self._body = None
        self._state = _START
        self._strict = False
        if self.to_server:
            kind, length, kept = self._owner.request_head(head, HeadText(raw, self._offset, self._places), complete)
        else:
            kind, length, kept = self._owner.response_head(head, complete)
        if not complete:
            self._message_over(end, False)
            self._seek()
        elif kind == NO_BODY:
            self._message_over(end, True)
        else:
            self._body = Body(kind, length, kept)
            self._state = _BODY

    def _cut_head(self, name: str) -> None:
        """The head ends here as far as it is known; what follows is skipped."""
        raw = bytes(self._buffer)
        self._buffer.clear()
        self.weird(name, len(raw))
        self._head_over(raw, False, self._offset + len(raw))

    def _skip(self, line: bytes) -> None:
        """What was taken for the beginning of a message is none."""
        if self._tunnel:
            self._buffer.clear()
            self._state = _OPAQUE
            return
        if self._fresh:
            self._fresh = False
            self.weird("mid-stream", len(line))
            self._owner.lost(self.to_server)
        elif not self._strict:
            self.weird("not-a-start-line", len(line))
            if self.to_server:
                self._owner.stray(HeadText(line, self._offset, self._places))
        self._buffer.clear()
        self._seek()

    def _seek(self) -> None:
        """Skip to the next boundary that begins with a start line."""
        if self._state != _OPAQUE:
            self._state = _SEEK
            self._strict = True

    def weird(self, name: str, length: int = 0) -> None:
        """Something odd in the present message, or the last one."""
        self._owner.weird(name, Span(self._place, self._offset, length))

    # Bodies

    def _body_over(self, body: Body, end: int, place: object) -> None:
        for name in body.oddities():
            self.weird(name, end - self._offset)
        if body.lost:
            self._owner.weird("bad-chunk", Span(place, end, 0))
            self._message_over(end, False)
            self._seek()
        elif body.kind != CHUNKED:
            self._message_over(end, True)
        else:
            self._buffer += b"\n"  # the line of the last chunk: an empty line after it ends the trailers
            self._state = _TRAILERS

    def _trailers(self, data: bytes, pos: int, offset: int) -> int:
        buffer = self._buffer
        known = len(buffer)
        buffer += data[pos : pos + HEAD_BYTES - known]
        end = find_head_end(buffer, max(0, known - 2), HEAD_BYTES)
        if end < 0:
            if len(buffer) == HEAD_BYTES:
                self._end_in_trailers(offset + pos + HEAD_BYTES - known, "trailers-too-long")
                return len(data)
            return pos + len(buffer) - known
        trailers = parse_head(bytes(buffer[1:end]), self.to_server, False) if end > len(b"\n\r\n") else None
        buffer.clear()
        self._message_over(offset + pos + end - known, True, trailers)
        return pos + end - known

    def _end_in_trailers(self, end: int, name: str) -> None:
        """The body was whole; the lines behind it are not."""
        self.weird(name, end - self._offset)
        self._buffer.clear()
        self._message_over(end, True)
        self._seek()

    def _peek(self, data: bytes, pos: int, offset: int, place: object) -> int:
        """A body without an end of its own, at a boundary, with another response due: is this that response?"""
        buffer = self._buffer
        taken = data[pos : pos + _STATUS_BYTES - len(buffer)]
        buffer += taken
        if is_cut_start_line(False, bytes(buffer)):
            body, held = self._body, bytes(buffer)
            buffer.clear()
            self._owner.weird("response-within-body", Span(self._peek_place, self._peek_offset, len(held)))
            assert body is not None
            body.intact = False
            self._message_over(self._peek_offset, True)
            peek_offset, peek_place = self._peek_offset, self._peek_place
            self._head(held, 0, peek_offset, peek_place)
        elif not may_become_start_line(False, bytes(buffer)) or len(buffer) == _STATUS_BYTES:
            self._unpeek()
        return pos + len(taken)

    def _unpeek(self) -> None:
        """What was held back is body after all."""
        held = bytes(self._buffer)
        self._buffer.clear()
        self._state = _BODY
        if held and self._body is not None:
            self._body.feed(held, 0, self._peek_offset, self._peek_place)

    def _message_over(self, end: int, known: bool, trailers: Head | None = None) -> None:
        body, self._body = self._body, None
        self._state = _START
        span = Span(self._place, self._offset, end - self._offset)
        if self.to_server:
            self._owner.request_over(body, span, known, trailers)
        else:
            self._owner.response_over(body, span, known, trailers)

    # Losses and the end

    def gap(self, length: int, offset: int, place: object) -> None:
        """`length` lost bytes of this direction."""
        if self._state == _PEEK:
            self._unpeek()
        self._at = offset + length
        state = self._state
        if state == _BODY:
            body = self._body
            assert body is not None
            taken = body.gap(length)
            if body.lost:
                self._owner.weird("gap-in-chunks", Span(place, offset, length))
                self._message_over(offset, False)
                self._seek()
            elif body.done:
                self._message_over(offset + taken, True)
            if taken < length:
                self.gap(length - taken, offset + taken, place)
        elif state == _HEAD:
            self._cut_head("gap-in-head")
        elif state == _TRAILERS:
            self._end_in_trailers(offset, "gap-in-trailers")
        elif state == _START:
            self._gap_at_start(length, offset, place)

    def _gap_at_start(self, length: int, offset: int, place: object) -> None:
        if self._buffer and self._accept_cut():
            self._cut_head("gap-in-head")
            return
        if self._tunnel:
            self._state = _OPAQUE
        elif self._fresh or not self._strict:  # else these bytes were only tried
            self._fresh = False
            self._owner.weird("gap-between-messages", Span(place, offset, length))
            self._owner.lost(self.to_server)
        self._buffer.clear()
        self._seek()

    def close(self, ended: bool) -> None:
        """Nothing follows; `ended`: because the connection ended."""
        if self._state == _PEEK:
            self._unpeek()
        state = self._state
        if state == _BODY:
            body = self._body
            assert body is not None
            if body.kind != UNTIL_CLOSE or not ended:
                body.intact = False
            self._message_over(self._at, True)
        elif state == _HEAD:
            self._cut_head("end-in-head")
        elif state == _TRAILERS:
            self._end_in_trailers(self._at, "end-in-trailers")
        elif state == _START and self._buffer:
            if self._accept_cut():
                self._cut_head("end-in-head")
            else:
                self._skip(bytes(self._buffer))
        self._state = _OPAQUE

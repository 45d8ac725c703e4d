"""The frames of one direction of HTTP/2 (RFC 9113, 4), as its bytes come, and the way back to them after a loss.

Payloads of DATA are handed on piece by piece, all others whole. A loss within one payload leaves the framing known; any
other one, and a header that cannot be, is followed by a search for the next two usual headers in a row.
"""

from __future__ import annotations

import re
from typing import Protocol

from ...model.span import Span
from .probe import (
    DATA,
    HEADER,
    PADDED,
    PREFACE,
    SETTINGS,
    chain,
    find_begin,
)

LARGEST_FRAME = 1 << 18
"""The largest payload, of another type than DATA, that is looked at."""
_IN_A_ROW = 2
_STEP = 4096
"""Bytes in which the way is sought at a time: after each find they are read again."""
_SERVER_PREFACE = re.compile(rb"\x00\x00[\x00-\xc0]\x04\x00\x00{4}", re.DOTALL)


class Frame:
    """A frame's header, and where the frame begins; its end follows with its last byte."""

    __slots__ = ("flags", "kind", "length", "offset", "place", "stream")

    def __init__(self, header: bytes | bytearray, offset: int, place: object) -> None:
        self.length = int.from_bytes(header[:3], "big")
        self.kind = header[3]
        self.flags = header[4]
        self.stream = int.from_bytes(header[5:HEADER], "big") & 0x7FFFFFFF
        self.offset = offset
        self.place = place

    @property
    def end(self) -> int:
        """The offset of the first byte behind it."""
        return self.offset + HEADER + self.length

    @property
    def begin(self) -> Span:
        """Its header."""
        return Span(self.place, self.offset, HEADER)

    @property
    def span(self) -> Span:
        """The whole frame."""
        return Span(self.place, self.offset, HEADER + self.length)


class FrameOwner(Protocol):
    """Who takes the frames of both directions."""

    def frame(self, to_server: bool, frame: Frame, payload: bytes) -> None:
        """A whole frame of any type but DATA; `payload` still holds padding."""

    def broken_frame(self, to_server: bool, frame: Frame) -> None:
        """The same where payload bytes are not known, or are too many."""

    def data_bytes(self, to_server: bool, frame: Frame, data: bytes, offset: int, place: object) -> None:
        """Bytes of a DATA frame's payload without its padding, in order."""

    def data_lost(self, to_server: bool, frame: Frame, length: int) -> None:
        """So many bytes of a DATA frame's payload are not known."""

    def data_end(self, to_server: bool, frame: Frame) -> None:
        """The end of a DATA frame."""

    def frames_lost(self, to_server: bool, span: Span) -> None:
        """Frames may be missing at `span`, nobody knows how many."""

    def weird(self, name: str, span: Span) -> None:
        """Something against the protocol."""


class FrameReader:
    """One direction."""

    def __init__(self, to_server: bool, owner: FrameOwner) -> None:
        self._to_server = to_server
        self._owner = owner
        self.allowed = 1 << 20
        """The largest payload that is taken for one: more than RFC 9113 allows until settings (6.5.2) say so."""
        self.preface: int | None = None
        """Where the preface of this end was seen: the client's magic, the server's first settings."""
        self._again: list[tuple[bytes, int, object]] = []  # what was held and is to be read once more
        self._held = bytearray()  # of a preface, a header, what is searched, or a payload
        self._places: list[tuple[int, int, object]] = []  # (position in _held, offset, place); none for a payload
        self._searched = 0  # where in _held the next candidate is
        self._frame: Frame | None = None
        self._left = 0  # bytes of the payload to come, padding included
        self._padding = 0
        self._padding_due = False  # the payload's first byte tells how much padding there is
        self._spoilt = False  # payload bytes are missing
        self._skip = False  # the payload is too large to hold
        self._seeking = False
        self._first = True  # nothing was seen yet

    def data(self, data: bytes, offset: int, place: object) -> None:
        """The next bytes."""
        self._run([(data, offset, place)])

    def _run(self, work: list[tuple[bytes, int, object]]) -> None:
        """Read pieces of bytes, and before each rest what was held and has to be read again."""
        work.reverse()
        while work:
            data, offset, place = work.pop()
            at = 0
            while at < len(data) and not self._again:
                if self._seeking:
                    at = self._seek(data, at, offset, place)
                elif self._frame is not None:
                    at = self._payload(self._frame, data, at, offset, place)
                else:
                    at = self._header(data, at, offset, place)
            if at < len(data):
                work.append((data[at:], offset + at, place))
            if self._again:
                work += reversed(self._again)
                self._again = []

    def gap(self, length: int, offset: int, place: object) -> None:
        """`length` bytes that are not known."""
        frame, gap = self._frame, Span(place, offset, length)
        if frame is None:
            self._lose(gap)
            return
        within = min(length, self._left)
        if frame.kind == DATA:
            self._padding_due = False
            self._owner.data_lost(self._to_server, frame, max(0, min(within, self._left - self._padding)))
        self._spoilt = True
        self._left -= within
        if not self._left:
            self._end(frame)
        if length > within:
            self._lose(gap)

    def close(self) -> None:
        """Nothing follows: what was searched is judged as it stands."""
        while self._seeking and self._held:
            count, end = chain(self._held, self._searched, self._to_server, _IN_A_ROW)
            if count and end == len(self._held):
                self._found()
                work, self._again = self._again, []
                self._run(work)
            elif not self._next_candidate():
                return

    # What is held, with its places

    def _hold(self, data: bytes, at: int, end: int, offset: int, place: object) -> None:
        if not self._places or self._places[-1][2] is not place:
            self._places.append((len(self._held), offset + at, place))
        self._held += data[at:end]

    def _drop(self, count: int) -> None:
        """Forget the first bytes that are held."""
        del self._held[:count]
        kept: list[tuple[int, int, object]] = []
        for position, offset, place in self._places:
            if position <= count:
                kept = [(0, offset + count - position, place)]
            else:
                kept.append((position - count, offset, place))
        self._places = kept if self._held else []

    def _forget(self) -> None:
        self._held.clear()
        self._places.clear()
        self._searched = 0

    def _release(self, begin: int) -> None:
        """Read again what is held, from `begin` on."""
        if begin:
            self._drop(begin)
        ends = [position for position, _, _ in self._places[1:]] + [len(self._held)]
        for (position, offset, place), end in zip(self._places, ends, strict=True):
            self._again.append((bytes(self._held[position:end]), offset, place))
        self._forget()

    # Headers

    def _header(self, data: bytes, at: int, offset: int, place: object) -> int:
        wanted = HEADER
        if self._first and self._to_server:
            if PREFACE.startswith(self._held + data[at : at + len(PREFACE) - len(self._held)]):
                wanted = len(PREFACE)
            else:
                self._start(data, at, offset, place)
                return len(data)
        if not self._held and not self._first and len(data) - at >= HEADER:
            return at + self._begin(Frame(data[at : at + HEADER], offset + at, place))
        end = min(len(data), at + wanted - len(self._held))
        self._hold(data, at, end, offset, place)
        if len(self._held) < wanted:
            return end
        _, begin, first = self._places[0]
        if self._first and self._to_server:
            self._first = False
            self.preface = begin
            self._forget()
        elif self._first and not _SERVER_PREFACE.match(self._held):
            self._start(data, end, offset, place)
            return len(data)
        else:
            if self._first:
                self._first = False
                self.preface = begin
            frame = Frame(self._held, begin, first)
            self._forget()
            self._begin(frame)
        return end

    def _start(self, data: bytes, at: int, offset: int, place: object) -> None:
        """The beginning of this direction is missing."""
        self._hold(data, at, len(data), offset, place)
        self._first = False
        self._seeking = True
        _, begin, first = self._places[0]
        self._owner.frames_lost(self._to_server, Span(first, begin, 0))
        self._search()

    def _begin(self, frame: Frame) -> int:
        """A frame's header was read; returns its size."""
        if frame.length > self.allowed or (frame.kind == SETTINGS and (frame.stream or frame.length % 6)):
            self._owner.weird("http2-bad-frame", frame.begin)
            self._lose(frame.begin)
            return HEADER
        self._frame = frame
        self._left = frame.length
        self._padding = 0
        self._padding_due = frame.kind == DATA and bool(frame.flags & PADDED)
        self._spoilt = False
        self._skip = frame.kind != DATA and frame.length > LARGEST_FRAME
        if not self._left:
            if self._padding_due:
                self._owner.weird("http2-bad-padding", frame.begin)
            self._end(frame)
        return HEADER

    # Payloads

    def _payload(self, frame: Frame, data: bytes, at: int, offset: int, place: object) -> int:
        end = min(len(data), at + self._left)
        if frame.kind != DATA:
            if not (self._skip or self._spoilt):
                self._held += data[at:end]
            self._left -= end - at
        elif self._padding_due:
            self._padding_due = False
            self._left -= 1
            self._padding = data[at]
            if self._padding > self._left:
                self._owner.weird("http2-bad-padding", frame.begin)
                self._padding = self._left
            end = at + 1
        else:
            known = min(end, at + max(0, self._left - self._padding))
            if known > at:
                piece = data if known - at == len(data) else data[at:known]
                self._owner.data_bytes(self._to_server, frame, piece, offset + at, place)
            self._left -= end - at
        if not self._left:
            self._end(frame)
        return end

    def _end(self, frame: Frame) -> None:
        payload = bytes(self._held)
        self._held.clear()
        self._frame = None
        if frame.kind == DATA:
            self._owner.data_end(self._to_server, frame)
        elif self._spoilt or self._skip:
            if self._skip:
                self._owner.weird("http2-frame-too-large", frame.span)
            self._owner.broken_frame(self._to_server, frame)
        else:
            self._owner.frame(self._to_server, frame, payload)

    # After a loss

    def _lose(self, span: Span) -> None:
        """The framing is lost: at a gap, or where something stands that is no frame's header."""
        self._frame = None
        self._forget()
        self._first = False
        self._seeking = True
        self._owner.frames_lost(self._to_server, span)

    def _seek(self, data: bytes, at: int, offset: int, place: object) -> int:
        end = min(len(data), at + _STEP)
        self._hold(data, at, end, offset, place)
        self._search()
        return end

    def _search(self) -> None:
        while len(self._held) - self._searched >= HEADER:
            count, end = chain(self._held, self._searched, self._to_server, _IN_A_ROW)
            if count == _IN_A_ROW:
                self._found()
                return
            if end >= 0:
                break  # it hangs on what follows
            if not self._next_candidate():
                break
        self._drop(self._searched)
        self._searched = 0

    def _next_candidate(self) -> bool:
        """Go on to where the next header may begin; False where more bytes have to tell."""
        begin = find_begin(self._held, self._searched + 1)
        self._searched = begin if begin >= 0 else max(self._searched + 1, len(self._held) - HEADER + 1)
        return begin >= 0

    def _found(self) -> None:
        """The framing is known again from the candidate on."""
        self._seeking = False
        self._release(self._searched)

"""Telnet's own bytes told from the text in one direction (RFC 854, 855)."""

from __future__ import annotations

from typing import NamedTuple

from ...model.span import Span

IAC, SB, SE = 255, 250, 240
WILL, WONT, DO, DONT = 251, 252, 253, 254
MOST_SUB = 4096
_TEXT, _COMMAND, _OPTION, _SUB, _SUB_COMMAND = range(5)


class Text(NamedTuple):
    """Bytes that are no command, as they are meant: a doubled 255 is one."""

    data: bytes
    offset: int
    place: object
    raw: bytes


class Option(NamedTuple):
    """WILL, WONT, DO or DONT, and the option's number."""

    verb: int
    number: int
    span: Span


class Sub(NamedTuple):
    """What was negotiated of an option, between SB and SE."""

    number: int
    data: bytes
    complete: bool
    span: Span
    end: int
    """The stream offset behind it."""


class Stream:
    """One direction: feed it, take what `feed` returns."""

    def __init__(self) -> None:
        self._state = _TEXT
        self._verb = 0
        self._sub = bytearray()
        self._sub_cut = False
        self._begin = Span(None, 0, 0)
        self.commands = 0
        """Telnet commands seen."""

    def feed(self, data: bytes, offset: int, place: object) -> list[Text | Option | Sub]:
        """What these bytes hold, in order."""
        found: list[Text | Option | Sub] = []
        at, size = 0, len(data)
        while at < size:
            if self._state == _TEXT:
                end = data.find(b"\xff", at)
                if end < 0:
                    end = size
                if end > at:
                    text = data[at:end]
                    found.append(Text(text, offset + at, place, text))
                at = end
                if at < size:
                    self._state = _COMMAND
                    self._begin = Span(place, offset + at, 1)
                    at += 1
            elif self._state == _SUB:
                end = data.find(b"\xff", at)
                if end < 0:
                    end = size
                self._keep(data[at:end])
                at = end
                if at < size:
                    self._state = _SUB_COMMAND
                    at += 1
            else:
                self._step(data[at], offset + at, place, found)
                at += 1
        return found

    def gap(self) -> None:
        """What was begun is lost, and so may be its end."""
        self._state = _TEXT
        self._sub.clear()

    def _keep(self, data: bytes) -> None:
        room = MOST_SUB - len(self._sub)
        self._sub += data[:room]
        self._sub_cut = self._sub_cut or len(data) > room

    def _step(self, byte: int, offset: int, place: object, found: list[Text | Option | Sub]) -> None:
        """One byte behind a 255."""
        if self._state == _COMMAND:
            self._state = _TEXT
            if byte == IAC:
                found.append(Text(b"\xff", self._begin.offset, self._begin.place, b"\xff\xff"))
                return
            self.commands += 1
            if WILL <= byte <= DONT:
                self._state, self._verb = _OPTION, byte
            elif byte == SB:
                self._state, self._sub_cut = _SUB, False
                self._sub.clear()
        elif self._state == _OPTION:
            self._state = _TEXT
            found.append(Option(self._verb, byte, Span(self._begin.place, self._begin.offset, 3)))
        else:
            self._state = _SUB
            if byte == IAC:
                self._keep(b"\xff")
            elif byte == SE:
                self._state = _TEXT
                begin, end = self._begin, offset + 1
                if self._sub:
                    span = Span(begin.place, begin.offset, end - begin.offset)
                    found.append(Sub(self._sub[0], bytes(self._sub[1:]), not self._sub_cut, span, end))

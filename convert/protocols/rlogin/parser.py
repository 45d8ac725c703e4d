"""rlogin (RFC 1282): both users' names in clear, then a session like Telnet's without its commands.

A server that does not trust the client's machine asks for a password, which passes as it is typed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from ...model.record import Message, Record
from ...model.span import Span
from ..stream_buffer import StreamBuffer
from ..telnet.login import Dialogue
from ..telnet.prompts import PASSWORD, asked
from ..telnet.stream import Text
from ..telnet.typed import Typing

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.sighting import Sighting
    from ..api import Sink

_LONGEST = 512
"""Bytes of the names and the terminal."""
_WINDOW = b"\xff\xffss"
_WINDOW_SIZE = 12
"""What tells a window's size: these four bytes and four numbers."""


class Rlogin:
    """The parser of one conversation."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._head = StreamBuffer()
        self._begun: Message | None = None
        self._lost = False
        self._first: dict[bool, Span] = {}
        self._end = {True: 0, False: 0}
        self._handed = 0
        self._lines = 0
        self._held: list[tuple[int, object]] = []  # where the bytes came that may begin a window's size
        self._skipping = 0  # bytes of it that are still to come
        self._dialogue = Dialogue(self._login, self._sight)
        self._typing = Typing(self._prompt)

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction."""
        self._first.setdefault(to_server, Span(place, offset, 0))
        self._end[to_server] = offset + len(data)
        if not to_server:
            if data.startswith(b"\0") and offset == self._first[False].offset:
                data, offset = data[1:], offset + 1  # the names were read
            if data:
                self._dialogue.hear(Text(data, offset, place, data))
        elif self._begun is None and not self._lost:
            self._head.feed(data, offset, place)
            self._read_names()
        else:
            self._type(data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""
        self._first.setdefault(to_server, Span(place, offset, 0))
        self._end[to_server] = offset + length
        if to_server:
            self._lost = True
            self._head.clear()
            if length > self._skipping:
                self._release(len(self._held))
                self._typing.lose()
            self._skipping = max(self._skipping - length, 0)
        else:
            self._dialogue.lose()

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        self._release(len(self._held))
        line = self._typing.rest()
        if line is not None and asked(line.prompt) == PASSWORD:
            self._dialogue.enter(line._replace(complete=False, entered=True))
        self._dialogue.close()
        if not self._first:
            return
        fields: dict[str, Value] = {"lines": self._lines}
        if self._begun is not None:
            fields = self._begun.fields | fields
        self._handed += 1
        sides = (self._side(True, fields), self._side(False, {}))
        self._sink.record(Record("session", "rlogin", self._handed, *sides))

    def _side(self, to_server: bool, fields: dict[str, Value]) -> Message | None:
        first = self._first.get(to_server)
        if first is None:
            return None
        length = self._end[to_server] - first.offset
        return Message(Span(first.place, first.offset, length), fields | {"bytes": length})

    def _read_names(self) -> None:
        buffer = self._head
        head = buffer.peek(_LONGEST)
        at = -1
        for _ in range(4):
            at = head.find(b"\0", at + 1)
            if at < 0:
                if len(head) >= _LONGEST:  # these are none; what follows them is text
                    self._lost = True
                    buffer.take(_LONGEST)
                    self._type_rest()
                return
        _, here, there, terminal = head[:at].split(b"\0")
        name, _, speed = terminal.partition(b"/")
        fields: dict[str, Value] = {
            "client_user": here.decode("latin-1"),
            "user": there.decode("latin-1"),
            "terminal": name.decode("latin-1"),
            "speed": speed.decode("latin-1"),
        }
        self._begun = Message(buffer.span(at + 1), fields)
        self._dialogue.user_told = there.decode("utf-8", "replace")
        buffer.take(at + 1)
        self._type_rest()

    def _type_rest(self) -> None:
        """What came with the names."""
        offset, span = self._head.at, self._head.span(1)
        rest = self._head.take(len(self._head))
        if rest:
            self._type(rest, offset, span.place)

    def _type(self, data: bytes, offset: int, place: object) -> None:
        """What the user types, and windows' sizes between it, cut anywhere."""
        at = 0
        while at < len(data):
            if self._skipping:
                passed = min(self._skipping, len(data) - at)
                self._skipping -= passed
                at += passed
            elif self._held:
                at += self._go_on(data[at], offset + at, place)
            else:
                end = data.find(_WINDOW[:1], at)
                self._text(data[at:] if end < 0 else data[at:end], offset + at, place)
                if end < 0:
                    return
                self._held.append((offset + end, place))
                at = end + 1

    def _go_on(self, byte: int, offset: int, place: object) -> int:
        """One byte behind those that are held; how many were read: none where what was held turns out to be text."""
        if byte == _WINDOW[len(self._held)]:
            self._held.append((offset, place))
            if len(self._held) == len(_WINDOW):
                self._held.clear()
                self._skipping = _WINDOW_SIZE - len(_WINDOW)
            return 1
        # Of three 255 the last two may begin one; behind an "s" nothing that is held can.
        self._release(1 if byte == _WINDOW[0] and len(self._held) == 2 else len(self._held))
        return 0

    def _release(self, count: int) -> None:
        """The first bytes that are held are text."""
        for at in range(count):
            offset, place = self._held[at]
            self._text(_WINDOW[at : at + 1], offset, place)
        del self._held[:count]

    def _text(self, text: bytes, offset: int, place: object) -> None:
        if text:
            for line in self._typing.feed(text, text, offset, place):
                self._lines += line.entered
                self._dialogue.enter(line)

    def _prompt(self) -> bytes | None:
        self._dialogue.look()
        return self._dialogue.last_line()

    def _login(self, request: Message, response: Message | None) -> int:
        self._handed += 1
        self._sink.record(Record("login", "rlogin", self._handed, request, response))
        return self._handed

    def _sight(self, sighting: Sighting) -> None:
        self._sink.sighting(msgspec.structs.replace(sighting, protocol="rlogin"))

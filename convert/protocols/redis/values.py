"""Values of the Redis serialization protocol (RESP 2 and 3) in one direction, read as their bytes come.

What a value says is kept as far as MOST_BYTES and MOST_VALUES reach; all else is counted and passed over, so that a
bulk string of gigabytes costs nothing. Streamed strings and aggregates ("$?", "*?"), which no server sends, are not
read.
Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations

import re
from math import isfinite
from typing import TYPE_CHECKING

import msgspec

from ...model.span import Span
from ..stream_buffer import StreamBuffer
from .commands import is_line

if TYPE_CHECKING:
    from ...model.record import Value

MOST_BYTES = 64 * 1024
"""Kept of one value, all that is in it together; a line may be as long."""
MOST_VALUES = 1024
MOST_SHOWN = 4096
"""Of one string in a record."""
_DEEPEST = 64
_LONGEST_BULK = 1 << 40
_LONGEST_COUNT = 24

_LINES = {
    b"+": "simple",
    b"-": "error",
    b":": "integer",
    b"_": "null",
    b"#": "boolean",
    b",": "double",
    b"(": "big-number",
}
_BULKS = {b"$": "bulk", b"!": "bulk-error", b"=": "verbatim"}
_AGGREGATES = {b"*": "array", b"%": "map", b"~": "set", b">": "push", b"|": "attribute"}
_COUNT = re.compile(rb"-1|[0-9]{1,20}")
_INTEGER = re.compile(rb"[+-]?[0-9]{1,20}")
_DOUBLE = re.compile(rb"[+-]?[0-9]{1,300}(?:\.[0-9]{0,300})?(?:[eE][+-]?[0-9]{1,5})?")
_MOST_INTEGER = 1 << 63
_COMMAND = re.compile(rb"\*[1-9][0-9]{0,6}\r\n\$[0-9]{1,9}\r\n")
_COMMAND_BYTES = 2 + 7 + 2 + 1 + 9 + 2


class Part(msgspec.Struct, gc=False):
    """A string that stands alone or directly in an aggregate."""

    kind: str
    data: bytes
    """As far as it was kept."""
    length: int
    span: Span
    """Of the text itself, without type, length and line end."""
    known: bool = True
    """False where bytes of it are lost."""

    @property
    def complete(self) -> bool:
        """Every byte is in `data`."""
        return self.known and len(self.data) == self.length


class Read(msgspec.Struct, gc=False):
    """One value from its first byte to its last."""

    kind: str
    value: Value
    """Text as str, others by their kind; what was cut says so: {"cut": begin, "length": bytes}."""
    complete: bool
    """Nothing in it was cut or left out."""
    total: int
    """Values directly in an aggregate, also those not kept."""
    parts: list[Part]
    span: Span


class _Open(msgspec.Struct, gc=False):
    """An aggregate of which values are to come."""

    kind: str
    left: int
    total: int
    items: list[Value]


class Values:
    """One direction. Feed it, then take values with `next` until it says None."""

    def __init__(self, commands: bool) -> None:
        self.commands = commands
        """The client's direction: arrays, and lines that stand for them."""
        self.lost = False
        """The begin of the next value is not known: the client's is searched for, the server's is to be told."""
        self.why: list[tuple[str, Span]] = []
        """Where the bytes themselves were no value: what is wrong, and where. To be cleared by who has seen it."""
        self._buffer = StreamBuffer()
        self._begin: Span | None = None
        self._reset()

    def _reset(self) -> None:
        self._stack: list[_Open] = []
        self._parts: list[Part] = []
        self._room = MOST_BYTES
        self._values = 0
        self._complete = True
        self._begin = None
        self._bulk = ""
        self._left = 0
        self._length = 0
        self._kept = bytearray()
        self._at: Span | None = None
        self._known = True

    def feed(self, data: bytes, offset: int, place: object) -> None:
        """Bytes of this direction, in order."""
        self._buffer.feed(data, offset, place)

    def gap(self, length: int, offset: int) -> Read | None:
        """Lost bytes: within a bulk string they are counted, anywhere else the thread is `lost`.

        Returns then what is known of the value that was being read.
        """
        inside = bool(self._bulk) and length <= self._left and not len(self._buffer) and self._at is not None
        begun = None if inside else self.partial()
        self._buffer.gap(length, offset)
        if inside:
            self._left -= length
            self._known = self._complete = False
        else:
            self.lose(None)
        return begun

    def lose(self, why: str | None, at: Span | None = None) -> None:
        """Give up the value that is being read; `at`: the bytes that are wrong, else the next one."""
        if why:
            self.why.append((why, at or self._buffer.span(1)))
        self._reset()
        self.lost = True

    def restart(self) -> None:
        """A value begins with the next byte."""
        self._buffer.take(len(self._buffer))
        self._reset()
        self.lost = False

    def next(self) -> Read | None:
        """The next whole value, or None where more bytes are needed (or `lost`)."""
        while True:
            if self.lost and not self._search():
                return None
            if self._bulk:
                if not self._read_bulk():
                    return None
            else:
                step = self._read_line()
                if step is None:
                    return None
                if isinstance(step, Read):
                    return step
                continue
            done = self._finish_bulk()
            if done is not None:
                return done

    def partial(self) -> Read | None:
        """What is known of the value that is being read, and no more of it comes."""
        if self._begin is None:
            return None
        done: Read | bool | None = None
        if self._bulk:
            at = self._at or self._buffer.span(0)
            at = Span(at.place, at.offset, self._length - self._left)  # the rest was announced only
            done = self._whole(self._bulk, bytes(self._kept), self._length, at, False)
        self._complete = False
        while self._stack and not isinstance(done, Read):
            done = self._close()
        self._reset()
        if not isinstance(done, Read):
            return None
        done.complete = False
        return done

    def _search(self) -> bool:
        """For the head of a command; of a server's values none is told from text with certainty."""
        buffer = self._buffer
        held = buffer.peek(len(buffer))
        found = _COMMAND.search(held) if self.commands else None
        if found is None:
            keep = min(len(held), _COMMAND_BYTES) if self.commands else 0
            buffer.take(len(held) - keep)
            return False
        buffer.take(found.start())
        self.lost = False
        return True

    def _read_line(self) -> Read | bool | None:
        """A line: True where more of the value follows, a value where that was all, None where it has not ended."""
        buffer = self._buffer
        if not len(buffer):
            return None
        kind = buffer.peek(1)
        if self.commands and self._begin is None and kind != b"*":
            return self._read_inline()
        counted = kind in _BULKS or kind in _AGGREGATES
        if not counted and (kind not in _LINES or self.commands):
            self.lose("redis-not-a-value")
            return True
        limit = _LONGEST_COUNT if counted else MOST_BYTES
        end = buffer.find(b"\r\n", limit)
        if end < 0:
            if len(buffer) >= limit + 2:
                self.lose("redis-long-line")
                return True
            return None
        if self._begin is None:
            self._begin = buffer.span(1)
        text_at = buffer.span(end + 2)
        line = buffer.take(end + 2)[1:-2]
        if counted:
            return self._head(kind, line, text_at)
        span = Span(text_at.place, text_at.offset + 1, len(line))
        return self._whole(_LINES[kind], line, len(line), span)

    def _read_inline(self) -> Read | bool | None:
        """A command as a line of words (the protocol's "inline commands")."""
        buffer = self._buffer
        end = buffer.find(b"\n", MOST_BYTES)
        if end < 0:
            if len(buffer) > MOST_BYTES:
                self.lose("redis-long-line")
                return True
            return None
        span = buffer.span(end + 1)
        line = buffer.take(end + 1).removesuffix(b"\n").removesuffix(b"\r")
        if not line.strip():
            return True
        if not is_line(line):
            self.lose("redis-not-a-value", span)
            return True
        part = Part("inline", line, len(line), Span(span.place, span.offset, len(line)))
        return Read("inline", line.decode("latin-1"), True, 1, [part], span)

    def _head(self, kind: bytes, line: bytes, at: Span) -> Read | bool:
        """The count of a bulk string or an aggregate."""
        if not _COUNT.fullmatch(line):
            self.lose("redis-bad-length", at)
            return True
        count = int(line)
        if count < 0:
            return self._add("null", None) or True
        if kind in _BULKS:
            if count > _LONGEST_BULK:
                self.lose("redis-bad-length", at)
                return True
            self._bulk, self._left, self._length = _BULKS[kind], count, count
            return True
        name = _AGGREGATES[kind]
        count *= 2 if name in {"map", "attribute"} else 1
        if len(self._stack) >= _DEEPEST or count > _LONGEST_BULK or (self.commands and self._stack):
            self.lose("redis-too-deep" if count <= _LONGEST_BULK else "redis-bad-length", at)
            return True
        self._stack.append(_Open(name, count, count, []))
        return True if count else (self._close() or True)

    def _read_bulk(self) -> bool:
        """As much of a bulk string as is there; whether all of it and the line end behind it are."""
        buffer = self._buffer
        if self._at is None:
            if not len(buffer):
                return False
            self._at = Span(buffer.span(1).place, buffer.at, self._length)
        size = min(self._left, len(buffer))
        if size:
            data = buffer.take(size)
            if self._known and len(self._kept) < self._room:
                self._kept += data[: self._room - len(self._kept)]
            self._left -= size
        return not self._left and len(buffer) >= 2

    def _finish_bulk(self) -> Read | None:
        assert self._at is not None
        if self._buffer.take(2) != b"\r\n":
            self.lose("redis-bad-length", self._at)
            return None
        kind, data, span, known = self._bulk, bytes(self._kept), self._at, self._known
        self._bulk, self._at, self._known = "", None, True
        self._kept.clear()
        done = self._whole(kind, data, self._length, span, known)
        return done if isinstance(done, Read) else None

    def _whole(self, kind: str, data: bytes, length: int, span: Span, known: bool = True) -> Read | bool:
        """A value that is no aggregate."""
        data = data[: self._room]
        self._room -= len(data)
        part = Part(kind, data, length, span, known)
        if len(self._stack) <= 1 and len(self._parts) < MOST_VALUES:
            self._parts.append(part)
        return self._add(kind, shown(part)) or True

    def _add(self, kind: str, value: Value) -> Read | None:
        """Put a value where it belongs; what is complete with it, if that is all."""
        if not self._stack:
            return self._made(kind, value, 0)
        inner = self._stack[-1]
        inner.left -= 1
        if self._values < MOST_VALUES:
            self._values += 1
            inner.items.append(value)
            if isinstance(value, dict) and "cut" in value:
                self._complete = False
        else:
            self._complete = False
        return self._close() if not inner.left else None

    def _close(self) -> Read | None:
        """The innermost aggregate has all its values."""
        done = self._stack.pop()
        items: list[Value] = done.items
        if done.kind in {"map", "attribute"}:
            items = [list(items[at : at + 2]) for at in range(0, len(items), 2)]
        value: Value = items if done.kind in {"array", "push"} else {done.kind: items}
        if done.kind == "attribute":
            self._drop_attribute()
            return None
        if not self._stack:
            return self._made(done.kind, value, done.total)
        return self._add(done.kind, value)

    def _drop_attribute(self) -> None:
        """It goes before a value and is none itself."""
        self._complete = False
        if not self._stack:
            self._parts.clear()

    def _made(self, kind: str, value: Value, total: int) -> Read:
        assert self._begin is not None
        complete = self._complete and not (isinstance(value, dict) and "cut" in value)
        done = Read(kind, value, complete, total, self._parts, self._buffer.span_from(self._begin))
        self._reset()
        return done


def text(part: Part) -> Value:
    """A string as a record shows it: all of it, or how it begins and its true length."""
    said = part.data[:MOST_SHOWN].decode("latin-1")
    return said if len(said) == part.length else {"cut": said, "length": part.length}


def shown(part: Part) -> Value:
    """A value that is no aggregate as a record shows it."""
    data, kind = part.data, part.kind
    if kind == "integer" and _INTEGER.fullmatch(data) and -_MOST_INTEGER <= int(data) < _MOST_INTEGER:
        return int(data)
    if kind == "null":
        return None
    if kind == "boolean":
        return data == b"t"
    if kind == "double" and _DOUBLE.fullmatch(data) and isfinite(float(data)):
        return float(data)
    if kind in {"error", "bulk-error"}:
        return {"error": text(part)}
    if kind == "verbatim":
        return text(Part(kind, data[4:], max(part.length - 4, 0), part.span, part.known))
    return text(part)

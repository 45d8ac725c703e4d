"""multipart bodies divided into their parts while they pass (RFC 2046, 5.1; of forms: RFC 7578).

A part's content is hashed and handed on, never held, but for short values that someone asked for by name. What is odd
is tolerated: bare LF, a boundary in quotes or not, a last delimiter that is missing. Losses cut the part in which they
lie; the next delimiter finds the way again.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..api import ObjectWriter

MOST_PARTS = 1000
"""Of one body; those behind are counted and hashed no more."""
MOST_VALUES = 200
"""That are kept because they were asked for."""
LONGEST_HEAD = 1 << 14
LONGEST_VALUE = 1 << 14
"""Bytes of a value that are kept where its name asks for it."""
LONGEST_BOUNDARY = 1 << 10
_LONGEST_LINE = 1 << 10  # of a delimiter, blanks behind it included

_PARAMETER = re.compile(r';[ \t]*([^=;"\s]+)[ \t]*=[ \t]*(?:"((?:\\"|[^"])*)"?|([^;]*))')
_EXTENDED = re.compile(r"[^']*'[^']*'(.*)", re.DOTALL)


class Value(NamedTuple):
    """A part's content that was kept: where it stands is (run, begin), see MultipartSplitter."""

    name: str
    data: bytes
    complete: bool
    run: int
    begin: int


class Part(msgspec.Struct):
    """One part. Text is latin-1, one character a byte; None where a header does not say."""

    name: str | None = None
    filename: str | None = None
    content_type: str | None = None
    length: int = 0
    complete: bool = False
    """Its end was seen and nothing of it is lost."""
    sha256: str | None = None
    """Of the bytes that are known; None where there are none."""
    writer: ObjectWriter | None = None


def parameters(value: str) -> dict[str, str]:
    """The parameters of a header such as Content-Disposition, by lower-case name; the first counts."""
    found: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(value):
        found.setdefault(name.lower(), quoted.replace('\\"', '"') if quoted else plain.rstrip(" \t"))
    return found


def boundary_of(content_type: str) -> bytes | None:
    """The boundary that a Content-Type names, None where it names none that can be one."""
    found = parameters(content_type).get("boundary", "").rstrip(" \t").encode("latin-1", "replace")
    return found if 0 < len(found) <= LONGEST_BOUNDARY else None


class MultipartSplitter:
    """Divides one body. Offsets count its bytes from 0 in each `run`; a loss ends a run, the next byte begins one."""

    def __init__(
        self,
        boundary: bytes,
        wanted: Callable[[str], bool],
        open_object: Callable[[], ObjectWriter | None] | None = None,
    ) -> None:
        """`wanted` tells by a part's name whether its value is kept; parts with a file name become objects."""
        self._delimiter = b"--" + boundary
        self._wanted, self._open_object = wanted, open_object
        self._held = bytearray()
        self._at = 0  # of the first byte held
        self._run = 0
        self._lost = False  # bytes are lost behind what is held
        self._step = self._preamble
        self._line_begins = True  # what is held begins a line
        self._head: list[bytes] = []
        self._head_size = 0
        self._part: Part | None = None
        self._hash = sha256()
        self._value: bytearray | None = None
        self._value_at = 0, 0
        self._cut = False  # the present part lacks bytes
        self.parts: list[Part] = []
        self.total = 0
        self.values: list[Value] = []
        self.problems: list[str] = []

    def feed(self, data: bytes | bytearray | memoryview) -> None:
        """Take bytes of the body, in order."""
        if self._lost:
            self._resume()
        self._held += data
        while self._step():
            pass

    def gap(self, length: int = 0) -> None:
        """`length` bytes are lost here (0: it is not known how many)."""
        self._lost = True
        part = self._part
        if part is not None:
            self._give(len(self._held))
            part.length += length
            self._cut = True
            if part.writer is not None:
                part.writer.gap(length)
        self._held.clear()

    def finish(self) -> None:
        """Nothing follows."""
        if self._part is not None:
            self._give(len(self._held))
            self._part_over(False)
        if self._step != self._epilogue and (self.total or self._head or self._lost or self._at or self._held):
            self._say("multipart-without-end")

    def _say(self, problem: str) -> None:
        if problem not in self.problems:
            self.problems.append(problem)

    def _resume(self) -> None:
        self._lost = False
        self._run, self._at = self._run + 1, 0
        self._line_begins = False
        if self._step == self._headers:
            self._head.clear()
            self._step = self._preamble

    def _drop(self, size: int) -> None:
        del self._held[:size]
        self._at += size

    # Steps: each takes from what is held and says whether another may follow

    def _preamble(self) -> bool:
        found = self._find()
        if found is None:
            return False
        _, end, last = found
        self._drop(end)
        self._next(last)
        return True

    def _epilogue(self) -> bool:
        self._drop(len(self._held))
        return False

    def _headers(self) -> bool:
        end = self._held.find(b"\n")
        if end < 0 and self._head_size + len(self._held) <= LONGEST_HEAD:
            return False
        line = bytes(self._held[: end + 1])
        self._head_size += len(line)
        if end < 0 or self._head_size > LONGEST_HEAD:
            self._say("multipart-head-too-long")
            self._begin()
        elif not line.strip(b"\r\n"):
            self._drop(len(line))
            self._begin()
        elif self._is_delimiter(line):
            self._say("multipart-head-without-end")
            self._begin()
        else:
            if line[:1] in b" \t" and self._head:
                self._head[-1] += b" " + line.strip(b" \t\r\n")
            else:
                self._head.append(line.rstrip(b" \t\r\n"))
            self._drop(len(line))
        return True

    def _content(self) -> bool:
        found = self._find()
        if found is None:
            return False
        begin, end, last = found
        self._give(begin)
        self._part_over(True)
        self._drop(end - begin)
        self._next(last)
        return True

    def _next(self, last: bool) -> None:
        self._head, self._head_size = [], 0
        self._step = self._epilogue if last else self._headers

    # Delimiters

    def _is_delimiter(self, line: bytes) -> bool:
        """Whether a whole line is one: nothing stands behind the boundary but the mark of the last one, and blanks."""
        if not line.startswith(self._delimiter):
            return False
        rest = line[len(self._delimiter) :]
        return not rest.strip(b" \t\r\n") or rest.startswith(b"--")

    def _find(self) -> tuple[int, int, bool] | None:
        """The next delimiter in what is held: where the content before it ends, where the delimiter does, is it the
        last one. None: not yet; what cannot be part of one was passed on.
        """
        held, size = self._held, len(self._delimiter)
        at = 0
        while True:
            if self._line_begins:
                begin = first = at = 0
                self._line_begins = held.startswith(self._delimiter) or (
                    len(held) < size and self._delimiter.startswith(held)
                )
                if not self._line_begins:
                    continue
            else:
                begin = held.find(b"\n" + self._delimiter, at)
                if begin < 0:
                    self._pass(len(held) - size - 1)
                    return None
                first = begin + 1
            behind = first + size
            end = held.find(b"\n", behind, behind + _LONGEST_LINE)
            last = held[behind : behind + 2] == b"--"
            if last:
                end = behind + 1
            elif end < 0:
                if len(held) < behind + _LONGEST_LINE and not held[behind:].strip(b" \t\r-"):
                    self._pass(begin - 1)
                    return None
                end = -1
            if end >= 0 and (last or not held[behind:end].strip(b" \t\r")):
                self._line_begins = False
                if begin and held[begin - 1] == 13 and first > begin:
                    begin -= 1
                return begin, end + 1, last
            self._line_begins = False
            at = first  # it only begins like one

    def _pass(self, size: int) -> None:
        """What is held before `size` is content for certain."""
        if size > 0:
            self._line_begins = False
            if self._part is not None:
                self._give(size)
            else:
                self._drop(size)

    # Parts

    def _begin(self) -> None:
        self.total += 1
        self._part = part = Part()
        for raw in self._head:
            name, _, value = raw.decode("latin-1").partition(":")
            name, value = name.strip(" \t").lower(), value.strip(" \t")
            if name == "content-disposition":
                said = parameters(value)
                part.name, part.filename = said.get("name"), said.get("filename", said.get("filename*"))
                extended = _EXTENDED.fullmatch(said.get("filename*", ""))
                if extended is not None and "filename" not in said:
                    part.filename = extended[1]
            elif name == "content-type":
                part.content_type = value
        self._head = []
        self._hash, self._cut, self._value = sha256(), False, None
        if self.total > MOST_PARTS:
            self._say("too-many-parts")
            self._started()
            return
        if part.name is not None and self._wanted(part.name):
            self._value = bytearray() if len(self.values) < MOST_VALUES else None
        if part.filename is not None and self._open_object is not None:
            part.writer = self._open_object()
        self._started()

    def _started(self) -> None:
        self._value_at = self._run, self._at
        self._line_begins = True
        self._step = self._content

    def _give(self, size: int) -> None:
        """The first bytes held are content of the present part."""
        part = self._part
        if part is None or size <= 0:
            return
        if self.total <= MOST_PARTS:
            data = bytes(self._held[:size])
            if self._value is not None and not self._cut:
                self._value += data[: max(0, LONGEST_VALUE - len(self._value))]
            self._hash.update(data)
            if part.writer is not None:
                part.writer.write(data)
        part.length += size
        self._drop(size)

    def _part_over(self, ended: bool) -> None:
        part = self._part
        self._part = None
        if part is None or self.total > MOST_PARTS:
            return
        part.complete = ended and not self._cut
        if self._value is not None:
            complete = part.complete and part.length == len(self._value)
            self.values.append(Value(part.name or "", bytes(self._value), complete, *self._value_at))
        if part.length:
            part.sha256 = self._hash.hexdigest()
        self.parts.append(part)

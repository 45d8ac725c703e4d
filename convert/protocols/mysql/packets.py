"""MySQL's packets in one direction, their compressed form, and how one is recognised where none is known to begin."""

from __future__ import annotations

import re
import zlib
from typing import TYPE_CHECKING

from ..sql.packets import KEEP, LOOK, Framer, Packet
from .fields import error, greeting

if TYPE_CHECKING:
    from collections.abc import Callable

PART = 0xFFFFFF
"""A packet of this length goes on in the next."""
_VERBS = (
    rb"select|insert|update|delete|replace|set|show|create|alter|drop|begin|commit|rollback|start|use|call|truncate|grant"
    rb"|revoke|load|lock|unlock|explain|describe|desc|analyze|optimize|flush|kill|with|do|prepare|execute|savepoint"
)
_BEGINS = rb"[\s(]{0,8}(?i:" + _VERBS + rb")"
_STATEMENT = re.compile(rb"\s*(?:/\*|--|" + _BEGINS + rb"(?:[\s(*`'\"@/;]|\Z))")
_QUERY = re.compile(rb"(?=..[\x00-\x0f]\x00[\x03\x16](?:\x00\x01)?" + _BEGINS + rb")", re.DOTALL)
_RESULT = re.compile(rb"(?=[\x01-\x03]\x00\x00\x01.{1,3}..\x00\x02\x03def)", re.DOTALL)
_LONGEST_PATTERN = 32
FREE_OUTPUT = 1 << 20
"""Bytes of one direction that may be inflated whatever goes in: a few may stand for millions of packets."""
MOST_RATIO = 200
"""Bytes that come out for each that goes in, beyond these."""
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

# Commands by their number, and the lengths that their packets may have (least, most).
_ALONE = (1, 1)
LENGTHS: dict[int, tuple[int, int]] = {
    0x01: _ALONE, 0x02: (2, 512), 0x03: (2, 1 << 32), 0x04: (2, 1024), 0x05: (2, 512), 0x06: (2, 512), 0x07: (2, 2),
    0x08: (1, 2), 0x09: _ALONE, 0x0A: _ALONE, 0x0C: (5, 5), 0x0D: _ALONE, 0x0E: _ALONE, 0x11: (4, 1 << 16),
    0x12: (11, 1024), 0x13: (3, 1024), 0x15: (18, 1024), 0x16: (2, 1 << 32), 0x17: (10, 1 << 32), 0x18: (7, 1 << 32),
    0x19: (5, 5), 0x1A: (5, 5), 0x1B: (3, 3), 0x1C: (9, 9), 0x1E: (19, 1 << 16), 0x1F: _ALONE, 0x20: _ALONE,
    0xFA: (8, 1 << 32),
}  # fmt: skip


def is_command(number: int, length: int, body: bytes) -> bool:
    """A client's packet that begins so says something that a client says; `body`: its first bytes."""
    if number or not body:
        return False
    least, most = LENGTHS.get(body[0], (1, 0))
    if not least <= length <= most:
        return False
    if body[0] in {0x03, 0x16}:
        text = body[3:] if body[1:3] == b"\0\1" else body[1:]
        return _STATEMENT.match(text) is not None and not _UNPRINTABLE.search(text)
    if body[0] == 0x17:
        return body[6:10] == b"\1\0\0\0" and body[5] <= 0x0F
    return body[0] != 0x02 or not _UNPRINTABLE.search(body[1:])


def is_answer(number: int, length: int, body: bytes) -> bool:
    """A server's packet that begins so is the first of an answer; `body`: its first bytes and what follows them."""
    if number != 1 or not body:
        return False
    if body[0] == 0xFF:
        return 9 <= length <= 1024 and _is_error(body[: min(length, LOOK)])
    if body[0] == 0 and length == 12 and body[9:10] == b"\0":
        return True  # a statement is prepared
    if body[0] == 0:
        return 7 <= length <= 512 and _is_ok(body[:length])
    return length <= 3 and body[length + 3 : length + 8] == b"\x02\x03def"


def _is_error(body: bytes) -> bool:
    told = error(body)
    if told is None or not 1000 <= told.code < 6000 or told.state is None:
        return False
    return told.state.isalnum() and not _UNPRINTABLE.search(told.message.encode("latin-1"))


def _is_ok(body: bytes) -> bool:
    """Small numbers of rows and warnings, and a status without bits that none has."""
    if len(body) < 7 or body[1] >= 0xFB:
        return False
    return body[2] < 0xFB and not body[4] & 0x80 and body[6] == 0


def _is_first(body: bytes, length: int) -> bool:
    """The greeting, or what a server says in its place."""
    told = error(body)
    if told is not None:
        return 1000 <= told.code < 6000 and length <= 1024 and not _UNPRINTABLE.search(body[3:length])
    return greeting(body + bytes(LOOK)) is not None


class MySqlFramer(Framer):
    """One direction's packets."""

    def __init__(self, take: Callable[[Packet], None], to_server: bool) -> None:
        super().__init__(take)
        self._to_server = to_server
        self.rows = False
        """Rows are awaited: they are counted, not looked at."""
        self.row_count = 0

    def measure(self, head: bytes) -> tuple[int, int, bool] | None:
        """Three bytes of length, one that counts packets; every header is one."""
        length = head[0] | head[1] << 8 | head[2] << 16
        return head[3], length, length == PART

    def skip(self, data: bytes, at: int, offset: int, place: object) -> int:
        """Count rows as long as they are awaited: no row begins with ff, none shorter than a part with fe."""
        if not self.rows:
            return at
        size, count = len(data), 0
        while size - at >= 5:
            length = data[at] | data[at + 1] << 8 | data[at + 2] << 16
            end = at + 4 + length
            if not length or length == PART or data[at + 4] >= 0xFE or end > size:
                break
            count += 1
            at = end
        self.row_count += count
        return at

    def find(self, tail: bytes, anchor: int) -> tuple[int, bool]:
        """A command, the beginning of an answer, or the greeting or login at an anchor."""
        if anchor >= 0:
            told = self._begins(tail, anchor)
            if told is not False:
                return anchor, bool(told)
        pattern = _QUERY if self._to_server else _RESULT
        for match in pattern.finditer(tail, max(anchor, 0)):
            told = self._begins(tail, match.start())
            if told is not False:
                return match.start(), bool(told)
        return max(len(tail) - _LONGEST_PATTERN, anchor + 1, 0), False

    def _begins(self, tail: bytes, at: int) -> bool | None:
        """Whether a packet begins there; None: it takes more bytes to tell."""
        head = tail[at : at + 4]
        if len(head) < 4:
            return None
        if head[3] > 1 + self._to_server:
            return False
        length = head[0] | head[1] << 8 | head[2] << 16
        window = tail[at + 4 : at + 4 + LOOK]
        if len(window) < (min(length, LOOK) if self._to_server or length > 3 else length + 8):
            if not self._to_server and length <= 3 and window[:1] and window[0] in {0, 0xFF}:
                return False
            return None
        if self._to_server:
            return is_command(head[3], length, window[:length]) or head[3] in {1, 2} and is_login(window, length)
        return is_answer(head[3], length, window) or (not head[3] and _is_first(window, length))


def is_login(body: bytes, length: int) -> bool:
    """These are the first bytes of a login or of a request for TLS, protocol 4.1."""
    if length < 32 or len(body) < 32 or not body[1] & 0x02 or any(body[9:28]):
        return False
    return length == 32 or (len(body) > 32 and body[32] >= 0x20)


_AT_ONCE = 64 * 1024
"""Compressed bytes that are inflated together. What they say has the span up to the last of them, not up to the end
that their packet announces: that may never come."""


class Inflater:
    """Compressed packets of one direction: each holds any number of bytes of packets. Hands these to a framer."""

    def __init__(self, framer: Framer) -> None:
        self._framer = framer
        self._head = b""
        self._left = 0
        self._held = bytearray()
        self._zlib: zlib._Decompress | None = None
        self._expected = 0
        self._room = FREE_OUTPUT
        self._place: object = None
        self._offset = 0
        self._width = 0
        self._lost = False

    def feed(self, data: bytes, offset: int, place: object) -> None:
        """Bytes as they pass."""
        at = 0
        while at < len(data):
            if self._lost:
                return
            if not self._left:
                part = data[at : at + 7 - len(self._head)]
                if not self._head:
                    self._place, self._offset = place, offset + at
                self._head += part
                at += len(part)
                if len(self._head) == 7:
                    self._begin()
                continue
            part = data[at : at + min(self._left, _AT_ONCE - len(self._held))]
            at += len(part)
            self._left -= len(part)
            self._held += part
            if not self._left or len(self._held) >= _AT_ONCE:
                self.flush()

    def flush(self) -> None:
        """Hand on what is held: the rest of its packet is lost, or late."""
        part = bytes(self._held)
        self._held.clear()
        self._width += len(part)
        if part:
            self._open(part)

    def _begin(self) -> None:
        self._left = int.from_bytes(self._head[:3], "little")
        self._expected = int.from_bytes(self._head[4:], "little")
        self._width = 7
        self._head = b""
        self._zlib = zlib.decompressobj() if self._expected else None
        if self._left and self._framer.synced is False:
            self._framer.anchor()

    def _open(self, part: bytes) -> None:
        if self._zlib is None:
            self._framer.feed(part, self._offset, self._place, self._width)
            return
        self._room += MOST_RATIO * len(part)
        while self._expected > 0:
            if self._room <= 0:  # the rest of this packet is passed over
                self._framer.lose()
                self._expected = 0
                return
            limit = min(self._expected, self._room, KEEP)
            before = self._zlib.copy()
            try:
                out = self._zlib.decompress(part, limit)
            except zlib.error:
                self._salvage(before, part)
                return
            part = self._zlib.unconsumed_tail
            self._inflated(out)
            if len(out) < limit:
                return  # more has to come

    def _inflated(self, out: bytes) -> None:
        self._expected -= len(out)
        self._room -= len(out)
        if out:
            self._framer.feed(out, self._offset, self._place, self._width)

    def _salvage(self, before: zlib._Decompress, part: bytes) -> None:
        """What comes before the damage, the same however the bytes were cut."""
        try:
            for at in range(len(part)):
                out = before.decompress(part[at : at + 1], self._expected + 1)
                self._inflated(out[: max(min(self._expected, self._room), 0)])
        except zlib.error:
            pass  # from here on it is not known what was said
        self._framer.lose()
        self._expected = 0

    def gap(self, length: int, offset: int) -> None:
        """Bytes are missing: what the rest of this packet held is not known; later ones are found by its length."""
        self.flush()
        self._framer.lose()
        self._expected = 0
        self._zlib = zlib.decompressobj() if self._left else None
        self._width += length
        if self._left and length <= self._left:
            self._left -= length
        elif self._left or self._head or length:
            self._lost = True

    def turn(self) -> None:
        """The other side has spoken: a packet begins with what follows."""
        if self._lost:
            self._lost, self._left, self._head = False, 0, b""

"""PostgreSQL's messages, version 3: how they are cut, recognised, and what stands in the simpler ones.

https://www.postgresql.org/docs/current/protocol-message-formats.html
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...model.span import Span
from ..sql.packets import LOOK, Framer, Packet

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.record import Value

LONGEST = 64 * 1024
SHORT = 1024
MOST_NAMES = 256
"""Columns whose names are told."""
MOST_PAIRS = 32

CANCEL, SSL, GSS = 80877102, 80877103, 80877104
_LONGEST_STARTUP = 10_000
_LONGEST_MESSAGE = 1 << 30

_CLIENT_TYPES = frozenset(b"BCDEFHPQSXcdfp")
_SERVER_TYPES = frozenset(b"123ACDEGHIKNRSTVWZcdnstv")
_EMPTY = {True: frozenset(b"HSXc"), False: frozenset(b"123Icns")}
_ROWS = frozenset(b"Dd")

_VERBS = (
    rb"select|insert|update|delete|set|show|create|alter|drop|begin|commit|rollback|start|end|with|copy|grant|revoke"
    rb"|truncate|explain|analyze|vacuum|lock|listen|notify|declare|fetch|close|discard|do|call|prepare|execute|reset"
    rb"|savepoint|release|deallocate|comment|merge|values|reindex|refresh|abort|identify_system|start_replication"
)
_BEGINS = rb"[\s(]{0,8}(?i:" + _VERBS + rb")"
_STATEMENT = re.compile(rb"\s*(?:/\*|--|" + _BEGINS + rb"(?:[\s(*'\";$]|\0|\Z))")
_QUERY = re.compile(rb"(?=(?:Q\x00...|P\x00[\x00-\x0f]..[!-~]{0,32}\x00)" + _BEGINS + rb")", re.DOTALL)
_LEVELS = rb"(?:ERROR|FATAL|PANIC|WARNING|NOTICE|INFO|LOG|DEBUG)"
_TAG = rb"(?:SELECT \d+|INSERT \d+ \d+|UPDATE \d+|DELETE \d+|FETCH \d+|COPY \d+|MERGE \d+|[A-Z][A-Z ]{2,30})"
_SERVER = re.compile(
    rb"(?=Z\x00\x00\x00\x05[ITE]|C\x00\x00\x00[\x08-\x38]" + _TAG + rb"\x00"
    rb"|[EN]\x00\x00..S[^\x00]{1,16}\x00V" + _LEVELS + rb")",
    re.DOTALL,
)
_ANSWER = re.compile(
    rb"Z\x00\x00\x00\x05[ITE]|[123nIs]\x00\x00\x00\x04|C\x00\x00\x00[\x08-\x38]" + _TAG + rb"\x00"
    rb"|[EN]\x00\x00..S[^\x00]{1,16}\x00[VC]|R\x00\x00\x00[\x08\x0c]\x00\x00\x00[\x00\x03\x05]"
    rb"|T\x00[\x00-\x0f]..\x00.[ -~]|S\x00\x00..[a-z_A-Z]{3,32}\x00|K\x00\x00\x00\x0c"
    rb"|R\x00\x00\x00.\x00\x00\x00[\x0a-\x0c]|[GH]\x00\x00..[\x00\x01]\x00.\x00[\x00\x01]",
    re.DOTALL,
)
_STARTUP = re.compile(
    rb"\x00\x00..\x00\x03\x00[\x00-\x03](?:user|database|application_name|client_encoding|options|[A-Za-z_.]+)\x00[ -~]"
    rb"|\x00\x00\x00\x08\x04\xd2\x16[\x2f\x30]|\x00\x00\x00[\x10-\xff]\x04\xd2\x16\x2e",
    re.DOTALL,
)
_UNPRINTABLE = re.compile(rb"[\x01-\x08\x0b\x0c\x0e-\x1f\x7f]")


class PgFramer(Framer):
    """One direction's messages. The client's first has no type; the server's answer to SSLRequest is one byte."""

    def __init__(self, take: Callable[[Packet], None], to_server: bool) -> None:
        super().__init__(take)
        self._to_server = to_server
        self._types = _CLIENT_TYPES if to_server else _SERVER_TYPES
        self.row_count = 0
        """DataRow messages that were not yet told."""
        self.copied = 0
        """Bytes in CopyData messages that were not yet told."""
        self.first: Span | None = None
        """Of the messages counted."""
        self.typed()

    def forget_counts(self) -> None:
        """Begin to count anew."""
        self.row_count = self.copied = 0
        self.first = None

    def typed(self) -> None:
        """What follows are messages with a type."""
        self.header = 5

    def startup(self) -> None:
        """A message without a type follows: length and code are taken for its header."""
        self.header = 8

    def one_byte(self) -> None:
        """A single byte follows."""
        self.header = 1

    def measure(self, head: bytes) -> tuple[int, int, bool] | None:
        """The type, or the code of a message that has none."""
        if self.header == 1:
            return (head[0], 0, False) if head[0] in b"SNGE" else None
        if self.header == 8:
            length = int.from_bytes(head[:4], "big") - 8
            return (int.from_bytes(head[4:], "big"), length, False) if 0 <= length <= _LONGEST_STARTUP else None
        tag, length = head[0], int.from_bytes(head[1:], "big") - 4
        if tag not in self._types or not 0 <= length <= _LONGEST_MESSAGE or length and tag in _EMPTY[self._to_server]:
            return None
        if tag == 0x5A and length != 1:  # ReadyForQuery
            return None
        return tag, length, False

    def skip(self, data: bytes, at: int, offset: int, place: object) -> int:
        """Count rows and copied data: these are the bulk of what passes."""
        if self.header != 5:
            return at
        size = len(data)
        while size - at >= 5 and data[at] in _ROWS:
            length = int.from_bytes(data[at + 1 : at + 5], "big")
            end = at + 1 + length
            if length < 4 or end > size or (self._to_server and data[at] == 0x44):
                break
            if self.first is None:
                self.first = Span(place, offset + at, end - at)
            if data[at] == 0x44:
                self.row_count += 1
            else:
                self.copied += length - 4
            at = end
        return at

    def count(self, packet: Packet) -> bool:
        """The same for one that was not skipped; returns whether it was counted."""
        if packet.tag == 0x64:
            self.copied += packet.length
        elif packet.tag == 0x44 and not self._to_server:
            self.row_count += 1
        else:
            return False
        self.first = self.first or packet.span
        return True

    def find(self, tail: bytes, anchor: int) -> tuple[int, bool]:
        """A query or Parse, ReadyForQuery, CommandComplete or an error; at an anchor what else is likely there."""
        if anchor >= 0:
            window = tail[anchor : anchor + LOOK]
            if len(window) < 8 and not self._enough(window):
                return anchor, False
            if self._likely(window):
                if len(window) < LOOK and not self._enough(window):
                    return anchor, False
                if self._begins(window):
                    return anchor, True
        pattern = _QUERY if self._to_server else _SERVER
        for match in pattern.finditer(tail, max(anchor, 0)):
            begin = match.start()
            if len(tail) - begin < LOOK and not self._enough(tail[begin:]):
                return begin, False
            if self._begins(tail[begin : begin + LOOK], strict=True):
                return begin, True
        return max(len(tail) - LOOK, anchor + 1, 0), False

    def _likely(self, data: bytes) -> bool:
        """The header may be one."""
        self.typed()
        return self.measure(data[:5]) is not None or (self._to_server and data[:2] == b"\0\0")

    def _enough(self, data: bytes) -> bool:
        """The whole message is there, so that LOOK bytes are not awaited."""
        return len(data) >= self._size(data)

    def _size(self, data: bytes) -> int:
        """Of the message that begins here, as its header says; of a header that is not there the least."""
        if self._to_server and data[:1] == b"\0":
            return max(int.from_bytes(data[:4], "big"), 8)
        return max(int.from_bytes(data[1:5], "big") + 1, 5)

    def _begins(self, data: bytes, strict: bool = False) -> bool:
        data = data[: self._size(data)]  # what follows may not have come yet: it decides nothing
        if not self._to_server:
            self.typed()
            return _ANSWER.match(data) is not None and self.measure(data[:5]) is not None
        if not strict and _STARTUP.match(data) is not None:
            self.startup()
            return True
        self.typed()
        return is_request(data)


def is_request(data: bytes) -> bool:
    """These bytes begin as a client's message does; LOOK of them, or the whole of it."""
    if len(data) < 5 or data[0] not in _CLIENT_TYPES:
        return False
    length = int.from_bytes(data[1:5], "big") - 4
    body = data[5 : 5 + max(length, 0)]
    kind = data[:1]
    if not 0 <= length <= _LONGEST_MESSAGE:
        return False
    if kind in {b"S", b"H", b"X", b"c"}:
        return not length
    if kind == b"Q":
        if len(body) == length and body[-1:] != b"\0":
            return False
        return _STATEMENT.match(body) is not None and not _UNPRINTABLE.search(body)
    if kind == b"P":
        name, ended, sql = body.partition(b"\0")
        return bool(ended) and not _UNPRINTABLE.search(name) and _STATEMENT.match(sql) is not None
    if kind in {b"D", b"C"}:
        return body[:1] in {b"S", b"P"} and length <= SHORT and body[-1:] == b"\0" or len(body) < length
    if kind == b"B":
        return body.count(b"\0") >= 2 and length >= 8 and not _UNPRINTABLE.search(body.split(b"\0")[0])
    return kind == b"E" and body.count(b"\0") >= 1 and 5 <= length <= SHORT


def strings(body: bytes) -> list[str]:
    """Texts that each end with NUL."""
    return [part.decode("latin-1") for part in body.split(b"\0")]


class Startup(NamedTuple):
    """StartupMessage."""

    version: str
    pairs: list[tuple[str, str]]

    def get(self, name: str) -> str | None:
        """The value of a parameter."""
        return next((value for key, value in self.pairs if key == name), None)


def startup(packet: Packet) -> Startup:
    """Version and parameters."""
    parts = strings(packet.body)
    pairs = [(name, value) for name, value in zip(parts[::2], parts[1::2], strict=False) if name]
    return Startup(f"{packet.tag >> 16}.{packet.tag & 0xFFFF}", pairs[:MOST_PAIRS])


_FIELDS = {
    "C": "sql_state", "M": "message", "D": "detail", "H": "hint", "P": "sql_position", "s": "schema", "t": "table",
    "c": "column", "d": "data_type", "n": "constraint",
}  # fmt: skip


def complaint(body: bytes) -> dict[str, Value]:
    """ErrorResponse and NoticeResponse: their fields by name; the word of severity is `error_level`."""
    found: dict[str, str] = {}
    for part in body.split(b"\0"):
        if part:
            found.setdefault(part[:1].decode("latin-1"), part[1 : 1 + LONGEST].decode("latin-1"))
    fields: dict[str, Value] = {}
    level = found.get("V", found.get("S"))
    if level is not None:
        fields["error_level"] = level
    fields |= {name: found[code] for code, name in _FIELDS.items() if code in found}
    return fields


def columns(body: bytes) -> tuple[list[Value], bool]:
    """RowDescription: the names of columns, and whether these are all."""
    count = int.from_bytes(body[:2], "big")
    names: list[Value] = []
    at = 2
    while len(names) < min(count, MOST_NAMES):
        end = body.find(b"\0", at)
        if end < 0:
            break
        names.append(body[at : min(end, at + SHORT)].decode("latin-1"))
        at = end + 19
    return names, len(names) == count


def oids(body: bytes) -> list[int]:
    """ParameterDescription: the types of parameters."""
    count = int.from_bytes(body[:2], "big")
    return [int.from_bytes(body[at : at + 4], "big") for at in range(2, min(2 + 4 * count, len(body) - 3), 4)]

"""What stands in MySQL's packets: numbers and texts with lengths, the greeting, logins, and the server's short answers.

https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html, https://mariadb.com/kb/en/clientserver-protocol/
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ...model.record import Value

LONGEST = 64 * 1024
"""Of a text in a record, in bytes."""
SHORT = 1024
"""Of a name."""
MOST_ATTRIBUTES = 64

# Capabilities: those that change how packets are read.
CLIENT_MYSQL = 1
"""MariaDB calls it so and clears it to say that the upper half follows."""
CONNECT_WITH_DB = 1 << 3
COMPRESS = 1 << 5
PROTOCOL_41 = 1 << 9
SSL = 1 << 11
SECURE_CONNECTION = 1 << 15
PLUGIN_AUTH = 1 << 19
CONNECT_ATTRIBUTES = 1 << 20
LENENC_AUTH = 1 << 21
SESSION_TRACK = 1 << 23
DEPRECATE_EOF = 1 << 24
OPTIONAL_METADATA = 1 << 25
ZSTD = 1 << 26
QUERY_ATTRIBUTES = 1 << 27
CACHE_METADATA = 1 << 36

MORE_RESULTS = 0x0008
CURSOR_EXISTS = 0x0040
NATIVE = "mysql_native_password"


class Short(Exception):
    """The bytes end within a value."""


class Reader:
    """Reads one packet's body from the front."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data = data
        self.at = at

    @property
    def left(self) -> int:
        """Bytes that are not read."""
        return len(self.data) - self.at

    def take(self, size: int) -> bytes:
        """The next bytes, raises Short where they are fewer."""
        if size > self.left:
            raise Short
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """An integer of so many bytes."""
        return int.from_bytes(self.take(size), "little")

    def lenenc(self) -> int:
        """An integer that says its own length."""
        first = self.number(1)
        if first < 0xFB:
            return first
        if first in {0xFB, 0xFF}:
            raise Short
        return self.number({0xFC: 2, 0xFD: 3, 0xFE: 8}[first])

    def text(self) -> str:
        """A text behind its length."""
        return self.take(self.lenenc()).decode("latin-1")

    def short(self) -> str:
        """A text behind a length of one byte."""
        return self.take(self.number(1)).decode("latin-1")

    def cstring(self) -> str:
        """A text up to its NUL."""
        end = self.data.find(b"\0", self.at)
        if end < 0:
            raise Short
        return self.take(end + 1 - self.at)[:-1].decode("latin-1")

    def rest(self) -> bytes:
        """All that is left."""
        return self.take(self.left)


class Greeting(NamedTuple):
    """What the server says first."""

    version: str
    connection: int
    capabilities: int
    plugin: str
    challenge: bytes = b""
    """20 bytes; 8 of servers before 4.1. Empty where it is not known."""

    def fields(self) -> dict[str, Value]:
        """For a record."""
        return {
            "server_version": self.version[:SHORT],
            "connection_id": self.connection,
            "capabilities": self.capabilities,
            "authentication": self.plugin[:SHORT] or None,
        }


_GREETING = re.compile(rb"\x0a([ -~]{3,64})\0")


def greeting(body: bytes) -> Greeting | None:
    """Initial handshake, protocol version 10; None where it is none."""
    match = _GREETING.match(body)
    if match is None:
        return None
    reader = Reader(body, match.end())
    try:
        connection = reader.number(4)
        challenge = reader.take(9)
        if challenge[8]:
            return None
        challenge = challenge[:8]
        capabilities = reader.number(2)
        if not reader.left:
            return Greeting(match[1].decode("latin-1"), connection, capabilities, "", challenge)
        reader.take(3)
        capabilities |= reader.number(2) << 16
        size = reader.number(1)
        reserved = reader.take(10)
        if not capabilities & CLIENT_MYSQL:
            capabilities |= int.from_bytes(reserved[6:], "little") << 32
        elif any(reserved):
            return None
        plugin = ""
        if capabilities & PLUGIN_AUTH:
            challenge += reader.take(max(13, size - 8))[:12]
            plugin = reader.rest().split(b"\0")[0].decode("latin-1")
        elif reader.left >= 13:
            challenge += reader.take(12)
        return Greeting(match[1].decode("latin-1"), connection, capabilities, plugin, challenge)
    except Short:
        return None


class Login(NamedTuple):
    """The client's answer to the greeting, or its request for TLS."""

    capabilities: int
    character_set: int
    user: str
    begin: int
    """Of the answer to the challenge, within the body."""
    end: int
    database: str | None
    plugin: str | None
    attributes: list[Value]
    whole: bool
    """False where the capture lacks its end."""


def login(body: bytes) -> Login | None:
    """HandshakeResponse of either age, or SSLRequest (32 bytes); None where it is neither."""
    reader = Reader(body)
    try:
        capabilities = reader.number(2)
        if not capabilities & PROTOCOL_41:
            reader.take(3)
            user = reader.cstring()
            begin = reader.at
            end = body.find(b"\0", begin)
            end = len(body) if end < 0 else end
            more = capabilities & CONNECT_WITH_DB and end < len(body)
            database = body[end + 1 :].split(b"\0")[0].decode("latin-1") if more else None
            return Login(capabilities, 0, user, begin, end, database, None, [], True)
        capabilities |= reader.number(2) << 16
        reader.take(4)
        character_set = reader.number(1)
        filler = reader.take(23)
    except Short:
        return None
    if any(filler[:19]):
        return None
    if not capabilities & CLIENT_MYSQL:
        capabilities |= int.from_bytes(filler[19:], "little") << 32
    user, begin, end = "", len(body), len(body)
    database = plugin = None
    attributes: list[Value] = []
    if not reader.left:
        return Login(capabilities, character_set, user, begin, end, database, plugin, attributes, True)
    try:
        user = reader.cstring()
        begin, end = _answer(reader, capabilities)
        if capabilities & CONNECT_WITH_DB and reader.left:
            database = reader.cstring()
        if capabilities & PLUGIN_AUTH and reader.left:
            plugin = reader.cstring()
        if capabilities & CONNECT_ATTRIBUTES and reader.left:
            attributes = read_attributes(Reader(reader.take(reader.lenenc())))
    except Short:
        return Login(capabilities, character_set, user, begin, end, database, plugin, attributes, False)
    return Login(capabilities, character_set, user, begin, end, database, plugin, attributes, True)


def _answer(reader: Reader, capabilities: int) -> tuple[int, int]:
    """Where the answer to the challenge stands."""
    if capabilities & LENENC_AUTH:
        size = reader.lenenc()
    elif capabilities & SECURE_CONNECTION:
        size = reader.number(1)
    else:
        begin = reader.at
        reader.cstring()
        return begin, reader.at - 1
    begin = reader.at
    reader.take(size)
    return begin, reader.at


def read_attributes(reader: Reader) -> list[Value]:
    """[[name, value] ...] of what a client says of itself."""
    pairs: list[Value] = []
    try:
        while reader.left and len(pairs) < MOST_ATTRIBUTES:
            name = reader.text()
            pairs.append([name[:SHORT], reader.text()[:SHORT]])
    except Short:
        pass  # what was whole is told
    return pairs


class Ok(NamedTuple):
    """OK, or EOF in either form."""

    affected: int | None
    insert_id: int | None
    status: int
    warnings: int
    info: str


def ok(body: bytes, capabilities: int) -> Ok | None:
    """OK (00, or fe where it ends rows); EOF (fe, 5 bytes); None where it is neither."""
    reader = Reader(body, 1)
    try:
        if len(body) == 5 and body[0] == 0xFE:
            warnings = reader.number(2)
            return Ok(None, None, reader.number(2), warnings, "")
        affected, insert_id = reader.lenenc(), reader.lenenc()
        status = reader.number(2) if reader.left else 0
        warnings = reader.number(2) if reader.left else 0
    except Short:
        return None
    info = reader.data[reader.at :]
    if info and (capabilities & SESSION_TRACK or info[0] == len(info) - 1):
        try:
            info = Reader(info).text().encode("latin-1")
        except Short:
            info = b""
    return Ok(affected, insert_id, status, warnings, info[:LONGEST].decode("latin-1"))


class Error(NamedTuple):
    """What the server refuses, and why."""

    code: int
    state: str | None
    message: str

    def fields(self) -> dict[str, Value]:
        """For a record."""
        return {"code": self.code, "sql_state": self.state, "message": self.message[:LONGEST]}


def error(body: bytes) -> Error | None:
    """ERR (ff); None where it is none, or MariaDB tells of progress with it."""
    if len(body) < 3 or body[0] != 0xFF:
        return None
    code = int.from_bytes(body[1:3], "little")
    if code == 0xFFFF:
        return None
    if body[3:4] == b"#" and len(body) >= 9:
        return Error(code, body[4:9].decode("latin-1"), body[9:].decode("latin-1"))
    return Error(code, None, body[3:].decode("latin-1"))


def is_progress(body: bytes) -> bool:
    """MariaDB's report of progress: an error 0xffff that is none."""
    return body[:3] == b"\xff\xff\xff"


def column_name(body: bytes) -> str | None:
    """The name of a column definition (protocol 4.1); None where it is none."""
    if body[:4] != b"\x03def":
        return None
    reader = Reader(body, 4)
    try:
        for _ in range(3):
            reader.text()
        return reader.text()
    except Short:
        return None

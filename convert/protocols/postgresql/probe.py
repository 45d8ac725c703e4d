"""Whether a conversation is PostgreSQL's: by the startup message, or by queries and answers where it begins later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES
from .messages import CANCEL, GSS, SSL, PgFramer

if TYPE_CHECKING:
    from ..api import Opening

_PORT = 5432
_VERSION = re.compile(rb"\x00\x03\x00[\x00-\x03][\w. ]{1,63}\x00[^\x00]*\x00", re.DOTALL)
_FEWEST = 8


def probe(opening: Opening) -> int:
    """By content; the port or the socket's name only lets one wait for more."""
    client, server = opening.client, opening.server
    started = _starts(client, server)
    if started == YES:
        return YES
    likely = opening.server_port == _PORT or ".s.PGSQL." in opening.path
    if _goes_on(client, True, likely) or _goes_on(server, False, likely):
        return YES
    return MORE if not opening.over and (likely or started == MORE) else NO


def _starts(client: bytes, server: bytes) -> int:
    """A message without a type: its length fits, and its code is one of four."""
    if not client:
        return NO
    if len(client) < _FEWEST:
        return MORE if client[:2] == b"\0\0"[: len(client)] else NO
    length, code = int.from_bytes(client[:4], "big"), int.from_bytes(client[4:8], "big")
    if code in {SSL, GSS}:
        return YES if length == 8 and (not server or server[0] in b"SNGE") else NO
    if code == CANCEL:
        return YES if 16 <= length <= 272 and not server and len(client) == length else NO
    if code >> 16 != 3 or not 16 <= length <= 10_000:
        return NO
    if len(client) < min(length, 4096):
        return MORE
    ends = length > len(client) or client[length - 2 : length] == b"\0\0"
    known = b"user\0" in client[:length]
    return YES if ends and known and _VERSION.match(client, 4) and (not server or server[0] in b"RENv") else NO


def _goes_on(data: bytes, to_server: bool, likely: bool) -> bool:
    """A query, or the end of an answer; on the usual port any bytes may stand before it."""
    framer = PgFramer(lambda _: None, to_server)
    at, found = framer.find(data, -1)
    if not found or (at and not likely):
        return False
    length = int.from_bytes(data[at + 1 : at + 5], "big") + 1
    rest = data[at : at + length]
    if to_server:
        return len(rest) == length and rest[-1:] == b"\0" or data[at : at + 1] == b"P"
    # What is found alone, such as ReadyForQuery, is short: what follows has to be a message too, or nothing.
    after = data[at + length : at + length + 5]
    if likely or not after:
        return len(rest) == length and length > 6
    return len(after) == 5 and framer.measure(after) is not None and length > 6

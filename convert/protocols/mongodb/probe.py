"""Whether a conversation is MongoDB's: by a message's header and the document in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES
from .bson import read

if TYPE_CHECKING:
    from ..api import Opening

REPLY, QUERY, COMPRESSED, MSG = 1, 2004, 2012, 2013
_OPCODES = frozenset({REPLY, QUERY, COMPRESSED, MSG})
LONGEST = 48 * 1024 * 1024 + 16384


def probe(opening: Opening) -> int:
    """By content, on any port."""
    asked, answered = _begins(opening.client, True), _begins(opening.server, False)
    if opening.client and asked == NO or (opening.server and answered == NO):
        return NO
    if YES in {asked, answered}:
        return YES
    return MORE if not opening.over and MORE in {asked, answered} else NO


def document_at(body: bytes, opcode: int, to_server: bool) -> int:
    """Where a message's first document begins in what follows its header; -1: it has none."""
    if opcode == MSG:
        return 5 if body[4:5] == b"\0" else -1
    if opcode == QUERY and to_server:
        end = body.find(b"\0", 4, 4 + 256)
        return end + 9 if end >= 0 else -1
    return 20 if opcode == REPLY and not to_server else -1


def _begins(data: bytes, to_server: bool) -> int:
    if len(data) < 16:
        return MORE if data and (len(data) < 4 or data[3] < 4) else NO
    length = int.from_bytes(data[:4], "little")
    opcode = int.from_bytes(data[12:16], "little")
    if opcode not in _OPCODES or not 21 <= length <= LONGEST or opcode == COMPRESSED:
        return NO
    at = document_at(data[16:], opcode, to_server)
    if at < 0:
        needed = 21 if opcode != QUERY else 290
        return MORE if len(data) < min(length, needed) else NO
    if len(data) < 16 + at + 16 and len(data) < length:
        return MORE
    told = read(data[16:], at)
    if told is None or not told.fields or told.end > length - 16:
        return NO
    return YES if all(name.isascii() and name.decode("ascii").isprintable() for name in told.fields) else NO

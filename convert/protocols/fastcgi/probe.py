"""Whether a conversation is FastCGI, by the heads of its first records; see fastcgi_records.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_BEGIN = re.compile(rb"\x01\x01..\x00\x08.\x00\x00[\x01-\x03][\x00\x01]\x00{5}", re.DOTALL)
_BEGIN_BYTES = 16
_BEGIN_SHAPE = b"\x01\x01"
_VALUES = re.compile(rb"\x01\x09\x00\x00\x00..\x00[\x0d-\x0f]\x00FCGI_M", re.DOTALL)
_CGI_HEAD = re.compile(rb"(?i:status|content-type|x-powered-by|set-cookie|location|expires|cache-control): ?[!-~]")
_FROM_CLIENT, _FROM_SERVER = b"\x01\x02\x04\x05\x08\x09", b"\x03\x06\x07\x0a\x0b"


def probe(opening: Opening) -> int:
    """A request's first record and what follows it; in the middle of a talk, a chain of records."""
    client, server = opening.client, opening.server
    if client:
        if _BEGIN.match(client):
            follows = client[_BEGIN_BYTES + client[6] :][:4]
            if len(follows) < 4:
                return YES if opening.over else MORE
            return YES if follows[0] == 1 and follows[1] in b"\x04\x05\x02" and follows[2:] == client[2:4] else NO
        if _VALUES.match(client) or _chained(client, _FROM_CLIENT):
            return YES
        short = len(client) < _BEGIN_BYTES and client[:2] == _BEGIN_SHAPE[: len(client)]
        return MORE if short and not opening.over else NO
    if not server:
        return NO if opening.over else MORE
    if server[:1] != b"\x01" or (len(server) > 1 and server[1] not in _FROM_SERVER):
        return NO
    if server[1:2] == b"\x06" and len(server) > 8 and server[7] == 0 and _CGI_HEAD.match(server[8:]):
        return YES
    if _chained(server, _FROM_SERVER):
        return YES
    return NO if opening.over else MORE


def _chained(data: bytes, types: bytes) -> bool:
    """At least three records of one request, the heads of which follow one another."""
    at, count, number = 0, 0, data[2:4]
    while at + 8 <= len(data) and count < 3:
        plain = data[at] == 1 and data[at + 1] in types and data[at + 7] == 0 and data[at + 6] < 8
        if not plain or data[at + 2 : at + 4] != number or number == b"\0\0":
            return False
        at += 8 + int.from_bytes(data[at + 4 : at + 6], "big") + data[at + 6]
        count += 1
    return count >= 3

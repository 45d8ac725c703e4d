"""Whether a conversation is TDS: by how it logs in, or by a batch and its answer where it begins later."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES
from .login import is_login7, is_old_login, is_prelogin
from .packets import BATCH, CLIENTS, HEADER, LOGIN7, OLD_LOGIN, PRELOGIN, RESPONSE, RPC, SERVERS

if TYPE_CHECKING:
    from ..api import Opening

_DONE = 0xFD
_LONGEST = 32_767


def probe(opening: Opening) -> int:
    """The first packet of each direction that has said anything has to be one."""
    client, server = opening.client, opening.server
    if (client and not _begins(client, CLIENTS)) or (server and not _begins(server, SERVERS)):
        return NO
    if not client:
        return NO if opening.over or not server else MORE
    if len(client) < HEADER:
        return NO if opening.over else MORE
    size = int.from_bytes(client[2:4], "big")
    body = client[HEADER:size]
    whole = len(client) >= min(size, 4096)
    kind = client[0]
    if kind in {LOGIN7, OLD_LOGIN, PRELOGIN}:
        check = {LOGIN7: is_login7, OLD_LOGIN: is_old_login, PRELOGIN: is_prelogin}[kind]
        if whole or opening.over:
            return YES if check(body) else NO
        return MORE
    if kind not in {BATCH, RPC} or not whole:
        return NO if whole or opening.over else MORE
    # The capture begins later: text in UTF-16, and an answer that ends as each does.
    if not server:
        return NO if opening.over else MORE
    ends = _ends(server)
    text = body[22:] if body[:4] == b"\x16\0\0\0" and body[4:8] == b"\x12\0\0\0" else b""
    if kind == RPC:
        return YES if text and ends else NO
    wide = (
        len(body) >= 8 and len(body) % 2 == 0 and not any(body[1:64:2]) and all(9 <= byte < 127 for byte in body[:64:2])
    )
    return YES if ends and (text or wide) else NO


def _begins(data: bytes, kinds: frozenset[int]) -> bool:
    """A header as far as it is here; a message begins with packet 0 or 1, in window 0."""
    if data[0] not in kinds or (len(data) > 1 and data[1] & ~0x19) or data[6:7] > b"\1" or data[7:8] > b"\0":
        return False
    return len(data) < 4 or HEADER < int.from_bytes(data[2:4], "big") <= _LONGEST


def _ends(server: bytes) -> bool:
    """One whole answer, which ends with DONE (12 bytes, or 8 before TDS 7.2)."""
    size = int.from_bytes(server[2:4], "big")
    if server[0] != RESPONSE or size > len(server):
        return False
    body = server[HEADER:size]
    return any(len(body) >= length and body[-length] in {_DONE, 0xFE} for length in (13, 9))

"""Whether a conversation is STOMP's: by the first frame of the client, and of the server where it has answered."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_CONNECT = re.compile(rb"(?:\r?\n){0,8}(?:CONNECT|STOMP)\r?\n(?:[a-z][\w.\-]{0,63}:[^\n\0]*\n|\r?\n\0)")
_BEGUN = re.compile(rb"(?:\r?\n){0,8}(?:CONNECT|STOMP)\r?(?:\n[a-z\r]?[\w.\-]{0,63}(?::[^\n\0]*)?)?\Z")
_PARTS = (b"CONNECT", b"STOMP", b"CONNECTED", b"ERROR")


def probe(opening: Opening) -> int:
    """By content, on any port."""
    client, server = opening.client, opening.server.lstrip(b"\r\n")
    if server and not any(server.startswith(word) or word.startswith(server) for word in _PARTS[2:]):
        return NO
    if _CONNECT.match(client):
        return YES
    bare = client.lstrip(b"\r\n")
    begun = any(word.startswith(bare) for word in _PARTS[:2]) or (_BEGUN.match(client) and len(client) < 2048)
    return MORE if client and begun and not opening.over else NO

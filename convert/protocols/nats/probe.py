"""Whether a conversation is NATS': by the server's INFO, or by CONNECT, each with an object behind it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_INFO = re.compile(rb"INFO[ \t]+\{[^\r\n]{0,4000}\"(?:server_id|max_payload|auth_required)\"")
_CONNECT = re.compile(rb"CONNECT[ \t]+\{[ \t]*\"")
_BEGUN = (re.compile(rb"INFO[ \t]*(?:\{[^\r\n]*)?\Z"), re.compile(rb"CONNECT[ \t]*\{?[ \t]*\Z"))


def probe(opening: Opening) -> int:
    """By content, on any port."""
    client, server = opening.client, opening.server
    if _INFO.match(server):
        return YES if not client or _CONNECT.match(client) or _starts(client) else NO
    if _CONNECT.match(client):
        return YES if not server or server.startswith((b"INFO", b"+OK", b"-ERR", b"PING", b"PONG")) else NO
    begun = (server and not client and (b"INFO".startswith(server) or _BEGUN[0].match(server))) or (
        client and not server and (b"CONNECT".startswith(client) or _BEGUN[1].match(client))
    )
    return MORE if begun and not opening.over else NO


def _starts(client: bytes) -> bool:
    """Less than a CONNECT is there, or what a client may say before it: a hello of TLS is another protocol's."""
    return b"CONNECT {".startswith(client) or client.startswith((b"PING\r\n", b"SUB ", b"PUB "))

"""Whether a conversation asks a SOCKS proxy for a connection (RFC 1928, SOCKS4 and 4a); see socks.py."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = frozenset((1080, 1081, 9050, 9150))
_NO_METHOD = 0xFF
_LONGEST = 300
"""Bytes of a user's name, or of a host's, in SOCKS4."""


def probe(opening: Opening) -> int:
    """Both sides' first messages fit each other; one side alone only if it is whole and unmistakable."""
    client, server = opening.client, opening.server
    if not client:
        return NO  # the client speaks first
    if client[0] == 5:
        verdict = _judge_5(client, server)
    elif client[0] == 4:
        verdict = _judge_4(client, server, opening.server_port in _PORTS)
    else:
        return NO
    if verdict == MORE and opening.over:
        return YES if not server and client[0] == 5 and len(client) > 1 and _asks_at_once(client) else NO
    return verdict


def _judge_5(client: bytes, server: bytes) -> int:
    if len(client) < 2:
        return MORE if not server else NO
    methods = client[2 : 2 + client[1]]
    if client[1] == 0 or len(set(methods)) < len(methods) or _NO_METHOD in methods:
        return NO
    if len(methods) < client[1]:
        return MORE if not server else NO
    if len(server) < 2:
        return MORE if server in (b"", b"\x05") else NO
    return YES if server[0] == 5 and (server[1] in methods or server[1] == _NO_METHOD) else NO


def _judge_4(client: bytes, server: bytes, likely: bool) -> int:
    if len(client) > 1 and client[1] not in (1, 2):
        return NO
    user = client[8:].partition(b"\0")
    if len(user[0]) > _LONGEST or any(byte < 32 for byte in user[0]):
        return NO
    whole = bool(user[1])
    if whole and client[4:7] == b"\0\0\0" and client[7]:  # SOCKS4a: a name stands behind
        host = user[2].partition(b"\0")
        whole = bool(host[1])
        if not 0 < len(host[0]) <= _LONGEST and whole or any(byte <= 32 or byte > 126 for byte in host[0]):
            return NO
    if len(server) < 8:
        fits = not server or (whole and server[0] == 0 and (len(server) < 2 or 90 <= server[1] <= 93))
        return MORE if fits else NO
    return YES if whole and server[0] == 0 and 90 <= server[1] <= 93 and (likely or client[2:4] != b"\0\0") else NO


def _asks_at_once(client: bytes) -> bool:
    """Of a client alone: a greeting, perhaps user and password, and the whole of a request."""
    rest = client[2 + client[1] :]
    if rest[:1] == b"\1":
        user = 2 + rest[1] if len(rest) > 1 else len(rest)
        rest = rest[user + 1 + rest[user] :] if len(rest) > user else b""
    if len(rest) < 5 or rest[0] != 5 or rest[1] not in (1, 2, 3) or rest[2] != 0:
        return False
    sizes = {1: 10, 3: 7 + rest[4], 4: 22}
    return rest[3] in sizes and len(rest) >= sizes[rest[3]]

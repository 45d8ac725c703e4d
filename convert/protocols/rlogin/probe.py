"""Whether a conversation is rlogin's, rsh's or rexec's: by the strings between zeros that the client sends first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_RLOGIN = re.compile(rb"\0[!-~]{0,64}\0[!-~]{0,64}\0[0-9A-Za-z.+_\-]{1,64}/[0-9]{1,7}\0")
_RSH = re.compile(rb"[0-9]{0,5}\0[!-~]{1,64}\0[!-~]{1,64}\0[\t\n -~]{1,1024}\0")
_REXEC = re.compile(rb"[0-9]{0,5}\0[!-~]{1,64}\0[\x01-\xff]{1,128}\0[\t\n -~]{1,1024}\0")
_LONGEST = 2048
_REXEC_PORT, _RSH_PORT = 512, 514


def probe(opening: Opening) -> int:
    """A zero, the user here, the user there, terminal and speed (RFC 1282)."""
    client = opening.client
    if not opening.first_to_server or not client.startswith(b"\0"):
        return NO if client or opening.over or not opening.first_to_server else MORE
    if _RLOGIN.match(client):
        return YES
    return NO if opening.over or client.count(b"\0") > 3 or len(client) > 256 else MORE


def probe_rsh(opening: Opening) -> int:
    """A port in digits, two users, a command; the server's answer begins with a zero or a one."""
    return _probe(opening, _RSH, _RSH_PORT)


def probe_rexec(opening: Opening) -> int:
    """The same, where the second user is a password: only the port tells that."""
    return _probe(opening, _REXEC, _REXEC_PORT) if opening.server_port == _REXEC_PORT else NO


def _probe(opening: Opening, shape: re.Pattern[bytes], port: int) -> int:
    client, server = opening.client, opening.server
    if (
        not opening.first_to_server
        or not client
        or opening.server_port != port
        or server[:1] not in (b"", b"\0", b"\1")
    ):
        return NO
    if shape.match(client):
        return YES
    return NO if opening.over or client.count(b"\0") > 3 or len(client) > _LONGEST else MORE

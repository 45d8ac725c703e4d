"""Whether a conversation is Telnet: by its commands, or by a login that is asked for and typed; see telnet.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = frozenset((23, 2323, 992))
_NEGOTIATION = re.compile(rb"\xff(?:[\xfb-\xfe][\x00-\x31\x56\x5b\x5d\xc8\xc9]|\xfa[\x00-\x31][^\xff]{0,512}\xff\xf0)")
_TEXT_THEN = re.compile(rb"[\t\n\r\x1b\x20-\x7e]{0,512}(?=\xff[\xfa-\xfe])")
_LOGIN = re.compile(rb"(?:\A|[\r\n])[^\r\n]{0,80}(?:login|username|user name|account): ?\Z", re.IGNORECASE)
_DIALOGUE = re.compile(
    rb"(?:\A|[\r\n])[^\r\n]{0,80}(?:login|username|user name): ?[^\r\n]{0,64}[\r\n\x00]+"
    rb"(?:[^\r\n]*[\r\n]+)?password: ?",
    re.IGNORECASE,
)
_PASSWORD_ONLY = re.compile(rb"[\r\n][^\r\n]{0,40}password: ?\Z", re.IGNORECASE)
_PRINTABLE = re.compile(rb"[\t\n\r\x07\x08\x1b\x20-\x7e\x80-\xff\x00]*")
_TYPED = re.compile(rb"[\x20-\x7e]{1,64}(?:\r[\n\x00]?|\n)?|[\x20-\x7e]{0,64}[\x08\x7f\x15]")


def probe(opening: Opening) -> int:
    """Two negotiations, or one and the port; else a server that asks for a login, and a client that types one."""
    client, server = opening.client, opening.server
    count = _negotiations(client) + _negotiations(server)
    usual = opening.server_port in _PORTS
    if count >= 2 or (count and usual):
        return YES
    if _PRINTABLE.fullmatch(server) is None and b"\xff" not in server:
        return NO
    if server[:4].isdigit() or server.startswith((b"+OK", b"* ", b"SSH-", b"RFB ", b":")):
        return NO
    if usual and server and _PRINTABLE.fullmatch(client) and (_LOGIN.search(server) or _PASSWORD_ONLY.search(server)):
        return YES
    if client and _TYPED.match(client) and _DIALOGUE.search(server):
        return YES
    if opening.over:
        return YES if count and client and server else NO
    if client and not count and _TYPED.match(client) is None:
        return NO
    if client and not opening.first_to_server and len(client) > 200 and not count:
        return NO
    if opening.first_to_server and client and not count and client[:1] != b"\xff" and not usual:
        return NO
    return MORE


def _negotiations(data: bytes) -> int:
    """How many negotiations stand at the beginning, or behind a server's first words, one behind the other."""
    found = _TEXT_THEN.match(data)
    at = found.end() if found is not None else 0
    count = 0
    while (one := _NEGOTIATION.match(data, at)) is not None and count < 8:
        at = one.end()
        count += 1
    return count

"""Whether a conversation is POP3, by its first bytes. Redis says +OK too, FTP has USER: both sides count."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORT = 110
_OK = re.compile(rb"\+OK(?:[ \t][^\r\n]{0,1000})?\r?\n")
_ERROR = re.compile(rb"-ERR(?:[ \t][^\r\n]{0,1000})?\r?\n")
_NAMED = re.compile(rb"(?<![A-Za-z])POP-?3?(?![A-Za-z])|<[!-;=?-~]{1,200}@[!-;=?-~]{1,200}>[ \t]*\r?\n", re.IGNORECASE)
# None of these is a command of Redis, save AUTH and QUIT.
_COMMAND = re.compile(
    rb"(?:(?:USER|PASS)[ \t][^\r\n]{1,500}|APOP[ \t]+[^ \t\r\n]{1,200}[ \t]+[0-9A-Fa-f]{32}|CAPA|STLS|STAT|UIDL|NOOP"
    rb"|LIST|(?:RETR|DELE|LIST|UIDL)[ \t]+[0-9]{1,10}|TOP[ \t]+[0-9]{1,10}[ \t]+[0-9]{1,10})[ \t]*\r?\n",
    re.IGNORECASE,
)
_ALSO = re.compile(
    rb"(?:AUTH(?:[ \t]+[A-Za-z0-9_\-]{3,20}(?:[ \t]+[A-Za-z0-9+/=]*)?)?|QUIT|RSET)[ \t]*\r?\n", re.IGNORECASE
)
_ALONE = re.compile(
    rb"(?:CAPA|STLS|UIDL|RETR[ \t]+[0-9]{1,10}|APOP[ \t]+\S{1,200}[ \t]+[0-9a-f]{32})\r?\n", re.IGNORECASE
)


def probe(opening: Opening) -> int:
    """NO, YES or MORE (api.py)."""
    client, server = opening.client, opening.server
    more = NO if opening.over else MORE
    if not server:
        if _ALONE.match(client) or (opening.server_port == _PORT and _COMMAND.match(client)):
            return YES
        # Whose words these are the server's answer tells.
        return more if _COMMAND.match(client) or (b"\n" not in client and _letters(client)) else NO
    if not (_OK.match(server) or _ERROR.match(server)):
        unfinished = b"\n" not in server[:1000] and (b"+OK "[: len(server)] == server[:4] or server[:3] == b"+OK")
        return more if unfinished else NO
    if opening.server_port == _PORT and not client:
        return YES
    if server.startswith(b"-ERR"):
        return YES if client and not opening.first_to_server and _COMMAND.match(client) else NO
    if _NAMED.search(server, 0, server.find(b"\n") + 1):
        return YES if not client or not opening.first_to_server or _COMMAND.match(client) else NO
    if not client:
        return more
    if _COMMAND.match(client) or (not opening.first_to_server and _ALSO.match(client)):
        return YES
    return more if b"\n" not in client and _letters(client) else NO


def _letters(client: bytes) -> bool:
    """The beginning of a command whose end has not come."""
    return len(client) < 512 and client[:4].isalpha()

"""Whether a conversation is SMTP or LMTP, by its first bytes. FTP greets with 220 too: a bare 220 decides nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = (25, 587, 2525)
_GREETING = re.compile(rb"(?:220|421|554)[ -][^\r\n]{0,1000}\r?\n")
_MAIL_SERVER = re.compile(rb"(?<![A-Za-z])(?:E?SMTP|LMTP)(?![A-Za-z])", re.IGNORECASE)
_FILE_SERVER = re.compile(rb"(?<![A-Za-z])S?FTPd?(?![A-Za-z])|FileZilla|FTPd", re.IGNORECASE)
_REPLY = re.compile(rb"[2-5][0-5][0-9][ -][^\r\n]{0,1000}\r?\n|[2-5][0-5][0-9]\r?\n")
_EXTENSIONS = re.compile(
    rb"250-[^\r\n]{0,1000}\r?\n(?:250[ -][^\r\n]{0,1000}\r?\n){0,40}?"
    rb"250[ -](?:PIPELINING|8BITMIME|SIZE|ENHANCEDSTATUSCODES|STARTTLS|CHUNKING)\b",
    re.IGNORECASE,
)
# Nothing else is begun or gone on with in these words.
_COMMAND = re.compile(
    rb"(?:(?:EHLO|HELO|LHLO)[ \t]+[!-~]|(?:MAIL FROM|RCPT TO):[ \t]*<)[^\r\n]{0,1000}\r?\n",
    re.IGNORECASE,
)
_BETWEEN = re.compile(
    rb"(?:AUTH[ \t]+[A-Za-z0-9_\-]{3,20}(?:[ \t]+[!-~]*)?|DATA|BDAT \d{1,12}(?: LAST)?)[ \t]*\r?\n", re.IGNORECASE
)
_BETWEEN_ANSWER = re.compile(rb"(?:235|334|354|50[0-4]|53[0-8]|250)[ -]")
_OTHER_COMMAND = re.compile(rb"(?:AUTH|HELP|NOOP|RSET|QUIT|VRFY|EXPN|STARTTLS|XCLIENT|[A-Z]{1,12})\b", re.IGNORECASE)
_MAY_BE_COMMAND = re.compile(rb"(?:E|H|L|M|R)[A-Za-z]{0,3}(?:[ \t][^\r\n]{0,1000})?\r?\Z", re.IGNORECASE)


def probe(opening: Opening) -> int:
    """NO, YES or MORE (api.py)."""
    client, server = opening.client, opening.server
    if client and _COMMAND.match(client):
        return YES if not server or _REPLY.match(server) or _partial(server) else NO
    if server:
        return _by_server(opening, client, server)
    if client and not opening.over and _MAY_BE_COMMAND.match(client):
        return MORE
    if client and not opening.over and _BETWEEN.match(client):
        return MORE
    return NO


def _partial(server: bytes) -> bool:
    return b"\n" not in server[:1000] and server[:3].isdigit() and server[3:4] in (b"", b" ", b"-")


def _by_server(opening: Opening, client: bytes, server: bytes) -> int:
    if _EXTENSIONS.match(server):
        return YES
    greeting = _GREETING.match(server)
    if greeting is None:
        if client and _BETWEEN.match(client) and _BETWEEN_ANSWER.match(server):
            return YES
        return MORE if not opening.over and (_begins(server) or server.startswith(b"250")) else NO
    text = greeting[0]
    if client:
        if b"\n" not in client and not opening.over and _MAY_BE_COMMAND.match(client):
            return MORE
        greeted = _MAIL_SERVER.search(text) and not _FILE_SERVER.search(text)
        return YES if greeted and _OTHER_COMMAND.match(client) else NO
    if _MAIL_SERVER.search(text):
        return YES
    if _FILE_SERVER.search(text):
        return NO
    if opening.over:
        return YES if opening.server_port in _PORTS else NO
    return MORE


def _begins(server: bytes) -> bool:
    """A greeting whose end has not come yet."""
    head = server[:4]
    return b"\n" not in server[:1000] and any(
        (code + end).startswith(head) for code in (b"220", b"421", b"554") for end in (b" ", b"-")
    )

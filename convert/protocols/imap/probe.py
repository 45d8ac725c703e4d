"""Whether a conversation is IMAP, by its first bytes: untagged answers and tagged commands, from anywhere in it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORT = 143
_GREETING = re.compile(rb"\* (?:OK|PREAUTH|BYE)(?: [^\r\n]{0,2000})?\r?\n", re.IGNORECASE)
_NAMED = re.compile(rb"\[CAPABILITY |IMAP|\[ALERT\]", re.IGNORECASE)
_TAG = rb"[A-Za-z0-9._$#\-]{1,40} "
_COMMAND = re.compile(
    _TAG + rb"(?:(?:CAPABILITY|STARTTLS|NOOP|LOGOUT|IDLE|NAMESPACE|EXPUNGE|CLOSE|CHECK|UNSELECT)[ ]?\r?\n"
    rb"|LOGIN [^\r\n]{1,1000}|AUTHENTICATE [A-Za-z0-9_\-]{3,20}(?: [A-Za-z0-9+/=]*)?\r?\n"
    rb"|(?:SELECT|EXAMINE|STATUS|APPEND|ENABLE|COMPRESS|CREATE|DELETE|SUBSCRIBE) [^\r\n]{1,1000}"
    rb"|(?:LIST|LSUB) [\"({%*A-Za-z]"
    rb"|ID (?:\(|NIL)|(?:UID )?(?:FETCH|STORE|SEARCH|COPY|MOVE|SORT|THREAD) [0-9A-Z*(])",
    re.IGNORECASE,
)
# What no client of another protocol says by chance, where the server is not seen.
_ALONE = re.compile(
    _TAG
    + rb"(?:(?:CAPABILITY|STARTTLS|NAMESPACE)\r?\n|LOGIN (?:\"[^\"\r\n]{0,200}\"|[^ \r\n]{1,200}) [^ \r\n]{1,200}\r?\n"
    rb"|AUTHENTICATE [A-Za-z0-9_\-]{3,20}(?: [A-Za-z0-9+/=]*)?\r?\n|(?:SELECT|EXAMINE) \"?INBOX|UID FETCH [0-9*])",
    re.IGNORECASE,
)
_ANSWER = re.compile(
    rb"\* (?:[0-9]{1,10} (?:EXISTS|RECENT|EXPUNGE|FETCH \()|(?:OK|NO|BAD|BYE|PREAUTH)[ \r]|(?:CAPABILITY|LIST"
    rb"|LSUB|FLAGS|SEARCH|STATUS|NAMESPACE|ID|ENABLED|ESEARCH|SORT|THREAD)[ \r])|\+ ?|" + _TAG + rb"(?:OK|NO|BAD)[ \r]",
    re.IGNORECASE,
)
_BEGINS = re.compile(rb"[A-Za-z0-9._$#\-]{1,40}(?: [^\r\n]{0,1000})?\r?\Z")


def probe(opening: Opening) -> int:
    """NO, YES or MORE (api.py)."""
    client, server = opening.client, opening.server
    more = NO if opening.over else MORE
    if not server:
        if _ALONE.match(client) or (opening.server_port == _PORT and _COMMAND.match(client)):
            return YES
        return more if _COMMAND.match(client) or (b" " in client[:41] and _BEGINS.match(client)) else NO
    if _GREETING.match(server):
        if _NAMED.search(server, 0, server.find(b"\n")) or (not client and opening.server_port == _PORT):
            return YES
        if not client:
            return more
        return YES if _COMMAND.match(client) else more if _BEGINS.match(client) else NO
    if client and _COMMAND.match(client) and _ANSWER.match(server):
        return YES
    head = server[:4].upper()
    unfinished = b"\n" not in server[:2000] and any(word.startswith(head) for word in (b"* OK", b"* PR", b"* BY"))
    return more if unfinished else NO

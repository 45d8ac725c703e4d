"""Whether a conversation is Redis, by how its commands and replies are written; see redis.py."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES
from .commands import KNOWN, is_line

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = frozenset((6379, 26379))
_ARRAY = re.compile(rb"\*[1-9][0-9]{0,6}\r\n\$([1-9][0-9]?)\r\n")
_ARRAY_BEGINS = re.compile(rb"\*(?:[1-9][0-9]{0,6}(?:\r(?:\n(?:\$(?:[1-9][0-9]?\r?)?)?)?)?)?\Z")
_NAME = re.compile(rb"[A-Za-z][A-Za-z0-9_.|\-]{0,98}")
_COMMAND_INSIDE = re.compile(rb"\r\n\*[1-9][0-9]{0,6}\r\n\$[1-9][0-9]?\r\n([A-Za-z_]{2,24})\r\n")
_REPLY = re.compile(
    rb"\+(?:OK|PONG|QUEUED)\r\n|:-?[0-9]{1,19}\r\n|[$*](?:-1|[0-9]{1,10})\r\n|%[0-9]{1,3}\r\n"
    rb"|-(?:NOAUTH|WRONGPASS|ERR|NOPERM|WRONGTYPE|DENIED|LOADING|MOVED|READONLY) "
)
_REPLY_ONLY = re.compile(
    rb"[*>][1-9][0-9]{0,6}\r\n\$(?:[1-9][0-9]{0,8})\r\n|%[1-9][0-9]{0,2}\r\n\$[1-9][0-9]{0,3}\r\n"
    rb"|-(?:NOAUTH|WRONGPASS) "
)
_ALSO_ELSEWHERE = frozenset((b"QUIT", b"AUTH", b"INFO", b"HELLO", b"TYPE", b"TIME", b"SAVE", b"HELP"))
"""Words that other protocols' lines begin with: there the reply must be one that only Redis gives."""
_PASSWORD = re.compile(
    rb"AUTH[ \t]+(?!(?:PLAIN|LOGIN|CRAM-|DIGEST-|NTLM|SCRAM-|XOAUTH|OAUTHBEARER|GSS|KERBEROS|EXTERNAL|TLS|SSL)\b)",
    re.IGNORECASE,
)
"""No mechanism follows, as it does in mail and FTP."""
_REPLY_ALONE = re.compile(rb"\+PONG\r\n|-(?:NOAUTH|WRONGPASS|ERR) |\$[0-9]{1,10}\r\n|[*%][0-9]{1,3}\r\n")


def probe(opening: Opening) -> int:
    """Commands as arrays of bulk strings are unmistakable; lines need a reply that only Redis gives."""
    client = opening.client
    if client.startswith(b"*"):
        return _judge_array(opening, client)
    if client:
        if _inside(client):
            return YES
        return _judge_line(opening)
    if _REPLY_ONLY.match(opening.server) and (opening.over or opening.server_port in _PORTS):
        return YES
    begins = opening.server[:1] in b"+-:$*%>" if opening.server else True
    return MORE if begins and not opening.over else NO


def _judge_array(opening: Opening, client: bytes) -> int:
    head = _ARRAY.match(client)
    if head is None:
        return MORE if _ARRAY_BEGINS.match(client) and not opening.over else NO
    size = int(head[1])
    name = client[head.end() : head.end() + size]
    if len(name) == size:
        return YES if _NAME.fullmatch(name) and b"\r\n".startswith(client[head.end() + size :][:2]) else NO
    if not name:
        return YES if opening.over else MORE
    return (MORE if not opening.over else YES) if _NAME.fullmatch(name) else NO


def _inside(client: bytes) -> bool:
    """The capture begins within a command, and a further one follows."""
    found = _COMMAND_INSIDE.search(client)
    return found is not None and found[1].upper() in KNOWN


def _judge_line(opening: Opening) -> int:
    line, end, _ = opening.client.lstrip(b"\r\n").partition(b"\n")
    if not end and len(line) < 32 and line.isascii() and not opening.over and not opening.server:
        return MORE
    if not is_line(line) or not line.rstrip(b"\r").isascii():
        return NO
    if not opening.server:
        if opening.over:
            return YES if opening.server_port in _PORTS else NO
        return MORE
    if not opening.first_to_server and opening.server_port not in _PORTS:
        return NO
    word = re.split(rb"[\s]", line.strip(b" \t\r\"'"), maxsplit=1)[0].upper()
    strict = word in _ALSO_ELSEWHERE and opening.server_port not in _PORTS and not _PASSWORD.match(line)
    wanted = _REPLY_ALONE if strict else _REPLY
    if wanted.match(opening.server):
        return YES
    return MORE if len(opening.server) < 8 and opening.server[:1] in b"+-:$*%" and not opening.over else NO

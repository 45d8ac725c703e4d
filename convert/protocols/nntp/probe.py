"""Whether a conversation is NNTP, by the server's greeting and what only clients of news say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = (119, 433)
_GREETING = re.compile(rb"20[01](?:[ \t][^\r\n]{0,1000})?\r?\n")
_NEWS = re.compile(
    rb"NNTP|NNRP|InterNetNews|Usenet|(?<![a-z])news(?![a-z])|posting (?:ok|allowed|permitted|prohibited)", re.IGNORECASE
)
_REPLY = re.compile(rb"[1-5][0-9]{2}(?:[ \t][^\r\n]{0,1000})?\r?\n")
_ONLY = re.compile(
    rb"(?:AUTHINFO[ \t]++(?:USER|PASS|SASL|GENERIC|SIMPLE)\b[^\r\n]{0,1000}|MODE[ \t]++(?:READER|STREAM)[ \t]*+"
    rb"|(?:IHAVE|CHECK|TAKETHIS)[ \t]++<[^\s<>]{1,250}>[ \t]*+|X?OVER(?:[ \t]++[0-9\-<][^\r\n]{0,300})?"
    rb"|X?HDR[ \t]++[A-Za-z:\-]{1,60}(?:[ \t]++[0-9\-<][^\r\n]{0,300})?|LISTGROUP(?:[ \t][^\r\n]{1,300})?"
    rb"|LIST[ \t]++(?:ACTIVE|NEWSGROUPS|OVERVIEW\.FMT|DISTRIB\.PATS|HEADERS|SUBSCRIPTIONS)\b[^\r\n]{0,300}"
    rb"|(?:NEWGROUPS|NEWNEWS)[ \t][^\r\n]{6,300}|(?:XREADER|SLAVE|CAPABILITIES)[ \t]*+)\r?\n",
    re.IGNORECASE,
)
_ALSO = re.compile(
    rb"(?:GROUP[ \t]++[^\s]{1,250}[ \t]*+|(?:ARTICLE|HEAD|BODY|STAT)(?:[ \t]++[0-9<][^\r\n]{0,250})?"
    rb"|(?:POST|DATE|LIST|NEXT|LAST|HELP|QUIT|STARTTLS)[ \t]*+)\r?\n",
    re.IGNORECASE,
)
_ALONE = re.compile(rb"(?:AUTHINFO[ \t]++(?:USER|PASS|SASL)|MODE[ \t]++READER|TAKETHIS|IHAVE)\b", re.IGNORECASE)
"""What is enough by itself, where the server is not seen."""
_WORDS = tuple(
    b"AUTHINFO MODE CAPABILITIES OVER XOVER HDR XHDR IHAVE CHECK TAKETHIS LISTGROUP LIST NEWGROUPS NEWNEWS XREADER"
    b" SLAVE GROUP ARTICLE HEAD BODY STAT POST DATE NEXT LAST HELP QUIT STARTTLS".split()
)


def probe(opening: Opening) -> int:
    """NO, YES or MORE (api.py)."""
    client, server = opening.client, opening.server
    more = NO if opening.over else MORE
    if not server:
        if _ONLY.match(client) and _ALONE.match(client):
            return YES
        return more if not client or _ONLY.match(client) or _ALSO.match(client) or _begins(client) else NO
    if not _REPLY.match(server):
        return more if b"\n" not in server[:1000] and server[:3].isdigit() and server[:1] in b"12345" else NO
    if client and _ONLY.match(client):
        return YES
    if not _GREETING.match(server) or (client and opening.first_to_server):
        return NO
    if _NEWS.search(server, 0, server.find(b"\n")) or (opening.server_port in _PORTS and (opening.over or client)):
        return YES if not client or _ALSO.match(client) else more if _begins(client) else NO
    return more if not client or _begins(client) else NO


def _begins(client: bytes) -> bool:
    """The beginning of a command whose end has not come."""
    word = client.split(None, 1)[0].upper() if client.strip() else b""
    return b"\n" not in client[:1024] and len(client) < 1024 and any(one.startswith(word) for one in _WORDS)

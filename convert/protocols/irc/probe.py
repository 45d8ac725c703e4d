"""Whether a conversation is IRC, by the words of both sides: plain text, so more than one of them has to fit."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_PORTS = frozenset((194, 6660, 6661, 6662, 6663, 6664, 6665, 6666, 6667, 6668, 6669, 7000))
_NICK = rb"NICK ++:?[^\s:#&@!]{1,64}(?: [0-9]{1,3})? *\r?\n"
_USER = rb"USER ++[^\s]{1,128} ++[^\s]{1,128} ++[^\s]{1,128} ++:?[^\r\n]{0,256}\r?\n"
_CAP = rb"CAP ++(?:LS(?: +:?[0-9]{3})?|LIST|REQ ++:?[a-z][^\r\n]{0,500}|END) *\r?\n"
_PASS = rb"PASS ++[^\r\n]{1,512}\r?\n"
_ALSO = rb"(?:AUTHENTICATE|PROTOCTL|WEBIRC|PING|PONG|JOIN|MODE)(?: [^\r\n]{0,500})?\r?\n|\r?\n"
_BETWEEN = rb"(?:(?:" + _PASS + rb"|" + _CAP + rb"|" + _ALSO + rb") *+){0,8}?"
_REGISTERS = re.compile(
    rb" *+"
    + _BETWEEN
    + rb"(?:"
    + _NICK
    + rb" *+"
    + _BETWEEN
    + _USER
    + rb"|"
    + _USER
    + rb" *+"
    + _BETWEEN
    + _NICK
    + rb")",
    re.IGNORECASE,
)
"""A client that tells nick and user."""
_SERVER_LINK = rb"(?:CAPAB|PROTOCTL|SERVER) [^\r\n]{1,512}\r?\n"
_BEGINS_AS_CLIENT = re.compile(
    rb" *+(?:" + _CAP + rb"|" + _PASS + rb" *+(?:" + _NICK + rb"|" + _SERVER_LINK + rb"))", re.IGNORECASE
)
_CLIENT = re.compile(
    rb" *+(?:" + _NICK + rb"|" + _USER + rb"|" + _CAP + rb"|" + _PASS + rb"|"
    rb"(?:PRIVMSG|NOTICE) ++[^\s:]{1,200} ++:?[^\r\n]{1,2000}\r?\n"
    rb"|(?:JOIN|PART|MODE|WHO|NAMES|TOPIC) ++[#&+!:]?[^\r\n]{1,500}\r?\n"
    rb"|(?:PING|PONG|OPER|AUTHENTICATE|WHOIS|ISON|USERHOST|NS|NICKSERV) ++[^\r\n]{1,500}\r?\n"
    rb"|(?:LUSERS|MOTD|LIST|AWAY|QUIT|STARTTLS|VERSION|PING)(?: [^\r\n]{0,500})?\r?\n|\r?\n)",
    re.IGNORECASE,
)
_SPEAKS = re.compile(rb" *+PRIVMSG ++[#&]?[^\s:,]{1,200} ++:[^\r\n]{1,2000}\r?\n", re.IGNORECASE)
"""Nothing else is said in these words, wherever a capture begins."""
_FROM = rb"(?:@[^ \r\n]{1,1000} ++)?:[A-Za-z0-9_\[\]{}\\|^`\-*][^\s]{0,255} +"
_SERVER = re.compile(
    rb" *+(?:(?:" + _FROM + rb")?NOTICE ++(?:AUTH|\*|[^\s:]{1,64}) ++:[^\r\n]{0,1000}\r?\n|" + _FROM + rb"(?:"
    rb"[02-9][0-9]{2} ++[^\s:]{1,64}(?: [^\r\n]{0,1000})?\r?\n"
    rb"|CAP ++[^\s]{1,64} ++(?:LS|ACK|NAK|LIST|NEW|DEL)\b[^\r\n]{0,4000}\r?\n"
    rb"|(?:PRIVMSG|JOIN|PART|QUIT|NICK|MODE|KICK|TOPIC|PONG|INVITE)\b[^\r\n]{0,2000}\r?\n))",
    re.IGNORECASE,
)
_WEAK_SERVER = re.compile(rb"(?:PING ++:?[^\s]{1,200}|ERROR ++:[^\r\n]{1,1000}|AUTHENTICATE \+) *\r?\n", re.IGNORECASE)
_FIRST_WORDS = (b"NICK ", b"PASS ", b"USER ", b"CAP ")


def probe(opening: Opening) -> int:
    """NO, YES or MORE (api.py)."""
    client, server = opening.client, opening.server
    if server:
        if _SERVER.match(server):
            return YES if not client or _CLIENT.match(client) or not opening.first_to_server else NO
        if _WEAK_SERVER.match(server) and client and (_CLIENT.match(client) or _REGISTERS.match(client)):
            return YES
        begins = b"\n" not in server[:1000] and server[:1] in b":@N EPA"
        return MORE if begins and not opening.over and (not client or _may_be(client)) else NO
    if not client:
        return NO if opening.over else MORE
    if _REGISTERS.match(client) or _BEGINS_AS_CLIENT.match(client) or _SPEAKS.match(client):
        return YES
    if opening.over:
        return YES if opening.server_port in _PORTS and _CLIENT.match(client) else NO
    return MORE if _may_be(client) else NO


def _may_be(client: bytes) -> bool:
    """A first line of IRC, or the beginning of one."""
    if b"\n" in client:
        return _CLIENT.match(client) is not None
    begin = client.lstrip(b" ")[:5].upper()
    return len(client) < 1024 and any(word.startswith(begin[: len(word)]) for word in _FIRST_WORDS)

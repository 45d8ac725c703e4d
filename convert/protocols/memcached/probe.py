"""Whether a conversation is memcached's: the binary protocol's headers, or a login of the text protocol.

Of the text protocol only a refused login is a sign, since a value of two words is stored every day. Without it the
conversation is left to nobody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

HEADER = 24
LONGEST = 1 << 30
SET = re.compile(rb"set [!-~]{1,250} [0-9]{1,10} -?[0-9]{1,10} ([0-9]{1,4})\r\n")
_BEGUN = re.compile(rb"s(?:e(?:t(?: [!-~]*(?: -?[0-9]*){0,3}\r?)?)?)?\Z")
_ANSWER = b"CLIENT_ERROR authentication failure\r\n"


def header(data: bytes, magic: int) -> int:
    """Bytes behind a header of the binary protocol, -1: it is none. At least HEADER bytes."""
    key, extras, kind = int.from_bytes(data[2:4], "big"), data[4], data[5]
    length = int.from_bytes(data[8:12], "big")
    if data[0] != magic or kind or data[1] > 0x60 or extras > 20 or key > 250 or length > LONGEST:
        return -1
    return length if key + extras <= length else -1


def probe(opening: Opening) -> int:
    """By content, on any port."""
    client, server = opening.client, opening.server
    if client[:1] == b"\x80":
        if len(client) < HEADER:
            return MORE if not opening.over else NO
        if header(client, 0x80) < 0 or (server and server[0] != 0x81):
            return NO
        if len(server) >= HEADER:
            return YES if header(server, 0x81) >= 0 else NO
        return YES if client[1] in {0x20, 0x21, 0x22} else NO if opening.over else MORE
    match = SET.match(client)
    if match is None:
        return MORE if client and _BEGUN.match(client) and not server and not opening.over else NO
    words = client[match.end() : match.end() + int(match[1])].split()
    if len(client) < match.end() + int(match[1]):
        return MORE if not opening.over else NO
    if len(words) != 2:
        return NO
    if server.startswith(_ANSWER):
        return YES
    return MORE if not opening.over and _ANSWER.startswith(server) else NO

"""Whether a conversation is SIP: by the first line of what either side sends, on any port."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_FIRST = re.compile(
    rb"(?:[A-Z]{3,20} [a-z][a-z0-9+.\-]{1,15}:[^\s]{1,1024} SIP/2\.0|SIP/2\.0 [1-6][0-9]{2} [^\r\n]*)\r?\n"
)
_BEGUN = re.compile(
    rb"[A-Z]{3,20}(?: (?:[a-z][a-z0-9+.\-]{0,15}(?::[^\s]{0,1024}(?: [SIP/2.0]{0,7}\r?)?)?)?)?"
    rb"|SIP/2\.0[^\r\n]{0,256}\r?"
)
_ALIVE = b"\r\n\0"
"""What keeps a way through a NAT open (RFC 5626, 3.5.1, and what is in use)."""


def probe(opening: Opening) -> int:
    """A first line of RFC 3261, behind line ends that keep a connection alive."""
    answer = NO
    for begin in (opening.client, opening.server):
        text = begin.lstrip(_ALIVE)
        if _FIRST.match(text):
            return YES
        if (begin and not text and len(begin) <= 64) or (text and len(text) < 1024 and _BEGUN.fullmatch(text)):
            answer = MORE
        elif begin:
            return NO
    return NO if opening.over else answer

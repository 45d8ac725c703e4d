"""Whether a conversation is SSH: by the banner of either side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_BANNER = re.compile(rb"SSH-[12]\.[0-9]{1,3}-[ -~]")
_BEHIND_LINES = re.compile(rb"\nSSH-[12]\.[0-9]{1,3}-[ -~]")


def probe(opening: Opening) -> int:
    """A banner begins either direction, or stands behind lines of text that the server sent first."""
    answer = NO
    for begin in (opening.client, opening.server):
        if _BANNER.match(begin):
            return YES
        if begin and (b"SSH-1.99-x".startswith(begin[:4]) and len(begin) < 10):
            answer = MORE
    if _BEHIND_LINES.search(opening.server) and (not opening.client or opening.client.startswith(b"SSH-")):
        return YES
    return NO if opening.over else answer

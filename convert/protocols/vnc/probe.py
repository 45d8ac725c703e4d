"""Whether a conversation is VNC's: its first twelve bytes name the protocol and its version, from either side."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_VERSION = re.compile(rb"RFB [0-9]{3}\.[0-9]{3}\n")
_SIZE = 12


def probe(opening: Opening) -> int:
    """The server speaks first; where only the client was seen, what it repeats."""
    for begin in (opening.server, opening.client):
        if not begin:
            continue
        if _VERSION.match(begin):
            return YES
        if opening.over or len(begin) >= _SIZE or not b"RFB 000.000\n".startswith(re.sub(rb"[0-9]", b"0", begin)):
            return NO
        return MORE
    return NO if opening.over else MORE

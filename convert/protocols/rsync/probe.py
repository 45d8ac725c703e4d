"""Whether a conversation is rsync's with a daemon: both sides begin by telling their version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_VERSION = re.compile(rb"@RSYNCD: [0-9]{1,3}(?:\.[0-9]{1,3})?(?: [a-z0-9 ]{1,128})?\n")
_BEGUN = re.compile(rb"@RSYNCD: [0-9.]{0,7}(?: [a-z0-9 ]{0,128})?")
_WORD = b"@RSYNCD: "


def probe(opening: Opening) -> int:
    """The first line of either side."""
    answer = MORE
    for begin in (opening.server, opening.client):
        if not begin:
            continue
        if _VERSION.match(begin):
            return YES
        if not (_WORD.startswith(begin) or _BEGUN.fullmatch(begin)):
            return NO
    return NO if opening.over else answer

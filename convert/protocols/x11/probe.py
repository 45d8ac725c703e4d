"""Whether a conversation is X11: by the client's first message, whose first byte tells the order of bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES
from .messages import HEADER, asked

if TYPE_CHECKING:
    from ..api import Opening

_BEGINS = (b"B\0\0\x0b\0\0", b"l\0\x0b\0\0\0")
"""With the byte that is not used as zero."""


def probe(opening: Opening) -> int:
    """Order of bytes, version 11.0, a name of an authorization that is text."""
    client = opening.client
    if not opening.first_to_server or not client:
        return NO
    given = client[:1] + b"\0" + client[2:6]
    if not any(begin.startswith(given[: len(client)]) for begin in _BEGINS):
        return NO
    if len(client) < HEADER:
        return NO if opening.over else MORE
    return YES if asked(client) is not None else NO

"""Whether a link's frames are logins: nothing else is handed on of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import NO, YES
from .messages import read

if TYPE_CHECKING:
    from ..api import Opening


def probe(opening: Opening) -> int:
    """The first frame of either direction is one of PAP, CHAP or EAP."""
    first = opening.client if opening.first_to_server else opening.server
    return YES if read(first) is not None else NO

"""Whether a conversation is MQTT's: by CONNECT, wherever it stands in what the client said first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES
from .packets import NAMES, begins

if TYPE_CHECKING:
    from ..api import Opening

_ANSWERS = (b"\x20", b"\xf0")  # CONNACK, AUTH


def probe(opening: Opening) -> int:
    """By content, on any port."""
    client, server = opening.client, opening.server
    if begins(client, 0):
        return YES if not server or server.startswith(_ANSWERS) else NO
    for match in NAMES.finditer(client):
        if begins(client, match.start()):
            return YES
    started = client[:1] == b"\x10" and len(client) < 14 and not server
    return MORE if started and not opening.over else NO

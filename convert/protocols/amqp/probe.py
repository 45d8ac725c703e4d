"""Whether a conversation is AMQP's: by the header that a client begins with, and what the server answers to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

HEADERS = {b"AMQP\0\0\x09\1": 0, b"AMQP\1\1\0\x0a": 0, b"AMQP\1\1\x08\0": 0, b"AMQP\3\1\0\0": 1, b"AMQP\0\1\0\0": 1}
"""Of 0-8 to 0-10 (0) and 1.0 (1), the latter with SASL and without."""


def probe(opening: Opening) -> int:
    """By content, on any port."""
    client, server = opening.client, opening.server
    if len(client) < 8:
        begun = bool(client) and any(header.startswith(client) for header in HEADERS)
        return MORE if begun and not opening.over else NO
    kind = HEADERS.get(client[:8])
    if kind is None:
        return NO
    answers = (b"AMQP", b"\1\0\0") if not kind else (b"AMQP",)
    fits = not server or any(server.startswith(answer) or answer.startswith(server) for answer in answers)
    return YES if fits else NO

"""Whether a conversation is XMPP: the header of a stream in its namespace; from within, SASL's or TLS's namespace."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

_DECLARATION = rb"\s{0,8}(?:<\?xml[^>]{0,200}\?>\s{0,8})?"
_STREAM = re.compile(
    _DECLARATION + rb"<(?:[A-Za-z]{1,20}:)?stream\s[^>]{0,2000}?"
    rb"(?:http://etherx\.jabber\.org/streams|jabber:(?:client|server|component:accept))[\"']"
)
_WITHIN = re.compile(
    rb"\s{0,8}<(?:auth|response|challenge|starttls|proceed|success|failure|authenticate)\s[^>]{0,300}?"
    rb"(?:urn:ietf:params:xml:ns:xmpp-(?:sasl|tls)|urn:xmpp:sasl:2)[\"']"
)
_BEGINS = (b"<?xml", b"<stream", b"<auth", b"<starttls")


def probe(opening: Opening) -> int:
    """NO, YES or MORE (api.py)."""
    client, server = opening.client, opening.server
    first, other = (client, server) if opening.first_to_server else (server, client)
    for said in (first, other):
        if _STREAM.match(said) or _WITHIN.match(said):
            return YES
    if opening.over or not first or not _begins(first):
        return NO
    return MORE if len(first) < 2600 else NO


def _begins(data: bytes) -> bool:
    head = data.lstrip(b" \t\r\n")[:8]
    return any(word.startswith(head[: len(word)]) for word in _BEGINS)

"""A secret that was seen, with its user, its place and what became of it."""

from __future__ import annotations

import msgspec

from .span import Span

FORM_BODY = "form-body"
URL_QUERY = "url-query"
URL_USERINFO = "url-userinfo"
AUTHORIZATION_BASIC = "authorization-basic"

ACCEPTED = "accepted"
REFUSED = "refused"
UNKNOWN = "unknown"


class Sighting(msgspec.Struct, gc=False):
    """One secret in one request. The only record that holds a secret in the clear: redact.py decides what is shown."""

    location: str
    """FORM_BODY, URL_QUERY, URL_USERINFO or AUTHORIZATION_BASIC."""
    field: str | None
    """The name of the form or query field, decoded; None for the other locations."""
    username: str | None
    secret: bytes
    """Decoded (percent signs, '+', base64), not yet taken for text in any encoding."""
    raw: bytes
    """The bytes on the wire that hold it: the undecoded value, or the whole base64 token."""
    secret_complete: bool
    """False where the capture lacks the end of the value."""
    span: Span
    """Of `raw`, from its first byte to its last (chunk framing in between counts)."""
    method: str
    host: str | None
    target: str
    outcome: str = UNKNOWN
    """ACCEPTED, REFUSED or UNKNOWN, by the response to this request."""
    announced: bool = True
    """False where the bytes follow a request that announced no body: by the RFC they are none of its."""
    exchange: int = 0
    """The ordinal of its HttpExchange."""

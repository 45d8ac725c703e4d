"""A secret that was seen, with its user, its place and what became of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .span import Span

if TYPE_CHECKING:
    from .record import Value

FORM_BODY = "form-body"
URL_QUERY = "url-query"
URL_USERINFO = "url-userinfo"
AUTHORIZATION_BASIC = "authorization-basic"
HEADER = "header"
COOKIE = "cookie"
COMMUNITY = "community"

ACCEPTED = "accepted"
REFUSED = "refused"
UNKNOWN = "unknown"

CLEARTEXT = "cleartext"
TOKEN = "token"
HASH = "hash"

CERTAIN = "certain"
LIKELY = "likely"
POSSIBLE = "possible"


class Sighting(msgspec.Struct, gc=False):
    """One secret in one request. The only record that holds a secret in the clear: redact.py decides what is shown."""

    location: str
    """Where in the protocol it stood: FORM_BODY ... for HTTP, else a word of docs/protocols.md such as `login`."""
    field: str | None
    """The name of the form or query field, decoded; None where there is none."""
    username: str | None
    secret: bytes
    """Decoded (percent signs, '+', base64), not yet taken for text in any encoding."""
    raw: bytes
    """The bytes on the wire that hold it: the undecoded value, or the whole base64 token."""
    secret_complete: bool
    """False where the capture lacks the end of the value."""
    span: Span
    """Of `raw`, from its first byte to its last (chunk framing in between counts)."""
    method: str | None = None
    """These three are those of an HTTP request."""
    host: str | None = None
    target: str | None = None
    outcome: str = UNKNOWN
    """ACCEPTED, REFUSED or UNKNOWN, by the response to this request."""
    announced: bool = True
    """False where the bytes follow a request that announced no body: by the RFC they are none of its."""
    exchange: int = 0
    """The ordinal of its HttpExchange or Record."""
    protocol: str = "http"
    """The name of the protocol in protocols/table.py."""
    form: str = CLEARTEXT
    """CLEARTEXT: a password; TOKEN: what stands for one, such as a bearer token; HASH: a challenge and what was
    answered to it, from which a password can be guessed offline; `secret` is then the line for hashcat or John."""
    confidence: str = CERTAIN
    """CERTAIN: the grammar of the protocol says that it is a secret; LIKELY, POSSIBLE: it looks like one."""
    details: dict[str, Value] | None = None
    """What else is known of it (docs/protocols.md): mechanism, hashcat mode, a token's claims. No part of a secret."""
    parts: tuple[bytes, ...] = ()
    """Of a HASH: what stands on the wire, beside `raw`, and must not be shown either (a response, as it is)."""
    compressed: bool = False
    """`span` is that of frames of HTTP/2 with the header block in which it stands."""

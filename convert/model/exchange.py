"""What HTTP messages said, as plain records; they know neither files nor frames.

Text from the wire is held one byte a character (latin-1), so that nothing is lost or refused; `ascii` says that a
message's text needs no second look before it is written out as UTF-8. Spans point into the conversation's streams.
"""

from __future__ import annotations

import msgspec

from .record import Value
from .span import Span


class HttpRequest(msgspec.Struct, gc=False):
    """A request (RFC 9112). What is not known is None; nothing is made up."""

    span: Span
    """The whole message, from the first byte of the start line; what was lost inside it counts."""
    method: str
    target: str
    """As on the wire; where the head was cut within it, what is known (`target_complete` is then False)."""
    host: str | None
    """The Host header, else the authority of an absolute target."""
    version: str
    """Such as HTTP/1.1; empty where the line has none or was cut before it."""
    headers: list[tuple[str, str]]
    """Name and value without the blanks around, in order, folded lines joined; the last may be cut in a cut head."""
    headers_complete: bool
    headers_total: int
    """Headers seen; more than `headers` holds when there were too many to keep."""
    target_complete: bool
    ascii: bool
    body_length: int | None = None
    """Bytes of the body that passed, de-chunked, before content decoding, lost ones too; None if not known."""
    body_complete: bool = False
    """Every byte of the body is known, and its end was seen."""
    body_sha256: str | None = None
    """Of the known bytes, in order, lost ones left out; None where there are none."""
    trailers: list[tuple[str, str]] = []
    """Headers behind a chunked body."""
    more: dict[str, Value] | None = None
    """Further fields, as in Message.fields: what content decoding, HTTP/2 or gRPC tell."""


class HttpResponse(msgspec.Struct, gc=False):
    """A final response (or 101); fields as in HttpRequest."""

    span: Span
    status: int
    reason: str
    version: str
    headers: list[tuple[str, str]]
    headers_complete: bool
    headers_total: int
    ascii: bool
    body_length: int | None = None
    body_complete: bool = False
    body_sha256: str | None = None
    trailers: list[tuple[str, str]] = []
    more: dict[str, Value] | None = None


class HttpExchange(msgspec.Struct, gc=False):
    """A request and its response; either is None where it was not seen, never both."""

    ordinal: int
    """From 1, in the order in which a conversation's exchanges are handed out."""
    request: HttpRequest | None
    response: HttpResponse | None

"""Base64 in the text of an element (RFC 6120, 6.4.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...model.span import Span
from ..mail.sasl import unpacked

if TYPE_CHECKING:
    from .scanner import Element


class Token(NamedTuple):
    """One."""

    data: bytes
    raw: bytes
    span: Span


def stripped(element: Element) -> tuple[bytes, Span] | None:
    """An element's text without blanks around it, and its place; None where it has none."""
    if element.span is None:
        return None
    raw = element.raw.strip(b" \t\r\n")
    lead = len(element.raw) - len(element.raw.lstrip(b" \t\r\n"))
    size = len(raw) if element.span.length == len(element.raw) else element.span.length - lead
    return raw, Span(element.span.place, element.span.offset + lead, size)


def token_of(element: Element) -> Token | None:
    """What an element holds, `=` and nothing for no bytes; None where it is no base64."""
    found = stripped(element)
    if found is None:
        return Token(b"", b"", Span(None, 0, 0))
    raw, span = found
    text = raw.translate(None, b" \t\r\n")
    if not element.complete:
        text = text[: len(text) // 4 * 4]
    data = b"" if text == b"=" else unpacked(text)
    return None if data is None else Token(data, raw, span)

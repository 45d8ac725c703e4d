"""A run of bytes in one direction of a conversation, as parsers and their records point to it."""

from __future__ import annotations

import msgspec


class Span(msgspec.Struct, frozen=True, gc=False):
    """A run of bytes in one direction of a conversation."""

    place: object
    """What the caller gave with the bytes in which the span begins."""
    offset: int
    """Of the first byte in the stream of its direction."""
    length: int
    """In bytes of the stream, to the end of the last byte."""

"""A head's bytes with the way back to the stream, and the names of what may be odd in it."""

from __future__ import annotations

from bisect import bisect_right

from ..model.span import Span
from .http1_scan import (
    BARE_LF,
    CONTROL,
    EMPTY_NAME,
    FOLDED,
    NO_COLON,
    SPACE_BEFORE_COLON,
    TOO_MANY,
    Head,
)

_ODDITIES = (
    (BARE_LF, "bare-lf"),
    (FOLDED, "folded-header"),
    (SPACE_BEFORE_COLON, "space-before-colon"),
    (NO_COLON, "header-without-colon"),
    (EMPTY_NAME, "header-without-name"),
    (CONTROL, "control-byte-in-head"),
    (TOO_MANY, "too-many-headers"),
)


def oddities(head: Head) -> list[str]:
    """What was odd in a head, by the names of weirds."""
    return [name for flag, name in _ODDITIES if head.flags & flag]


class HeadText:
    """A head's bytes, which stand in one piece in the stream; `places` are (position, place), the first at 0."""

    __slots__ = ("_places", "offset", "raw")

    def __init__(self, raw: bytes, offset: int, places: list[tuple[int, object]]) -> None:
        self.raw = raw
        self.offset = offset
        self._places = places

    def span(self, begin: int, end: int) -> Span:
        """Where raw[begin:end] stands in the stream."""
        places = self._places
        place = places[bisect_right(places, begin, key=lambda entry: entry[0]) - 1][1]
        return Span(place, self.offset + begin, end - begin)

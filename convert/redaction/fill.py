"""What stands in the place of masked bytes: an X for each, and in header blocks of HTTP/2 a field that says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .header_blocks import INDEXED
from .stretches import joined

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK = b"X"


def filled(plain: Iterable[tuple[int, int]], blocks: Iterable[tuple[int, int]]) -> list[tuple[int, bytes]]:
    """(position, new bytes) in order, from (begin, end) of both; a header block goes before what is masked plainly."""
    framed = joined(blocks)
    out = [(begin, INDEXED * (end - begin)) for begin, end in framed]
    at = 0
    for begin, end in joined(plain):
        while at < len(framed) and framed[at][1] <= begin:
            at += 1
        each = at
        while begin < end:
            if each < len(framed) and framed[each][0] <= begin:
                begin = max(begin, framed[each][1])
                each += 1
                continue
            stop = min(end, framed[each][0]) if each < len(framed) else end
            out.append((begin, MASK * (stop - begin)))
            begin = stop
    return sorted(out)

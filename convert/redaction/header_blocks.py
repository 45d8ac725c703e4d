"""Header blocks of HTTP/2 replaced by ones that say nothing (RFC 9113, 6.2 and 6.10; RFC 7541, 6.1).

A secret in a compressed field has no bytes of its own. The whole block is filled with the indexed field that needs no
table of the connection's own, so that what reads the capture does not stumble; fields that later blocks take from the
table are lost with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INDEXED = b"\x82"
"""`:method: GET`, the second field of the static table."""
_HEAD = 9
_HEADERS, _PUSH_PROMISE, _CONTINUATION = 1, 5, 9
_PADDED, _PRIORITY = 0x08, 0x20


def blocks(frames: bytes) -> Iterator[tuple[int, int]]:
    """(begin, end) of the pieces of header blocks in frames that follow one another; a cut one as far as it goes."""
    at = 0
    while at + _HEAD <= len(frames):
        size = int.from_bytes(frames[at : at + 3], "big")
        kind, flags = frames[at + 3], frames[at + 4]
        begin, end = at + _HEAD, at + _HEAD + size
        if kind in (_HEADERS, _PUSH_PROMISE):
            padding = 0
            if flags & _PADDED:
                padding = frames[begin] if begin < len(frames) else 0
                begin += 1
            begin += 4 if kind == _PUSH_PROMISE else 5 if flags & _PRIORITY else 0
            yield min(begin, len(frames)), min(max(begin, end - padding), len(frames))
        elif kind == _CONTINUATION:
            yield begin, min(end, len(frames))
        at = end

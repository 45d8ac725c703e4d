"""Bodies of HTTP/1 messages: how long one is (RFC 9112, 6), its bytes as they pass, and their hash.

A body knows nothing of pairing. Its bytes are not held, but for those that may be a form (http1_kept.py).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from .http1_chunks import Dechunker

if TYPE_CHECKING:
    from collections.abc import Callable

    from .http1_kept import Kept
    from .http1_scan import Head

NO_BODY, LENGTH, CHUNKED, UNTIL_CLOSE = range(4)
_LONGEST_LENGTH = 18  # digits: more would not fit the signed 64 bits of any file size


class Body:
    """One body while it passes. `length` counts its bytes, lost ones too; `intact` until one is lost."""

    __slots__ = ("_dechunker", "_hash", "_remaining", "done", "intact", "kept", "kind", "length", "lost")

    def __init__(self, kind: int, length: int, kept: Kept | None) -> None:
        self.kind = kind
        self._remaining = length
        self._dechunker = Dechunker() if kind == CHUNKED else None
        self._hash: hashlib._Hash | None = None
        self.kept = kept
        self.length = 0
        self.intact = True
        self.done = False
        self.lost = False
        """Where it ends can no longer be told."""

    def oddities(self) -> list[str]:
        """What was odd in the chunked framing, by the names of weirds."""
        if self._dechunker is None:
            return []
        odd = (("bare-lf-in-chunks", self._dechunker.bare_lf), ("blank-before-chunk-size", self._dechunker.blank))
        return [name for name, seen in odd if seen]

    def sha256(self) -> str | None:
        """Over the bytes that are known; None where there are none."""
        return self._hash.hexdigest() if self._hash is not None else None

    def _take(self, data: bytes | memoryview) -> None:
        self.length += len(data)
        if self._hash is None:
            self._hash = hashlib.sha256(data)
        else:
            self._hash.update(data)

    def feed(self, data: bytes, pos: int, offset: int, place: object) -> int:
        """Take from data[pos:], where data[0] stands at `offset` of the stream; returns where it stopped."""
        if self._dechunker is not None:
            return self._feed_chunked(self._dechunker, data, pos, offset, place)
        end = len(data)
        if self.kind == LENGTH:
            if end - pos >= self._remaining:
                end = pos + self._remaining
                self.done = True
            self._remaining -= end - pos
        part = data if pos == 0 and end == len(data) else memoryview(data)[pos:end]
        self._take(part)
        if self.kept is not None:
            self.kept.add(part, offset + pos, place)
        return end

    def _feed_chunked(self, dechunker: Dechunker, data: bytes, pos: int, offset: int, place: object) -> int:
        kept = self.kept
        pos, part = dechunker.feed(data, pos, kept is not None)
        if part:
            self._take(part)
            if kept is not None:
                taken = 0
                for begin, length in dechunker.ranges:
                    kept.add(part[taken : taken + length], offset + begin, place)
                    taken += length
        if dechunker.done:
            self.done = True
        elif dechunker.bad:
            self._lose()
        return pos

    def gap(self, length: int) -> int:
        """Lost bytes: how many of them lie in this body. With `lost` nothing is known of what follows."""
        self.intact = False
        if self.kept is not None:
            self.kept.cut()
        if self._dechunker is not None:
            if self._dechunker.skip(length):
                self.length += length
            else:
                self._lose()
            return length
        if self.kind == LENGTH:
            length = min(length, self._remaining)
            self._remaining -= length
            self.done = self._remaining == 0
        self.length += length
        return length

    def _lose(self) -> None:
        self.lost = True
        self.intact = False


def content_length(head: Head, weird: Callable[[str], None]) -> int | None:
    """The value of Content-Length, None where there is none that can be read; the first counts where several differ."""
    found: int | None = None
    for header in head.content_lengths or ():
        for text in header.split(","):
            digits = text.strip(" \t")
            significant = digits.lstrip("0") or digits[-1:]
            if not (digits.isascii() and digits.isdigit() and len(significant) <= _LONGEST_LENGTH):
                weird("bad-content-length")
            elif found is None:
                found = int(significant)
            elif found != int(significant):
                weird("conflicting-content-length")
            else:
                weird("repeated-content-length")
    return found


def framing(head: Head, request: bool, weird: Callable[[str], None]) -> tuple[int, int]:
    """(kind, length) of the body that a message's own headers announce."""
    length: int | None = None
    if head.content_lengths is not None:
        first = head.content_lengths[0]
        if len(head.content_lengths) == 1 and len(first) <= _LONGEST_LENGTH and first.isascii() and first.isdigit():
            length = int(first)
        else:
            length = content_length(head, weird)
    if head.transfer_encodings:
        named = [coding.strip(" \t").lower() for coding in ",".join(head.transfer_encodings).split(",")]
        codings = [coding.replace(";", " ").split()[0] for coding in named if coding.strip("; \t")]
        codings = [coding for coding in codings if coding != "identity"]
        if codings:
            if length is not None:
                weird("both-lengths")
            if codings[-1] == "chunked":
                if named[-1] != "chunked":
                    weird("odd-transfer-encoding")
                return CHUNKED, 0
            weird("unknown-transfer-encoding")
            if not request:
                return UNTIL_CLOSE, 0
    if length is not None:
        return (LENGTH, length) if length else (NO_BODY, 0)
    return (NO_BODY, 0) if request else (UNTIL_CLOSE, 0)


def may_be_form(head: Head) -> bool:
    """Whether a request's body may hold form fields: a urlencoded form by its type, or of no type at all."""
    return head.content_type is None or "x-www-form-urlencoded" in head.content_type.lower()

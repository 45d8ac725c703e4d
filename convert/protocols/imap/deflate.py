"""COMPRESS=DEFLATE (RFC 4978): one stream without zlib's wrapping in each direction, undone as it passes.

Which byte gave what is not known within a block, so what comes out of one has the place of the block. Blocks end at
fixed offsets and where the other side speaks: cuts of the input make no difference.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

from ...model.span import Span

BLOCK = 256
"""Compressed bytes that are undone at once."""
PIECE = 65536
"""Bytes that come out at once, at most."""
FREE_OUTPUT = 1 << 20
"""Of one direction; a few bytes may stand for very many, each of which costs."""
MOST_RATIO = 200
"""Bytes that come out for each that goes in, beyond these. Text has 3 to 10, long lists of like lines more."""


class Inflater:
    """One direction."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(-15)
        self._held = bytearray()
        self._offset = 0
        self._place: object = None
        self._taken = 0
        self._given = 0
        self._broken = False
        self.block = Span(None, 0, 0)
        """The last one that was undone, or could not be."""

    def broken(self) -> bool:
        """It is no such stream, or too much of it, or given up: nothing more comes out."""
        return self._broken

    def give_up(self) -> None:
        """What follows cannot be undone."""
        self._broken = True

    def feed(self, data: bytes, offset: int, place: object) -> Iterator[tuple[bytes, int, object, int]]:
        """(bytes, offset, place and number of the bytes out of which they came)."""
        while data and not self._broken:
            if not self._held:
                self._offset, self._place = offset, place
            room = BLOCK - offset % BLOCK
            taken, data = data[:room], data[room:]
            self._held += taken
            offset += len(taken)
            if len(taken) == room:
                yield from self.flush()

    def flush(self) -> Iterator[tuple[bytes, int, object, int]]:
        """What is held, when the other side speaks, or nothing follows."""
        block = bytes(self._held)
        self._held.clear()
        self.block = Span(self._place, self._offset, len(block))
        self._taken += len(block)
        while block and not self._broken:
            if self._stream.eof:  # who ends the stream has said goodbye
                self._broken = True
                return
            try:
                out = self._stream.decompress(block, PIECE)
            except zlib.error:
                self._broken = True
                return
            self._given += len(out)
            self._broken = self._given > FREE_OUTPUT + MOST_RATIO * self._taken or bool(self._stream.unused_data)
            if out:
                yield out, self._offset, self._place, max(1, len(block))
            block = self._stream.unconsumed_tail

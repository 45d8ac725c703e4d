"""Compressed messages of WebSocket (permessage-deflate, RFC 7692), inflated within limits.

What both ends agreed on need not be known. The window of all that came before is always kept: a sender that begins each
message with an empty one, or with a smaller one, never refers to more. What it would refer to and was not seen is an
error of deflate, never wrong text. What comes out depends on the bytes alone, not on how they were cut.
"""

from __future__ import annotations

import zlib

BLOCK = 1 << 12
"""Compressed bytes that are inflated at once."""
PIECE = 1 << 16
"""Inflated bytes that are given at once, at most."""
MOST_OUTPUT = 1 << 26
"""Inflated bytes of one message."""
MOST_RATIO = 200
"""Inflated bytes for each compressed one, of one message, once there are RATIO_FROM."""
RATIO_FROM = 1 << 20
BUDGET = 1 << 28
BUDGET_RATIO = 20
"""What all messages of a direction may come to: BUDGET, and so many bytes for each compressed one."""
_MOST_ENDS = 16
"""Last blocks in one message: each begins a decompressor."""
_WINDOW = 1 << 15
_TAIL = b"\x00\x00\xff\xff"
"""What the sender leaves out at the end of each message (RFC 7692, 7.2.1)."""


class Inflater:
    """One direction's. `failed`: the present message could not be inflated; `beyond`: it is past the limits."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(-15)
        self._window = b""
        self._held = bytearray()
        self._taken = self._given = 0
        self._budget = BUDGET
        self._ended = False  # the sender's last block has passed, and nothing behind it
        self._ends = 0
        self.failed = self.beyond = False

    @property
    def over(self) -> bool:
        """Nothing more comes of the present message."""
        return self.failed or self.beyond

    def begin(self) -> None:
        """A message begins."""
        self._held.clear()
        self._taken = self._given = self._ends = 0
        self.failed = self.beyond = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes of the message; what came out of them, if anything."""
        out: list[bytes] = []
        if self.over:
            return out
        self._held += data
        while len(self._held) >= BLOCK and not self.over:
            block = bytes(self._held[:BLOCK])
            del self._held[:BLOCK]
            self._inflate(block, out)
        return out

    def finish(self) -> list[bytes]:
        """The message has passed; the rest of it."""
        out: list[bytes] = []
        for data in (bytes(self._held), _TAIL):
            if data and not self.over and not (data is _TAIL and self._ended):
                self._inflate(data, out)
        self._held.clear()
        return out

    def lose(self) -> None:
        """Bytes are missing: this message cannot be read on, nor those that refer to it."""
        self.failed = True
        self._forget()

    def _forget(self) -> None:
        self._inner = zlib.decompressobj(-15)
        self._window = b""
        self._held.clear()

    def _inflate(self, data: bytes, out: list[bytes]) -> None:
        self._ended = False
        self._taken += len(data)
        self._budget += BUDGET_RATIO * len(data)
        try:
            while True:
                piece = self._inner.decompress(data, PIECE)
                if piece:
                    self._given += len(piece)
                    self._budget -= len(piece)
                    self._window = (self._window + piece)[-_WINDOW:]
                    if self._too_much():
                        self.beyond = True
                        self._forget()
                        return
                    out.append(piece)
                if self._inner.eof:  # a last block, and yet the conversation may go on behind it (7.2.3.4)
                    data = self._inner.unused_data
                    self._ends += 1
                    if self._ends > _MOST_ENDS:
                        self.lose()
                        return
                    self._inner = zlib.decompressobj(-15, zdict=self._window)
                    self._ended = not data
                else:
                    data = self._inner.unconsumed_tail
                    self._ended = False
                if not data and len(piece) < PIECE:
                    return
        except zlib.error:
            self.lose()

    def _too_much(self) -> bool:
        given = self._given
        return given > MOST_OUTPUT or self._budget < 0 or (given > RATIO_FROM and given > MOST_RATIO * self._taken)

"""Which reader takes the frames of a capture file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from .pcap import PcapReader, is_pcap
from .pcapng import PcapngReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from .buffer import FrameReader

SECTION = b"\x0a\x0d\x0d\x0a"


class Readable(Protocol):
    """Where a capture file comes from: a Source, or what is like it."""

    def peek(self, count: int, /) -> bytes:
        """The next bytes without taking them."""

    def readinto(self, view: memoryview, /) -> int:
        """Fill the view and return how much, 0 at the end."""


class PayloadFile:
    """The payload file, read from its beginning whatever others do with the descriptor.

    `change` is called with what was read and its position, and may change it.
    """

    def __init__(self, descriptor: int, change: Callable[[memoryview, int], None] | None = None) -> None:
        self._descriptor = descriptor
        self._change = change
        self._at = 0

    def peek(self, count: int, /) -> bytes:
        """The next bytes as they are, without taking them."""
        return os.pread(self._descriptor, count, self._at)

    def readinto(self, view: memoryview, /) -> int:
        """Fill the view and return how much, 0 at the end."""
        count = os.preadv(self._descriptor, [view], self._at)
        if self._change is not None:
            self._change(view[:count], self._at)
        self._at += count
        return count


def open_frames(source: Readable, spool_fd: int = -1) -> FrameReader:
    """The reader for what `source` holds; the magic decides.

    All bytes are written to the descriptor `spool_fd` as they are read, unless it is negative.

    Raises:
        ValueError: It is neither a pcap nor a pcapng.
    """
    head = source.peek(4)
    if is_pcap(head):
        return PcapReader(source.readinto, spool_fd)
    if head.startswith(SECTION):
        return PcapngReader(source.readinto, spool_fd)
    raise ValueError("neither pcap nor pcapng")

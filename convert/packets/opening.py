"""Which reader takes the frames of a capture file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from .pcap import PcapReader, is_pcap
from .pcapng import PcapngReader

if TYPE_CHECKING:
    from .buffer import FrameReader

SECTION = b"\x0a\x0d\x0d\x0a"


class Readable(Protocol):
    """Where a capture file comes from: a Source, or what is like it."""

    def peek(self, count: int, /) -> bytes:
        """The next bytes without taking them."""

    def readinto(self, view: memoryview, /) -> int:
        """Fill the view and return how much, 0 at the end."""


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

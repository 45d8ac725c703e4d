from collections.abc import Callable, Iterator
from typing import NamedTuple

from .interface import SourceInterface

CAUSE_NAMES: tuple[str, ...]
"""The causes of loss that the readers of files count."""

class Loss(NamedTuple):
    """What one cause of loss took.

    Attributes:
        number: How many blocks or packets.
        bytes: How many bytes, 0 where it does not apply.
        offset: Of the first in the decompressed input.
        time: Of the first, ns since the epoch, 0 where it has none.
        source_frame: The first one's number in the source, 0 where it has none.
    """

    number: int
    bytes: int
    offset: int
    time: int
    source_frame: int

class Frame(NamedTuple):
    """One frame of a capture file.

    Attributes:
        frame: Number among the packets, from 1: the number in the pcapng that is written.
        source_frame: Number as Wireshark counts, where some blocks that are no packets have a number too.
        time: ns since the epoch, 0 where the file does not tell; times after 2262 become the last of that year.
        interface: Index over all sections, from 0.
        linktype: LINKTYPE_*.
        data: The captured bytes.
        original: Bytes on the wire; never fewer than were captured.
        offset: Of the record or block in the decompressed input.
        position: Of the data in the decompressed input.
    """

    frame: int
    source_frame: int
    time: int
    interface: int
    linktype: int
    data: bytes
    original: int
    offset: int
    position: int

class FrameReader:
    """Takes the frames of a capture file out of a buffer; the base of the readers of pcap and pcapng.

    Compiled code calls `step`; where it returns STEP_NEED, `fill` is to be called. What follows damage is not read.

    Attributes:
        format: pcap or pcapng.
        frame: Frames so far.
        source_frame: The number of the last one as Wireshark counts.
        first_time: The earliest time, ns since the epoch; 0 where no frame has one.
        last_time: The latest time.
        longest: Captured bytes of the longest frame.
    """

    format: str
    frame: int
    source_frame: int
    first_time: int
    last_time: int
    longest: int

    def __init__(self, readinto: Callable[[memoryview], int], spool_fd: int = -1) -> None:
        """Read by `readinto`, which fills a view and returns how much, 0 at the end.

        All bytes that are read are also written to the descriptor `spool_fd`, unless it is negative.
        """

    def fill(self) -> bool:
        """Read more; False at the end of the input.

        Raises:
            OSError: Reading, or writing to the spool file, failed.
            MemoryError: There is no memory for a longer record.
        """

    @property
    def bytes_read(self) -> int:
        """Bytes taken from the input so far."""

    @property
    def offset(self) -> int:
        """Offset of the next record."""

    @property
    def damage(self) -> tuple[str, int] | None:
        """Why reading ended before the end of the input, and the offset of what could not be read."""

    def losses(self) -> dict[str, Loss]:
        """What could not be used or is not there, by cause.

        unknown_block: Blocks of unknown types, with their bytes. block_trailer_differs: Blocks that end with another
        length than they begin with. damaged_block: Blocks without a packet that contradict themselves, with their
        bytes. damaged_packet: Packets that contradict themselves, with the bytes of their blocks. damaged_options:
        Blocks with options that do not fit, or have a length that they cannot have. snaplen: Frames that were cut
        when they were captured, with the bytes that are missing.
        """

    @property
    def interfaces(self) -> list[SourceInterface]:
        """The interfaces met so far, in order; of a pcapng the first 4,096 at most."""

    def frames(self) -> Iterator[Frame]:
        """Yield the frames one by one; for tests and small uses."""

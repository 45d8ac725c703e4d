from typing import Final

from .redaction.patches import Patches

MOST_OPTION_BYTES: Final[int]
"""How many bytes of options `PacketBlocks.packet` takes."""

class PacketBlocks:
    """Enhanced packet blocks of the frames in a file of rows, in their order.

    Attributes:
        index: Index of the next frame, from 0.
        conv: Conversation of the frame that `build` stopped at.
        thread: Thread version of that frame, 0 where none is known.
        first: Whether that frame is the first of its conversation.
    """

    index: int
    conv: int
    thread: int
    first: bool

    def __init__(
        self,
        frames_fd: int,
        pieces_fd: int,
        convs_fd: int,
        payload_fd: int,
        interfaces: int,
        patches: Patches | None = None,
    ) -> None:
        """Descriptors of files of rows (sorted Frame, Piece, Conv) and of the payload, and the count of interfaces.

        Interface 0 is the host's, the last one that of unix sockets; between them is one for each container.
        `patches` are written in place of what the payload file has there.
        """

    def build(self, stop: int) -> int:
        """Build packets up to the frame with index `stop`, which is left, and tell why it stopped there or before.

        Returns:
            0: at the end; 1: call `view`, the buffer is full; 2: the next frame is the first of `conv`: call `packet`;
            3: call `know` for `thread`; 4: the next frame has the index `stop`: call `packet`.

        Raises:
            OSError: Reading failed, or a row contradicts another (EINVAL).
        """

    def packet(self, options: bytes) -> None:
        """Build the packet that `build` stopped at, with these options (encoded, padded to 4) before its own."""

    def know(self, thread: int, pid: int, tid: int, block: int | None) -> None:
        """Tell what process a thread version is, and the index of its process block; None where there is none."""

    def view(self) -> bytes:
        """The bytes built since the last call."""

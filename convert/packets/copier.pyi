from .buffer import FrameReader

class Copier:
    """Copies the frames of a capture file into a pcapng (draft-ietf-opsawg-pcapng), with comments added.

    Attributes:
        frames: Frames copied so far.
        begun: Whether a section header was written.
    """

    begun: bool

    @property
    def frames(self) -> int: ...
    def __init__(
        self,
        reader: FrameReader,
        flows_fd: int,
        convs_fd: int,
        header: bytes,
        section_options: bytes,
        resolution: int,
    ) -> None:
        """Copy what `reader` reads.

        Args:
            reader: A reader that has not begun.
            flows_fd: Descriptor of Flow rows in the order of their first frames: on each of these comes a comment.
            convs_fd: Descriptor of Conv rows.
            header: What stands before the packets of a copy of a pcap: a section header and an interface.
            section_options: Options, encoded, padded, little endian, for the first section of a pcapng.
            resolution: How many ns are a unit of time in a copy of a pcap.
        """

    def build(self, stop: int) -> int:
        """Copy up to the frame with the number `stop`, which is left.

        Returns:
            0: at the end; 1: call `view`, the buffer is full; 2: the next frame is the one: call `packet`.

        Raises:
            OSError: Reading failed, or a row contradicts another (EINVAL).
            MemoryError: There is no memory for a longer record.
        """

    def packet(self, options: bytes) -> None:
        """Copy the frame that `build` stopped at, with these options (encoded, padded to 4, little endian)."""

    def view(self) -> bytes:
        """The bytes built since the last call."""

class PacketFlows:
    """The conversations of one packet capture, fed segment by segment from compiled code (from_packets).

    Attributes:
        last_id: How many conversations there are.
        failed: A spool file did not take everything.
        evicted: Conversations that left the bounded table while they were open.
        exhausted: There was no memory.
    """

    last_id: int
    failed: bool
    evicted: int
    exhausted: bool

    def __init__(self, convs_fd: int, flows_fd: int, segments_fd: int, tunnels_fd: int = -1) -> None:
        """Descriptors of the spool files for Conv, Flow and Segment rows, and for Tunnel rows unless it is negative."""

    def finish(self) -> None:
        """Write what is still held. Raises OSError where the disk did not take everything."""

    def losses(self) -> dict[str, tuple[int, int, int, int, int, int]]:
        """By cause: (count, bytes, offset, time, source_frame, frame), the last four of the first occurrence."""

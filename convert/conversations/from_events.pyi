from ..scap.sink import NetSink

LossCount = tuple[int, int, int, int, int, int]

class Recorder(NetSink):
    """Writes what happened on each conversation to spool files (rows.pxd), as the state machine tells it."""

    def __init__(self, chunks_fd: int, convs_fd: int, spool_fd: int) -> None: ...
    def restart(self) -> None:
        """Another capture follows in the same file: whatever was open is over."""
    def finish(self) -> None:
        """Write what is still held. Raises OSError where the disk did not take everything, MemoryError."""
    @property
    def chunk_count(self) -> int: ...
    @property
    def conversations(self) -> int:
        """How many conversations there were; their ids are 1 to this."""
    @property
    def path_list(self) -> list[bytes]:
        """Paths of unix sockets by index; index 0 is no path."""
    @property
    def evicted(self) -> int:
        """Conversations that left the table because it was full, not because they ended."""
    @property
    def refused(self) -> int:
        """Paths of unix sockets that found no room in the path list."""
    @property
    def failed(self) -> bool: ...
    def losses(self) -> dict[str, LossCount]:
        """By cause (snaplen, sendfile, unaddressed): count, bytes; event, block offset, ns, evt_num of the first."""

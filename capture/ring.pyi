class Ring:
    """Reads a BPF_MAP_TYPE_RINGBUF by its file descriptor, without libbpf: maps it, takes records in their order.

    The descriptor stays the caller's and has to live as long as the ring. `size` is the map's max_entries in bytes; 0
    asks the kernel. Raises OSError where the descriptor cannot be mapped, ValueError where it is no such map.
    """

    def __init__(self, fd: int, size: int = 0) -> None: ...
    def drain(self, most: int = ...) -> list[bytes]:
        """At most `most` records as bytes, for tests and looking. Raises ValueError where the ring is damaged."""
    @property
    def waiting(self) -> int:
        """Bytes that stand in the ring and were not read, headers counted."""
    @property
    def size(self) -> int:
        """Bytes that the ring holds."""
    @property
    def broken(self) -> bool:
        """A header was found that cannot be right; nothing is read from then on."""

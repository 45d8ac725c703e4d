class Drain:
    """The user side of the probe's ring: takes records, makes event blocks of them, hands these out in time order.

    `ring_fd` is a BPF_MAP_TYPE_RINGBUF (-1: none, records come by inject()); it has to stay open as long as the drain.
    `clock_offset` (CLOCK_REALTIME - CLOCK_BOOTTIME, ns) makes the records' times those of the epoch. Payload is kept up
    to `snaplen` bytes, at most 65,000. Events wait `horizon_ns` for earlier ones, unless more than `memory` bytes of
    them wait: then poll() takes no more until take() has handed some out, and take() hands out the oldest at once
    (counted as "hurried"). A drain with a ring lets the process's allocator keep up to 64 MiB of freed memory.

    For one thread; raises RuntimeError where two use it at the same time. Raises OSError or ValueError where the ring
    cannot be read.
    """

    def __init__(
        self, ring_fd: int, clock_offset: int, snaplen: int, horizon_ns: int, memory: int = ..., ring_bytes: int = ...
    ) -> None: ...
    def poll(self, timeout_ms: int) -> int:
        """Take what is in the ring, waiting for it at most that long. Returns how many records were taken.

        At most 65,536 are taken in one call, so that whoever calls it in a loop gets to write. The GIL is free while
        it runs; a signal ends the waiting. Raises ValueError where the ring is damaged (nothing can be read on).
        """
    def take(self, up_to_ns: int | None) -> bytes:
        """Whole event blocks (0x216) up to a time, in the order of time; None: all that wait.

        `up_to_ns` is ns since the epoch; what is younger than the horizon by the machine's clock waits on all the same.
        An event that arrives after later ones were handed out is counted as "late" and is the next to be handed out.
        """
    def inject(self, records: bytes) -> None:
        """Take records in as if from the ring, one after the other. Raises BufferError where too many events wait."""
    @property
    def counts(self) -> dict[str, int]:
        """What was counted since the beginning, by name; capture/events.pxd says what each is.

        Beside those: "late"; "hurried"; "waiting" (events that were not handed out yet) and "waiting_bytes".
        """
    @property
    def memory(self) -> int:
        """Bytes of memory that hold events now."""

LAYOUT: dict[str, tuple[int, ...]]
"""Size and offsets of the structures of record.h as they were compiled in, for a test that holds them to the header."""

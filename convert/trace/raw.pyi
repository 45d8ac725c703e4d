from ..scap.walk import Walker

NEED: int
BLOCK: int
DAMAGE: int
FULL: int

RawEvent = tuple[int, int, int, int, int, int, int, int, tuple[bytes, ...]]

class RawWalker(Walker):
    """Events of a scap file as recorded; `damaged_events`, `unknown_types` count what was left out."""

    def __init__(self) -> None: ...
    def take(
        self, buffer: bytearray, begin: int, end: int, base: int, out: list[RawEvent], most: int
    ) -> tuple[int, int, int]:
        """Append the events in buffer[begin:end], whose first byte is byte `base` of the input, to `out`.

        An event is (ordinal, sysdig's number or 0, time, tid, code, cpu, block flags, offset, parameters); numbers in
        this machine's byte order. Returns (status, position, detail): NEED and how many bytes the block at `position`
        has (8: its head is not there), BLOCK and the type of a block that is not an event (the caller handles and
        skips it), DAMAGE and the length that cannot be, FULL after `most` events.
        """

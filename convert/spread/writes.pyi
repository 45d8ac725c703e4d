from collections.abc import Callable

from ..scap.sink import NetSink
from ..scap.state import State
from .patterns import Patterns

class WriteScan(State):
    """The state machine, which looks for secrets in what is written to files and pipes."""

    def __init__(
        self,
        sink: NetSink,
        identities: object,
        patterns: Patterns,
        base: int,
        taker: Callable[[int, int, bytes | None, int, int, int, tuple[int, int, int, int]], bool],
    ) -> None:
        """`base` and the serial number of an open file make a place (patterns.pyx).

        `taker` is called with the pattern, the kind of descriptor (0: not known), its path, its serial number, the
        thread version, the length and the (ordinal, number, offset, time) of the event of each occurrence; when it says
        True the pattern is not looked for any more in that open file.
        """

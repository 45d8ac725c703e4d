from collections.abc import Callable

from ..trace.model import Event, Trace
from ..trace.raw import RawWalker
from ..trace.replay import Replay
from .keys import Keys, Sums
from .outcomes import Verdicts

class StarWalker(RawWalker):
    """The compiled walk. `visit` gets every event that may be wanted and says whether it is enough."""

    def __init__(
        self,
        trace: Trace,
        verdicts: Verdicts,
        visit: Callable[[Event], object],
        keys: Keys | None,
        sums: Sums | None,
    ) -> None: ...
    @property
    def last_counted(self) -> int:
        """Time of the last event that counts, ns; 0 before the first."""
    def begin(self, replay: Replay, before: RawWalker | None) -> None:
        """Go on with this replay; `before` is the walker that came so far, None at the first event."""
    def finish(self) -> None:
        """Let go what the last event ended, and tell the replay where things stand."""
    def sweep(self, buffer: bytearray, begin: int, end: int, base: int) -> tuple[int, int, int]:
        """Take the events of buffer[begin:end]; (status, position, detail) as RawWalker.take, FULL: it is enough."""

from collections.abc import Callable

from ..trace.model import Event, Trace
from ..trace.raw import RawWalker
from .keys import Keys, Sums
from .outcomes import Verdicts

class Judging(RawWalker):
    """A walk that knows the verdicts on its events. `visit` gets those that may be wanted, and says if it is enough."""

    def __init__(
        self,
        trace: Trace,
        verdicts: Verdicts,
        visit: Callable[[Event], object],
        keys: Keys | None,
        sums: Sums | None,
    ) -> None: ...

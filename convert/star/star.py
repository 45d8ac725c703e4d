"""Go through a trace for a filter: `Star(trace, filters, visit).run()` calls `visit` for the events that pass.

What cannot pass costs next to nothing: the filter is judged on the rows of the star (outcomes.py) and the events are
walked in compiled code (walk.pyx). Where the walk does not know the rules (the newest schema, packet captures, filters
that remember when they were asked), every event goes through the plain evaluator: the answer is the same.
"""

from __future__ import annotations

from ..filters.fields.table import FieldProblem
from ..trace.trace import ScapTrace
from .keys import VALUES, Keys
from .outcomes import ASKING, Verdicts
from .walk import StarWalker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..filters.judge import Filter
    from ..trace.model import Event, Trace
    from .keys import Sums

STATE_ONLY = 1  # of an event block's flags


class Star:
    """One pass over a trace.

    `visit` is called with each event that passes all filters and counts (no description of containers before the
    first event, none that is there for the state alone), in file order; it says whether it has seen enough. With
    `sums`, events that pass may be added to it instead, in the same order.
    """

    def __init__(
        self,
        trace: Trace,
        filters: Sequence[Filter],
        visit: Callable[[Event], object],
        sums: Sums | None = None,
    ) -> None:
        self._trace = trace
        self._judges = [one.judge for one in filters if one.tree is not None]
        self._filters = filters
        self._visit = visit
        self._sums = sums
        self._last = 0
        self._walker: StarWalker | None = None

    @property
    def last_ts(self) -> int:
        """Time of the last event that counts, whether it passed or not, ns; 0 before the first."""
        return (self._walker.last_counted if self._walker is not None else 0) or self._last

    def run(self) -> None:
        """Read the trace to its end, or until `visit` says that it is enough."""
        trace = self._trace
        asked = {field.name for one in self._filters for field in one.fields}
        if not isinstance(trace, ScapTrace) or asked & ASKING:
            self._plain(trace)
            return
        if trace.exit_only or not trace.decided:
            self._plain(trace)
            return
        keys = self._keys()
        verdicts = Verdicts(trace, self._filters)
        walker = StarWalker(trace, verdicts, self._judge, keys, self._sums if keys is not None else None)
        self._walker = walker
        trace.sweep(walker, self._judge)

    def _plain(self, events: Iterable[Event]) -> None:
        for event in events:
            if self._judge(event):
                return

    def _judge(self, event: Event) -> object:
        """Show the event if it passes. Gives what `visit` gives."""
        if event.consumed or event.block_flags & STATE_ONLY:
            return False
        self._last = event.ts
        for judge in self._judges:
            if not judge(event):
                return False
        return self._visit(event)

    def _keys(self) -> Keys | None:
        if self._sums is None or self._sums.value_name not in VALUES:
            return None
        try:
            return Keys(self._trace, self._sums.key_names)
        except FieldProblem:
            return None


__all__ = ["Star"]

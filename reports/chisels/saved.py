"""Which events around some moments a file is to hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from ...convert.trace.model import Event


class Saved(NamedTuple):
    """Events that a second pass over the trace is to write: of the same thread, within `reach` ns of a moment.

    `moments` are times by thread, each list in order.
    """

    path: str
    moments: dict[int, list[int]]
    reach: int

    def wanted(self) -> Callable[[Event], bool]:
        """A function for one pass over the events in their order: whether an event belongs into the file."""
        at = dict.fromkeys(self.moments, 0)

        def near(event: Event) -> bool:
            moments = self.moments.get(event.tid)
            if moments is None:
                return False
            index, last = at[event.tid], len(moments) - 1
            while index < last and moments[index] + self.reach < event.ts:
                index += 1
            at[event.tid] = index
            return abs(moments[index] - event.ts) <= self.reach

        return near

"""Records that two captures hold of one message: the second is not counted, and its place is told beside the first's.

What is compared are records of connections that both captures saw (`sides.Sides`), by what they say and where in the
stream they stand. The times of both say how far the clocks were apart.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import NamedTuple

from ..annotations import Place
from ..clocks import Clocks
from ..sides import Sides
from ..survey import Clock

BOUND = 200_000


class Message(NamedTuple):
    """What a record tells of one message or of a request and its response.

    `what` tells records apart that stand at one place of a stream; `asked` is when the first byte was sent, as dated.
    """

    stream: int | None
    what: Hashable
    asked: str | None
    request: Place | None
    response: Place | None


class Doubles:
    """Fed with the records of all inputs in their order."""

    def __init__(self, sides: Sides, clock: Clock, bound: int = BOUND) -> None:
        self.clocks = Clocks()
        self.left_out = 0
        """Records of shared connections that were not kept for comparison; those like them count in each input."""
        self.also: dict[int, list[int]] = {}
        """Places of the same in other inputs, by the place of a record that is counted (source << 48 | offset)."""
        self._sides, self._clock, self._bound = sides, clock, bound
        self._known: dict[int, tuple[int, int, int]] = {}

    def first(self, source: int, place: int, message: Message) -> int | None:
        """The place of the same record in an earlier input; None where there is none, and the record counts."""
        home = self._sides.first(source, message.stream)
        if home is None and not self._sides.shared(source, message.stream):
            return None
        known = home or (source, message.stream)
        offsets = [None if side is None else side.stream_offset for side in (message.request, message.response)]
        key = hash((known, message.what, *offsets))
        answered = None if message.response is None else message.response.time
        times = self._clock.read(message.asked), self._clock.read(answered)
        if home is None:
            if len(self._known) < self._bound:
                self._known[key] = (place, *times)
            else:
                self.left_out += 1
            return None
        found = self._known.get(key)
        if found is None:
            return None
        client, server = self._sides.ends(source, message.stream) or (None, None)
        self.clocks.add(home[0], source, (found[1], times[0]), client)
        self.clocks.add(home[0], source, (found[2], times[1]), server)
        return found[0]

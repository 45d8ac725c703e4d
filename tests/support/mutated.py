"""Talk with a few bytes changed, for hypothesis; and whether it is read the same however it is cut."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from syswire.convert.protocols.api import Parser, Sink

from .parsing import talk
from .sql_talk import Calls

quietly = settings(
    max_examples=100, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
CUTS = st.lists(st.integers(1, 40), min_size=1, max_size=6)


def mutated(calls: Calls, data: st.DataObject) -> Calls:
    """Up to four places changed, some bytes lost; it may begin in the middle."""
    changed = list(calls[data.draw(st.integers(0, len(calls) - 1)) * data.draw(st.booleans()) :])
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(changed) - 1))
        to_server, content = changed[at]
        if isinstance(content, bytes) and content:
            where = data.draw(st.integers(0, len(content) - 1))
            what = data.draw(st.binary(max_size=3))
            changed[at] = to_server, content[:where] + what + content[where + data.draw(st.integers(0, 3)) :]
    if data.draw(st.booleans()):
        at = data.draw(st.integers(0, len(changed)))
        changed.insert(at, (data.draw(st.booleans()), data.draw(st.integers(1, 50))))
    return [(to_server, content) for to_server, content in changed if content]


def alike(make: Callable[[Sink], Parser], calls: Calls, cuts: list[int]) -> None:
    """It never raises, and is the same in pieces."""
    whole = talk(make, calls).said()
    assert talk(make, calls, cuts=cuts, boundaries=False).said() == whole
    assert talk(make, calls, cuts=[1]).said() == whole

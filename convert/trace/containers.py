"""What a trace says of containers: each event that describes one, by its JSON."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from .model import Event, Trace

MAX_CONTAINERS: Final = 65_536
"""As many as a trace keeps; what comes behind is left out."""


def describe(trace: Trace, event: Event) -> None:
    """Take up what a container event says; the last description of a container holds."""
    data = event.param("json")
    if not data:
        return
    from .container_json import described

    found = described(data)
    if found is not None and (found.id in trace.containers or len(trace.containers) < MAX_CONTAINERS):
        trace.containers[found.id] = found

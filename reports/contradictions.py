"""Packets that contradict each other: what a sentence of warning says, and where to look.

Bytes that were sent twice with another content are a way to show a listener something else than the receiver gets, so
whoever reads the report must learn of them before relying on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .display import plural, size
from .inputs import Input, Inputs, items
from .model import Phrase

CAUSES = {
    "conflicting_overlap": ("TCP segment", "repeats bytes", "repeat bytes"),
    "fragment_conflict": ("IP fragment", "overlaps another", "overlap others"),
}


def found(each: Input) -> list[tuple[str, Mapping[str, Any]]]:
    """The causes that occurred in an input, with what was counted."""
    losses = each.entry.get("losses") or {}
    return [(cause, losses[cause]) for cause in CAUSES if (losses.get(cause) or {}).get("count")]


def those(inputs: Inputs) -> list[Input]:
    """The inputs in which any occurred."""
    return [each for each in inputs.packets if found(each)]


def first_frame(loss: Mapping[str, Any]) -> int | None:
    """The source's frame in which a cause occurred first."""
    frame = (loss.get("first") or {}).get("source_frame")
    return None if frame is None else int(frame)


def warnings(each: Input) -> list[tuple[str, str]]:
    """What is said beside an input, by cause."""
    told = []
    for cause, loss in found(each):
        what, one, many = CAUSES[cause]
        count, frame = int(loss["count"]), first_frame(loss)
        differing = f"; {size(int(loss['bytes']))} differ" if loss.get("bytes") else ""
        where = f", first in frame {frame}" if frame is not None else ""
        told.append(
            (
                cause,
                f"{plural(count, what)} {one if count == 1 else many} with another content{where}{differing}. This "
                "report shows the copy that was captured first; the receiver may have taken the other. It happens by "
                "damaged copies, and it is a known way to hide from whoever listens what the receiver gets.",
            )
        )
    return told


def summary(inputs: Inputs) -> list[Phrase]:
    """A paragraph of the executive summary, where there is something to say."""
    affected = those(inputs)
    if not affected:
        return []
    verb = "holds" if len(affected) == 1 else "hold"
    return [
        f"Caution: {items(affected)} {verb} packets that contradict each other. What the receiver got may differ from "
        "what is shown here; the scope and the limitations say where."
    ]


def steps(inputs: Inputs) -> list[Phrase]:
    """What to do about it."""
    places = [
        f"{each.item}, frame {frame}"
        for each in those(inputs)
        for _, loss in found(each)
        if (frame := first_frame(loss)) is not None
    ]
    if not places:
        return []
    where = "; ".join(places[:5]) + (f" and {len(places) - 5} more" if len(places) > 5 else "")
    return [f"Look at the packets that contradict each other ({where}): was a copy damaged, or was something hidden?"]

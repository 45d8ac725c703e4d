"""Packets that contradict each other: what a sentence of warning says, and where to look.

Bytes that were sent twice with another content are a way to show a listener something else than the receiver gets, so
whoever reads the report must learn of them before relying on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .display import size
from .inputs import Input, Inputs, items
from .language import plural, text
from .model import Phrase

CAUSES = ("conflicting_overlap", "fragment_conflict")


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
        frame = first_frame(loss)
        what = _what(cause, int(loss["count"]))
        what += text(", first in frame {frame}", frame=frame) if frame is not None else ""
        what += text("; {size} differ", size=size(int(loss["bytes"]))) if loss.get("bytes") else ""
        told.append(
            (
                cause,
                text(
                    "{what}. This report shows the copy that was captured first; the receiver may have taken the "
                    "other. It happens by damaged copies, and it is a known way to hide from whoever listens what the "
                    "receiver gets.",
                    what=what,
                ),
            )
        )
    return told


def _what(cause: str, count: int) -> str:
    if cause == "fragment_conflict":
        return plural(
            count,
            "IP fragment overlaps another with another content",
            "IP fragments overlap others with another content",
        )
    return plural(
        count,
        "TCP segment repeats bytes with another content",
        "TCP segments repeat bytes with another content",
    )


def summary(inputs: Inputs) -> list[Phrase]:
    """A paragraph of the executive summary, where there is something to say."""
    affected = those(inputs)
    if not affected:
        return []
    return [
        text(
            "Caution: {items} holds packets that contradict each other. What the receiver got may differ from what is "
            "shown here; the scope and the limitations say where."
            if len(affected) == 1
            else "Caution: {items} hold packets that contradict each other. What the receiver got may differ from what "
            "is shown here; the scope and the limitations say where.",
            items=items(affected),
        )
    ]


def steps(inputs: Inputs) -> list[Phrase]:
    """What to do about it."""
    places = [
        text("{item}, frame {frame}", item=each.item, frame=frame)
        for each in those(inputs)
        for _, loss in found(each)
        if (frame := first_frame(loss)) is not None
    ]
    if not places:
        return []
    where = "; ".join(places[:5]) + (text(" and {count} more", count=len(places) - 5) if len(places) > 5 else "")
    return [
        text(
            "Look at the packets that contradict each other ({places}): was a copy damaged, or was something hidden?",
            places=where,
        )
    ]

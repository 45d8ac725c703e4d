"""An event as a line: the values of a format's fields, with the text between them."""

from __future__ import annotations

from ...convert.trace.buffers import Form
from .composing import Composer, fitted, value_text
from .formats import DEFAULT, Format, Piece, named, parse, unescaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...convert.trace.model import Event, Trace

    Line = Callable[[Event], str | None]
    """Gives the line of an event without its end; None where the event has none."""

KINDS: Final = {"": "dots", "A": "ascii", "x": "hex", "X": "hexascii", "b": "base64"}
"""The form of buffers by the letter of its switch."""
TIME_MODES: Final = ("h", "a", "r", "d", "D", "n")
"""What -t may be: time of day, absolute, since the capture began, since the enter, since the event before, none."""


def prepare(trace: Trace, *, data: str = "", verbose: bool = False, json: bool = False, time_mode: str = "h") -> None:
    """Say for all lines of this trace how buffers and the time are shown: letters of the switches; before reading."""
    trace.form = Form(KINDS[data], verbose or json)  # type: ignore[attr-defined]
    trace.time_mode = time_mode  # type: ignore[attr-defined]


def lines(format: str | None = None, time_mode: str = "h") -> Line:
    """What `-p` and its absence ask for: None is the default line; c, k, m ... their formats; else a format.

    Raises UsageError for a format that cannot be.
    """
    if format is None:
        return Composer(named("", time_mode))
    if format in ("c", "k", "m", "container", "kubernetes", "mesos"):
        return Composer(named(format, time_mode))
    return Composer(parse(unescaped(format)))


__all__ = [
    "DEFAULT", "KINDS", "TIME_MODES", "Format", "Piece", "fitted", "lines", "prepare", "value_text",
]  # fmt: skip

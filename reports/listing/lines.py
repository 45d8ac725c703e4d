"""An event as a line: the values of a format's fields, with the text between them."""

from __future__ import annotations

from ...convert.filters.fields.table import MISSING, render
from ...convert.trace.arguments import form_of
from ...convert.trace.buffers import Form, buffer_text
from .formats import DEFAULT, Format, Piece, named, parse, unescaped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from ...convert.filters.fields.field import Field, Value
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


def value_text(field: Field, value: Value, event: Event) -> str:
    """A value as text; buffers in the form that was chosen."""
    if isinstance(value, bytes) and field.type == "bytebuf":
        return buffer_text(value, form_of(event))
    if isinstance(value, bytes) and field.type == "dyn":
        return value.partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return render(field, value)


def fitted(text: str, width: int) -> str:
    """The text cut or padded to a number of bytes."""
    if text.isascii():
        return text[:width].ljust(width)
    return text.encode("utf-8", "surrogateescape")[:width].ljust(width).decode("utf-8", "surrogateescape")


def line_of(format: Format) -> Line:
    """The function that makes lines of this format."""
    pieces = [(one.text, one.field, one.argument, one.width) for one in format.pieces]
    tail, keep = format.tail, format.keep

    def line(event: Event) -> str | None:
        out = []
        for before, field, argument, width in pieces:
            value = field.extract(event, argument)
            if value is None or isinstance(value, tuple):
                if not keep:
                    return None
                text = MISSING
            else:
                text = value_text(field, value, event)
            out.append(before)
            out.append(fitted(text, width) if width else text)
        out.append(tail)
        return "".join(out)

    return line


def lines(format: str | None = None, time_mode: str = "h") -> Line:
    """What `-p` and its absence ask for: None is the default line; c, k, m ... their formats; else a format.

    Raises UsageError for a format that cannot be.
    """
    if format is None:
        return line_of(named("", time_mode))
    if format in ("c", "k", "m", "container", "kubernetes", "mesos"):
        return line_of(named(format, time_mode))
    return line_of(parse(unescaped(format)))


__all__ = [
    "DEFAULT", "KINDS", "TIME_MODES", "Format", "Piece", "fitted", "line_of", "lines", "prepare", "value_text",
]  # fmt: skip

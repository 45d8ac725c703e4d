"""Chisels by name: make one, list all, say what one takes."""

from __future__ import annotations

from ...convert.errors import UsageError
from .base import Chisel, Output
from .table import ABSENT, BY_NAME, CHISELS, COLORS, Row


def find(name: str) -> Row:
    """The chisel's row. Raises UsageError, which names the nearest."""
    row = BY_NAME.get(name)
    if row is not None:
        return row
    if name in ABSENT:
        raise UsageError(f"chisel {name} is not here: {ABSENT[name]}")
    from difflib import get_close_matches

    near = get_close_matches(name[:80], BY_NAME, 1, 0.5)
    raise UsageError(f"there is no chisel {name[:80]}; " + (f"did you mean {near[0]}?" if near else "-cl lists them"))


def arity(name: str) -> tuple[int, int]:
    """How many arguments the chisel must have, and how many more it may have: the word for colours counts in."""
    arguments = find(name).arguments
    required = sum(argument.required for argument in arguments)
    return required, len(arguments) - required + 1


def make(name: str, arguments: list[str], options: Output) -> Chisel:
    """The chisel, ready for events. Raises UsageError: no such chisel, wrong arguments, no such field."""
    row = find(name)
    words = list(arguments)
    output = options
    if words and words[-1] in COLORS:
        words.pop()
        output = options.without_colors()
    if row.arguments and row.arguments[-1].rest and words:
        words = [*words[: len(row.arguments) - 1], " ".join(words[len(row.arguments) - 1 :])]
    required = [argument.name for argument in row.arguments if argument.required]
    if len(words) < len(required):
        raise UsageError(f"chisel {name} needs {' and '.join(required[len(words) :])}: {usage(row)}")
    if len(words) > len(row.arguments):
        raise UsageError(f"chisel {name} takes {usage(row) if row.arguments else 'no arguments'}, not {words[-1]}")
    return row.make(output, *words)


def usage(row: Row) -> str:
    """The chisel and its arguments on a line."""
    words = [argument.name if argument.required else f"[{argument.name}]" for argument in row.arguments]
    return " ".join([f"-c {row.name}", *words])


def listing() -> str:
    """What `-cl` prints."""
    out: list[str] = []
    category = ""
    for row in CHISELS:
        if row.category != category:
            category = row.category
            title = f"Category: {category}"
            out.append(f"\n{title}\n{'-' * len(title)}")
        out.append(row.name if len(row.name) > 15 else f"{row.name:16}{row.summary}")
        if len(row.name) > 15:
            out.append(" " * 16 + row.summary)
    out.append("\nUse the -i flag to get detailed information about a specific chisel")
    return "\n".join(out) + "\n"


def describe(name: str) -> str:
    """What `-i NAME` prints. Raises UsageError for what is no chisel."""
    from textwrap import fill

    row = find(name)
    title = f"Category: {row.category}"
    out = ["", title, "-" * len(title), f"{row.name:16}{row.summary}", "", fill(row.description, 79), "", "Args:"]
    for argument in row.arguments:
        needed = "" if argument.required else " (optional)"
        out.append(fill(f"{argument.name}{needed} - {argument.description}", 79, subsequent_indent=" " * 17))
    if not row.arguments:
        out.append("(None)")
    return "\n".join(out) + "\n\n"


__all__ = ["Chisel", "Output", "arity", "describe", "find", "listing", "make", "usage"]

"""Formats of -p taken apart: text and fields, each field with the width that it is cut or padded to."""

from __future__ import annotations

from ...convert.errors import UsageError
from ...convert.filters.errors import FilterError
from ...convert.filters.fields.table import FieldProblem, prefix_field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from ...convert.filters.fields.field import Field

DEFAULT: Final = "*%evt.num %evt.outputtime %evt.cpu %proc.name (%thread.tid) %evt.dir %evt.type %evt.info"
CONTAINER: Final = (
    "*%evt.num %evt.outputtime %evt.cpu %container.name (%container.id) %proc.name (%thread.tid:%thread.vtid) "
    "%evt.dir %evt.type %evt.info"
)
KUBERNETES: Final = CONTAINER.replace("%container.name", "%k8s.pod.name")
MESOS: Final = CONTAINER.replace("%container.name", "%mesos.task.name")
NAMED: Final = {
    "c": CONTAINER, "container": CONTAINER, "k": KUBERNETES, "kubernetes": KUBERNETES, "m": MESOS, "mesos": MESOS,
}  # fmt: skip
"""Formats by the word behind -p."""

WIDEST: Final = 100_000
"""Columns that a width may ask for."""
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "\\": "\\"}


class Piece:
    """A field of a format. `text` stands before it; width 0 leaves the value as it is. `name` is as written."""

    __slots__ = ("argument", "field", "name", "text", "width")

    def __init__(self, text: str, field: Field, argument: str | None, width: int, name: str) -> None:
        self.text = text
        self.field = field
        self.argument = argument
        self.width = width
        self.name = name


class Format:
    """A format: fields with the text before each, and the text at the end.

    Where a value is missing, `keep` (a format that begins with *) shows <NA>; without it the line is left out.
    """

    __slots__ = ("keep", "pieces", "tail")

    def __init__(self, pieces: tuple[Piece, ...], tail: str, keep: bool) -> None:
        self.pieces = pieces
        self.tail = tail
        self.keep = keep


def unescaped(text: str) -> str:
    """Backslash sequences of a format as the characters that they stand for."""
    out = []
    place = 0
    while (found := text.find("\\", place)) >= 0:
        out.append(text[place:found])
        follows = text[found + 1 : found + 2]
        out.append(_ESCAPES.get(follows, "\\" + follows))
        place = found + 2
    out.append(text[place:])
    return "".join(out)


def parse(text: str) -> Format:
    """Take a format apart. Raises UsageError (FilterError where a place in it is wrong)."""
    if not text:
        raise UsageError("the format of -p is empty; such as -p '%evt.num %proc.name %evt.type'")
    keep = text.startswith("*")
    place = start = 1 if keep else 0
    pieces = []
    while (found := text.find("%", place)) >= 0:
        at = found + 1
        while text[at : at + 1].isascii() and text[at : at + 1].isdigit():
            at += 1
        if at == len(text):
            raise FilterError("the format ends behind a %", text, found, "a field's name is missing")
        if at - found > 7 or (at > found + 1 and int(text[found + 1 : at]) > WIDEST):
            raise FilterError(f"a field can be {WIDEST} columns wide at most", text, found)
        width = int(text[found + 1 : at] or "0")
        try:
            field, argument, end = prefix_field(text, at)
        except FieldProblem as problem:
            hint = problem.hint
            if text[at] == "-":
                hint = "a width has no sign: values stand at the left always, as in %10proc.name"
            raise FilterError(problem.message, text, at + problem.place, hint) from None
        if field.filter_only:
            raise FilterError(f"{field.name} is for filters only and cannot be shown", text, at)
        pieces.append(Piece(text[start:found], field, argument, width, text[at:end]))
        place = start = end
    return Format(tuple(pieces), text[start:], keep)


def named(text: str, time_mode: str = "h") -> Format:
    """The format of a word behind -p (c, k, m ...) or "" for the default one; time mode n leaves the time out."""
    chosen = NAMED.get(text, DEFAULT) if text else DEFAULT
    return parse(chosen.replace("%evt.outputtime ", "") if time_mode == "n" else chosen)

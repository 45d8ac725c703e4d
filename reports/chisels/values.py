"""Fields of events by name, and data as the output wants it. All that chisels know of the field table stands here."""

from __future__ import annotations

from ...convert.errors import UsageError
from ...convert.filters.fields import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ...convert.filters.fields.field import Value
    from ...convert.trace.model import Event

    Getter = Callable[[Event], Value | tuple[Value, ...]]


def lookup(name: str) -> tuple[Getter, Callable[[Value], str]]:
    """How to get the field, and how to write a value of it; UsageError where there is no such field."""
    try:
        found, argument = table.field(name)
    except table.FieldProblem as problem:
        raise UsageError(f"{problem.message}; {problem.hint}" if problem.hint else problem.message) from None
    if found.filter_only:
        raise UsageError(f"{name} is for filters only: it stands for several values")
    extract = found.extract

    def value(event: Event) -> Value | tuple[Value, ...]:
        return extract(event, argument)

    def shown(value: Value) -> str:
        return table.render(found, value)

    return value, shown


def getter(name: str) -> Getter:
    """A function that gives the field's value at an event, None where it is missing."""
    return lookup(name)[0]


def text_getter(name: str) -> Callable[[Event], str | None]:
    """A function that gives the field as listings write it, None where it is missing."""
    extract, shown = lookup(name)

    def text(event: Event) -> str | None:
        value = extract(event)
        return None if value is None or isinstance(value, tuple) else shown(value)

    return text


def int_getter(name: str) -> Callable[[Event], int | None]:
    """A function that gives a field of whole numbers, None where it is missing."""
    extract = lookup(name)[0]

    def number(event: Event) -> int | None:
        value = extract(event)
        return value if isinstance(value, int) else None

    return number


def known(value: object) -> str:
    """The value as text, <NA> where it is missing."""
    return "<NA>" if value is None else str(value)


def data_text(data: bytes, form: str) -> str:
    """All of a buffer in the form that was asked for."""
    from ...convert.trace.buffers import Form, buffer_text

    return buffer_text(data, Form(form, full=True))


__all__ = ["data_text", "getter", "int_getter", "known", "lookup", "text_getter"]

"""Filters made by chance over the values that fields have in a trace: trees of checks, of every field and operator."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING

from syswire.convert.filters.errors import FilterError
from syswire.convert.filters.fields.field import Field
from syswire.convert.filters.fields.table import FIELDS, render
from syswire.convert.filters.judge import compile_filter
from syswire.convert.filters.operators import allowed
from syswire.convert.trace.model import Event

if TYPE_CHECKING:
    from syswire.convert.filters.fields.field import Value

ARGUMENTS = {
    "evt.arg": ("fd", "name", "res", "[0]", "[1]"), "evt.rawarg": ("res", "flags", "size", "[0]"),
    "evt.type.is": ("open", "read"), "proc.aname": ("[1]", "[2]"), "proc.apid": ("[1]",), "proc.env": ("A", "[0]"),
    "thread.cgroup": ("cpu",),
}  # fmt: skip
"""Of fields that take an argument, those that are asked for."""
LEFT_OUT = ("k8s.", "mesos.", "marathon.", "span.", "evtin.", "evt.around")
"""Fields that no trace of ours has, and one that needs a time."""
KEPT = 6
"""Values of a field that are remembered."""


def asked_fields() -> list[tuple[str, Field, str | None]]:
    """What checks may name: the text, the row, the argument."""
    found: list[tuple[str, Field, str | None]] = []
    for row in FIELDS.values():
        name = row.name
        if name.startswith(LEFT_OUT):
            continue
        if row.argument != "required":
            found.append((name, row, None))
        for argument in ARGUMENTS.get(name, ()):
            bracket = argument.startswith("[")
            found.append((f"{name}{argument}" if bracket else f"{name}.{argument}", row, argument.strip("[]")))
    return found


ASKED = asked_fields()


def written(row: Field, value: Value) -> str | None:
    """The value as a filter has it; None where it cannot be written plainly."""
    if isinstance(value, bytes) and row.type not in ("ipaddr", "ipnet"):
        value = value[:20].decode("latin-1")
    text = value if isinstance(value, str) else render(row, value)
    return text[:60] if text.isascii() and text.isprintable() and text else None


class Values:
    """What the fields were in a trace, some of each."""

    def __init__(self, random: Random) -> None:
        self.random = random
        self.of: dict[str, list[str]] = {name: [] for name, _, _ in ASKED}

    def see(self, event: Event) -> None:
        """Note the values of some fields."""
        for name, row, argument in self.random.sample(ASKED, 25):
            value = row.extract(event, argument)
            for one in value if isinstance(value, tuple) else (value,):
                text = None if one is None else written(row, one)
                kept = self.of[name]
                if text is not None and text not in kept:
                    if len(kept) < KEPT:
                        kept.append(text)
                    else:
                        kept[self.random.randrange(KEPT)] = text


def quoted(text: str) -> str:
    """The text between quotes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


class Maker:
    """Makes filters of those values."""

    def __init__(self, random: Random, values: Values) -> None:
        self.random = random
        self.values = values
        self.names = [one for one in ASKED if values.of[one[0]]] or ASKED

    def value(self, name: str) -> str:
        """A value of the field, or one near it."""
        random = self.random
        text = random.choice(self.values.of[name] or ["1"])
        if text.isdigit() and random.random() < 0.3:
            return str(max(0, int(text) + random.choice((-1, 1, 100))))
        if random.random() < 0.3:
            begin = random.randrange(len(text))
            text = text[begin : begin + random.randrange(1, 8)]
        return text

    def check(self) -> str:
        """A check that compiles."""
        for _ in range(100):
            name, row, _ = self.random.choice(self.names)
            operator = self.random.choice(allowed(row.type))
            count = self.random.randrange(1, 4) if operator in ("in", "intersects", "pmatch") else 1
            values = [quoted(self.value(name)) for _ in range(count)]
            if operator == "exists":
                text = f"{name} exists"
            elif operator in ("in", "intersects", "pmatch"):
                text = f"{name} {operator} ({', '.join(values)})"
            else:
                text = f"{name} {operator} {values[0]}"
            if compiles(text):
                return text
        return "evt.num > 0"

    def tree(self, depth: int) -> str:
        """A check, or several joined."""
        shape = self.random.random()
        if depth == 0 or shape < 0.25:
            return self.check()
        if shape < 0.4:
            return f"not ({self.tree(depth - 1)})"
        word = self.random.choice((" and ", " or "))
        return word.join(f"({self.tree(depth - 1)})" for _ in range(self.random.randrange(2, 4)))


def compiles(text: str) -> bool:
    """Whether it is a filter."""
    try:
        compile_filter(text)
    except FilterError:
        return False
    return True


def filters(seed: int, events: Iterable[Event], count: int) -> Sequence[str]:
    """So many filters over what these events are."""
    random = Random(seed)
    values = Values(random)
    for event in events:
        if not event.consumed:
            values.see(event)
    maker = Maker(random, values)
    return [maker.tree(random.randrange(3)) for _ in range(count)]

"""A user's pattern: a keyword or an expression over a field of what was said.

A field is `request.NAME`, `response.NAME`, `TYPE.NAME` (the request's field of records of that type, else the
response's) or `TYPE` (all text of its request). Behind a name may stand another one: of an object its member, of a list
of pairs such as headers the pair of that name, in any case. Looked at are at most VALUES texts of a record, and of each
the first BOUND characters: payload is not in annotations, and neither is what is masked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from .expression import Expression

BOUND = 4_096
VALUES = 200
SIDES = ("request", "response")
HTTP = "http"
_TYPE = re.compile(r"[a-z][a-z0-9_-]{1,30}")
"""A type of record; which ones there are is for the protocols to say."""


class Pattern(msgspec.Struct, frozen=True):
    """What to look for, and where: `keyword` or `expression`. `kind` None stands for every type of record."""

    protocol: str | None
    kind: str | None
    sides: tuple[str, ...]
    path: tuple[str, ...]
    keyword: str | None
    expression: Expression | None
    ignore_case: bool = True

    def side(self, record: Mapping[str, Any]) -> str | None:
        """The side of a record on which it is found; None where it is not."""
        if self.protocol is not None and spoken(record) != self.protocol:
            return None
        if self.kind is not None and record.get("type") != self.kind:
            return None
        for side in self.sides:
            message = record.get(side)
            if isinstance(message, dict) and any(self._found(text) for text in _texts(message, self.path)):
                return side
        return None

    def _found(self, text: str) -> bool:
        text = text[:BOUND]
        if self.expression is not None:
            return self.expression.search(text)
        keyword = self.keyword or ""
        return keyword.casefold() in text.casefold() if self.ignore_case else keyword in text


def spoken(record: Mapping[str, Any]) -> str:
    """The protocol of a record: HTTP's exchanges do not say it."""
    return HTTP if record.get("type") == HTTP else str(record.get("protocol") or "")


def place(field: str) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Type of record, sides and path that a field's name stands for.

    Raises:
        ValueError: it stands for none; the text says why.
    """
    first, *path = field.split(".")
    if not first or not all(path):
        raise ValueError(f"field {field!r} has an empty part")
    if first in SIDES:
        if not path:
            raise ValueError(f"field {field!r} names no field of the {first}, as {first}.text does")
        return None, (first,), tuple(path)
    if first == "body":
        raise ValueError("bodies are not in the annotations, so no rule can look into them; --objects writes them")
    if _TYPE.fullmatch(first) is None:
        raise ValueError(f"field {field!r} begins with neither request, response nor a type of record")
    return first, SIDES if path else ("request",), tuple(path)


def _texts(message: Mapping[str, Any], path: tuple[str, ...]) -> Iterator[str]:
    """Texts at a path of a message, VALUES at most; without a path all of its fields but `where`."""
    found: list[Any] = [message[name] for name in message if name != "where"] if not path else [message]
    for name in path:
        found = [below for value in found for below in _below(value, name)][:VALUES]
    told = 0
    for value in found:
        for text in _flat(value):
            if told >= VALUES:
                return
            told += 1
            yield text


def _below(value: Any, name: str) -> list[Any]:
    if isinstance(value, dict):
        return [value[name]] if name in value else []
    if not isinstance(value, list):
        return []
    low = name.lower()
    found: list[Any] = []
    for entry in value[:VALUES]:
        if isinstance(entry, dict):
            found += [entry[name]] if name in entry else []
        elif isinstance(entry, list) and len(entry) == 2 and isinstance(entry[0], str) and entry[0].lower() == low:
            found.append(entry[1])
    return found


def _flat(value: Any, depth: int = 3) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int | float):
        yield str(value)
    elif depth and isinstance(value, list | dict):
        for below in value if isinstance(value, list) else value.values():
            yield from _flat(below, depth - 1)

"""What a field is: a row of the field table. The rows stand in the files beside this one."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, Literal

    from ...trace.model import Event

    Value = int | float | str | bool | bytes | None
    """What a field is worth at an event: text with surrogateescape, addresses and buffers as bytes, None if missing."""

    Klass = Literal["P", "D", "E", "R"]
    """P depends on the thread alone, D on the descriptor too, E on the event and its parameters, R on what went
    before."""

    Argument = Literal["none", "optional", "required"]

    Type = Literal[
        "charbuf", "bytebuf", "bool", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64", "abstime",
        "reltime", "port", "ipaddr", "ipnet", "double", "dyn",
    ]  # fmt: skip

    Shown = Literal["text", "id", "decimal", "padded", "hex"]
    """How numbers are written: `id` and `decimal` in decimal (JSON has `decimal` and `id` as numbers), `padded` with
    nine digits at least, `hex` as upper-case hexadecimal digits."""

SIGNED: Final = frozenset({"int16", "int32", "int64"})
NUMBERS: Final = {
    "int16": 16, "int32": 32, "int64": 64, "uint8": 8, "uint16": 16, "uint32": 32, "uint64": 64, "abstime": 64,
    "reltime": 64,
}  # fmt: skip
"""Width in bits of each whole-number type."""


class Field:
    """One field. `extract(event, argument)` gives its value, None where it is missing.

    `argument` says whether the name is followed by `[...]` or `.NAME`. `filter_only` fields (fd.ip, fd.port ...) are
    of no single value: `extract` gives a tuple of all, and a filter holds if one of them does (for `!=`: if all do).
    """

    __slots__ = ("argument", "description", "extract", "filter_only", "klass", "name", "shown", "type")

    def __init__(
        self,
        name: str,
        type: Type,
        klass: Klass,
        argument: Argument,
        description: str,
        extract: Callable[[Event, str | None], Value | tuple[Value, ...]],
        shown: Shown = "text",
        filter_only: bool = False,
    ) -> None:
        self.name = name
        self.type = type
        self.klass = klass
        self.argument = argument
        self.description = description
        self.extract = extract
        self.shown = shown
        self.filter_only = filter_only

    def of_type(self, type: Type) -> Field:
        """The same field with values of another type."""
        return Field(
            self.name, type, self.klass, self.argument, self.description, self.extract, self.shown, self.filter_only
        )

    @property
    def is_number(self) -> bool:
        """Whether values are whole numbers."""
        return self.type in NUMBERS or self.type == "port"

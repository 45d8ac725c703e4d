"""Taking apart what a user wrote: every value of the type that it should be, every name one that is known."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

from ...convert.errors import UsageError

_NO_DEFAULT = "\0"


class FileError(UsageError):
    """A file of rules or of accepted risks is not what it should be: which, where, and why."""

    def __init__(self, path: Path, reason: str, line: int | None = None) -> None:
        super().__init__(f"{path}, line {line}: {reason}" if line else f"{path}: {reason}")


class Checked:
    """A table of a TOML file. Whatever is asked of it and is not right raises ValueError, which names the field."""

    def __init__(self, table: Any) -> None:
        if not isinstance(table, dict):
            raise ValueError("a table was expected")
        self._table: dict[str, Any] = table

    def __contains__(self, name: str) -> bool:
        return name in self._table

    def __getitem__(self, name: str) -> Any:
        return self._table[name]

    def get(self, name: str) -> Any:
        """A value, None where there is none."""
        return self._table.get(name)

    def names(self) -> list[str]:
        """All names, as they stand in the file."""
        return list(self._table)

    def only(self, known: Collection[str]) -> None:
        """Nothing but these names."""
        for name in self._table:
            if name not in known:
                raise ValueError(f"{name}: no such field; there are {', '.join(sorted(known))}")

    def text(self, name: str, longest: int, default: str = _NO_DEFAULT) -> str:
        """A text that is not empty."""
        value = self._table.get(name)
        if value is None and default != _NO_DEFAULT:
            return default
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            raise ValueError(f"{name}: a text of 1 to {longest} characters is wanted")
        return value

    def texts(self, name: str, longest: int) -> tuple[str, ...]:
        """A list of texts; empty where there is none."""
        value = self._table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(each, str) and 0 < len(each) <= longest for each in value):
            raise ValueError(f"{name}: a list of texts of 1 to {longest} characters is wanted")
        return tuple(value)

    def truth(self, name: str, *, default: bool) -> bool:
        """True or false."""
        value = self._table.get(name, default)
        if not isinstance(value, bool):
            raise ValueError(f"{name}: true or false is wanted")
        return value

    def table(self, name: str) -> dict[str, Any]:
        """A table."""
        value = self._table.get(name)
        if not isinstance(value, dict):
            raise ValueError(f"{name}: a table is wanted")
        return value

    def tables(self, name: str) -> list[dict[str, Any]]:
        """A list of tables, or one; empty where there is none."""
        value = self._table.get(name, [])
        value = [value] if isinstance(value, dict) else value
        if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
            raise ValueError(f"{name}: a list of tables is wanted")
        return value

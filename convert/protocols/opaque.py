"""What follows is not decoded."""

from __future__ import annotations


class Opaque:
    """A parser that finds nothing."""

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Nothing is looked at."""

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Nothing is missed."""

    def close(self, ended: bool = True) -> None:
        """Nothing was begun."""

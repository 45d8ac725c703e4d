"""Reading a message's body from the front: numbers in network order, and runs of bytes."""

from __future__ import annotations


class Short(Exception):
    """The bytes end within a value."""


class Octets:
    """A body and how far it was read."""

    def __init__(self, data: bytes, at: int = 0, end: int | None = None) -> None:
        self.data = data
        self.at = at
        self.end = len(data) if end is None else min(end, len(data))

    @property
    def left(self) -> int:
        """Bytes that are not read."""
        return self.end - self.at

    def take(self, size: int) -> bytes:
        """The next bytes; raises Short where they are fewer."""
        if size > self.left or size < 0:
            raise Short
        self.at += size
        return self.data[self.at - size : self.at]

    def number(self, size: int) -> int:
        """An integer of so many bytes, the most significant first."""
        return int.from_bytes(self.take(size), "big")

    def sized(self, size: int) -> bytes:
        """Bytes behind their length, which has `size` bytes."""
        return self.take(self.number(size))

    def part(self, size: int) -> tuple[bytes, int, bool]:
        """The same, with where they begin; what is there of them where the end is missing (then False)."""
        length = self.number(size)
        begin = self.at
        data = self.data[begin : min(begin + length, self.end)]
        self.at = begin + len(data)
        return data, begin, len(data) == length

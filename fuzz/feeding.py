"""An input in memory, given out in pieces of any size, as a Source would give a file or a pipe."""

from __future__ import annotations

import os
from random import Random
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from pathlib import Path


def chance(data: bytes) -> Random:
    """Random choices that belong to an input: the same for the same input."""
    return Random(crc32(data))


class Fed:
    """What is like a Source of a pipe: `random` decides how much a read gives, all there is room for without it.

    The attributes are those of Source.
    """

    def __init__(self, data: bytes, random: Random | None = None) -> None:
        self.path: Path | None = None
        self.name = "-"
        self.plain_fd: int | None = None
        self.damage = None
        self.size = len(data)
        self.regular = False
        self._data = data
        self._random = random
        self._most = random.choice((1, 7, 64, 1000)) if random is not None else 0
        if random is not None and len(data) > 300 * self._most:
            self._most = len(data) // 300
        self._at = 0

    def peek(self, count: int) -> bytes:
        """The next bytes without taking them."""
        return self._data[self._at : self._at + count]

    def readinto(self, view: memoryview) -> int:
        """Fill the view, or a part of it; 0 at the end."""
        size = len(view)
        if self._random is not None:
            size = min(size, 1 + self._random.randrange(self._most))
        part = self._data[self._at : self._at + size]
        view[: len(part)] = part
        self._at += len(part)
        return len(part)


class Stored(Fed):
    """What is like a Source of a plain file: its bytes are in the file `path`, which is written here."""

    def __init__(self, data: bytes, path: Path) -> None:
        super().__init__(data)
        path.write_bytes(data)
        self.path = path
        self.name = str(path)
        self.regular = True
        self.plain_fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def close(self) -> None:
        """Close the file."""
        if self.plain_fd is not None:
            os.close(self.plain_fd)
            self.plain_fd = None

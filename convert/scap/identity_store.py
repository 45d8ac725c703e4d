"""Thread versions kept: the last ones in memory, all of them in a spool file."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import msgspec

from ..model.process import ThreadVersion

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator

_MOST_KEPT = 1 << 26  # bytes of versions in memory


class Kept:
    """The last versions that were asked for or live, within a bound on what they take; the spool has them all."""

    def __init__(self) -> None:
        self._versions: dict[int, ThreadVersion] = {}
        self._weight = 0

    def get(self, number: int) -> ThreadVersion | None:
        """The version, None where it was let go."""
        return self._versions.get(number)

    def put(self, version: ThreadVersion) -> None:
        """Keep a version; when there is no room all others are let go."""
        self._weight += _weight(version)
        if self._weight > _MOST_KEPT:
            self._versions.clear()
            self._weight = _weight(version)
        self._versions[version.id] = version

    def drop(self, number: int) -> None:
        """It will not be asked for soon."""
        if (gone := self._versions.pop(number, None)) is not None:
            self._weight -= _weight(gone)


def _weight(version: ThreadVersion) -> int:
    """Roughly the bytes of memory that a version takes."""
    return 600 + len(version.exe) + len(version.exepath) + sum(map(len, version.args)) + 48 * len(version.args)


class IdentityStore:
    """Thread versions by id, read back from their spool; memory holds two numbers a version and the last few read."""

    def __init__(self, spool: IO[bytes], offsets: array[int], ends: array[int]) -> None:
        self._spool, self._offsets, self._ends = spool, offsets, ends
        self._unpack = msgspec.msgpack.Decoder(ThreadVersion).decode
        self._kept = Kept()

    def __len__(self) -> int:
        return len(self._offsets)

    def __iter__(self) -> Iterator[ThreadVersion]:
        """All versions by id."""
        for number in range(1, len(self) + 1):
            yield self.get(number)

    def get(self, version: int) -> ThreadVersion:
        """The version by its id. Raises IndexError for an id that was never given."""
        if not 1 <= version <= len(self):
            raise IndexError(version)
        found = self._kept.get(version)
        if found is None:
            begin = self._offsets[version - 1]
            self._spool.seek(begin)
            last = version == len(self)
            found = self._unpack(self._spool.read(-1 if last else self._offsets[version] - begin))
            self._kept.put(found)
        found.end = self._ends[version - 1]
        return found

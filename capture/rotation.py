"""When a recording goes on in the next file, and what that one is called: tcpdump's -C, -G and -W."""

from __future__ import annotations

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Rotation:
    """`bytes`: a file that has grown larger is the last but one (-C). `seconds`: so is one that is older (-G). `files`
    is -W. Without the first two there is one file.
    """

    bytes: int | None = None
    seconds: int | None = None
    files: int | None = None

    @property
    def ring(self) -> bool:
        """Whether the first file is overwritten when there are enough."""
        return self.bytes is not None and self.seconds is None and self.files is not None

    @property
    def last(self) -> int | None:
        """After how many files the recording ends; None: never."""
        return self.files if self.seconds is not None and self.bytes is None else None


class Names:
    """The names of a recording's files, one after the other.

    With -G the name is a format of strftime, in local time. With -C all files but the first have a number behind the
    name, from 1 on; with -W too all of them, from 0 on, with as many digits as the largest needs. A name that would be
    that of the file before (-G without a time in it) has a number too: nothing is overwritten unless by -W.
    """

    def __init__(self, pattern: str, rotation: Rotation) -> None:
        self._pattern, self._rotation = pattern, rotation
        self._base = ""
        self._count = 0
        self._digits = len(str(rotation.files - 1)) if rotation.files and rotation.bytes is not None else 0

    def next(self, now: float, *, older: bool = True) -> str:
        """The next file's name; `now` in seconds since the epoch. `older`: the time of the file before has passed."""
        rotation, base = self._rotation, self._base
        if rotation.seconds is None:
            base = self._pattern
        elif older or not base:
            base = time.strftime(self._pattern, time.localtime(now))
        if base == self._base:
            self._count += 1
            if rotation.ring and rotation.files is not None:
                self._count %= rotation.files
        else:
            self._base, self._count = base, 0
        if self._digits:
            return f"{base}{self._count:0{self._digits}}"
        return f"{base}{self._count}" if self._count else base

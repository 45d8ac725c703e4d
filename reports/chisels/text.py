"""How chisels write numbers, times and table cells."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SECOND: Final = 1_000_000_000  # ns
UNITS: Final = ((1024**5, "P"), (1024**4, "T"), (1024**3, "G"), (1024**2, "M"), (1024, "KB"))

GREEN: Final = "\x1b[32m"
BLUE: Final = "\x1b[34m"
RED: Final = "\x1b[31m"
RESET: Final = "\x1b[0m"


def size(count: float) -> str:
    """A number of bytes: a unit is used from one above it, so 1024 is 1024B."""
    for unit, letter in UNITS:
        if count > unit:
            hundredths = (int(count) * 200 + unit) // (2 * unit)  # a half is rounded up
            return f"{hundredths // 100}.{hundredths % 100:02d}{letter}"
    return f"{int(count)}B"


def interval(nanoseconds: float) -> str:
    """A length of time: cut, not rounded; two digits behind the point below ten units and for seconds."""
    ns = int(nanoseconds)
    if ns >= SECOND:
        return f"{ns // SECOND}.{ns % SECOND // 10_000_000:02d}s"
    for unit, letters in ((1_000_000, "ms"), (1_000, "us")):
        if ns >= 10 * unit:
            return f"{ns // unit}{letters}"
        if ns >= unit:
            return f"{ns // unit}.{ns % unit * 100 // unit:02d}{letters}"
    return f"{ns}ns"


def cell(text: str, width: int) -> str:
    """The text cut to one character less than the width, and padded to it."""
    return text[: width - 1].ljust(width)


def clock(ns: int) -> str:
    """Local HH:MM:SS of a time since the epoch."""
    return time.strftime("%H:%M:%S", time.localtime(ns // SECOND))


def date_and_time(ns: int) -> str:
    """Local YYYY-MM-DD HH:MM:SS of a time since the epoch."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(ns // SECOND))


def number(value: float) -> str:
    """Fourteen significant digits at most, whole numbers without a point."""
    return f"{value:.14g}"


__all__ = ["BLUE", "GREEN", "RED", "RESET", "SECOND", "cell", "clock", "date_and_time", "interval", "number", "size"]

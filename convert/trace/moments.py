"""Times as text, as sysdig 0.29.3 writes them: of day, with a date, relative, and lengths of time with a unit."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final

    from .model import Event

NANOSECOND: Final = 1_000_000_000
_UNITS: Final = ((1_000_000, "ms"), (1_000, "us"))
LAST_SECOND: Final = 253_402_300_799
"""Of the year 9999: times behind it are shown as this one."""


MOST_KEPT: Final = 1024
_known: dict[tuple[int, str, object], str] = {}


def _text(seconds: int, form: str, broken_down: Callable[[float], time.struct_time]) -> str:
    """Whole seconds in a form of strftime(3); a capture has many events a second."""
    found = _known.get((seconds, form, broken_down))
    if found is None:
        if len(_known) >= MOST_KEPT:
            _known.clear()
        found = time.strftime(form, broken_down(min(seconds, LAST_SECOND)))
        _known[seconds, form, broken_down] = found
    return found


def _local(seconds: int, form: str) -> str:
    return _text(seconds, form, time.localtime)


def _utc(seconds: int, form: str) -> str:
    return _text(seconds, form, time.gmtime)


def clock(ts: int, fine: bool = True) -> str:
    """Local time of day, with nanoseconds if `fine`."""
    seconds, rest = divmod(ts, NANOSECOND)
    text = _local(seconds, "%H:%M:%S")
    return f"{text}.{rest:09d}" if fine else text


def date(ts: int, fine: bool = True) -> str:
    """Local date and time of day, with nanoseconds if `fine`."""
    seconds, rest = divmod(ts, NANOSECOND)
    text = _local(seconds, "%Y-%m-%d %H:%M:%S")
    return f"{text}.{rest:09d}" if fine else text


def iso8601(ts: int) -> str:
    """Date and time of UTC with nanoseconds and offset."""
    seconds, rest = divmod(ts, NANOSECOND)
    return f"{_utc(seconds, '%Y-%m-%dT%H:%M:%S')}.{rest:09d}+0000"


def utc_date(ts: int) -> str:
    """Date and time of UTC with nanoseconds."""
    seconds, rest = divmod(ts, NANOSECOND)
    return f"{_utc(seconds, '%Y-%m-%d %H:%M:%S')}.{rest:09d}"


def seconds(length: int) -> str:
    """A length of time in ns as seconds with nine decimals."""
    return f"{length // NANOSECOND}.{length % NANOSECOND:09d}"


def human(length: int) -> str:
    """A length of time in ns with a unit, cut and not rounded; from a minute on as m:s, from an hour on as hh:mm:ss."""
    if length < 1_000:
        return f"{length}ns"
    if length >= NANOSECOND:
        whole = length // NANOSECOND
        if whole < 60:
            return f"{whole}.{length % NANOSECOND // 10_000_000:02d}s"
        minutes, rest = divmod(whole, 60)
        return f"{minutes}:{rest}" if minutes < 60 else f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"
    size, unit = next(entry for entry in _UNITS if length >= entry[0])
    if length < 10 * size:
        return f"{length // size}.{length % size * 100 // size:02d}{unit}"
    return f"{length // size}{unit}"


def time_mode(event: Event) -> str:
    """The letter of -t that was chosen for this trace: h, a, r, d, D or n."""
    mode: str = getattr(event.trace, "time_mode", "h")
    return mode


def chosen(event: Event, latency: int, delta: int) -> str:
    """The time in the form that -t chose; empty for n."""
    mode = time_mode(event)
    if mode == "h":
        return clock(event.ts)
    if mode == "a":
        return seconds(event.ts)
    if mode == "r":
        return seconds(event.ts - event.first_ts)
    if mode == "d":
        return seconds(latency)
    return seconds(delta) if mode == "D" else ""

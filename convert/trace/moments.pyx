# cython: language_level=3, boundscheck=True
"""Times as text, as sysdig 0.29.3 writes them: of day, with a date, relative, and lengths of time with a unit."""

import time

from libc.stdint cimport uint64_t

NANOSECOND = 1_000_000_000
_UNITS = ((1_000_000, "ms"), (1_000, "us"))
LAST_SECOND = 253_402_300_799
MOST_KEPT = 1024

cdef dict _known = {}
cdef uint64_t _second = 0  # the last one that `clock` told, and how
cdef str _clock = None


def forget():
    global _clock
    _known.clear()
    _clock = None


cdef str _text(seconds, str form, broken_down):
    """Whole seconds in a form of strftime(3); a capture has many events a second."""
    found = _known.get((seconds, form, broken_down))
    if found is None:
        if len(_known) >= MOST_KEPT:
            _known.clear()
        found = time.strftime(form, broken_down(min(seconds, LAST_SECOND)))
        _known[seconds, form, broken_down] = found
    return <str>found


cdef str _local(seconds, str form):
    return _text(seconds, form, time.localtime)


cdef str _utc(seconds, str form):
    return _text(seconds, form, time.gmtime)


def clock(ts, bint fine=True):
    global _second, _clock
    cdef uint64_t whole, rest
    if not 0 <= ts <= 0xFFFFFFFFFFFFFFFF:
        seconds, parts = divmod(ts, NANOSECOND)
        return f"{_local(seconds, '%H:%M:%S')}.{parts:09d}" if fine else _local(seconds, "%H:%M:%S")
    whole = ts
    rest = whole % 1_000_000_000
    whole = whole // 1_000_000_000
    if _clock is None or whole != _second:
        _clock = _local(whole, "%H:%M:%S")
        _second = whole
    return f"{_clock}.{rest:09d}" if fine else _clock


def date(ts, fine=True):
    seconds, rest = divmod(ts, NANOSECOND)
    text = _local(seconds, "%Y-%m-%d %H:%M:%S")
    return f"{text}.{rest:09d}" if fine else text


def iso8601(ts):
    seconds, rest = divmod(ts, NANOSECOND)
    return f"{_utc(seconds, '%Y-%m-%dT%H:%M:%S')}.{rest:09d}+0000"


def utc_date(ts):
    seconds, rest = divmod(ts, NANOSECOND)
    return f"{_utc(seconds, '%Y-%m-%d %H:%M:%S')}.{rest:09d}"


def seconds(length):
    return f"{length // NANOSECOND}.{length % NANOSECOND:09d}"


def human(length):
    if length < 1_000:
        return f"{length}ns"
    if length >= NANOSECOND:
        whole = length // NANOSECOND
        if whole < 60:
            return f"{whole}.{length % NANOSECOND // 10_000_000:02d}s"
        minutes, rest = divmod(whole, 60)
        return f"{minutes}:{rest}" if minutes < 60 else f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"
    size, unit = _UNITS[0] if length >= _UNITS[0][0] else _UNITS[1]
    if length < 10 * size:
        return f"{length // size}.{length % size * 100 // size:02d}{unit}"
    return f"{length // size}{unit}"


def time_mode(event):
    return getattr(event.trace, "time_mode", "h")


def chosen(event, latency, delta):
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

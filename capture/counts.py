"""What a recording counted: gathered from probe, drain and recorder, kept in FILE.counts.json, told at the end.

The file is made with room for all it will say and is then written in place, each second: it needs no space on a disk
that has become full, and a recorder that is killed leaves the counts of the second before.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..convert.model.text import timestamp
from ..convert.scap.counts import SUFFIX, Calls, Events, Tally, Truncated, encode
from .output import STANDARD_OUTPUT, create

if TYPE_CHECKING:
    from collections.abc import Callable

ROOM = 4096  # bytes that are reserved for the counts

# Counters of the probe whose sum is SEEN, by what became of the calls. `failed`: a step of the probe did not run.
SEEN, RECORDED = "seen", "emitted"
FILTERED = {"filtered": "conditions", "not_socket": "not_a_socket"}
NOT_FOLLOWED = {"compat": "calls_of_32_bit", "uring": "io_uring"}
DROPPED = {"dropped": "ring_full", "failed": "probe_failed"}


def calls(counters: Mapping[str, int]) -> Calls:
    """The probe's counters, by what became of the calls; those that tell more than that go into `probe`."""
    told = Calls(seen=counters.get(SEEN, 0), recorded=counters.get(RECORDED, 0))
    for name, count in counters.items():
        if name in FILTERED:
            told.filtered[FILTERED[name]] = count
        elif name in NOT_FOLLOWED:
            told.not_followed[NOT_FOLLOWED[name]] = count
        elif name in DROPPED:
            told.dropped[DROPPED[name]] = count
        elif name not in (SEEN, RECORDED):
            told.probe[name] = count
    return told


def _minus(now: Mapping[str, int], before: Mapping[str, int]) -> dict[str, int]:
    """Differences, those that are none left out."""
    return {name: count - before.get(name, 0) for name, count in now.items() if count != before.get(name, 0)}


def since(now: Tally, before: Tally) -> Tally:
    """What was counted between two tallies; all else as in `now`."""
    seen, had = now.calls, before.calls
    made, old = now.events, before.events
    return Tally(
        ended=now.ended,
        size=now.size,
        started=now.started,
        until=now.until,
        filter=now.filter,
        snaplen=now.snaplen,
        files=now.files,
        calls=Calls(
            seen.seen - had.seen,
            seen.recorded - had.recorded,
            _minus(seen.filtered, had.filtered),
            _minus(seen.not_followed, had.not_followed),
            _minus(seen.dropped, had.dropped),
            _minus(seen.probe, had.probe),
        ),
        events=Events(
            made.made - old.made,
            made.written - old.written,
            made.filtered - old.filtered,
            made.beyond_count - old.beyond_count,
            made.waiting,
            _minus(made.dropped, old.dropped),
        ),
        truncated=Truncated(
            now.truncated.events - before.truncated.events, now.truncated.bytes - before.truncated.bytes
        ),
        late=now.late - before.late,
        state=now.state,
        drain=_minus(now.drain, before.drain),
    )


class CountsFile:
    """The counts of one file of a recording; of standard output there are none."""

    def __init__(self, capture: str, before: Tally, clock: Callable[[], int] = time.time_ns) -> None:
        """`before`: what had been counted when this file was begun. Raises UsageError, OutputError."""
        self._before = before
        self._clock = clock
        self._started = timestamp(clock())
        self._fd = -1
        if capture != STANDARD_OUTPUT:
            self._fd = create(capture + SUFFIX)
            self.write(before, 0, None)

    def write(self, now: Tally, size: int, ended: str | None) -> Tally:
        """Say what was counted up to now, and how large the capture is. Returns this file's own counts."""
        told = since(now, self._before)
        told.started, told.until, told.size, told.ended = self._started, timestamp(self._clock()), size, ended
        if self._fd >= 0:
            content = encode(told)
            os.pwrite(self._fd, content.ljust(ROOM - 1) + b"\n" if len(content) < ROOM else content, 0)
            if ended is not None:
                os.ftruncate(self._fd, len(content))
        return told

    def close(self) -> None:
        """Let the file be."""
        if self._fd >= 0:
            os.fsync(self._fd)
            os.close(self._fd)
            self._fd = -1


IN_WORDS = {
    "malformed": "records of the probe that are not whole",
    "unknown": "of kinds that the drain does not know",
    "unwritten": "not enough memory",
    "ring_full": "the ring was full (a larger --ring holds more)",
    "probe_failed": "the probe could not follow them",
    "disk_full": "the disk was full",
    "write_error": "the file could not be written",
    "calls_of_32_bit": "of 32-bit programs",
    "io_uring": "by io_uring",
}


def summary(name: str, told: Tally, seconds: float) -> str:
    """One line about a recording that ended."""
    parts = [f"{_plural(told.events.written, 'event')} written in {seconds:.1f} s"]
    if left := told.events.filtered:
        parts.append(f"{left} left out by the filter")
    if told.truncated.events:
        parts.append(f"{told.truncated.events} cut by {told.truncated.bytes} bytes")
    losses = lost(told)
    return f"{name}: {', '.join(parts)}; {losses or 'nothing lost'}"


def lost(told: Tally) -> str:
    """What was lost, in words; nothing where nothing was."""
    parts = [f"{_plural(count, 'call')} lost: {_words(cause)}" for cause, count in told.calls.dropped.items() if count]
    events = told.events.dropped
    parts += [f"{_plural(count, 'event')} lost: {_words(cause)}" for cause, count in events.items() if count]
    left = told.calls.not_followed
    parts += [f"{_plural(count, 'call')} not followed: {_words(cause)}" for cause, count in left.items() if count]
    return "; ".join(parts)


def _plural(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _words(cause: str) -> str:
    return IN_WORDS.get(cause, cause.replace("_", " "))

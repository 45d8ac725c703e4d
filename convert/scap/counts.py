"""FILE.counts.json: what the recorder of `syswire capture` counted beside the capture FILE (docs/formats.md).

The file is written by the recorder and read again, as untrusted as the capture itself, by whoever converts it.
"""

from __future__ import annotations

import hashlib
import os
import stat
from typing import TYPE_CHECKING, Annotated, NamedTuple

import msgspec

from ..model.losses import Loss

if TYPE_CHECKING:
    from pathlib import Path

SUFFIX = ".counts.json"
FORMAT = "syswire-capture-counts-1"
MAX_SIZE = 65_536
MAX_CAUSES = 64

Count = Annotated[int, msgspec.Meta(ge=0, le=1 << 53)]
Name = Annotated[str, msgspec.Meta(max_length=64)]
Counts = dict[Name, Count]


class Calls(msgspec.Struct):
    """System calls, and other records of the probe: seen = recorded + the sums of the others."""

    seen: Count = 0
    recorded: Count = 0
    filtered: Counts = {}
    not_followed: Counts = {}
    dropped: Counts = {}
    probe: Counts = {}


class Events(msgspec.Struct):
    """Events that were made of what was recorded: made = written + filtered + all that follows. `waiting` is 0 at the
    end, `beyond_count` what came after the last one that was asked for.
    """

    made: Count = 0
    written: Count = 0
    filtered: Count = 0
    beyond_count: Count = 0
    waiting: Count = 0
    dropped: Counts = {}


class Truncated(msgspec.Struct):
    """Events whose payload was cut, and the bytes that are missing."""

    events: Count = 0
    bytes: Count = 0


class Tally(msgspec.Struct):
    """All that one file's recorder counted while it wrote that file."""

    ended: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    """Why the recording of this file ended; None: it goes on, or the recorder was killed."""
    size: Count = 0
    """Bytes of the capture as stored when this was written."""
    started: Annotated[str, msgspec.Meta(max_length=40)] = ""
    until: Annotated[str, msgspec.Meta(max_length=40)] = ""
    filter: Annotated[str, msgspec.Meta(max_length=4096)] = ""
    snaplen: Count = 0
    files: bool = False
    calls: Calls = msgspec.field(default_factory=Calls)
    events: Events = msgspec.field(default_factory=Events)
    truncated: Truncated = msgspec.field(default_factory=Truncated)
    late: Count = 0
    state: Counts = {}
    """What of the machine's state at the start of the file could not be read."""
    drain: Counts = {}

    @property
    def lost(self) -> int:
        """System calls and events that nobody asked to leave out and that are not there."""
        return sum(self.calls.dropped.values()) + sum(self.events.dropped.values())


class _Told(Tally):
    """The same with the name of the format, which a file has to have."""

    format: Annotated[str, msgspec.Meta(max_length=64)] = ""


class CountsError(ValueError):
    """A file of counts that cannot be used; the message says why."""


def encode(tally: Tally) -> bytes:
    """The file's content."""
    fields = {"format": FORMAT} | {name: getattr(tally, name) for name in tally.__struct_fields__}
    return msgspec.json.format(msgspec.json.encode(fields), indent=2) + b"\n"


def decode(content: bytes) -> Tally:
    """The counts in a file's content. Raises CountsError."""
    try:
        told = msgspec.json.decode(content, type=_Told)
    except (msgspec.DecodeError, RecursionError):
        raise CountsError("it is not what syswire capture writes") from None
    if told.format != FORMAT:
        raise CountsError("it is not what syswire capture writes")
    tally = Tally(*(getattr(told, name) for name in Tally.__struct_fields__))
    groups = (
        tally.calls.filtered,
        tally.calls.not_followed,
        tally.calls.dropped,
        tally.calls.probe,
        tally.events.dropped,
        tally.state,
        tally.drain,
    )
    if any(len(group) > MAX_CAUSES for group in groups):
        raise CountsError("it names too many causes")
    return tally


class Beside(NamedTuple):
    """A file of counts: its name, the SHA-256 of its content, and what it tells."""

    name: str
    sha256: str
    tally: Tally


def read(capture: Path, size: int) -> Beside | None:
    """The counts beside a capture file of `size` stored bytes; None where there are none.

    Raises CountsError where there is a file that cannot be used, or that was written for another capture.
    """
    path = capture.with_name(capture.name + SUFFIX)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CountsError(f"it cannot be opened: {error.strerror}") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise CountsError("it is no regular file")
        if status.st_size > MAX_SIZE:
            raise CountsError("it is too large")
        content = os.read(descriptor, MAX_SIZE)
    except OSError as error:
        raise CountsError(f"it cannot be read: {error.strerror}") from None
    finally:
        os.close(descriptor)
    tally = decode(content)
    if tally.size > size or (tally.ended is not None and tally.size != size):
        raise CountsError(f"it was written for a capture of {tally.size} bytes, not of {size}")
    return Beside(path.name, hashlib.sha256(content).hexdigest(), tally)


def losses(tally: Tally) -> dict[str, Loss]:
    """What the recorder says that the capture lacks, by the causes of model/losses.py."""
    calls, events = tally.calls, tally.events
    found = {
        "recorder_dropped": Loss(sum(calls.dropped.values()), calls.probe.get("bytes_dropped", 0)),
        "recorder_not_written": Loss(sum(events.dropped.values())),
        "recorder_not_followed": Loss(sum(calls.not_followed.values())),
        "recorder_filtered": Loss(calls.filtered.get("conditions", 0) + events.filtered),
        "recorder_unfinished": Loss(tally.ended is None),
    }
    return {cause: loss for cause, loss in found.items() if loss.count}

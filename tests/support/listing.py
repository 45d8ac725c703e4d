"""What the compiled reader makes of a file, event by event: for comparison with sysdig and with the plain reader."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from syswire.convert.model.process import ThreadVersion
from syswire.convert.scap import event_table
from syswire.convert.scap.reader import ROW, EventRow, ScapReader
from syswire.convert.scap.sink import NetSink
from syswire.convert.source import Source

if TYPE_CHECKING:
    from syswire.convert.scap.walk import DescSnapshot


class Listing(NamedTuple):
    """Every event, the descriptor versions that they name, and the reader for all else."""

    rows: list[EventRow]
    descriptors: dict[int, DescSnapshot]
    reader: ScapReader
    spool: io.BytesIO

    def thread(self, version: int) -> ThreadVersion:
        """A thread version by its id."""
        return self.reader.identities.get(version)


def listing(path: Path) -> Listing:
    """Read a whole file."""
    spool = io.BytesIO()
    reader = ScapReader(Source(path), NetSink(), spool, listing=True)
    rows = [EventRow(*fields) for batch in reader.run() for fields in ROW.iter_unpack(batch)]
    return Listing(rows, reader.walker.snapshots, reader, spool)


def type_name(code: int, syscall: int | None) -> str:
    """The name that sysdig 0.29.3 prints for an event type; of a generic event that of its system call."""
    if code in (0, 1) and syscall is not None:
        found = event_table.SYSDIG_SYSCALL_NAMES.get(syscall)
        return found if found is not None else event_table.SYSCALLS[syscall]
    return event_table.SYSDIG_EVENT_NAMES.get(code, event_table.EVENTS[code][0])

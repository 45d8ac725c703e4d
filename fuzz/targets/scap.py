"""The scap reader with state and conversations: any file, whole and in pieces, gives the same rows; and its listing."""

from __future__ import annotations

import io
import itertools
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from syswire.convert.decode import decode
from syswire.convert.errors import InputError
from syswire.convert.model.rows import CHUNK, CONV, Chunk, Conv
from syswire.convert.scap import arguments
from syswire.convert.scap.reader import ROW, EventRow, ScapReader
from syswire.convert.scap.semantics import type_rows
from syswire.convert.scap.sink import NetSink

from ..feeding import Fed, Stored, chance

if TYPE_CHECKING:
    from syswire.convert.decoded import Decoded
    from syswire.convert.source import Source

vars(arguments)["type_rows"] = cache(type_rows)  # the same for every file, and slow to make
SHOWN = ("conversations", "events", "first", "last", "machine", "interfaces", "damage", "losses", "paths", "containers")


class Run:
    """Decodes an input twice and compares."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._folders = [scratch / "whole", scratch / "cut"]
        for folder in self._folders:
            folder.mkdir()

    def __call__(self, data: bytes) -> None:
        """Raises where the two differ, a row lies, or anything but InputError is raised."""
        stored = Stored(data, self._scratch / "input")
        try:
            whole = self._decoded(stored, self._folders[0])
        finally:
            stored.close()
        cut = self._decoded(Fed(data, chance(data)), self._folders[1])
        if whole is None or cut is None:
            assert whole is cut, "read in one way only"
            return
        for name in SHOWN:
            assert getattr(whole, name) == getattr(cut, name), name
        assert self._rows(whole) == self._rows(cut)
        assert whole.offsets == cut.offsets
        assert Path(whole.identities).read_bytes() == Path(cut.identities).read_bytes()
        self._list(data, whole)

    @staticmethod
    def _list(data: bytes, decoded: Decoded) -> None:
        """A listing has every event, and names threads and descriptors that there are."""
        reader = ScapReader(cast("Source", Fed(data)), NetSink(), io.BytesIO(), listing=True)
        rows = [EventRow(*fields) for batch in reader.run() for fields in ROW.iter_unpack(batch)]
        assert [row.ordinal for row in rows] == list(range(1, decoded.events + 1))
        snapshots = reader.walker.snapshots
        threads = len(reader.identities.offsets)
        assert all(row.thread <= threads and (row.desc == 0 or row.desc in snapshots) for row in rows)
        assert all(one.block < other.block for one, other in itertools.pairwise(rows))

    @staticmethod
    def _decoded(source: Fed, folder: Path) -> Decoded | None:
        try:
            return decode(cast("Source", source), folder)
        except InputError:
            return None

    @staticmethod
    def _rows(decoded: Decoded) -> list[Any]:
        """All rows without what depends on where the payload is kept: that is given instead."""
        payload = Path(decoded.payload).read_bytes()
        convs = [Conv(*fields) for fields in CONV.iter_unpack(Path(decoded.convs).read_bytes())]
        assert len(convs) == decoded.conversations
        assert all(conv.id in (0, number + 1) for number, conv in enumerate(convs))
        threads = len(decoded.offsets)
        found: list[Any] = [*convs]
        last = 0
        for fields in CHUNK.iter_unpack(Path(decoded.chunks).read_bytes()):
            chunk = Chunk(*fields)
            assert 1 <= chunk.conv <= decoded.conversations
            assert chunk.thread <= threads
            assert chunk.stored <= chunk.length or chunk.kind
            assert chunk.payload + chunk.stored <= len(payload)
            assert chunk.kind <= 6 and chunk.to_server <= 1 and chunk.end <= 1 and chunk.reason <= 4
            assert last <= chunk.event <= decoded.events
            last = chunk.event
            found.append((chunk._replace(payload=0), payload[chunk.payload : chunk.payload + chunk.stored]))
        return found

"""What the first pass over the conversations found beside the records that it spooled."""

from __future__ import annotations

from array import array

import msgspec


class Counts(msgspec.Struct):
    """How much was found, for the manifest.

    `exchanges` are HTTP's, `records` those of other protocols; `http_ports` are TCP server ports on which HTTP was
    spoken, `spoken` counts conversations by what was spoken in them.
    """

    streams: int = 0
    exchanges: int = 0
    records: int = 0
    sightings: int = 0
    weird: dict[str, int] = {}
    http_ports: set[int] = set()
    spoken: dict[str, int] = {}

    def add(self, other: Counts) -> None:
        """Take another part's counts in."""
        self.streams += other.streams
        self.exchanges += other.exchanges
        self.records += other.records
        self.sightings += other.sightings
        for name, number in other.weird.items():
            self.weird[name] = self.weird.get(name, 0) + number
        for name, number in other.spoken.items():
            self.spoken[name] = self.spoken.get(name, 0) + number
        self.http_ports |= other.http_ports


class ObjectCounts(msgspec.Struct):
    """Objects that were written and listed, their bytes, and those for which there was no room."""

    listed: int = 0
    bytes: int = 0
    left_out: int = 0


class Annotated(msgspec.Struct):
    """What the first pass found in one part. `lines` counts the spooled records of each conversation.

    `secrets` are (secret, its bytes on the wire) in the order of their first sighting; `overfull` says that there were
    more than are kept. `tainted` are (conversation, to the server) of the streams in which a secret was sighted,
    however short. `names` are (address, name) as answers gave them, in the order in which they were first seen.
    """

    counts: Counts
    lines: array[int]
    secrets: dict[tuple[bytes, bytes], None]
    tainted: set[tuple[int, bool]]
    names: dict[tuple[bytes, str], None]
    overfull: bool = False
    objects: ObjectCounts = msgspec.field(default_factory=ObjectCounts)

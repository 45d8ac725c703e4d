"""What phase 1 makes of a capture, whatever its format."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .model.losses import Loss

if TYPE_CHECKING:
    from .model.process import ProcessSighting
    from .scap.headers import Machine


@dataclass
class Decoded:
    """What phase 1 made of one capture. Paths are of spool files; all else is plain data (it crosses processes).

    `format` is scap, pcap or pcapng. `chunks` has rows of what happened on conversations: Chunk of a scap, Segment of
    packets. `payload` is the file whose positions the rows carry: the capture itself where it is plain, else a spool
    file. `events` and `frames` are how many of them the file has (the frames of a scap are made later), `longest` the
    captured bytes of the longest frame, `unread_links` how many frames of which link types are not read.
    """

    format: str
    chunks: str
    convs: str
    payload: str
    identities: str
    offsets: array[int]
    ends: array[int]
    containers: list[str]
    container_names: dict[str, bytes]
    paths: list[bytes]
    conversations: int
    events: int
    first: int
    last: int
    machine: Machine | None
    interfaces: list[tuple[bytes, bytes]]
    losses: dict[str, Loss] = field(default_factory=dict)
    damage: tuple[str, int] | None = None
    frames: int = 0
    longest: int = 0
    unread_links: dict[int, int] = field(default_factory=dict)
    sightings: list[ProcessSighting] = field(default_factory=list)
    """Secrets in arguments and environments, in the order of the capture."""
    sightings_left_out: int = 0

    @property
    def packets(self) -> bool:
        """Whether it is a packet capture: then the frames are the source's own."""
        return self.format != "scap"

"""The places where a secret went, gathered: one for each secret, spelling, way, target and program."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from ..model.text import readable
from .words import MOST_PLACES

if TYPE_CHECKING:
    from .known import Origin

MOST_RECORDS = 100
"""Of one secret; the earliest."""
MOST_KEPT = 200_000

SOCKET, FILE, PIPE = "socket", "file", "pipe"


class Hop(msgspec.Struct):
    """A secret (its number), found once or more (`count`) at one place; all but that is of the first occurrence.

    `target` and `program` tell places apart: an end of a conversation, a path, a program that was executed.
    """

    secret: int
    spelling: str
    way: str
    target: str
    program: str
    time: str
    stream: int | None
    path: bytes | None
    process: int
    where: dict[str, Any]
    count: int = 1

    def key(self) -> tuple[int, str, str, str, str]:
        """What makes it a place."""
        return self.secret, self.spelling, self.way, self.target, self.program

    def order(self) -> tuple[Any, ...]:
        """By time, then as deterministic as can be."""
        return self.time, self.where["source"], self.where["offset"], self.stream or 0, self.key()


class Searched(NamedTuple):
    """What a task found, how many were beyond a bound, and whether it could read all that it should."""

    hops: list[Hop]
    left_out: int = 0
    whole: bool = True


class Hops:
    """Those of one task, or of all of them; bounded."""

    def __init__(self) -> None:
        self.by_key: dict[tuple[int, str, str, str, str], Hop] = {}
        self._places: dict[int, int] = {}
        self.left_out = 0

    def add(self, hop: Hop) -> None:
        """Take one in; of a secret with too many places no more."""
        key = hop.key()
        known = self.by_key.get(key)
        if known is not None:
            hop.count += known.count
            if hop.order() < known.order():
                self.by_key[key] = hop
            else:
                known.count = hop.count
            return
        places = self._places.get(hop.secret, 0)
        if places > MOST_PLACES or len(self.by_key) >= MOST_KEPT:
            self.left_out += 1
            return
        self._places[hop.secret] = places + 1
        self.by_key[key] = hop

    def merge(self, found: Searched) -> None:
        """Take in what a task found."""
        self.left_out += found.left_out
        for hop in found.hops:
            self.add(hop)

    def found(self) -> Searched:
        """As a task hands it on."""
        return Searched(list(self.by_key.values()), self.left_out)

    def kept(self) -> list[Hop]:
        """In the order of time: none of secrets with too many places, of others the earliest; counts what is beyond."""
        kept: list[Hop] = []
        told: dict[int, int] = {}
        for hop in sorted(self.by_key.values(), key=Hop.order):
            told[hop.secret] = told.get(hop.secret, 0) + 1
            if self._places[hop.secret] <= MOST_PLACES and told[hop.secret] <= MOST_RECORDS:
                kept.append(hop)
            else:
                self.left_out += 1
        return kept


def spread_record(hop: Hop, origin: Origin) -> dict[str, Any]:
    """The record that is written; the path is masked with all other text."""
    path, odd = (None, False) if hop.path is None else readable(hop.path)
    record: dict[str, Any] = {
        "type": "spread",
        "secret_fingerprint": origin.fingerprint,
        "username": origin.username,
        "spelling": hop.spelling,
        "way": hop.way,
        "stream": hop.stream,
        "path": path,
        "process": hop.process or None,
        "from_sighting": {
            "source": origin.source,
            "stream": origin.stream,
            "exchange": origin.exchange,
            "process": origin.process or None,
        },
        "time": hop.time,
        "count": hop.count,
        "where": hop.where,
    }
    if odd:
        record["escaped"] = ["path"]
    return record

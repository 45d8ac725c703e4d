"""Where a secret went after it was seen: the records of one secret, its hops in order of time, and the worst place.

A few numbers are kept of each record, BOUND of them at most; the records are read again at the end.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from ..annotations import Endpoint, Spread
from . import severity

BOUND = 200_000
SECRETS = 20_000
OTHER_HOST, LOCAL_SOCKET, LOG_FILE = "other-host", "local-socket", "log-file"


class Secret(NamedTuple):
    """One secret that was handed on: its records' (time, place), the earliest first."""

    username: str | None
    fingerprint: str
    records: list[tuple[int, int]]


class Spreads:
    """All records of secrets that were handed on."""

    def __init__(self, bound: int = BOUND) -> None:
        self._bound = bound
        self._secrets: dict[tuple[str | None, str], int] = {}
        self._of, self._times, self._places = array("I"), array("Q"), array("Q")
        self.left_out = 0

    def add(self, record: Spread, time: int, place: int) -> None:
        """Note one."""
        key = (record.username, record.secret_fingerprint)
        number = self._secrets.get(key)
        if len(self._of) >= self._bound or (number is None and len(self._secrets) >= SECRETS):
            self.left_out += 1
            return
        if number is None:
            number = self._secrets[key] = len(self._secrets)
        self._of.append(number)
        self._times.append(max(time, 0))
        self._places.append(place)

    def secrets(self) -> Iterator[Secret]:
        """Each with its records."""
        order = sorted(range(len(self._of)), key=lambda at: (self._of[at], self._times[at], self._places[at]))
        records: list[list[tuple[int, int]]] = [[] for _ in self._secrets]
        for at in order:
            records[self._of[at]].append((self._times[at], self._places[at]))
        for (username, fingerprint), number in self._secrets.items():
            yield Secret(username, fingerprint, records[number])


def kept(record: Mapping[str, Any], stream: Mapping[str, Any] | None, logs: Sequence[str]) -> str:
    """The kind of place that a hop leads to: a word of the rule's severity table."""
    way = str(record.get("way"))
    if way == "socket":
        ends = [_end((stream or {}).get(side)) for side in ("client", "server")]
        return LOCAL_SOCKET if severity.exposure(*ends) == severity.LOCAL else OTHER_HOST
    if way == "file" and any(re.search(log, str(record.get("path") or "")[:4_096]) for log in logs):
        return LOG_FILE
    return way


def _end(told: Any) -> Endpoint | None:
    return None if not isinstance(told, dict) else msgspec.convert(told, Endpoint, strict=False)

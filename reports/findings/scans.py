"""Bursts of missing pages: one client that asks one server for many different ones within a short time.

The 404 findings hold the times of their first hundred requests each (ten where there are very many): they are what is
looked at, so this needs no memory of its own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from .groups import Group


class Asked(NamedTuple):
    """One request for a page that was missing."""

    time: int
    place: int
    path: tuple[str | None, str | None]
    group: int


class Scan(NamedTuple):
    """The requests of one client at one server that came too thick."""

    client: str
    server: str
    exposure: str
    requests: list[Asked]
    paths: int


def scans(groups: Iterable[tuple[int, Group]], within: int, paths: int) -> Iterator[Scan]:
    """All of them. `groups`: the 404 findings, with their numbers; `within` is in nanoseconds."""
    pairs: dict[tuple[str, str], list[tuple[int, Group]]] = {}
    for index, group in groups:
        if not group.merged:
            pairs.setdefault((group.identity.client, group.identity.server), []).append((index, group))
    for (client, server), members in pairs.items():
        if len(members) < paths:
            continue
        asked = sorted(
            Asked(time, place, (group.identity.host, group.identity.path), index)
            for index, group in members
            for time, place in zip(group.times, group.places, strict=True)
        )
        found = thick(asked, within, paths)
        if found:
            yield Scan(client, server, members[0][1].exposure, found, len({each.path for each in found}))


def thick(asked: Sequence[Asked], within: int, paths: int) -> list[Asked]:
    """The requests of all spans of time with enough different paths; `asked` is in order of time."""
    seen: Counter[tuple[str | None, str | None]] = Counter()
    begin = marked = 0
    found: list[Asked] = []
    for end, each in enumerate(asked):
        seen[each.path] += 1
        while asked[begin].time < each.time - within:
            left = asked[begin].path
            seen[left] -= 1
            if not seen[left]:
                del seen[left]
            begin += 1
        if len(seen) >= paths:
            found += asked[max(begin, marked) : end + 1]
            marked = end + 1
    return found

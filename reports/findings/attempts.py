"""Logins over time: guessing at passwords, and what was refused before it was accepted.

Annotations are in order of streams, not of time, so attempts are kept and sorted at the end: a few numbers each, BOUND
of them at most, in arrays. Users and secrets are compared by hashes of 64 bits whose seed is new in each run.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

BOUND = 250_000
SECOND = 1_000_000_000
_WIDE = (1 << 64) - 1
_ACCEPTED, _HASH = 1, 2


class Attempt(NamedTuple):
    """One login that the server judged. `place` says where its record stands, `group` which finding has it."""

    time: int
    place: int
    user: int
    secret: int
    group: int
    accepted: bool
    hashed: bool


class Attack(NamedTuple):
    """Attempts of one client at one server that came too thick: which, and the one that was accepted behind them."""

    spraying: bool
    refused: list[Attempt]
    users: int
    secrets: int
    accepted: Attempt | None


class Thresholds(NamedTuple):
    """Of the rules: how many within how many nanoseconds, and how long an accepted one still belongs to them."""

    brute_within: int
    secrets: int
    hashes: int
    brute_after: int
    spray_within: int
    users: int
    spray_after: int

    @classmethod
    def of(cls, brute: Mapping[str, Any], spray: Mapping[str, Any]) -> Thresholds:
        """From the settings of the two rules, which are in seconds."""
        return cls(
            brute["within"] * SECOND,
            brute["secrets"],
            brute["hashes"],
            brute["after"] * SECOND,
            spray["within"] * SECOND,
            spray["users"],
            spray["after"] * SECOND,
        )


class Attempts:
    """All logins that were judged."""

    def __init__(self, bound: int = BOUND) -> None:
        self._bound = bound
        self._pairs, self._users, self._secrets = array("Q"), array("Q"), array("Q")
        self._times, self._places, self._groups, self._kinds = array("Q"), array("Q"), array("I"), array("B")
        self.left_out = 0

    def add(
        self,
        pair: tuple[str, str],
        user: str | None,
        secret: str,
        attempt: tuple[int, int, int],
        *,
        accepted: bool,
        hashed: bool,
    ) -> None:
        """Note one: client and server, user, the secret's fingerprint, and (time, place, group)."""
        if len(self._times) >= self._bound:
            self.left_out += 1
            return
        time, place, group = attempt
        self._pairs.append(hash(pair) & _WIDE)
        self._users.append(hash(user) & _WIDE)
        self._secrets.append(hash(secret) & _WIDE)
        self._times.append(max(time, 0))
        self._places.append(place)
        self._groups.append(group)
        self._kinds.append(accepted * _ACCEPTED | hashed * _HASH)

    def pairs(self) -> Iterator[list[Attempt]]:
        """The attempts of each client at each server, in order of time."""
        order = sorted(range(len(self._times)), key=lambda at: (self._pairs[at], self._times[at], self._places[at]))
        begin = 0
        while begin < len(order):
            pair, end = self._pairs[order[begin]], begin + 1
            while end < len(order) and self._pairs[order[end]] == pair:
                end += 1
            yield [self._attempt(at) for at in order[begin:end]]
            begin = end

    def _attempt(self, at: int) -> Attempt:
        kind = self._kinds[at]
        return Attempt(
            self._times[at],
            self._places[at],
            self._users[at],
            self._secrets[at],
            self._groups[at],
            bool(kind & _ACCEPTED),
            bool(kind & _HASH),
        )


def refused_before(attempts: Sequence[Attempt]) -> dict[int, int]:
    """Of each finding that was accepted: how many attempts of the same user were refused before its first success."""
    refused: Counter[int] = Counter()
    found: dict[int, int] = {}
    for attempt in attempts:
        if not attempt.accepted:
            refused[attempt.user] += 1
        elif attempt.group not in found:
            found[attempt.group] = refused[attempt.user]
    return found


def attack(attempts: Sequence[Attempt], limits: Thresholds) -> Attack | None:
    """What was too thick among the attempts of one client at one server; None where nothing was."""
    refused = [attempt for attempt in attempts if not attempt.accepted]
    sprayed = _thick(refused, limits.spray_within, limits, users=True)
    forced = [] if sprayed else _thick(refused, limits.brute_within, limits, users=False)
    found = sprayed or forced
    if not found:
        return None
    users = {attempt.user for attempt in found}
    secrets = {attempt.secret for attempt in found}
    after = limits.spray_after if sprayed else limits.brute_after
    accepted = None
    for attempt in attempts:
        late = found[0].time < attempt.time <= found[-1].time + after
        if attempt.accepted and late and attempt.user in users:
            accepted = attempt
            break
    return Attack(bool(sprayed), found, len(users), len(secrets), accepted)


def _thick(refused: Sequence[Attempt], within: int, limits: Thresholds, *, users: bool) -> list[Attempt]:
    """The attempts of all spans of time in which enough users, or enough passwords of one user, were refused."""
    seen: Counter[tuple[int, int, bool]] = Counter()
    different: Counter[tuple[int, bool]] = Counter()
    known: Counter[int] = Counter()
    full = begin = marked = 0
    found: list[Attempt] = []

    def count(attempt: Attempt, step: int) -> int:
        """Enter (1) or leave (-1) the span; by how much the number of users with enough passwords changes."""
        known[attempt.user] += step
        if not known[attempt.user]:
            del known[attempt.user]
        key = (attempt.user, attempt.secret, attempt.hashed)
        seen[key] += step
        if seen[key] != (1 if step > 0 else 0):
            return 0
        if step < 0:
            del seen[key]
        of = (attempt.user, attempt.hashed)
        least = limits.hashes if attempt.hashed else limits.secrets
        different[of] += step
        return step if different[of] == (least if step > 0 else least - 1) else 0

    for end, attempt in enumerate(refused):
        full += count(attempt, 1)
        while refused[begin].time < attempt.time - within:
            full += count(refused[begin], -1)
            begin += 1
        if (len(known) >= limits.users) if users else full:
            found += refused[max(begin, marked) : end + 1]
            marked = end + 1
    return found

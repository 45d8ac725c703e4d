"""Findings that only several records together show: guessing at logins, scans, secrets that were handed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from ..annotations import Annotations, Endpoint
from ..display import timestamp
from ..names import endpoint, machine
from . import attempts as logins
from . import scans as bursts
from . import severity
from . import spreads as handed
from .comments import Marks
from .groups import SOURCE_SHIFT, Groups, Identity
from .rule import ATTEMPTS, HTTP, SCAN, SPREAD, Rule

NAMES = 20
HOPS = 100
_OFFSET = (1 << SOURCE_SHIFT) - 1
_PROCESS = ("pid", "name", "user", "container")
SPRAYING, BRUTE_FORCE = "password-spraying", "brute-force"


class Sources:
    """Records by their place."""

    def __init__(self, annotations: Mapping[int, Annotations]) -> None:
        self._annotations = annotations

    def at(self, place: int) -> dict[str, Any]:
        """The record at a place (source << 48 | offset)."""
        return self._annotations[place >> SOURCE_SHIFT].at(place & _OFFSET)

    def numbered(self, place: int, kind: str, number: int | None) -> dict[str, Any] | None:
        """A process or stream of the source in which a place is."""
        return self._annotations[place >> SOURCE_SHIFT].numbered(kind, number)

    def origin(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """The stream in which a secret came that was handed on; empty where it came in none."""
        told = record.get("from_sighting") or {}
        found = self._annotations.get(told.get("source", (record.get("where") or {}).get("source", 0)))
        return (None if found is None else found.numbered("stream", told.get("stream"))) or {}

    @staticmethod
    def end(told: Any) -> Endpoint | None:
        """An endpoint as it stands in a record."""
        return msgspec.convert(told, Endpoint) if isinstance(told, dict) else None


class Told(msgspec.Struct):
    """What is known of findings beside their groups, by the group's number."""

    refused_before: dict[int, int] = {}
    attempts: dict[int, dict[str, Any]] = {}
    scan: dict[int, int] = {}
    """The scan that a 404 finding is part of, by group."""
    paths: dict[int, int] = {}
    hops: dict[int, list[dict[str, Any]]] = {}
    places: dict[int, str] = {}
    """The worst place that a secret got to."""
    left_out: dict[str, int] = {}
    """What was beyond a bound: logins, hops."""


class Derived:
    """Makes groups of what several records show together; `told` holds what the groups do not."""

    def __init__(self, rules: Sequence[Rule], groups: Groups, sources: Sources, marks: Mapping[int, Marks]) -> None:
        self._rules = rules
        self._groups = groups
        self._sources = sources
        self._marks = marks
        self.told = Told()

    def _of(self, consumes: str) -> dict[str, tuple[int, Rule]]:
        return {rule.id: (at, rule) for at, rule in enumerate(self._rules) if rule.consumes == consumes}

    def attempts(self, seen: logins.Attempts) -> None:
        """Guessing at logins, and what was refused before it was accepted."""
        rules = self._of(ATTEMPTS)
        limits = logins.Thresholds.of(rules[BRUTE_FORCE][1].settings, rules[SPRAYING][1].settings)
        self.told.left_out["logins"] = seen.left_out
        attacks = []
        for pair in seen.pairs():
            self.told.refused_before.update(logins.refused_before(pair))
            if (attack := logins.attack(pair, limits)) is not None:
                attacks.append(attack)
        for attack in sorted(attacks, key=lambda each: (each.refused[0].time, each.refused[0].place)):
            self._attack(attack, rules[SPRAYING if attack.spraying else BRUTE_FORCE][0])

    def _attack(self, attack: logins.Attack, rule: int) -> None:
        names: dict[str, None] = {}
        known: set[int] = set()
        for attempt in attack.refused:
            if attempt.user not in known and len(known) < NAMES:
                known.add(attempt.user)
                if (name := self._sources.at(attempt.place).get("username")) is not None:
                    names[str(name)] = None
        first = self._sources.at(attack.refused[0].place)
        client, server = self._sources.end(first.get("client")), self._sources.end(first.get("server"))
        user = next(iter(names), None) if attack.users == 1 else None
        identity = Identity(rule, user, None, machine(client), endpoint(server))
        group = self._groups.find(identity, severity.exposure(client, server))
        for attempt in attack.refused:
            self._count(group, attempt.place, attempt.time, "refused")
        told: dict[str, Any] = {
            "refused": len(attack.refused),
            "users": attack.users,
            "secrets": attack.secrets,
            "names": list(names),
            "first": timestamp(attack.refused[0].time),
            "last": timestamp(attack.refused[-1].time),
            "accepted": None,
        }
        if attack.accepted is not None:
            self._count(group, attack.accepted.place, attack.accepted.time, "accepted")
            record = self._sources.at(attack.accepted.place)
            told["accepted"] = {"time": timestamp(attack.accepted.time), "username": record.get("username")}
        self._mark(group, first)
        if not self._groups[group].merged:
            self.told.attempts[group] = told

    def _count(self, group: int, place: int, time: int, outcome: str) -> None:
        self._groups.count(group, place >> SOURCE_SHIFT, place & _OFFSET, time, outcome, complete=True)

    def _mark(self, group: int, record: Mapping[str, Any]) -> None:
        where = record.get("where") or (record.get("response") or {}).get("where") or {}
        if isinstance(where.get("frame"), int) and where.get("source") in self._marks:
            self._marks[where["source"]].add(where["frame"], group)

    def scans(self) -> None:
        """Bursts of missing pages."""
        at, rule = self._of(SCAN)["http-scan"]
        missing = {
            number for number, (_, each) in self._of(HTTP).items() if each.statuses == (404, 404) and not each.own
        }
        numbers = {self._of(HTTP)[number][0] for number in missing}
        groups = [(index, group) for index, group in enumerate(self._groups) if group.identity.rule in numbers]
        within = rule.settings["within"] * logins.SECOND
        found = list(bursts.scans(groups, within, rule.settings["paths"]))
        for scan in sorted(found, key=lambda each: (each.requests[0].time, each.requests[0].place)):
            group = self._groups.find(Identity(at, None, None, scan.client, scan.server), scan.exposure)
            for asked in scan.requests:
                self._count(group, asked.place, asked.time, "unknown")
                self.told.scan[asked.group] = group
            self._mark(group, self._sources.at(scan.requests[0].place))
            self.told.paths[group] = self.told.paths.get(group, 0) + scan.paths

    def spreads(self, seen: handed.Spreads) -> None:
        """Secrets that were handed on."""
        at, rule = self._of(SPREAD)["secret-spread"]
        self.told.left_out["hops"] = seen.left_out
        order = list(rule.grading.places or {})
        for secret in sorted(seen.secrets(), key=lambda each: (each.records[0], each.fingerprint)):
            hops, worst, exposure = [], len(order), severity.LOCAL
            for number, (_, place) in enumerate(secret.records):
                record = self._sources.at(place)
                stream = self._sources.numbered(place, "stream", record.get("stream"))
                kind = handed.kept(record, stream, rule.settings["log"])
                worst = min(worst, order.index(kind) if kind in order else len(order))
                if kind == handed.OTHER_HOST and exposure != severity.PUBLIC and stream is not None:
                    exposure = severity.exposure(*map(self._sources.end, (stream.get("client"), stream.get("server"))))
                if number < HOPS:
                    hops.append(self._hop(record, stream, kind, place))
            first = self._sources.at(secret.records[0][1])
            came = self._sources.origin(first)
            client, server = self._sources.end(came.get("client")), self._sources.end(came.get("server"))
            identity = Identity(at, secret.username, secret.fingerprint, machine(client), endpoint(server))
            group = self._groups.find(identity, exposure)
            for time, place in secret.records:
                self._count(group, place, time, "unknown")
            self._mark(group, first)
            if not self._groups[group].merged:
                self.told.hops[group] = hops
                self.told.places[group] = order[worst] if worst < len(order) else ""

    def _hop(
        self, record: Mapping[str, Any], stream: Mapping[str, Any] | None, kind: str, place: int
    ) -> dict[str, Any]:
        process = self._sources.numbered(place, "process", record.get("process"))
        return {
            "time": record.get("time"),
            "way": record.get("way"),
            "place": kind,
            "spelling": record.get("spelling"),
            "path": record.get("path"),
            "client": None if stream is None else stream.get("client"),
            "server": None if stream is None else stream.get("server"),
            "stream": record.get("stream"),
            "process": None if process is None else {name: process.get(name) for name in _PROCESS},
            "count": record.get("count", 1),
            "from_sighting": record.get("from_sighting"),
            "where": record.get("where"),
        }

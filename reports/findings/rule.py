"""What a rule is: which records it takes, how grave they are, and what a reader is told of them. All of it is data."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from . import severity

if TYPE_CHECKING:
    from ..annotations import Http, Sighting
    from .pattern import Pattern

SIGHTING, HTTP, RECORD, ATTEMPTS, SCAN, SPREAD = "sighting", "http", "record", "attempts", "scan", "spread"
CONSUMES = (SIGHTING, HTTP, RECORD, ATTEMPTS, SCAN, SPREAD)
CERTAIN, LIKELY, POSSIBLE = "certain", "likely", "possible"
CONFIDENCES = (CERTAIN, LIKELY, POSSIBLE)


class Facts(NamedTuple):
    """What a group of records came to, for grading. `place` is the worst place that a secret got to."""

    exposure: str
    outcome: str
    times: int
    confidence: str = CERTAIN
    place: str = ""


class Grading(NamedTuple):
    """How grave: one level, or by exposure and outcome, or by how often, or by place."""

    fixed: str | None = None
    table: Mapping[str, Mapping[str, str]] | None = None
    steps: tuple[tuple[int, str], ...] = ()
    places: Mapping[str, str] | None = None

    def level(self, facts: Facts) -> str:
        """The severity; what is only possibly a secret is low at most, and info where it would be low or less."""
        level = self._plain(facts)
        if facts.confidence != POSSIBLE:
            return level
        return "low" if severity.LEVELS.index(level) < severity.LEVELS.index("low") else "info"

    def _plain(self, facts: Facts) -> str:
        if self.table is not None:
            return self.table[facts.exposure][facts.outcome]
        if self.places is not None:
            return self.places.get(facts.place, "low")
        if self.steps:
            return [level for least, level in self.steps if facts.times >= least or least == self.steps[0][0]][-1]
        return self.fixed or "info"


class Conditions(NamedTuple):
    """Of a sighting: each that is given has to hold. Case does not matter in text, `*` stands for anything."""

    protocols: tuple[str, ...] = ()
    locations: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    usernames: tuple[str, ...] = ()
    secrets: tuple[str, ...] = ()
    mechanisms: tuple[str, ...] = ()
    details: tuple[str, ...] = ()
    hashcat: tuple[int, ...] = ()

    def hold(self, record: Sighting, same: Callable[[Sighting, str], bool]) -> bool:
        """Whether they hold of a sighting; `same` says whether its secret is one that is known."""
        details = record.details or {}
        return (
            _fits(self.protocols, record.protocol)
            and _fits(self.forms, record.form)
            and _fits(self.locations, record.location)
            and _fits(self.fields, record.field)
            and _fits(self.usernames, record.username)
            and _fits(self.mechanisms, _text(details.get("mechanism")))
            and (not self.hashcat or details.get("hashcat") in self.hashcat)
            and all(details.get(name) is not None for name in self.details)
            and (not self.secrets or any(same(record, secret) for secret in self.secrets))
        )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _fits(wanted: tuple[str, ...], value: str | None) -> bool:
    return not wanted or (value is not None and _expression(wanted).fullmatch(value[:400]) is not None)


@lru_cache(256)
def _expression(wanted: tuple[str, ...]) -> re.Pattern[str]:
    """Words with `*`; the star takes as little as it can, and the text is short, so this stays cheap."""
    return re.compile("|".join(".*?".join(map(re.escape, re.split(r"\*+", word))) for word in wanted), re.I | re.S)


class Rule(msgspec.Struct, frozen=True):
    """One kind of thing worth reporting."""

    id: str
    consumes: str
    kind: str
    title: str
    short: str
    grading: Grading
    references: tuple[str, ...] = ()
    impact: str = ""
    advice: str = ""
    when: tuple[Conditions, ...] = ()
    statuses: tuple[int, int] | None = None
    exposure: str | None = None
    settings: Mapping[str, Any] = {}
    pattern: Pattern | None = None
    own: bool = False
    """True of a rule that the user wrote."""

    def grade(self, facts: Facts) -> str:
        """Severity of what a group came to."""
        return self.grading.level(facts)

    def takes(self, record: Sighting, same: Callable[[Sighting, str], bool]) -> bool:
        """Whether it applies to a sighting: one of its alternatives holds."""
        return any(conditions.hold(record, same) for conditions in self.when)

    def answers(self, record: Http) -> bool:
        """Whether it applies to an exchange, by the status of the response."""
        response = record.response
        if self.statuses is None or response is None or response.status is None:
            return False
        return self.statuses[0] <= response.status <= self.statuses[1]

    @property
    def secret_bearing(self) -> bool:
        """Whether its findings show a secret."""
        return self.consumes in (SIGHTING, SPREAD)

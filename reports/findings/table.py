"""The rules that come with syswire, read once from rules/*.toml; docs/rules.md describes the format."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..annotations import Sighting
from .rule import SIGHTING, Rule
from .rule_files import built_in

RULES: tuple[Rule, ...] = built_in()


class Sorted:
    """Rules for sightings, sorted by what is asked of them first, so that each sighting is shown to few."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(at, rule) for at, rule in enumerate(rules) if rule.consumes == SIGHTING]
        self._by_kind: dict[tuple[str, str], list[tuple[int, Rule]]] = {}

    def of(self, record: Sighting) -> Iterable[tuple[int, Rule]]:
        """The rules that may apply to a sighting of that protocol and form, in their order."""
        key = (record.protocol[:80], record.form)
        found = self._by_kind.get(key)
        if found is None:
            found = [(at, rule) for at, rule in self._rules if _possible(rule, record)]
            if len(self._by_kind) < 1_000:
                self._by_kind[key] = found
        return found


def _possible(rule: Rule, record: Sighting) -> bool:
    return any(
        conditions._replace(
            locations=(), fields=(), usernames=(), secrets=(), mechanisms=(), details=(), hashcat=()
        ).hold(record, lambda _record, _secret: True)
        for conditions in rule.when
    )

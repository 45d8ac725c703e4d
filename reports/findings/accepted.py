"""Risks that somebody accepted: a file that says which findings, why, by whom, and until when (docs/rules.md)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

from .checking import Checked, FileError
from .groups import Group
from .rule_files import ID, read_toml

MOST = 10_000
KEY = re.compile(r"[0-9a-f]{16}")
_HEADER = re.compile(r"^[ \t]*\[\[\s*accepted\s*\]\]", re.M)
_FIELDS = frozenset(("key", "rule", "server", "user", "reason", "by", "expires"))


class Entry(NamedTuple):
    """One accepted risk: a finding's key, or a rule with a server and perhaps a user. `expires` is its last day."""

    number: int
    line: int | None
    key: str | None
    rule: str | None
    server: str | None
    user: str | None
    reason: str
    by: str
    expires: date

    def what(self) -> str:
        """What it names, in a few words. Text of the user's: show it only through `display`."""
        if self.key is not None:
            return f"key {self.key}"
        return f"{self.rule} at {self.server}" + ("" if self.user is None else f", user {self.user}")

    def names(self, rule: str, group: Group) -> bool:
        """Whether it names a finding."""
        if self.key is not None:
            return group.key == self.key
        found = group.identity
        return (
            not group.merged
            and rule == self.rule
            and found.server == self.server
            and (self.user is None or found.user == self.user)
        )


class Accepted:
    """All entries of a file; those whose last day is over do not apply."""

    def __init__(self, name: str, entries: list[Entry], today: date) -> None:
        self.name = name
        self.today = today
        self.valid = [entry for entry in entries if entry.expires >= today]
        self.expired = [entry for entry in entries if entry.expires < today]
        self._by_key = {entry.key: entry for entry in reversed(self.valid) if entry.key is not None}
        self._by_rule: dict[tuple[str | None, str | None], list[Entry]] = {}
        for entry in self.valid:
            if entry.key is None:
                self._by_rule.setdefault((entry.rule, entry.server), []).append(entry)

    def entry(self, rule: str, group: Group) -> Entry | None:
        """The entry that names a finding; None where none does."""
        if (found := self._by_key.get(group.key)) is not None:
            return found
        return next(
            (each for each in self._by_rule.get((rule, group.identity.server), ()) if each.names(rule, group)), None
        )

    def told(self) -> Iterator[str]:
        """A line for each entry that has expired."""
        for entry in self.expired:
            place = f", line {entry.line}" if entry.line else ""
            yield f"{self.name}{place}: expired on {entry.expires} and does not apply: {entry.what()}"


def today() -> date:
    """The day of the run in UTC: by SOURCE_DATE_EPOCH where it is set, else by the clock."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    seconds = int(epoch) if epoch.isdigit() and len(epoch) < 12 else int(time.time())
    return datetime.fromtimestamp(seconds, UTC).date()


def read(path: Path, rules: frozenset[str], now: Callable[[], date] = today) -> Accepted:
    """The accepted risks of a file. `rules` are the names that there are.

    Raises:
        FileError: the file cannot be read, or an entry is not valid.
    """
    text, told = read_toml(path)
    if strange := sorted(set(told) - {"accepted"}):
        raise FileError(path, f"{strange[0]}: a file of accepted risks consists of [[accepted]] tables")
    entries = told.get("accepted")
    if not isinstance(entries, list) or not entries or len(entries) > MOST:
        raise FileError(path, f"has no [[accepted]], or more than {MOST}")
    heads = [match.start() for match in _HEADER.finditer(text)]
    found = []
    for number, entry in enumerate(entries):
        line = text.count("\n", 0, heads[number]) + 1 if len(heads) == len(entries) else None
        try:
            found.append(_entry(number, line, Checked(entry), rules))
        except ValueError as error:
            raise FileError(path, f"accepted number {number + 1}: {error}", line) from error
    return Accepted(path.name, found, now())


def _entry(number: int, line: int | None, entry: Checked, rules: frozenset[str]) -> Entry:
    entry.only(_FIELDS)
    key = entry.text("key", 16) if "key" in entry else None
    rule = entry.text("rule", 64) if "rule" in entry else None
    if (key is None) == (rule is None):
        raise ValueError("either key, or rule and server")
    if key is not None and (KEY.fullmatch(key) is None or "server" in entry or "user" in entry):
        raise ValueError("key: the 16 digits of a finding's key, and neither server nor user beside it")
    if rule is not None and (ID.fullmatch(rule) is None or rule not in rules):
        raise ValueError(f"rule: there is no rule {rule[:64]!r}")
    return Entry(
        number,
        line,
        key,
        rule,
        None if rule is None else entry.text("server", 400),
        entry.text("user", 400) if "user" in entry else None,
        entry.text("reason", 1_000),
        entry.text("by", 200),
        _day(entry.get("expires")),
    )


def _day(value: Any) -> date:
    if isinstance(value, datetime):
        return value.astimezone(UTC).date() if value.tzinfo else value.date()
    if isinstance(value, date):
        return value
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise ValueError("expires: a date such as 2027-01-31 is wanted")

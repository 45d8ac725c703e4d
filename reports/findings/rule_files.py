"""Reading rules: the ones that come with syswire, and a user's own, in one format (docs/rules.md).

Everything is checked when it is read: a rule that says something it cannot mean is refused with its file, its line and
its name, never passed over.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from . import severity
from .checking import Checked, FileError
from .expression import Expression, ExpressionError
from .kinds import SECRETS
from .pattern import Pattern, place
from .rule import ATTEMPTS, CONSUMES, HTTP, RECORD, SCAN, SIGHTING, SPREAD, Conditions, Grading, Rule

FOLDER = Path(__file__).parent / "rules"
TABLES = "severity.toml"
LARGEST = 1 << 20
MOST = 500
ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_HEADER = re.compile(r"^\s*\[\[\s*rule\s*\]\]", re.M)
_FIELDS = frozenset(
    ("id", "consumes", "kind", "title", "short", "severity", "references", "impact", "advice", "when", "statuses")
) | {"exposure", "settings", "match"}
_OWN_FIELDS = _FIELDS - {"settings", "consumes"}
_MATCH = frozenset(("protocol", "field", "keyword", "expression", "ignore_case"))
_LISTS = frozenset(Conditions._fields)
_STARS = 2


def built_in() -> tuple[Rule, ...]:
    """The rules that come with syswire, in the order in which sightings are offered to them."""
    rules: list[Rule] = []
    for path in sorted(FOLDER.glob("*.toml")):
        if path.name != TABLES:
            rules += _rules(path, own=False)
    return tuple(rules)


def digest() -> str:
    """SHA-256, in hexadecimal, of the files of `built_in` in the order of their names."""
    taken = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.toml")):
        taken.update(path.read_bytes())
    return taken.hexdigest()


def users(path: Path, taken: frozenset[str]) -> tuple[Rule, ...]:
    """A user's rules. `taken` are the names that are in use.

    Raises:
        FileError: the file cannot be read, or one of its rules is not valid.
    """
    rules = _rules(path, own=True)
    seen = set(taken)
    for number, rule in enumerate(rules):
        if rule.id in seen:
            raise FileError(path, f"rule {rule.id}: there is another one of that id", line_of(path, number))
        seen.add(rule.id)
    return rules


def read_toml(path: Path) -> tuple[str, dict[str, Any]]:
    """The text of a file and what it says. Raises FileError."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
        if len(data) > LARGEST:
            raise FileError(path, f"larger than {LARGEST} bytes")
        text = data.decode("utf-8")
        return text, tomllib.loads(text)
    except OSError as error:
        raise FileError(path, error.strerror or "cannot be read") from error
    except UnicodeDecodeError as error:
        raise FileError(path, f"is not UTF-8 at byte {error.start}") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:  # it names line and column itself
        raise FileError(path, f"is no TOML: {error}") from error


def line_of(path: Path, number: int) -> int | None:
    """The line on which the rule of that number begins; None where its head is written in another way."""
    text, _ = read_toml(path)
    heads = [match.start() for match in _HEADER.finditer(text)]
    return text.count("\n", 0, heads[number]) + 1 + _leading(text, heads[number]) if number < len(heads) else None


def _leading(text: str, at: int) -> int:
    match = _HEADER.match(text, at)
    return 0 if match is None else match[0].count("\n")


def _rules(path: Path, *, own: bool) -> tuple[Rule, ...]:
    _, told = read_toml(path)
    if strange := sorted(set(told) - {"rule"}):
        raise FileError(path, f"{strange[0]}: a file of rules consists of [[rule]] tables")
    entries = told.get("rule")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries) or not entries:
        raise FileError(path, "has no [[rule]]")
    if len(entries) > MOST:
        raise FileError(path, f"has more than {MOST} rules")
    rules = []
    for number, entry in enumerate(entries):
        name = entry.get("id")
        label = f"rule {name}" if isinstance(name, str) and ID.fullmatch(name) else f"rule number {number + 1}"
        try:
            rules.append(_rule(Checked(entry), own=own))
        except ValueError as error:
            raise FileError(path, f"{label}: {error}", line_of(path, number)) from error
    return tuple(rules)


def _rule(entry: Checked, *, own: bool) -> Rule:
    entry.only(_OWN_FIELDS if own else _FIELDS)
    name = entry.text("id", 64)
    if ID.fullmatch(name) is None:
        raise ValueError("id: small letters, digits and hyphens, 64 at most")
    pattern = _pattern(Checked(entry.table("match"))) if "match" in entry else None
    when = tuple(_conditions(Checked(each)) for each in entry.tables("when"))
    consumes = _consumes(entry, own=own, pattern=pattern is not None, when=bool(when))
    title = entry.text("title", 200)
    return Rule(
        id=name,
        consumes=consumes,
        kind=entry.text("kind", 40, "credential" if consumes == SIGHTING else "pattern"),
        title=title,
        short=entry.text("short", 80, title[:80]),
        grading=_grading(entry["severity"]) if "severity" in entry else Grading(fixed="info"),
        references=entry.texts("references", 60),
        impact=entry.text("impact", 4_000, ""),
        advice=entry.text("advice", 4_000, ""),
        when=when,
        statuses=_statuses(entry) if "statuses" in entry else None,
        exposure=_exposure(entry.text("exposure", 20)) if "exposure" in entry else None,
        settings=entry.table("settings") if "settings" in entry else {},
        pattern=pattern,
        own=own,
    )


def _consumes(entry: Checked, *, own: bool, pattern: bool, when: bool) -> str:
    """What the rule takes: said of those that come with syswire, of a user's it follows from what it has."""
    if own:
        given = [name for name in ("match", "when", "statuses") if name in entry]
        if len(given) != 1:
            raise ValueError("exactly one of match, when and statuses says what it takes")
        consumes = {"match": RECORD, "when": SIGHTING, "statuses": HTTP}[given[0]]
        kind = entry.text("kind", 40, "")
        fitting = {RECORD: ("", "pattern"), HTTP: ("", "pattern"), SIGHTING: ("", *SECRETS)}[consumes]
        if kind not in fitting:
            raise ValueError(f"kind: one of {', '.join(fitting[1:])}")
        return consumes
    consumes = entry.text("consumes", 20)
    if consumes not in CONSUMES or pattern != (consumes == RECORD) or when != (consumes == SIGHTING):
        raise ValueError(f"consumes: {consumes} does not fit the rest")
    if (consumes in (ATTEMPTS, SCAN, SPREAD)) != ("settings" in entry):
        raise ValueError("settings: what counts records together has some, others have none")
    return consumes


def _exposure(name: str) -> str:
    if name not in severity.EXPOSURES:
        raise ValueError(f"exposure: one of {', '.join(severity.EXPOSURES)}")
    return name


def _statuses(entry: Checked) -> tuple[int, int]:
    told = entry["statuses"]
    if (
        not isinstance(told, list)
        or len(told) != 2
        or not all(type(each) is int and 0 <= each <= 999 for each in told)
        or told[0] > told[1]
    ):
        raise ValueError("statuses: the lowest and the highest, such as [400, 499]")
    return told[0], told[1]


def _conditions(entry: Checked) -> Conditions:
    entry.only(_LISTS)
    told: dict[str, Any] = {}
    for name in entry.names():
        if name == "hashcat":
            modes = entry[name]
            if not isinstance(modes, list) or not all(type(each) is int for each in modes):
                raise ValueError("hashcat: a list of numbers")
            told[name] = tuple(modes)
            continue
        told[name] = entry.texts(name, 100)
        if any(text.count("*") > _STARS for text in told[name]):
            raise ValueError(f"{name}: at most {_STARS} stars in a word")
    return Conditions(**told)


def _pattern(entry: Checked) -> Pattern:
    entry.only(_MATCH)
    field = entry.text("field", 200)
    kind, sides, path = place(field)
    if ("keyword" in entry) == ("expression" in entry):
        raise ValueError("match: exactly one of keyword and expression")
    ignore_case = entry.truth("ignore_case", default=True)
    expression = None
    if "expression" in entry:
        try:
            expression = Expression(entry.text("expression", 1_000), ignore_case=ignore_case)
        except ExpressionError as error:
            raise ValueError(f"expression: {error}") from None
    protocol = entry.text("protocol", 40) if "protocol" in entry else None
    keyword = entry.text("keyword", 200) if "keyword" in entry else None
    return Pattern(protocol, kind, sides, path, keyword, expression, ignore_case)


def _grading(told: Any) -> Grading:
    levels = severity.LEVELS
    if isinstance(told, str):
        if told in levels:
            return Grading(fixed=told)
        if told in severity.TABLES:
            return Grading(table=severity.TABLES[told])
        raise ValueError(f"severity: neither a level nor one of {', '.join(severity.TABLES)}")
    if not isinstance(told, dict) or not told:
        raise ValueError("severity: a level, the name of a table, or a table")
    if set(told) <= set(severity.EXPOSURES):
        return Grading(table=severity.table(told))
    if any(level not in levels for level in told.values()):
        raise ValueError(f"severity: levels are {', '.join(levels)}")
    if all(name.isascii() and name.isdigit() for name in told):
        return Grading(steps=tuple(sorted((int(name), level) for name, level in told.items())))
    return Grading(places=_worst_first(told))


def _worst_first(told: Mapping[str, str]) -> dict[str, str]:
    return dict(sorted(told.items(), key=lambda pair: severity.LEVELS.index(pair[1])))

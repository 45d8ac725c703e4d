"""What changed since the report that was given as a baseline, in words and as a table of what is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .display import moment, number
from .findings import Findings
from .language import heads, joined, later, phrase, plural, text
from .model import Captured, Phrase, Table

HEAD = later(("Was", "Severity", "What", "User", "Times", "Last (UTC)"))


def changes(findings: Findings) -> list[Phrase]:
    """A paragraph on what is new, unchanged and gone; nothing where there is nothing to compare with."""
    if findings.baseline is None:
        return []
    told = findings.compared()
    return [
        phrase(
            "Compared with the report in {name} ({findings}): {new} new, {unchanged} unchanged, {gone} gone. A finding "
            "is the same when rule, user and endpoints are; that it is gone says only that these captures do not show "
            "it.",
            name=Captured(findings.baseline.name),
            findings=plural(len(findings.baseline), "finding"),
            new=number(told["new"]),
            unchanged=number(told["unchanged"]),
            gone=number(told["gone"]),
        )
    ]


def gone_table(findings: Findings, limit: int) -> Table:
    """Findings of the baseline that are not there any more; all that is told of them comes from its file."""
    rows: list[tuple[Phrase, ...]] = [
        (
            Captured(old.id),
            Captured(old.severity),
            Captured(old.title),
            Captured(old.username) if old.username else "-",
            number(old.instances_total),
            moment(old.last)[:19] if old.last else "-",
        )
        for old in findings.gone[:limit]
    ]
    left = len(findings.gone) - len(rows)
    note = plural(
        left,
        "more finding of the baseline is gone.",
        "more findings of the baseline are gone.",
        none="",
    )
    return Table(heads(HEAD), rows, note)


def marked(title: Phrase, record: Mapping[str, Any]) -> Phrase:
    """A finding's title, saying where it is new."""
    return joined(title, text(" (new)")) if record["change"] == "new" else title

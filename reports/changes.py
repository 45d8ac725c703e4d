"""What changed since the report that was given as a baseline, in words and as a table of what is gone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .display import moment, number, plural
from .findings import Findings
from .model import Captured, Phrase, Table

HEAD = ("Was", "Severity", "What", "User", "Times", "Last (UTC)")


def changes(findings: Findings) -> list[Phrase]:
    """A paragraph on what is new, unchanged and gone; nothing where there is nothing to compare with."""
    if findings.baseline is None:
        return []
    told = findings.compared()
    return [
        (
            "Compared with the report in ",
            Captured(findings.baseline.name),
            f" ({plural(len(findings.baseline), 'finding')}): {number(told['new'])} new, "
            f"{number(told['unchanged'])} unchanged, {number(told['gone'])} gone. A finding is the same when rule, "
            "user and endpoints are; that it is gone says only that these captures do not show it.",
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
    return Table(HEAD, rows, f"{plural(left, 'more finding')} of the baseline are gone." if left > 0 else "")


def marked(title: Phrase, record: Mapping[str, Any]) -> Phrase:
    """A finding's title, saying where it is new."""
    return (*((title,) if isinstance(title, str) else title), " (new)") if record["change"] == "new" else title

"""Display filters for Wireshark that show the packets of each kind of finding in the pcapng that was written."""

from __future__ import annotations

from .findings import Findings
from .inputs import Inputs
from .language import heads, later, text
from .model import Captured, Limits, Phrase, Table
from .wireshark.bundle import FINDING, literal

HEAD = later(("Shows", "Filter", "Findings"))


def filters_table(findings: Findings, inputs: Inputs, limits: Limits) -> Table:
    """One row for all findings, one for each rule that found anything; none where no pcapng was written."""
    head = heads(HEAD)
    if not len(findings) or not any(each.capture and each.capture.endswith(".pcapng") for each in inputs):
        return Table(head, [])
    counts: dict[str, int] = {}
    titles: dict[str, Phrase] = {}
    for position in range(len(findings)):
        rule = findings.rule(position)
        counts[rule.short] = counts.get(rule.short, 0) + 1
        titles.setdefault(rule.short, Captured(rule.title) if rule.own else text(rule.title))
    rows: list[tuple[Phrase, ...]] = [(text("Packets of all findings"), FINDING, f"{len(findings):,}")]
    rows += [(titles[short], Captured(of_rule(short)), f"{count:,}") for short, count in counts.items()]
    return Table(head, rows[: limits.rows])


def of_rule(short: str) -> str:
    """The frames whose comment names a rule by its short name."""
    return f'frame.comment matches "^syswire SW-[0-9]+ [a-z]+: {literal(short)}($|,| for | [0-9]+ for | .accepted)"'

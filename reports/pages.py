"""Further pages of the overview, for more findings than one page holds, and the index that leads to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from . import html, scope
from .cards import brief_name, row
from .display import number
from .findings import Findings
from .inputs import Inputs
from .language import text
from .model import SCREEN, Row


def overview_pages(
    findings: Findings, manifest: Mapping[str, Any], revealed: bool, rows: int = SCREEN.rows
) -> Iterator[tuple[str, bytes]]:
    """The files beside report.html that hold the findings beyond its overview: none when it holds all.

    Each stands for itself: no script, nothing loaded, links only to its neighbours, the index and the report.

    Args:
        findings: of the case.
        manifest: as in manifest.json.
        revealed: whether the pages say that they contain secrets.
        rows: of one page; report.html holds as many.

    Yields:
        Name and bytes: report-findings-0002.html and so on, then report-findings-index.html.
    """
    total = len(findings)
    if total <= rows:
        return
    inputs = Inputs(manifest)
    last = -(-total // rows)
    common = {"tlp": scope.tlp(manifest), "revealed": revealed, "several": len(inputs) > 1, "index": html.INDEX}
    for page in range(2, last + 1):
        positions = range((page - 1) * rows, min(page * rows, total))
        held = [_row(findings, position, inputs) for position in positions]
        title = text("Findings {first} to {last}", first=held[0].id, last=held[-1].id)
        before = "report.html" if page == 2 else _name(page - 1)
        after = _name(page + 1) if page < last else ""
        note = text(
            "Page {page} of {pages}: {count} of {total} findings.",
            page=number(page),
            pages=number(last),
            count=number(len(held)),
            total=number(total),
        )
        yield (
            _name(page),
            html.further(title, rows=held, note=note, before=before, after=after, listed=[], **common),
        )
    listed = [_entry(findings, page, rows) for page in range(1, last + 1)]
    note = text(
        "{total} findings on {pages} pages, by severity, then by time.", total=number(total), pages=number(last)
    )
    yield (
        html.INDEX,
        html.further(
            text("Index of findings"), rows=[], note=note, before="report.html", after="", listed=listed, **common
        ),
    )


def _name(page: int) -> str:
    return f"report-findings-{page:04d}.html"


def _row(findings: Findings, position: int, inputs: Inputs) -> Row:
    return row(findings.record(position), brief_name(findings, position), inputs, has_card=False)


def _entry(findings: Findings, page: int, rows: int) -> tuple[str, str, str, str]:
    """Of a page: its file, its first and last finding, and the severities between them."""
    start, end = (page - 1) * rows, min(page * rows, len(findings)) - 1
    levels = dict.fromkeys(findings.level(position) for position in range(start, end + 1))
    ids = findings.number(start), findings.number(end)
    return ("report.html" if page == 1 else _name(page), *ids, text(", ").join(text(level) for level in levels))

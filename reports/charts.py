"""Charts as inline SVG, made from numbers alone.

Colours are presentation attributes, because the page's content policy forbids style attributes; classes let the
screen's style sheet change them for a dark page. Every chart carries its description for those who do not see it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from .display import number, visible

INK, SOFT, GRID = "#1b2733", "#5b6b7b", "#d8dfe6"
FONT = "DejaVu Sans, Verdana, sans-serif"
LABEL = 22
TONES = {
    "critical": "#8f1022",
    "high": "#c2410c",
    "medium": "#a16207",
    "low": "#2f6f8f",
    "info": "#64748b",
    "plain": "#2a6fa8",
    "good": "#2f7d4f",
    "missing": "#e07b39",
}


class Bar(NamedTuple):
    """One bar: what it is, how much, what is written behind it, its tone (of TONES)."""

    label: str
    value: int
    text: str
    tone: str


class Column(NamedTuple):
    """One interval: its total, of which these many are marked in each series."""

    total: int
    missing: int
    failed: int


def bars(name: str, description: str, rows: Sequence[Bar], *, label_width: int = 92, width: int = 340) -> Markup:
    """Horizontal bars, lengths in proportion to the greatest value."""
    height = 21 * len(rows) + 4
    room = width - label_width - 70
    most = max((row.value for row in rows), default=0) or 1
    parts = []
    for at, row in enumerate(rows):
        y = 21 * at + 3
        length = max(row.value / most * room, 2 if row.value else 0)
        label = visible(row.label)
        label = label if len(label) <= LABEL else label[: LABEL - 1] + "\u2026"
        parts.append(_text(label_width - 8, y + 12, label, anchor="end"))
        if length:
            parts.append(
                f'<rect class="{row.tone}" x="{label_width}" y="{y}" width="{length:.1f}" height="16" rx="2" '
                f'fill="{TONES[row.tone]}"/>'
            )
        parts.append(_text(label_width + length + 6, y + 12, row.text, bold=True))
    return _frame(name, description, width, height, parts)


def columns(
    name: str,
    description: str,
    rows: Sequence[Column],
    ticks: Sequence[tuple[float, str]],
    *,
    width: int = 700,
    height: int = 150,
) -> Markup:
    """Columns over time. Marked parts stand at the foot of each column. `ticks`: place from 0 to 1, and text."""
    left, bottom, top = 44, 24, 8
    room, tall = width - left - 8, height - bottom - top
    most = _round_up(max((row.total for row in rows), default=0) or 1)
    step = room / max(len(rows), 1)
    parts = []
    for share in (0, 0.5, 1):
        y = top + tall * (1 - share)
        parts.append(
            f'<line class="grid" x1="{left}" y1="{y:.1f}" x2="{width - 8}" y2="{y:.1f}" stroke="{GRID}" '
            'stroke-width="1"/>'
        )
        parts.append(_text(left - 6, y + 3, number(round(most * share)), anchor="end"))
    for at, row in enumerate(rows):
        x, wide = left + at * step, max(step - (1 if step > 3 else 0), 0.6)
        below = 0
        for value, tone in (
            (row.failed, "critical"),
            (row.missing, "high"),
            (row.total - row.missing - row.failed, "plain"),
        ):
            if value > 0:
                tall_part = max(value / most * tall, 1.2)
                y = top + tall - below / most * tall - tall_part
                parts.append(
                    f'<rect class="{tone}" x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall_part:.1f}" '
                    f'fill="{TONES[tone]}"/>'
                )
                below += value
    for share, text in ticks:
        anchor = "start" if share < 0.1 else "end" if share > 0.9 else "middle"
        parts.append(_text(left + share * room, height - 8, text, anchor=anchor))
    return _frame(name, description, width, height, parts)


def _round_up(value: int) -> int:
    """The next number of the form 2, 4, 10, 20, 40, 100, ... so that half of it is whole."""
    base = 1
    while True:
        for factor in (2, 4, 6, 8, 10):
            if value <= base * factor:
                return base * factor
        base *= 10


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text class="{"ink" if bold else "soft"}" x="{x:.1f}" y="{y:.1f}" font-family="{FONT}" font-size="9.5" '
        f'text-anchor="{anchor}"{weight} fill="{INK if bold else SOFT}">{escape(text)}</text>'
    )


def _frame(name: str, description: str, width: int, height: int, parts: Sequence[str]) -> Markup:
    return Markup(
        f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" aria-labelledby="{name}-title">'
        f'<title id="{name}-title">{escape(description)}</title>{"".join(parts)}</svg>'
    )

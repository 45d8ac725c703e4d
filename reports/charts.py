"""Charts as inline SVG, made from numbers alone.

Colours are presentation attributes, because the page's content policy forbids style attributes; classes let the
screen's style sheet change them for a dark page. Every chart carries its description for those who do not see it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from .display import size, visible

INK, SOFT, GRID = "#1b2733", "#5b6b7b", "#d8dfe6"
FONT = "DejaVu Sans, Verdana, sans-serif"
LABEL = 22
NAME = 26
LINE = 15
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
STYLES = {"clear": ("high", ""), "encrypted": ("good", "7 4"), "unknown": ("info", "2 3")}
"""Of a line: its tone, and its dashes, so that colour alone tells nothing."""
SLOT = 24


class Bar(NamedTuple):
    """One bar: what it is, how much, what is written behind it, its tone (of TONES)."""

    label: str
    value: int
    text: str
    tone: str


class Column(NamedTuple):
    """One interval: how much, and how many of each kind are marked above it."""

    value: int
    missing: int
    failed: int


class Edge(NamedTuple):
    """Who talked to whom: the two names, what is written between them, its weight, and the style of its line."""

    left: str
    right: str
    text: str
    value: int
    style: str


def bars(name: str, description: str, rows: Sequence[Bar], *, label_width: int = 92, width: int = 340) -> Markup:
    """Horizontal bars, lengths in proportion to the greatest value."""
    height = 21 * len(rows) + 4
    room = width - label_width - 70
    most = max((row.value for row in rows), default=0) or 1
    parts = []
    for at, row in enumerate(rows):
        y = 21 * at + 3
        length = max(row.value / most * room, 2 if row.value else 0)
        parts.append(_text(label_width - 8, y + 12, _cut(row.label, LABEL), anchor="end"))
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
    """Bytes over time. A triangle above a column marks 404s in it, a diamond server errors.

    `ticks`: place from 0 to 1, and text.
    """
    left, bottom, top = 62, 24, 18
    room, tall = width - left - 8, height - bottom - top
    most = max((row.value for row in rows), default=0) or 1
    step = room / max(len(rows), 1)
    parts = []
    for share in (0, 0.5, 1):
        y = top + tall * (1 - share)
        parts.append(
            f'<line class="grid" x1="{left}" y1="{y:.1f}" x2="{width - 8}" y2="{y:.1f}" stroke="{GRID}" '
            'stroke-width="1"/>'
        )
        parts.append(_text(left - 6, y + 3, size(round(most * share)), anchor="end"))
    for at, row in enumerate(rows):
        x, wide = left + at * step, max(step - (1 if step > 3 else 0), 0.6)
        if row.value > 0:
            length = max(row.value / most * tall, 1.2)
            parts.append(
                f'<rect class="plain" x="{x:.1f}" y="{top + tall - length:.1f}" width="{wide:.1f}" '
                f'height="{length:.1f}" fill="{TONES["plain"]}"/>'
            )
        middle = x + wide / 2
        if row.missing:
            points = f"{middle - 3.5:.1f},1 {middle + 3.5:.1f},1 {middle:.1f},7.5"
            parts.append(f'<polygon class="high" points="{points}" fill="{TONES["high"]}"/>')
        if row.failed:
            points = f"{middle:.1f},8.5 {middle + 3.5:.1f},12 {middle:.1f},15.5 {middle - 3.5:.1f},12"
            parts.append(f'<polygon class="critical" points="{points}" fill="{TONES["critical"]}"/>')
    for share, text in ticks:
        anchor = "start" if share < 0.1 else "end" if share > 0.9 else "middle"
        parts.append(_text(left + share * room, height - 8, text, anchor=anchor))
    return _frame(name, description, width, height, parts)


def edges(name: str, description: str, rows: Sequence[Edge], *, width: int = 700) -> Markup:
    """Who talked to whom: names at both sides, a line for each pair with what it carried in the middle.

    Every line has a slot of its own in the middle, so no two texts can stand on each other.
    """
    height = SLOT * len(rows) + 8
    middle, half, side = width / 2, 108, 168
    most = max((row.value for row in rows), default=0) or 1
    slots = [SLOT * at + SLOT / 2 + 4 for at in range(len(rows))]
    lefts = _spread([(row.left, y) for row, y in zip(rows, slots, strict=True)], height)
    rights = _spread([(row.right, y) for row, y in zip(rows, slots, strict=True)], height)
    parts = []
    for row, y in zip(rows, slots, strict=True):
        tone, dashes = STYLES[row.style]
        thick = 1.2 + 3.8 * math.log1p(row.value) / math.log1p(most)
        look = f'class="line {tone}" fill="none" stroke="{TONES[tone]}" stroke-width="{thick:.1f}"'
        look += f' stroke-dasharray="{dashes}"' if dashes else ""
        begin, end = side + 4, width - side - 4
        for x, from_, to, until in (
            (begin, lefts[row.left], y, middle - half),
            (middle + half, y, rights[row.right], end),
        ):
            bend = (x + until) / 2
            curve = f"{bend:.1f} {from_:.1f} {bend:.1f} {to:.1f} {until:.1f} {to:.1f}"
            parts.append(f'<path {look} d="M{x:.1f} {from_:.1f}C{curve}"/>')
        parts.append(_text(middle, y + 3, row.text, anchor="middle"))
    parts += [_text(side, y + 3, _cut(label), anchor="end", bold=True) for label, y in lefts.items()]
    parts += [_text(width - side, y + 3, _cut(label), bold=True) for label, y in rights.items()]
    return _frame(name, description, width, height, parts)


def _spread(wanted: Sequence[tuple[str, float]], height: int) -> dict[str, float]:
    """Where each name stands: in the middle of its lines, and none nearer to another than a line of text."""
    at: dict[str, list[float]] = {}
    for name, y in wanted:
        at.setdefault(name, []).append(y)
    names = sorted(at, key=lambda name: sum(at[name]) / len(at[name]))
    places: list[float] = []
    for name in names:
        y = sum(at[name]) / len(at[name])
        places.append(max(y, places[-1] + LINE) if places else y)
    limit = float(height - LINE / 2)
    for index in range(len(places) - 1, -1, -1):
        places[index] = min(places[index], limit)
        limit = places[index] - LINE
    return dict(zip(names, places, strict=True))


def _cut(label: str, limit: int = NAME) -> str:
    label = visible(label)
    return label if len(label) <= limit else label[: limit - 1] + "\u2026"


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

"""A report as a reader has it: its tables by their captions, its figures, its facts, taken from the HTML alone."""

from __future__ import annotations

from collections import defaultdict
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

Row = list[str]


class Table(NamedTuple):
    """A table's head and its rows, as text."""

    head: Row
    rows: list[Row]

    def dicts(self) -> list[dict[str, str]]:
        """Each row by the heads of its columns."""
        return [dict(zip(self.head, row, strict=True)) for row in self.rows]


class Report(HTMLParser):
    """A page, read once."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, Table] = {}
        """By caption; of several with one caption, such as the cards' pointers, the last."""
        self.facts: list[dict[str, str]] = []
        """Tables of labels and values, in the order of the page."""
        self.figures: dict[str, str] = {}
        """Values of the key figures by their labels."""
        self.terms: dict[str, str] = {}
        self.lists: dict[str, list[str]] = defaultdict(list)
        self.words = ""
        self._caption: str | None = None
        self._rows: list[tuple[list[bool], Row]] = []
        self._into: list[str] | None = None
        self._skip = self._label = False
        self._value = self._term = ""
        self.feed(page)
        self.close()

    @classmethod
    def read(cls, directory: Path) -> Report:
        """The report of a case."""
        return cls((directory / "report.html").read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        kind = dict(attrs).get("class") or ""
        if tag in ("style", "title"):
            self._skip = True
        elif tag == "table":
            self._caption, self._rows = None, []
        elif tag == "tr":
            self._rows.append(([], []))
        elif tag in ("td", "th") and self._rows:
            self._rows[-1][0].append(tag == "th")
            self._into = []
        elif tag in ("caption", "dt", "dd") or (tag == "span" and kind in ("value", "label")):
            self._into, self._label = [], kind == "label"
        elif tag == "br" and self._into is not None:
            self._into.append(" ")

    def handle_endtag(self, tag: str) -> None:
        said = "".join(self._into or ()).strip()
        if tag in ("style", "title"):
            self._skip = False
        elif tag in ("td", "th") and self._rows:
            self._rows[-1][1].append(said)
        elif tag == "caption":
            self._caption = said
        elif tag == "table":
            self._table()
        elif tag == "dt":
            self._term = said
        elif tag == "dd":
            self.terms[self._term] = said
        elif tag == "span" and self._into is not None and self._caption is None and not self._rows:
            if self._label:
                self.figures[said] = self._value
            elif said:
                self._value = said
        if tag in ("td", "th", "caption", "dt", "dd"):
            self._into = None

    def _table(self) -> None:
        rows = [cells for _, cells in self._rows]
        if self._caption is not None:
            self.tables[self._caption] = Table(rows[0], rows[1:])
        else:
            pairs = {
                cells[at]: cells[at + 1]
                for heads, cells in self._rows
                for at in range(0, len(cells) - 1, 2)
                if heads[at]
            }
            self.facts.append(pairs)
        self._caption, self._rows = None, []

    def handle_data(self, data: str) -> None:
        if self._skip:
            return
        self.words += data
        if self._into is not None:
            self._into.append(data)

    def table(self, caption: str) -> Table:
        """A table; empty where the report has none of that caption."""
        return self.tables.get(caption, Table([], []))

    def fact(self, label: str) -> list[str]:
        """The values of all facts of that label."""
        return [facts[label] for facts in self.facts if label in facts]


def whole(text: str) -> int:
    """A number as the report spells it: `1,234`."""
    return int(text.replace(",", ""))


def size(count: int) -> str:
    """Bytes as the report spells them: one digit behind the point, in steps of 1,000."""
    if count < 1000:
        return f"{count} bytes"
    value, at = float(count), 0
    while value >= 1000 and at < 4:
        value, at = value / 1000, at + 1
    return f"{value:,.1f} {('', 'KB', 'MB', 'GB', 'TB')[at]}"

"""Charts as SVG: what they draw follows from the numbers, worked out by hand; nothing in them can break out."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pytest

from syswire.reports import document, model, scope
from syswire.reports.charts import Bar, Column, Edge, bars, columns, edges
from syswire.reports.filters import of_rule
from syswire.reports.findings import judge

from .case import Case, lamp, tcp

SVG = "{http://www.w3.org/2000/svg}"


def drawn(svg: str, tag: str) -> list[ElementTree.Element]:
    return list(ElementTree.fromstring(svg).iter(SVG + tag))


def words(svg: str) -> list[str]:
    return [element.text or "" for element in drawn(svg, "text")]


def test_bars_are_in_proportion() -> None:
    svg = bars("b", "said", [Bar("a", 200, "200", "high"), Bar("b", 100, "100", "low"), Bar("c", 0, "0", "info")])
    lengths = [float(rect.get("width", "0")) for rect in drawn(svg, "rect")]
    assert lengths == [178.0, 89.0]  # 340 less 92 and 70; nothing of nothing
    assert words(svg) == ["a", "200", "b", "100", "c", "0"]
    assert [title.text for title in drawn(svg, "title")] == ["said"]


def test_marks_stand_over_their_columns_in_shapes_of_their_own() -> None:
    svg = columns("t", "said", [Column(1_000, 0, 0), Column(500, 3, 0), Column(0, 0, 1)], [(0, "a"), (1, "b")])
    heights = [float(rect.get("height", "0")) for rect in drawn(svg, "rect")]
    assert heights == [108.0, 54.0]
    corners = {shape.get("class"): len(shape.get("points", "").split()) for shape in drawn(svg, "polygon")}
    assert corners == {"high": 3, "critical": 4}
    assert words(svg)[:3] == ["0 bytes", "500 bytes", "1.0 KB"]


def test_edges_have_lines_of_their_own_and_no_text_on_another() -> None:
    rows = [
        Edge("10.0.0.1", "10.0.0.9:80", "http, in clear, 9 bytes", 9, "clear"),
        Edge("10.0.0.1", "10.0.0.9:443", "tls, encrypted, 5 bytes", 5, "encrypted"),
        Edge("10.0.0.2", "10.0.0.9:80", "tcp, not known, 1 bytes", 1, "unknown"),
    ]
    svg = edges("m", "said", rows)
    lines = drawn(svg, "path")
    assert len(lines) == 6  # to the text in the middle, and on from it
    assert [line.get("stroke-dasharray") for line in lines[::2]] == [None, "7 4", "2 3"]
    widths = [float(line.get("stroke-width", "0")) for line in lines[::2]]
    assert widths == sorted(widths, reverse=True) and widths[0] == 5.0
    assert sorted(words(svg)) == sorted(
        [*(row.text for row in rows), "10.0.0.1", "10.0.0.2", "10.0.0.9:80", "10.0.0.9:443"]
    )
    places = [(element.get("text-anchor"), float(element.get("y", "0"))) for element in drawn(svg, "text")]
    for anchor in ("start", "middle", "end"):
        ys = sorted(y for side, y in places if side == anchor)
        assert all(later - earlier >= 15 for earlier, later in pairwise(ys))


@pytest.mark.parametrize("count", [1, 12])
def test_names_never_leave_the_map(count: int) -> None:
    svg = edges("m", "said", [Edge(f"c{at}", f"s{at % 5}", "x", at, "clear") for at in range(count)])
    height = float(ElementTree.fromstring(svg).get("height", "0"))
    assert all(0 < float(element.get("y", "0")) < height for element in drawn(svg, "text"))


def test_hostile_names_stay_text() -> None:
    name = "</text><script>alert(1)</script>\u202e" + "A" * 400
    for svg in (
        bars("b", name, [Bar(name, 1, name[:20], "high")]),
        edges("m", name, [Edge(name, name, "x", 1, "clear")]),
    ):
        assert not drawn(svg, "script")
        assert "\u202e" not in "".join(words(svg))
        assert all(len(word) <= 40 for word in words(svg))


def test_who_talked_to_whom_is_capped_and_says_so(tmp_path: Path) -> None:
    case = Case()
    for number in range(30):
        stream = case.stream(tcp(f"10.0.0.{number + 1}", 4_000), tcp("10.0.1.9", 80), up=100 + number)
        case.streams[stream - 1] |= {"protocols": ["tls"] if number % 2 else [], "encrypted": bool(number % 2)}
    manifest = case.write(tmp_path)
    report = document.build(manifest, judge(tmp_path, manifest), model.SCREEN, revealed=False)
    chart = report.pairs_chart
    assert chart is not None
    assert chart.title == "Who talked to whom: the 12 pairs with most payload"
    said = words(chart.svg)
    assert {"tls, encrypted, 5.1 KB", "tcp, not known, 5.1 KB"} <= set(said)
    assert "10.0.0.30" in said and "10.0.0.18" not in said
    assert len(report.pairs.rows) == 30


def test_custody_is_what_the_examiner_told_or_not_stated(tmp_path: Path) -> None:
    case = lamp()
    case.case = {"client": "Shop", "acquired_by": "J. Doe", "clock": "NTP, +0.8 ms", "ticket": "4711"}
    manifest = case.write(tmp_path)
    assert dict(scope.custody(manifest)) == {
        "Acquired by": "J. Doe",
        "Acquired": "not stated",
        "Received": "not stated",
        "Storage": "not stated",
        "Clock": "NTP, +0.8 ms",
    }
    report = document.build(manifest, judge(tmp_path, manifest), model.PAPER, revealed=False)
    labels = [label for label, _ in report.case]
    assert labels[:2] == ["Prepared for", "Ticket"] and "Acquired_by" not in labels
    assert [section.number for section in report.sections] == list(range(1, 13))
    assert len({section.anchor for section in report.sections}) == 12


def test_filters_take_a_rule_s_own_findings_alone() -> None:
    told = re.search(r'matches "(.*)"$', of_rule("token"))
    assert told is not None
    shown = re.compile(told[1])
    assert shown.search("syswire SW-0001 high: token, user bob")
    assert shown.search("syswire SW-0001 high: token, no user name (accepted risk)")
    assert not shown.search("syswire SW-0002 high: token in HTTP, user bob")
    told = re.search(r'matches "(.*)"$', of_rule("HTTP server error"))
    assert told is not None and re.search(told[1], "syswire SW-0010 low: HTTP server error 503 for /x")

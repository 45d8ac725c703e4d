"""Accepted risks: what they name, until when, and that nothing is gone in silence."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from syswire.convert.errors import UsageError
from syswire.reports import document, html, model
from syswire.reports.findings import Findings, accepted, judge
from syswire.reports.findings.table import RULES

from .case import lamp

NAMES = frozenset(rule.id for rule in RULES)
TODAY = date(2026, 11, 23)
WHO = 'reason = "test account"\nby = "M. Example"\n'


def read(folder: Path, text: str) -> accepted.Accepted:
    file = folder / "accepted.toml"
    file.write_text(text, "utf-8")
    return accepted.read(file, NAMES, lambda: TODAY)


def entry(what: str, expires: str = "2026-11-23") -> str:
    return f"[[accepted]]\n{what}\n{WHO}expires = {expires}\n"


def judged(folder: Path, text: str) -> Findings:
    return judge(folder, lamp().write(folder), accepted=read(folder, text))


FORM = 'rule = "http-form-password"\nserver = "203.0.113.9:80"'


@pytest.mark.parametrize(
    ("text", "worst", "levels"),
    [
        (entry(FORM), "low", [0, 0, 0, 2, 1]),
        (entry(FORM + '\nuser = "alice"'), "low", [0, 0, 0, 2, 1]),
        (entry(FORM + '\nuser = "bob"'), "critical", [1, 0, 0, 2, 1]),
        (entry('rule = "http-basic"\nserver = "203.0.113.9:80"'), "critical", [1, 0, 0, 2, 1]),
        (entry(FORM, "2026-11-22"), "critical", [1, 0, 0, 2, 1]),
        (entry(FORM, '"2026-12-01"'), "low", [0, 0, 0, 2, 1]),
    ],
)
def test_what_counts(tmp_path: Path, text: str, worst: str, levels: list[int]) -> None:
    findings = judged(tmp_path, text)
    assert findings.worst() == worst
    assert list(findings.by_level().values()) == levels
    assert len(findings) == 4, "none is gone"
    assert [findings.record(at)["id"] for at in range(4)] == ["SW-0001", "SW-0002", "SW-0003", "SW-0004"]


def test_by_key(tmp_path: Path) -> None:
    key = judge(tmp_path, lamp().write(tmp_path)).record(0)["key"]
    findings = judged(tmp_path, entry(f'key = "{key}"'))
    assert findings.record(0)["ignored"] == {"reason": "test account", "by": "M. Example", "expires": "2026-11-23"}
    assert [findings.record(at)["ignored"] for at in (1, 2, 3)] == [None] * 3
    comments = findings.frame_comments(0)
    assert next(iter(comments.values()))
    told = [line for lines in comments.values() for line in lines if "SW-0001" in line]
    assert told[0] == "syswire SW-0001 critical: password in a form (accepted risk), user alice"


def test_the_report_lists_them(tmp_path: Path) -> None:
    manifest = lamp().write(tmp_path)
    text = entry(FORM) + entry('rule = "http-basic"\nserver = "127.0.0.1:80"', "2026-01-31")
    risks = read(tmp_path, text)
    assert list(risks.told()) == [
        "accepted.toml, line 7: expired on 2026-01-31 and does not apply: http-basic at 127.0.0.1:80"
    ]
    findings = judge(tmp_path, manifest, accepted=risks)
    report = document.build(manifest, findings, model.SCREEN, revealed=False)
    assert [tuple(map(str, row)) for row in report.accepted.rows] == [
        (
            *("SW-0001", "critical", "Password in a web form sent without encryption", "test account", "M. Example"),
            "2026-11-23",
        ),
        (
            *("none", "-", "http-basic at 127.0.0.1:80", "test account", "M. Example"),
            "2026-01-31: over, so it does not apply",
        ),
    ]
    said = ["".join(paragraph) for paragraph in report.summary]
    assert said[0].endswith("3 findings came of it: 2 low and 1 info.")
    assert "1 more finding is an accepted risk: listed with the reason, and in none of these figures." in said
    assert said[1].startswith("1 password of root was sent without encryption to 127.0.0.1:80.")
    page = html.render(report).decode()
    assert "(accepted risk)" in page and "test account" in page


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "has no [[accepted]]"),
        ("x = 1", "x: a file of accepted risks consists of [[accepted]] tables"),
        (entry('key = "12"'), "line 1: accepted number 1: key: the 16 digits"),
        (entry('key = "0123456789abcdef"\nuser = "a"'), "key: the 16 digits"),
        (entry('rule = "nothing"\nserver = "a"'), "rule: there is no rule 'nothing'"),
        (entry('rule = "http-404"'), "server: a text of 1 to 400 characters"),
        (entry('server = "a"'), "either key, or rule and server"),
        (entry(FORM, '"soon"'), "expires: a date such as 2027-01-31"),
        (f"[[accepted]]\n{FORM}\n{WHO}", "expires: a date such as 2027-01-31"),
        (f"[[accepted]]\n{FORM}\nby = 'x'\nexpires = 2026-11-23", "reason: a text of 1 to 1000"),
        ("\n" + entry(FORM) + entry('what = "a"'), "line 8: accepted number 2: what: no such field"),
    ],
)
def test_what_is_not_valid_is_told(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(UsageError) as caught:
        read(tmp_path, text)
    assert str(caught.value).startswith(str(tmp_path / "accepted.toml"))
    assert told in str(caught.value)


@pytest.mark.parametrize("epoch", ["1795478400", "1795564799"])
def test_the_day_is_that_of_source_date_epoch(monkeypatch: pytest.MonkeyPatch, epoch: str) -> None:
    """First and last second of a day in UTC, by date(1)."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    assert accepted.today() == date(2026, 11, 24)

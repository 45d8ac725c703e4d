"""Comparing with an earlier report: what is new, unchanged and gone, by key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syswire.convert.errors import UsageError
from syswire.reports import document, html
from syswire.reports.findings import baseline, judge
from syswire.reports.findings.baseline import Baseline, Old
from syswire.reports.model import SCREEN

from .case import lamp


def old(key: str, **more: object) -> Old:
    return Old(key=key, **more)  # type: ignore[arg-type]


def made(*keys: str) -> Baseline:
    return Baseline("before", "", [old(key, id=f"SW-{at:04d}") for at, key in enumerate(keys, 1)])


def test_new_unchanged_and_gone() -> None:
    compared = made("a", "b", "c")
    assert compared.changes(["b", "d", "a"]) == ["unchanged", "new", "unchanged"]
    assert [gone.id for gone in compared.gone(["b", "d", "a"])] == ["SW-0003"]


def test_as_many_of_one_key_as_there_were() -> None:
    """Two passwords of one user have one key: a third is new, and one fewer is one gone."""
    compared = made("a", "a")
    assert compared.changes(["a", "a", "a"]) == ["unchanged", "unchanged", "new"]
    assert [gone.id for gone in compared.gone(["a"])] == ["SW-0002"]


def test_read_what_report_wrote(tmp_path: Path) -> None:
    lines = [
        {"id": "SW-0001", "key": "k1", "severity": "high", "title": "T", "username": None, "instances_total": 3,
         "last": "2025-11-20T09:00:00.000000000Z", "hops": None},
        {"id": "SW-0002", "key": "k2"},
    ]  # fmt: skip
    (tmp_path / "findings.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    found = baseline.read(tmp_path)
    assert len(found) == 2
    assert [(gone.id, gone.severity, gone.instances_total) for gone in found.gone(["k2"])] == [("SW-0001", "high", 3)]


def test_the_report_tells_of_it(tmp_path: Path) -> None:
    """The login was there, the other three findings were not, and one is gone."""
    manifest = lamp().write(tmp_path)
    findings = judge(tmp_path, manifest)
    key = findings.record(0)["key"]
    findings.compare(Baseline("before", "", [old(key), old("0" * 16, id="SW-0009", severity="low", title="<b>Gone")]))
    assert [findings.record(position)["change"] for position in range(4)] == ["unchanged", "new", "new", "new"]
    text = html.render(document.build(manifest, findings, SCREEN, revealed=False)).decode()
    assert "Compared with the report in before (2 findings): 3 new, 1 unchanged, 1 gone." in text
    assert text.count(" (new)</td>") == 3
    assert "<td>SW-0009</td><td>low</td><td>&lt;b&gt;Gone</td>" in text


@pytest.mark.parametrize("line", [b"[]", b"{}", b"\xff", b'{"key": 1}', b"{"])
def test_a_line_that_is_no_finding(tmp_path: Path, line: bytes) -> None:
    (tmp_path / "findings.jsonl").write_bytes(b'{"key":"k"}\n' + line + b"\n")
    with pytest.raises(UsageError, match=r"line 2: not a finding"):
        baseline.read(tmp_path)


def test_no_report_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"findings\.jsonl: No such file"):
        baseline.read(tmp_path)

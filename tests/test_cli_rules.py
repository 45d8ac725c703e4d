"""`report --rules` and `report --ignore`, from the command line to the files, on the sample."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from support.command import listing, one_line, run
from support.made import SAMPLE

RULES = """
[[rule]]
id = "word-admin"
title = "Addresses with the word admin"
severity = "low"
match = { protocol = "http", field = "request.target", keyword = "ADMIN" }

[[rule]]
id = "mysql-words"
title = "Queries of users"
severity = "medium"
match = { field = "query.text", expression = '(select|update).*users' }
"""


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("converted") / "case"
    assert run("convert", SAMPLE, "-o", folder, "--no-pcapng").returncode == 0
    return folder


def found(folder: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder / "findings.jsonl").read_text("utf-8").splitlines()]


def test_rules(converted: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(RULES)
    done = run("report", converted, "-o", tmp_path / "a", "--format", "jsonl,html", "--rules", tmp_path / "mine.toml")
    assert (done.returncode, done.stderr) == (0, "")
    lines = (converted / "act1.annotations.jsonl").read_text("utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    targets = [
        record["request"]["target"] for record in records if record["type"] == "http" and record["request"] is not None
    ]
    words = {one["rule"]: one for one in found(tmp_path / "a") if one["kind"] == "pattern"}
    total = sum(one["instances_total"] for one in found(tmp_path / "a") if one["rule"] == "word-admin")  # type: ignore[misc]
    assert total == sum("admin" in target.lower() for target in targets) > 0
    assert {str(one["severity"]) for one in words.values()} <= {"low", "medium"}
    manifest = json.loads((tmp_path / "a" / "manifest.json").read_bytes())
    digest = hashlib.sha256(RULES.encode()).hexdigest()
    assert manifest["options"]["rules"] == {"name": "mine.toml", "sha256": digest}
    page = (tmp_path / "a" / "report.html").read_text("utf-8")
    assert "Addresses with the word admin" in page and "--rules mine.toml" in page


def test_ignore(converted: Path, tmp_path: Path) -> None:
    assert run("report", converted, "-o", tmp_path / "a", "--format", "jsonl").returncode == 0
    before = found(tmp_path / "a")
    keys = {str(one["key"]) for one in before if one["severity"] in ("critical", "high", "medium")}
    text = "".join(
        f'[[accepted]]\nkey = "{key}"\nreason = "known"\nby = "me"\nexpires = 2027-01-31\n' for key in sorted(keys)
    )
    (tmp_path / "risks.toml").write_text(text)
    words = ("report", converted, "--format", "jsonl", "--ignore", tmp_path / "risks.toml", "--fail-on", "medium")
    environment = {"SOURCE_DATE_EPOCH": "1795478400"}  # 2026-11-24
    done = run(*words, "-o", tmp_path / "b", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    after = found(tmp_path / "b")
    assert [one["id"] for one in after] == [one["id"] for one in before]
    assert {one["key"] for one in after if one["ignored"]} == keys
    late = run(*words, "-o", tmp_path / "c", env={"SOURCE_DATE_EPOCH": "1801440000"})  # 2027-02-01
    assert late.returncode == 1
    assert late.stderr.count("expired on 2027-01-31 and does not apply") == len(keys)
    assert run(*words, "-q", "-o", tmp_path / "d", env={"SOURCE_DATE_EPOCH": "1801440000"}).stderr == ""


@pytest.mark.parametrize(
    ("switch", "text", "told"),
    [
        ("--rules", "[[rule]]\nid = 'a'\n", "line 1: rule a: exactly one of match, when and statuses"),
        ("--rules", None, "No such file"),
        ("--ignore", "[[accepted]]\nkey = 1\n", "line 1: accepted number 1: key: a text"),
        ("--ignore", "=", "is no TOML: Invalid statement (at line 1, column 1)"),
    ],
)
def test_a_file_that_is_not_right_stops_the_run(tmp_path: Path, switch: str, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / "mine.toml").write_text(text)
    done = run("report", SAMPLE, "-o", tmp_path / "case", switch, tmp_path / "mine.toml")
    assert done.returncode == 2
    assert told in one_line(done) and str(tmp_path / "mine.toml") in one_line(done)
    assert listing(tmp_path) <= {"mine.toml"}

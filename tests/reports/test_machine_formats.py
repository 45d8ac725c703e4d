"""SARIF, OCSF, the timeline and the schema of findings.jsonl: valid by what others published, and true of the case."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import jsonschema
import pytest
from py_ocsf_models.events.findings.detection_finding import DetectionFinding

from syswire.reports.export import jsonl, ocsf, sarif, timesketch
from syswire.reports.findings import judge

from .case import START, Case, lamp, tcp

Write = Callable[..., None]
HOSTILE = ("=cmd|' /C calc'!A1", "<script>\u202e\x00", "B" * 3000, '"},{"id":0', "\ud7ff\U0001f9ff")


def written(directory: Path, write: Write, case: Case, *, revealed: bool = False) -> bytes:
    manifest = case.write(directory)
    out: BinaryIO = io.BytesIO()
    write(out, judge(directory, manifest), manifest, revealed=revealed)
    assert isinstance(out, io.BytesIO)
    return out.getvalue()


def hostile() -> Case:
    case = lamp()
    stream = case.stream(tcp("198.51.100.7", 5), tcp("203.0.113.9", 80))
    for number, text in enumerate(HOSTILE):
        post = case.exchange(stream, f"/{text}", 500, headers=[["X", text]])
        case.sighting(stream, post, text, fingerprint=f"{number:012x}")
    return case


@pytest.fixture(scope="module")
def published(root: Path) -> Any:
    path = root / ".venv" / "npm" / "sarif-2.1.0.json"
    if not path.is_file():
        pytest.skip("the published schema of SARIF is not here (scripts/setup-npm)")
    return json.loads(path.read_text("utf-8"))


def test_sarif_is_valid(tmp_path: Path, published: Any) -> None:
    log = json.loads(written(tmp_path, sarif.write, hostile()))
    validator = jsonschema.validators.validator_for(published)(published)
    assert [error.message for error in validator.iter_errors(log)] == []
    del log["runs"][0]["tool"]
    assert not validator.is_valid(log), "the schema can refuse"


def test_sarif_says_what_was_found(tmp_path: Path) -> None:
    (run,) = json.loads(written(tmp_path, sarif.write, lamp()))["runs"]
    assert [result["level"] for result in run["results"]] == ["error", "note", "note", "note"]
    login = run["results"][0]
    assert run["tool"]["driver"]["rules"][login["ruleIndex"]]["id"] == login["ruleId"] == "http-form-password"
    assert login["occurrenceCount"] == 3
    assert "user alice: 198.51.100.7:40000 to 203.0.113.9:80 (httpd [801])" in login["message"]["text"]
    assert len(login["locations"]) == 3
    place = login["locations"][0]
    assert run["artifacts"][place["physicalLocation"]["artifactLocation"]["index"]] == {
        "location": {"uri": "./act1.scap"},
        "roles": ["analysisTarget"],
        "length": 123_456,
        "hashes": {"sha-256": "11" * 32},
    }
    # The case numbers events by ten and gives each frame 4096 bytes of its file.
    assert place["physicalLocation"]["region"]["byteOffset"] == 4096 * place["properties"]["frame"]
    assert place["properties"]["event"] == 10 * place["properties"]["frame"]
    assert "secret" not in login["properties"]


def test_sarif_without_findings(tmp_path: Path) -> None:
    assert json.loads(written(tmp_path, sarif.write, Case()))["runs"][0]["results"] == []


def test_ocsf_is_valid(tmp_path: Path) -> None:
    lines = written(tmp_path, ocsf.write, hostile()).splitlines()
    assert len(lines) == 4 + 2 * len(HOSTILE)
    for line in lines:
        DetectionFinding.model_validate_json(line)


def test_ocsf_says_what_was_found(tmp_path: Path) -> None:
    events = [json.loads(line) for line in written(tmp_path, ocsf.write, lamp()).splitlines()]
    first = events[0]
    assert (first["class_uid"], first["type_uid"], first["severity_id"], first["count"]) == (2004, 200401, 5, 3)
    assert first["start_time"] == (START + 60) * 1000
    assert first["end_time"] == (START + 260) * 1000
    evidence = first["evidences"][0]
    assert evidence["src_endpoint"] == {"ip": "198.51.100.7", "port": 40000}
    assert evidence["dst_endpoint"] == {"ip": "203.0.113.9", "port": 80}
    assert evidence["process"]["pid"] == 801
    assert evidence["data"]["sha256"] == "11" * 32
    assert [event["severity"] for event in events] == ["Critical", "Low", "Low", "Informational"]


def test_timeline(tmp_path: Path) -> None:
    rows = list(csv.DictReader(io.StringIO(written(tmp_path, timesketch.write, lamp()).decode(), newline="")))
    assert list(rows[0])[:3] == ["message", "datetime", "timestamp_desc"]
    times = [row["time"] for row in rows]
    assert times == sorted(times)
    # Three posts, four missing pages, one server error, one Basic login, the capture's two ends.
    assert len(rows) == 3 + 4 + 1 + 1 + 2
    assert rows[0]["timestamp_desc"] == "Capture began"
    assert rows[-1]["timestamp_desc"] == "Capture ended"
    posts = [row for row in rows if row["rule"] == "http-form-password"]
    assert [row["datetime"] for row in posts] == [f"2025-11-20T09:0{at}:{s}.000000+00:00" for at, s in
                                                  ((1, "00"), (2, "40"), (4, "20"))]  # fmt: skip
    # Each came on a connection of its own, of two workers in turn.
    assert [row["client"] for row in posts] == [f"198.51.100.7:{port}" for port in (40000, 40001, 40002)]
    assert [row["process"] for row in posts] == ["httpd [801]", "httpd [802]", "httpd [801]"]
    assert [row["tcp_stream"] for row in posts] == ["0", "1", "2"]


def test_timeline_holds_no_formula(tmp_path: Path) -> None:
    table = csv.reader(io.StringIO(written(tmp_path, timesketch.write, hostile()).decode(), newline=""))
    cells = [cell for row in table for cell in row]
    assert any(cell.startswith("'=cmd") for cell in cells)
    assert not any(cell[:1] in ("=", "+", "@", "|", "\t", "\r") for cell in cells)


def test_findings_follow_their_schema(tmp_path: Path, root: Path) -> None:
    schema = json.loads((root / "reports" / "export" / "finding.schema.json").read_text("utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    manifest = hostile().write(tmp_path)
    out = io.BytesIO()
    jsonl.write(out, judge(tmp_path, manifest), revealed=True)
    for line in out.getvalue().splitlines():
        record = json.loads(line)
        assert [error.message for error in validator.iter_errors(record)] == []
        assert not validator.is_valid(record | {"severity": "grave"})
        assert not validator.is_valid(record | {"unheard_of": 1})


@pytest.mark.parametrize("write", [sarif.write, ocsf.write, timesketch.write])
def test_secrets_are_shown_where_all_is_revealed_and_marked(tmp_path: Path, write: Write) -> None:
    case = lamp()
    case.masked = False
    text = written(tmp_path, write, case, revealed=True).decode()
    assert any(mark in text for mark in ('"containsSecrets":true', '"contains_secrets":true', "CONTAINS SECRETS"))
    assert written(tmp_path, write, lamp()).decode().count("ontains") <= 1  # SARIF says that it has none

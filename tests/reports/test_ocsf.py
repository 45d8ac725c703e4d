"""findings.ocsf.jsonl against the published schema of OCSF, and each evidence with the ends of its own connection."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from syswire.reports.export import ocsf
from syswire.reports.findings import judge

from .case import Case, lamp


def events(directory: Path, case: Case) -> list[dict[str, Any]]:
    manifest = case.write(directory)
    out = io.BytesIO()
    ocsf.write(out, judge(directory, manifest), manifest, revealed=False)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_events_are_valid(tmp_path: Path) -> None:
    published = pytest.importorskip("ocsf_json_schema", reason="the published schema of OCSF is not here")
    maker = published.OcsfJsonSchemaEmbedded(published.get_ocsf_schema(ocsf.VERSION))
    validator = jsonschema.Draft202012Validator(maker.get_class_schema("detection_finding"))
    found = events(tmp_path, lamp())
    assert len(found) == 4
    for event in found:
        assert [error.message for error in validator.iter_errors(event)] == []
        assert not validator.is_valid({name: value for name, value in event.items() if name != "finding_info"})
        assert not validator.is_valid(event | {"severity_id": "high"})
        assert not validator.is_valid(event | {"unheard_of": 1})


def test_each_evidence_has_the_ends_of_its_own_connection(tmp_path: Path) -> None:
    evidences = events(tmp_path, lamp())[0]["evidences"]
    assert [evidence["src_endpoint"]["port"] for evidence in evidences] == [40000, 40001, 40002]
    assert [evidence["process"]["pid"] for evidence in evidences] == [801, 802, 801]


def test_a_process_is_named_only_where_the_connection_has_one(tmp_path: Path) -> None:
    case = lamp()
    case.streams[1]["server_processes"] = [1, 2]
    evidences = events(tmp_path, case)[0]["evidences"]
    assert ["process" in evidence for evidence in evidences] == [True, False, True]

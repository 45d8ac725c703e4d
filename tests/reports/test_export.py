"""findings.jsonl and findings.csv hold the same findings; a spreadsheet finds no formula in them."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from syswire.reports.export import csv as csv_export
from syswire.reports.export import jsonl
from syswire.reports.findings import judge

from .case import Case, lamp, tcp


def exported(directory: Path, case: Case, *, revealed: bool = False) -> tuple[list[Any], list[list[str]]]:
    findings = judge(directory, case.write(directory))
    lines, text = io.BytesIO(), io.StringIO(newline="")
    jsonl.write(lines, findings, revealed=revealed)
    csv_export.write(text, findings, revealed=revealed)
    return [json.loads(line) for line in lines.getvalue().splitlines()], list(csv.reader(io.StringIO(text.getvalue())))


def test_both_hold_every_finding(tmp_path: Path) -> None:
    records, rows = exported(tmp_path, lamp())
    assert [record["id"] for record in records] == ["SW-0001", "SW-0002", "SW-0003", "SW-0004"]
    head, *body = rows
    assert head == [name for name, _ in csv_export.COLUMNS]
    first = dict(zip(head, body[0], strict=True))
    assert first["username"] == "alice"
    assert first["secret"] == "********"
    assert first["client"] == "198.51.100.7:40000"
    assert first["server_process"] == "httpd [801]"
    assert first["client_process"] == ""
    assert first["instances_total"] == "3"
    assert first["references"] == "CWE-319 CWE-522 CWE-523 T1040 PCI-DSS-4.2.1"
    assert first["frame"] == str(records[0]["instances"][0]["frame"])


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (7, "7"),
        (-7, "-7"),
        ("alice", "alice"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\\u{9}=1"),
        ("\r\n=1", "'\\u{d}\\u{a}=1"),
        ("\uff1d1", "'\uff1d1"),
        ("a=1", "a=1"),
        ("a\x00b", "a\\u{0}b"),
    ],
)
def test_cells(value: object, cell: str) -> None:
    assert csv_export.safe(value) == cell


def test_hostile_names_stay_in_their_cell(tmp_path: Path) -> None:
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80))
    hostile = ['a","b', "x\r\ny", "=cmd|' /C calc'!A0", "\u202e", "'"]
    for number, user in enumerate(hostile):
        case.sighting(stream, 1, user, fingerprint=str(number), time=number)
    records, rows = exported(tmp_path, case)
    assert [record["username"] for record in records] == hostile, "JSON holds the name as it was"
    users = [row[rows[0].index("username")] for row in rows[1:]]
    assert users == ['a","b', "x\\u{d}\\u{a}y", "'=cmd|' /C calc'!A0", "'\\u{202e}", "'"]


def test_revealed_files_say_so_on_every_line(tmp_path: Path) -> None:
    records, rows = exported(tmp_path, lamp(), revealed=True)
    assert all(record["contains_secrets"] is True for record in records)
    assert [row[-1] for row in rows] == ["note"] + ["CONTAINS SECRETS"] * 4

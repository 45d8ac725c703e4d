"""timeline.csv and findings.csv in LibreOffice: what was text stays text, and nothing is computed."""

from __future__ import annotations

import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from syswire.reports.export import csv as table
from syswire.reports.export import timesketch
from syswire.reports.findings import judge

from .case import lamp, tcp

FORMULAS = ("=1+1", "+1+1", "-1+1", "@SUM(A1)", "=cmd|' /C calc'!A1", "\uff1d1+1", "\t=1+1", '";=1+1;"')


def test_no_cell_becomes_a_formula(tmp_path: Path) -> None:
    office = shutil.which("soffice")
    if office is None:
        pytest.skip("LibreOffice is not here")
    case = lamp()
    stream = case.stream(tcp("198.51.100.7", 5), tcp("203.0.113.9", 80))
    for number, text in enumerate(FORMULAS):
        post = case.exchange(stream, f"/{text}", 500)
        case.sighting(stream, post, text, fingerprint=f"{number:012x}")
    manifest = case.write(tmp_path)
    findings = judge(tmp_path, manifest)
    with (tmp_path / "timeline.csv").open("wb") as out:
        timesketch.write(out, findings, manifest, revealed=False)
    cells = io.StringIO(newline="")
    table.write(cells, findings, revealed=False)
    (tmp_path / "findings.csv").write_text(cells.getvalue(), "utf-8", newline="")
    control = tmp_path / "control.csv"
    control.write_text("message\r\n=1+1\r\n", "utf-8")
    for name in ("timeline", "findings", "control"):
        subprocess.run(
            [office, f"-env:UserInstallation=file://{tmp_path}/office", "--headless", "--convert-to", "ods",
             "--infilter=CSV:44,34,76,1,,0,false,true,false", "--outdir", str(tmp_path), str(tmp_path / f"{name}.csv")],
            check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        with zipfile.ZipFile(tmp_path / f"{name}.ods") as sheet:
            content = sheet.read("content.xml")
        assert (b"table:formula=" in content) == (name == "control"), name
        assert name == "control" or b"203.0.113.9:80" in content

"""The documents as files: whole, private, masked, the same on a second run; the PDF as its readers see it."""

from __future__ import annotations

import hashlib
import re
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from syswire.reports import pdf
from syswire.reports.errors import RendererMissing, RenderFailed
from syswire.reports.findings import judge
from syswire.reports.options import DEFAULTS, FORMATS
from syswire.reports.write import write_reports

from .case import Case, lamp, tcp


def written(directory: Path, case: Case) -> list[Path]:
    directory.mkdir(exist_ok=True)
    manifest = case.write(directory)
    return write_reports(directory, manifest, judge(directory, manifest))


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case whose texts try to break the PDF, written once for all tests here."""
    directory = tmp_path_factory.mktemp("reports")
    case = lamp()
    stream = case.stream(tcp("198.51.100.7", 5), tcp("203.0.113.9", 80))
    for number, user in enumerate(["<b>\u202e\x00", "日\U0001f9ff\u0e81", "B" * 40_000, "file:///etc/passwd"]):
        post = case.exchange(stream, f"/{user}", 500, headers=[["X", user]])
        case.sighting(stream, post, user, fingerprint=str(number))
    written(directory, case)
    return directory


def shown(tool: str, *arguments: str) -> str:
    return subprocess.run([tool, *arguments], capture_output=True, text=True, check=True).stdout


def test_files_are_private_and_whole(reports: Path) -> None:
    names = {path.name for path in reports.iterdir()}
    assert names == {"act1.annotations.jsonl", "report.html", "report.pdf", "findings.jsonl", "findings.csv"}
    for name in names - {"act1.annotations.jsonl"}:
        assert stat.S_IMODE((reports / name).stat().st_mode) == 0o600


def test_paths_come_in_the_formats_order(tmp_path: Path) -> None:
    manifest = lamp().write(tmp_path)
    findings = judge(tmp_path, manifest)
    paths = write_reports(tmp_path, manifest, findings, {"csv", "html", "jsonl"})
    assert [path.name for path in paths] == ["report.html", "findings.jsonl", "findings.csv"]
    assert write_reports(tmp_path, manifest, findings, ()) == []
    assert DEFAULTS == ("html", "pdf", "jsonl", "csv")
    paths = write_reports(tmp_path, manifest, findings, set(FORMATS) - {"html", "pdf", "wireshark"})
    assert [path.name for path in paths] == [
        *("findings.jsonl", "findings.csv", "findings.schema.json", "findings.sarif", "findings.ocsf.jsonl"),
        "timeline.csv",
    ]


def test_a_link_in_the_way_is_replaced_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    for name in (".findings.csv.part", "findings.csv"):
        (tmp_path / name).symlink_to(victim)
    manifest = lamp().write(tmp_path)
    write_reports(tmp_path, manifest, judge(tmp_path, manifest), {"csv"})
    assert victim.read_text() == "untouched"
    assert not (tmp_path / "findings.csv").is_symlink()


def test_the_report_names_the_digests_of_the_tables(reports: Path) -> None:
    page = re.sub("<wbr>", "", (reports / "report.html").read_text())
    for name in ("findings.jsonl", "findings.csv"):
        assert hashlib.sha256((reports / name).read_bytes()).hexdigest() in page


def test_second_run_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1763700000")
    first, second = (written(tmp_path / name, lamp()) for name in ("a", "b"))
    assert [path.name for path in first] == ["report.html", "report.pdf", "findings.jsonl", "findings.csv"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_pdf_is_tagged_and_titled(reports: Path, tool: Callable[[str], str]) -> None:
    info = shown(tool("pdfinfo"), str(reports / "report.pdf"))
    assert re.search(r"^Tagged: +yes$", info, re.M)
    assert re.search(r"^JavaScript: +no$", info, re.M)
    assert re.search(r"^Title: +Network credential and error audit$", info, re.M)
    fonts = shown(tool("pdffonts"), str(reports / "report.pdf")).splitlines()[2:]
    assert fonts
    assert all(re.search(r" yes yes yes +\d+ +\d+$", line) for line in fonts), "embedded, subset, with Unicode"


def test_pdf_text(reports: Path, tool: Callable[[str], str]) -> None:
    text = shown(tool("pdftotext"), "-layout", str(reports / "report.pdf"), "-")
    pages = text.split("\f")
    assert all("TLP:AMBER" in page for page in pages if page.strip())
    assert "Act today. A valid password crossed the network" in re.sub(r"\s+", " ", text)
    assert "frame.number == " in text
    assert "<b>\\u{202e}\\u{0}" in text
    assert "\\u{1f9ff}" in text, "a character that no font here can draw is written out"
    assert "B" * 500 not in re.sub(r"\s", "", text)


def test_pdf_holds_no_link_to_the_outside(reports: Path) -> None:
    data = (reports / "report.pdf").read_bytes()
    assert b"/URI" not in data
    assert b"/EmbeddedFile" not in data


def test_pages_with_secrets_say_so(tmp_path: Path, tool: Callable[[str], str]) -> None:
    case = lamp()
    case.masked = False
    for sighting in case.sightings:
        sighting["secret"] = "hunter2-in-clear"
    written(tmp_path, case)
    pages = shown(tool("pdftotext"), str(tmp_path / "report.pdf"), "-").split("\f")
    assert all("CONTAINS SECRETS" in page for page in pages if page.strip())
    assert "hunter2-in-clear" in "".join(pages)
    assert "CONTAINS SECRETS" in (tmp_path / "findings.csv").read_text()


def test_nothing_is_fetched(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("content of a local file")
    page = (
        f'<html lang="en"><title>t</title><link rel="attachment" href="file://{secret}">'
        f'<link rel="stylesheet" href="file://{secret}"><img alt="x" src="file://{secret}"><p>body'
    )
    data = pdf.render(page.encode())
    assert data.startswith(b"%PDF-")
    assert b"/EmbeddedFile" not in data


def test_limits_of_the_child() -> None:
    page = b'<html lang="en"><title>t</title>' + b"<table>" + b"<tr><td>x<td>y<td>z" * 20_000
    with pytest.raises(
        RenderFailed, match=r"the PDF was not made: (its layout took more than 1 s of processor|no end after)"
    ):
        pdf.render(page, seconds=1)


def test_missing_libraries_name_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.path", [entry for entry in __import__("sys").path if "site-packages" not in entry])
    monkeypatch.setattr("sys.executable", __import__("sys")._base_executable)
    with pytest.raises(RendererMissing, match="apt-get install libpango") as caught:
        pdf.render(b"<p>x")
    assert caught.value.exit_code == 5


def test_what_was_made_before_the_failure_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(page: bytes, **_: object) -> bytes:
        raise RenderFailed("the PDF was not made")

    monkeypatch.setattr(pdf, "render", fail)
    manifest = lamp().write(tmp_path)
    with pytest.raises(RenderFailed) as caught:
        write_reports(tmp_path, manifest, judge(tmp_path, manifest))
    assert [path.name for path in caught.value.written] == ["report.html", "findings.jsonl", "findings.csv"]
    assert all(path.is_file() for path in caught.value.written)
    assert not (tmp_path / "report.pdf").exists()

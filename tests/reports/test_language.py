"""The report in other languages: nothing is left in English, nothing for programs changes, letters have a font."""

from __future__ import annotations

import gettext
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pypdf
import pytest

from support.command import run
from syswire.reports import document, html, model, pdf
from syswire.reports.errors import RendererMissing
from syswire.reports.findings import judge
from syswire.reports.language import joined, listed, listing, phrase, plural, speaking, spoken, text, times
from syswire.reports.languages import LANGUAGES
from syswire.reports.model import Captured

from .case import Case, lamp, tcp, together, wire

HOLDER = re.compile(r"\{\w*\}")
CAPTURED = re.compile(
    r"tshark|syswire (report|verify)|sha256sum|frame\.(number|comment)|SW-\d+|\b(curl|httpd|mysqld|Whatever)\b"
    r"|User-Agent"
)


class Marked(gettext.NullTranslations):
    """A language in which every text stands in brackets."""

    def gettext(self, message: str) -> str:
        return f"\u27e6{message}\u27e7"

    def ngettext(self, one: str, many: str, number: int) -> str:
        return f"\u27e6{one if number == 1 else many}\u27e7"


class Said(HTMLParser):
    """The text of a page's elements, what a capture or a command says left out."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._open: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("style", "pre", "code", "text", "bdi"):
            self._open.append(tag)
        self.parts += [value for name, value in attrs if name in ("aria-label", "alt") and value]

    def handle_endtag(self, tag: str) -> None:
        if self._open and self._open[-1] == tag:
            self._open.pop()
        if tag in ("td", "th", "p", "li", "dd", "dt", "h1", "h2", "h3", "caption", "title", "summary", "a", "span"):
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._open:
            self.parts.append(data)


def unmarked(page: bytes) -> list[str]:
    """What of a page stands in no brackets: by right only numbers, names and what a capture holds."""
    said = "".join(Said(page).parts)
    while "\u27e6" in said:
        shorter = re.sub("\u27e6[^\u27e6\u27e7]*\u27e7", "", said)
        assert shorter != said
        said = shorter
    return [line.strip() for line in said.splitlines() if re.search(r"[a-z]{2,} [a-z]{2,}", line)]


def pages(directory: Path, *cases: Case) -> list[bytes]:
    manifest = together(directory, *cases)
    made = [("findings.jsonl", 10, "00" * 32), ("wireshark/syswire.lua", 10, "00" * 32)]
    found = []
    for limits, lay in ((model.SCREEN, html.render), (model.PAPER, html.pages)):
        findings = judge(directory, manifest)
        found.append(lay(document.build(manifest, findings, limits, revealed=True, made=made)))
    return found


@pytest.mark.parametrize("kind", ["calls", "packets", "both", "nothing"])
def test_every_text_passes_through_the_catalogue(tmp_path: Path, kind: str) -> None:
    tap = wire(1)
    tap.losses = {"snaplen": {"count": 2, "bytes": 100, "first": {"source_frame": 3}}, "unheard": {"count": 1}}
    both = lamp()
    both.sighting(1, 1, "bob", fingerprint="99", outcome="refused")
    cases = {"calls": (lamp(),), "packets": (wire(),), "both": (both, tap), "nothing": (Case(),)}[kind]
    if kind == "nothing":
        cases[0].stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80), gaps=1)
    with speaking("xx", Marked()):
        assert spoken() == "xx"
        for page in pages(tmp_path, *cases):
            left = [line for line in unmarked(page) if not CAPTURED.search(line)]
            assert left == []
            assert b'<html lang="xx">' in page


def test_catalogues_are_what_the_texts_ask_for(root: Path) -> None:
    """Nothing is missing or too much, and what is compiled is what is written."""
    pytest.importorskip("babel")
    done = subprocess.run(
        [sys.executable, root / "scripts" / "catalogue.py", "--check"], capture_output=True, text=True, cwd=root
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


@pytest.mark.parametrize("language", [name for name in LANGUAGES if name != "en"])
def test_translations_have_the_same_places(root: Path, language: str) -> None:
    pofile = pytest.importorskip("babel.messages.pofile")
    path = root / "reports" / "languages" / language / "LC_MESSAGES" / "syswire.po"
    with path.open("rb") as file:
        entries = [entry for entry in pofile.read_po(file, language) if entry.id]
    assert len(entries) > 900
    for entry in entries:
        one = entry.id if isinstance(entry.id, str) else entry.id[0]
        for told in [entry.string] if isinstance(entry.string, str) else entry.string:
            assert sorted(HOLDER.findall(told)) == sorted(HOLDER.findall(one)), one
            for name in re.findall(r"HTTP|TLS|SHA-256|Wireshark|findings\.jsonl|report\.html|\b\d{2,}\b", one):
                assert name in told, one


def test_words_of_the_language_module() -> None:
    assert listing([]) == ""
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert listing(["a", "b", "c"], 1) == "a and 2 more"
    assert plural(1, "entry", "entries") == "1 entry"
    assert plural(0, "entry", "entries", none="-") == "-"
    assert (times(1), times(2), times(1_000)) == ("once", "twice", "1,000 times")
    hostile = Captured("{x}")
    assert phrase("of {user} at {time}", user=hostile, time="9") == ("of ", hostile, " at 9")
    assert joined("a", "b") == "ab"
    assert listed([hostile, Captured("y")]) == ("{x}", " and ", "y")
    with speaking("ja"):
        assert plural(1_234, "finding") == "検出事項 1,234 件"
        assert listing(["a", "b", "c"], 1) == "a、ほか 2 件"
        assert phrase("{secrets} of {users}", secrets="s", users=hostile) == (hostile, "のs")
        assert text("critical") == "緊急"
    assert (spoken(), text("critical")) == ("en", "critical")


def test_programs_read_the_same_in_every_language(tmp_path: Path, data: Path) -> None:
    source = data / "lamp" / "act1.scap.gz"
    key = tmp_path / "case.key"
    key.write_text("00" * 32)
    for language in LANGUAGES:
        done = run(
            *("report", source, "-o", tmp_path / language, "--language", language, "--case-key", key),
            *("--format", "html,jsonl,csv,sarif,timeline"),
        )
        assert done.returncode == 0, done.stderr
    for name in (
        "findings.jsonl",
        "findings.csv",
        "findings.sarif",
        "timeline.csv",
        "act1.pcapng",
        "act1.annotations.jsonl",
    ):
        assert (tmp_path / "ja" / name).read_bytes() == (tmp_path / "en" / name).read_bytes(), name
    page = (tmp_path / "ja" / "report.html").read_text("utf-8")
    assert '<html lang="ja">' in page and "エグゼクティブサマリー" in page and "Executive summary" not in page
    assert 'id="executive-summary"' in page  # links into a report hold in every language
    assert "--language ja" in page
    options = json.loads((tmp_path / "ja" / "manifest.json").read_text("utf-8"))["options"]
    assert options["language"] == "ja"
    assert "language" not in json.loads((tmp_path / "en" / "manifest.json").read_text("utf-8"))["options"]


def test_unknown_language_is_wrong_usage(tmp_path: Path) -> None:
    done = run("report", "x.scap", "-o", tmp_path, "--language", "tlh")
    assert done.returncode == 2 and "--language" in done.stderr


def test_the_pdf_speaks_it_too(tmp_path: Path) -> None:
    manifest = lamp().write(tmp_path)
    with speaking("ja"):
        page = html.pages(document.build(manifest, judge(tmp_path, manifest), model.PAPER, revealed=False))
        try:
            made = pdf.render(page, letters=html.LETTERS["ja"])
        except RendererMissing as error:
            assert "fonts-ipafont-gothic" in str(error)
            pytest.skip(str(error))
    (tmp_path / "report.pdf").write_bytes(made)
    read = pypdf.PdfReader(tmp_path / "report.pdf")
    assert read.trailer["/Root"]["/Lang"] == "ja"
    said = "".join("".join(sheet.extract_text() for sheet in read.pages).split())
    assert "エグゼクティブサマリー" in said and "是正計画" in said
    assert "\\u{" not in said.replace("\\u{202e}", "")


def test_a_language_without_a_font_is_refused() -> None:
    with pytest.raises(RendererMissing, match="no font for the report's language"):
        pdf.render(b"<!DOCTYPE html><html lang=ja><title>x</title><p>x", letters="\ue000")

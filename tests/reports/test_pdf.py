"""The PDF as another program reads it: structure, fonts, what is embedded, what is not there, the same bytes twice."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from syswire.reports import document, html, pdf
from syswire.reports.errors import RendererMissing, RenderFailed
from syswire.reports.findings import judge
from syswire.reports.model import PAPER

from .case import lamp, tcp

pypdf = pytest.importorskip("pypdf")

HOSTILE = (
    "<script>alert(1)</script>",
    "\u202eevil\u2066",
    "\x00\x1b[31m",
    "A" * 100_000,
    "\u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "\U0001f600\U0001f9ff\u2764\ufe0f",
    "\u65e5\u672c\u8a9e \u0e81 \U00012000",
    "e" + "\u0301" * 50,
    "javascript:alert(1)",
    "https://evil.example/",
    "file:///etc/passwd",
)
LINES = b'{"id":"F-0001"}\n{"id":"F-0002"}\n'
BINARY = bytes(range(256)) * 400
MADE = 1_763_629_200  # 2025-11-20T09:00:00Z
FILES = (
    pdf.Attached("findings.jsonl", LINES, "application/x-ndjson", "All findings", "Data"),
    pdf.Attached("manifest.json", BINARY, "application/json", "What was read", "Supplement"),
)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A case whose texts try everything."""
    directory = tmp_path_factory.mktemp("pdf")
    case = lamp()
    stream = case.stream(tcp("198.51.100.7", 5), tcp("203.0.113.9", 80))
    for number, text in enumerate(HOSTILE):
        post = case.exchange(stream, f"/{text}", 500, headers=[["X", text]])
        case.sighting(stream, post, text, fingerprint=f"{number:012x}")
    case.case = {"organisation": HOSTILE[6], "case": "C" * 3000}
    manifest = case.write(directory)
    return html.pages(document.build(manifest, judge(directory, manifest), PAPER, revealed=False))


@pytest.fixture(scope="module", params=["ua-1", "a-3a"])
def made(request: pytest.FixtureRequest, page: bytes, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The PDF in both variants; the one for archives has attachments."""
    variant: str = request.param
    path = tmp_path_factory.mktemp("made") / f"{variant}.pdf"
    files = FILES if variant == "a-3a" else ()
    path.write_bytes(pdf.render(page, variant=variant, attachments=files, created=MADE))
    return path


@pytest.fixture
def reader(made: Path) -> Any:
    return pypdf.PdfReader(made)


def objects(reader: Any) -> Iterator[Any]:
    """Every object of the file."""
    for number in range(1, int(reader.trailer["/Size"])):
        found = pypdf.generic.IndirectObject(number, 0, reader).get_object()
        if found is not None:
            yield found


def dictionaries(reader: Any) -> Iterator[Any]:
    """Every dictionary of the file, also those inside others."""
    todo = list(objects(reader))
    while todo:
        found = todo.pop()
        if isinstance(found, dict):
            yield found
        values = found.values() if isinstance(found, dict) else found if isinstance(found, list) else ()
        todo += [value for value in values if not isinstance(value, pypdf.generic.IndirectObject)]


def structure(reader: Any) -> list[Any]:
    """The structure elements, in reading order."""
    found: list[Any] = []
    todo = [reader.trailer["/Root"]["/StructTreeRoot"]]
    while todo:
        node = todo.pop().get_object()
        if not isinstance(node, dict):
            continue
        if "/S" in node:
            found.append(node)
        children = node.get("/K", [])
        children = children.get_object() if hasattr(children, "get_object") else children
        todo += reversed(children if isinstance(children, list) else [children])
    return found


def test_tagged_with_language_and_title(reader: Any) -> None:
    root = reader.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"].value is True
    assert root["/Lang"] == "en"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"].value is True
    assert reader.metadata.title
    assert all(sheet["/Tabs"] == "/S" and "/StructParents" in sheet for sheet in reader.pages)
    kinds = {element["/S"] for element in structure(reader)}
    assert {"/Document", "/H1", "/H2", "/H3", "/P", "/Table", "/TR", "/TH", "/TD", "/Figure", "/Link"} <= kinds


def test_figures_have_a_text_alternative(page: bytes, reader: Any) -> None:
    figures = [element for element in structure(reader) if element["/S"] == "/Figure"]
    assert len(figures) == page.count(b"<svg") > 0
    assert all(len(str(figure["/Alt"])) > 10 for figure in figures)


def test_outline_names_every_section_in_order(page: bytes, reader: Any) -> None:
    headings = [re.sub("<[^>]*>", "", text) for text in re.findall(r"<h2>(.*?)</h2>", page.decode())]
    chapters = [entry.title for entry in reader.outline if not isinstance(entry, list)]
    assert chapters == headings
    pages = [reader.get_destination_page_number(entry) for entry in reader.outline if not isinstance(entry, list)]
    assert pages == sorted(pages) and pages[0] >= 2


def test_metadata_says_which_standard_it_is_made_for(made: Path, reader: Any) -> None:
    told = reader.trailer["/Root"]["/Metadata"].get_data().decode()
    if made.stem == "ua-1":
        assert re.search(r'pdfuaid:part(="|>)1', told) and "pdfaid" not in told
    else:
        assert re.search(r'pdfaid:part(="|>)3', told) and re.search(r'pdfaid:conformance(="|>)A', told)
        assert "pdfuaid" not in told
        assert reader.trailer["/Root"]["/OutputIntents"][0]["/S"] == "/GTS_PDFA1"
        assert len(reader.trailer["/ID"]) == 2


def test_all_fonts_are_embedded(reader: Any) -> None:
    descriptors = [each for each in dictionaries(reader) if each.get("/Type") == "/FontDescriptor"]
    assert descriptors
    assert all({"/FontFile", "/FontFile2", "/FontFile3"} & each.keys() for each in descriptors)
    fonts = [each for each in dictionaries(reader) if each.get("/Type") == "/Font"]
    assert {each["/Subtype"] for each in fonts} <= {"/Type0", "/CIDFontType2", "/CIDFontType0", "/Type3"}
    assert all("/ToUnicode" in each for each in fonts if each["/Subtype"] == "/Type0")


def test_no_character_is_without_a_glyph(reader: Any) -> None:
    """Glyph 0 is .notdef: text is shown as pairs of bytes, each the number of a glyph."""
    shown = 0
    for sheet in reader.pages:
        for operands, operator in pypdf.generic.ContentStream(sheet.get_contents(), reader).operations:
            if operator not in (b"TJ", b"Tj"):
                continue
            parts = operands[0] if operator == b"TJ" else operands
            for part in parts:
                if isinstance(part, (pypdf.generic.ByteStringObject, pypdf.generic.TextStringObject)):
                    data = part.original_bytes
                    glyphs = [int.from_bytes(data[at : at + 2], "big") for at in range(0, len(data), 2)]
                    assert 0 not in glyphs
                    shown += len(glyphs)
    assert shown > 5_000


def test_nothing_acts_and_nothing_leads_outside(reader: Any) -> None:
    for each in dictionaries(reader):
        assert each.get("/S") not in ("/URI", "/JavaScript", "/Launch", "/GoToR", "/GoToE", "/SubmitForm", "/Rendition")
        assert not {"/JS", "/JavaScript", "/AA", "/OpenAction", "/AcroForm", "/XFA"} & each.keys()
    links = [each for each in dictionaries(reader) if each.get("/Subtype") == "/Link"]
    assert links
    assert all(("/Dest" in each or each.get("/A", {}).get("/S") == "/GoTo") and each["/Contents"] for each in links)


def test_pages_carry_the_marking_at_head_and_foot_and_none_is_empty(reader: Any) -> None:
    texts = [sheet.extract_text() for sheet in reader.pages]
    for number, text in enumerate(texts, 1):
        assert text.count("TLP:AMBER") >= 2 or number == 1
        assert f"Page {number} of {len(texts)}" in text
        assert len(text) > 200


def test_attachments_are_equal_and_dated(made: Path, reader: Any) -> None:
    if made.stem == "ua-1":
        assert not reader.attachments
        return
    assert {name: data[0] for name, data in reader.attachments.items()} == {
        "findings.jsonl": LINES,
        "manifest.json": BINARY,
    }
    root = reader.trailer["/Root"]
    told = {each["/F"]: each for each in (entry.get_object() for entry in root["/AF"])}
    assert {name: each["/AFRelationship"] for name, each in told.items()} == {
        "findings.jsonl": "/Data",
        "manifest.json": "/Supplement",
    }
    kinds = {name: each["/EF"]["/F"]["/Subtype"] for name, each in told.items()}
    assert kinds == {"findings.jsonl": "/application/x-ndjson", "manifest.json": "/application/json"}
    for each in told.values():
        dates = each["/EF"]["/F"]["/Params"]
        assert dates["/ModDate"].startswith("D:20251120090000")
        assert dates["/CreationDate"].startswith("D:20251120090000")


def test_the_same_bytes_twice(page: bytes, made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = FILES if made.stem == "a-3a" else ()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    first, second = (pdf.render(page, variant=made.stem, attachments=files, created=MADE) for _ in range(2))
    assert first == second


def test_the_page_can_fetch_nothing(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("canary-7719")
    url = secret.as_uri()
    hostile = (
        f'<html lang=en><title>t</title><link rel=attachment href="{url}"><link rel=stylesheet href="{url}">'
        f'<style>@import "{url}"; @font-face {{ font-family: x; src: url({url}) }}</style>'
        f'<p>text<a rel=attachment href="{url}">a</a></p><object data="{url}"></object><img alt=i src="{url}">'
    )
    made = tmp_path / "made.pdf"
    made.write_bytes(pdf.render(hostile.encode(), variant="a-3a", attachments=FILES[:1], created=MADE))
    reader = pypdf.PdfReader(made)
    assert dict(reader.attachments) == {"findings.jsonl": [LINES]}
    assert all(b"canary-7719" not in each.get_data() for each in objects(reader) if hasattr(each, "get_data"))


def test_limits_end_the_layout() -> None:
    rows = "<tr><td>word</td></tr>" * 50_000
    long = f"<html lang=en><title>t</title><table>{rows}</table>".encode()
    with pytest.raises(RenderFailed, match="more than 1 s of processor time"):
        pdf.render(long, seconds=1)
    with pytest.raises((RenderFailed, RendererMissing)):
        pdf.render(long, memory=150 << 20)


def test_what_no_font_draws_is_written_as_an_escape() -> None:
    """Plane 15 is private: no font has it. Escapes say which character stood there."""
    made = pdf.render("<html lang=en><title>t</title><p>before \U000f1234 after".encode())
    assert made[:5] == b"%PDF-"
    assert "before \\u{f1234} after" in pypdf.PdfReader(io.BytesIO(made)).pages[0].extract_text()

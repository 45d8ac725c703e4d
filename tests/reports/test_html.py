"""The page: no script, a policy that holds, hostile text shown and never obeyed, the same bytes each time."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from syswire.reports import document, html, model
from syswire.reports.findings import judge

from .case import Case, lamp, tcp

HOSTILE = [
    "<script>alert(1)</script>",
    '" onmouseover="alert(1)',
    "' onfocus='alert(1)",
    "</style><style>*{}",
    "</title><base href=//x>",
    "<!-- -->",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)",
    "http://evil.example/",
    "\u202egpj.exe\u2066",
    "a\x00\x1b[31m\x07",
    "A" * 50_000,
    "e" + "\u0301" * 500,
]


class Reader(HTMLParser):
    """What a browser would make of the page, as far as these tests need it."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def page(directory: Path, case: Case, limits: model.Limits = model.SCREEN) -> str:
    manifest = case.write(directory)
    findings = judge(directory, manifest)
    revealed = not case.masked
    return html.render(document.build(manifest, findings, limits, revealed=revealed)).decode()


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    return reader


def hostile() -> Case:
    case = Case()
    for number, evil in enumerate(HOSTILE):
        process = case.process(evil, 100 + number, evil, evil)
        stream = case.stream(
            tcp("198.51.100.7", 1000 + number), tcp("203.0.113.9", 80), client_process=process, server_process=process
        )
        case.exchange(stream, f"/{evil}?{evil}", 404, host=evil, headers=[[evil, evil]])
        post = case.exchange(stream, f"/{evil}", 500, host=evil, headers=[[evil, evil]])
        case.sighting(stream, post, evil, fingerprint=f"{number:012x}", secret=evil)
        case.sightings[-1] |= {"host": evil, "field": evil, "target": evil}
    case.case = {evil: evil for evil in HOSTILE} | {"title": HOSTILE[0]}
    case.losses = {evil: {"count": 1, "bytes": 2, "first": None} for evil in HOSTILE}
    return case


@pytest.mark.parametrize("make", [lamp, hostile, Case])
def test_no_script_no_handler_no_foreign_link(tmp_path: Path, make: type[Case]) -> None:
    reader = read(page(tmp_path, make()))
    forbidden = {"script", "iframe", "object", "embed", "base", "form", "link", "img", "a:href"}
    assert not forbidden & set(reader.tags)
    assert reader.tags.count("style") == 1
    assert not [name for name, _ in reader.attributes if name.startswith("on") or name == "style"]
    assert {value[0] for name, value in reader.attributes if name == "href" and value} == {"#"}
    assert not [name for name, _ in reader.attributes if name in ("src", "srcset", "action", "xlink:href")]


def test_hostile_text_is_shown_not_obeyed(tmp_path: Path) -> None:
    text = page(tmp_path, hostile())
    shown = "".join(read(text).text)
    for evil in HOSTILE[:9]:
        assert evil in shown
    assert "\\u{202e}gpj.exe\\u{2066}" in shown
    assert "a\\u{0}\\u{1b}[31m\\u{7}" in shown
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "A" * 1000 not in text.replace("<wbr>", "")
    assert len(text) < 1_000_000


def test_links_resolve_and_ids_are_unique(tmp_path: Path) -> None:
    reader = read(page(tmp_path, hostile()))
    ids = [value for name, value in reader.attributes if name == "id"]
    links = {value for name, value in reader.attributes if name == "href"}
    assert len(ids) == len(set(ids))
    assert links <= {f"#{value}" for value in ids}
    assert "#SW-0001" in links
    findings = 3 * len(HOSTILE)
    assert {f"SW-{number:04d}" for number in range(1, findings + 1)} <= set(ids)


def test_the_policy_allows_its_own_style_and_nothing_else(tmp_path: Path) -> None:
    text = page(tmp_path, lamp())
    style = re.search("<style>(.*?)</style>", text, re.S)
    policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', text)
    assert style
    assert policy
    digest = base64.b64encode(hashlib.sha256(style.group(1).encode()).digest()).decode()
    told = policy.group(1).replace("&#39;", "'")
    assert told == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"


def test_same_input_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert page(tmp_path, hostile()) == page(tmp_path, hostile())


def test_date_is_the_epoch_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1763700000")
    assert "2025-11-21" in page(tmp_path, lamp())


def test_charts_have_their_text(tmp_path: Path) -> None:
    text = page(tmp_path, lamp())
    assert text.count("<svg") == text.count('role="img"') == text.count("<title id=") == 5
    assert "Findings by severity: 1 critical, 0 high, 0 medium, 2 low and 1 info." in text
    assert "2xx success, 1 3xx redirection, 5 4xx client error, 4 of these 404 and 1 5xx server error." in text


def test_rows_and_cards_are_capped_and_the_page_says_so(tmp_path: Path) -> None:
    case = Case()
    stream = case.stream(tcp("10.0.0.1", 1), tcp("10.0.0.9", 80))
    for number in range(40):
        case.sighting(stream, 1, f"user{number}", fingerprint=str(number))
        case.exchange(stream, f"/missing{number}", 404)
    limits = model.Limits(rows=10, cards=3, instances=2, errors=5, talkers=1, moments=4)
    text = page(tmp_path, case, limits)
    assert text.count('<article class="card') == 3
    assert "71 more findings in findings.jsonl and findings.csv." in text
    assert "3 of 81 findings are described here" in text
    assert "35 more groups in findings.jsonl and findings.csv." in text


def test_marked_when_it_contains_secrets(tmp_path: Path) -> None:
    case = lamp()
    assert "contains secrets" not in page(tmp_path, case).lower()
    case.masked = False
    text = page(tmp_path, case)
    assert "This report contains secrets in clear text." in text
    assert "<title>Network credential and error audit (contains secrets)</title>" in text

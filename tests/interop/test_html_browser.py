"""The report in a real browser: silent, loading nothing, as wide as the window, readable, with links that lead on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from reports.case import Case, lamp, tcp, together, wire

from support import browser
from syswire.reports import document, html, model, pages
from syswire.reports.findings import judge
from syswire.reports.language import speaking

EVIL = (
    "<script>alert(1)</script>",
    "\u202egpj.exe\u2066",
    "a\x00\x1b[31m\x07",
    "A" * 100_000,
    "\u0645\u0631\u062d\u0628\u0627 \u0628\u0627\u0644\u0639\u0627\u0644\u0645",
    "\U0001f600 \U0001f469\u200d\U0001f467",
    "e" + "\u0301" * 300,
)
ROWS = 20
JUDGE = (
    "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa']}).then(found => "
    "JSON.stringify(found.violations.map(each => [each.id, each.nodes.length, each.nodes[0].html.slice(0, 200)])))"
)


def hostile() -> Case:
    case = Case()
    for number in range(3 * len(EVIL)):
        evil = EVIL[number % len(EVIL)]
        process = case.process(evil, 100 + number, evil)
        stream = case.stream(
            tcp("198.51.100.7", 1000 + number), tcp("203.0.113.9", 80), client_process=process, server_process=process
        )
        post = case.exchange(stream, f"/{evil}", 500, host=evil, headers=[[evil, evil]])
        case.exchange(stream, f"/{number}{evil}", 404)
        case.sighting(stream, post, f"{evil}{number}", fingerprint=f"{number:012x}")
    case.case = {"title": EVIL[1], "number": EVIL[3], "examiner": EVIL[4]}
    return case


def many() -> Case:
    """10,000 findings, of which a page holds 2,000."""
    case = Case()
    for number in range(10_000):
        if number % 100 == 0:
            stream = case.stream(tcp(f"10.0.{number // 100}.7", 1000 + number), tcp("203.0.113.9", 80))
        post = case.exchange(stream, "/login", 302, 2 + number / 100)
        case.sighting(stream, post, f"user{number}", fingerprint=f"{number:012x}", time=2 + number / 100)
    return case


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """lamp.html and hostile.html, and further pages of the hostile case's findings."""
    place = tmp_path_factory.mktemp("pages")
    for name, case in (("lamp", lamp()), ("hostile", hostile())):
        (place / name).mkdir()
        manifest = case.write(place / name)
        findings = judge(place / name, manifest)
        page = html.render(document.build(manifest, findings, model.SCREEN, revealed=False))
        (place / f"{name}.html").write_bytes(page)
        if name == "hostile":
            (place / "report.html").write_bytes(page)
            for further, data in pages.overview_pages(findings, manifest, False, ROWS):
                (place / further).write_bytes(data)
        findings.close()
    (place / "japanese").mkdir()
    manifest = together(place / "japanese", lamp(), wire(1))
    with speaking("ja"):
        report = document.build(manifest, judge(place / "japanese", manifest), model.SCREEN, revealed=False)
        (place / "japanese.html").write_bytes(html.render(report))
    (place / "many").mkdir()
    manifest = many().write(place / "many")
    report = document.build(manifest, judge(place / "many", manifest), model.SCREEN, revealed=False)
    (place / "many.html").write_bytes(html.render(report))
    return place


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    browser.needed()
    with browser.browser(tmp_path_factory.mktemp("profile")) as started:
        started.get("about:blank")
        yield started


PAGES = ("lamp.html", "hostile.html", "report-findings-0002.html", "report-findings-index.html", "japanese.html")
ALL = (*PAGES, "many.html")


@pytest.mark.parametrize("name", ALL)
def test_says_nothing_on_the_console_and_asks_for_nothing(driver: Any, made: Path, name: str) -> None:
    driver.get_log("browser")
    driver.get_log("performance")
    driver.get((made / name).as_uri())
    assert driver.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked = {
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    }
    # the browser's own start page may still be loading: that is not the report's doing
    assert {url for url in asked if not url.startswith(("chrome:", "data:image/gif"))} == {(made / name).as_uri()}


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "media"), [(360, "screen"), (1280, "screen"), (800, "print")])
@pytest.mark.parametrize("name", ALL)
def test_is_no_wider_than_the_window(driver: Any, made: Path, name: str, width: int, scheme: str, media: str) -> None:
    browser.seen_as(driver, width, scheme, media)
    driver.get((made / name).as_uri())
    assert driver.execute_script("return [innerWidth, document.documentElement.scrollWidth]") == [width, width]


def test_paper_shows_what_is_folded_up_on_the_screen(driver: Any, made: Path) -> None:
    """The evidence of every card, though only the first ones are open."""
    tall = (
        "return [...document.querySelectorAll('article details:not([open]) table.pointers')]"
        ".map(table => table.checkVisibility({contentVisibilityAuto: true})"
        " && table.getBoundingClientRect().height > 20)"
    )
    shown = {}
    for media in ("screen", "print"):
        browser.seen_as(driver, 800, "light", media)
        driver.get((made / "hostile.html").as_uri())
        shown[media] = set(driver.execute_script(tall))
    assert shown == {"screen": {False}, "print": {True}}


@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        *((name, scheme) for name in PAGES for scheme in ("light", "dark")),
        pytest.param("many.html", "light", marks=pytest.mark.slow),
    ],
)
def test_axe_finds_no_violation(driver: Any, made: Path, name: str, scheme: str) -> None:
    source = browser.axe()
    browser.seen_as(driver, 1280, scheme)
    driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    try:
        driver.get((made / name).as_uri())
        driver.execute_cdp_cmd("Runtime.evaluate", {"expression": source})
        asked = {"expression": JUDGE, "awaitPromise": True, "returnByValue": True}
        answer = driver.execute_cdp_cmd("Runtime.evaluate", asked)
    finally:
        driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})
    assert json.loads(answer["result"]["value"]) == []


def test_links_lead_somewhere_and_every_finding_has_its_anchor(made: Path) -> None:
    texts = {path.name: path.read_text("utf-8") for path in made.glob("report*.html")}
    ids = {name: re.findall(r' id="([^"]+)"', text) for name, text in texts.items()}
    for name, text in texts.items():
        assert len(ids[name]) == len(set(ids[name]))
        for link in re.findall(r'href="([^"]*)"', text):
            file, _, anchor = link.partition("#")
            assert (file or name) in texts
            assert not anchor or anchor in ids[file or name]
    # Each account and each missing page, each page that failed, and the scan that so many missing pages make.
    total = 3 * len(EVIL) + 3 * len(EVIL) + len(EVIL) + 1
    beyond = {each for name in texts for each in ids[name] if name.startswith("report-findings-0")}
    assert beyond == {f"SW-{number:04d}" for number in range(ROWS + 1, total + 1)}
    assert {f"SW-{number:04d}" for number in range(1, total + 1)} <= set(ids["report.html"])


def test_one_page_that_holds_all_has_none_beside_it(tmp_path: Path) -> None:
    manifest = lamp().write(tmp_path)
    assert list(pages.overview_pages(judge(tmp_path, manifest), manifest, False)) == []

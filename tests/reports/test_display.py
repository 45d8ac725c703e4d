"""Text out of captures becomes visible, harmless and breakable."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syswire.reports import display, language


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text", "plain text"),
        ("a\x00b", "a\\u{0}b"),
        ("a\x1b[31m", "a\\u{1b}[31m"),
        ("line\nnext\ttab\r", "line\\u{a}next\\u{9}tab\\u{d}"),
        ("\u202egpj.exe", "\\u{202e}gpj.exe"),
        ("a\u2066b\u2069", "a\\u{2066}b\\u{2069}"),
        ("zero\u200bwidth\ufeff", "zero\\u{200b}width\\u{feff}"),
        ("no\u00a0break", "no\\u{a0}break"),
        ("\u3164", "\\u{3164}"),
        ("\U000e0041", "\\u{e0041}"),
        ("x\ufe0f", "x\\u{fe0f}"),
        ("\ud800", "\\u{d800}"),
        ("e\u0301", "e\u0301"),
        ("日本 עברית", "日本 עברית"),
    ],
)
def test_visible(text: str, shown: str) -> None:
    assert display.visible(text) == shown


def test_stacked_marks_are_written_out_after_four() -> None:
    assert display.visible("e" + "\u0301" * 6) == "e" + "\u0301" * 4 + "\\u{301}" * 2


def test_limit_says_how_much_follows() -> None:
    assert display.visible("A" * 1000, 10) == "A" * 10 + "... (990 more characters)"
    assert display.visible("\x00" * 100, 8) == "\\u{0}\\u{0}... (98 more characters)"


@given(st.text())
def test_visible_holds_only_what_can_be_seen(text: str) -> None:
    shown = display.visible(text)
    assert shown.isprintable()
    assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for letter in shown)


@given(st.text(alphabet=st.sampled_from("<>&\"'/abc \u202e\x00\u0301é") | st.characters()))
def test_captured_makes_no_markup_of_its_own_text(text: str) -> None:
    html = str(display.captured(text))
    rest = html
    for ours in ("<bdi>", "</bdi>", '<span class="esc">', "</span>", "<wbr>"):
        rest = rest.replace(ours, "")
    assert "<" not in rest
    assert ">" not in rest
    assert '"' not in rest
    assert "'" not in rest


def test_long_words_may_break() -> None:
    html = str(display.captured("A" * 100))
    assert max(len(part) for part in html.split("<wbr>")) == display.WORD
    assert html.replace("<wbr>", "") == "A" * 100


def test_foreign_letters_are_isolated() -> None:
    assert str(display.captured("עברית")) == "<bdi>עברית</bdi>"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 KB"), (331_680, "331.7 KB"), (5_000_000_000_000, "5.0 TB")],
)
def test_size(count: int, text: str) -> None:
    assert display.size(count) == text


def test_numbers_in_words() -> None:
    assert language.plural(1, "finding") == "1 finding"
    assert language.plural(2_000, "entry", "entries") == "2,000 entries"
    assert language.listing([]) == ""
    assert language.listing(["a"]) == "a"
    assert language.listing(["a", "b", "c"]) == "a, b and c"
    assert language.listing(["a", "b", "c", "d"], 2) == "a, b and 2 more"
    assert display.duration(600 * 10**9) == "10 minutes"
    assert display.duration(90_061 * 10**9) == "1 day 1 hour"
    assert display.duration(4_000_000) == "4 ms"


def test_times() -> None:
    assert display.moment("2025-11-20T09:01:00.123456789Z") == "2025-11-20 09:01:00.123456 UTC"
    assert display.moment(None) == "unknown"
    assert display.nanoseconds("2025-11-20T09:00:00.000000001Z") == 1_763_629_200_000_000_001
    assert display.nanoseconds("1969-12-31T23:59:59.5Z") == -500_000_000
    assert display.nanoseconds("yesterday") is None
    assert display.timestamp(1_763_629_200_000_000_001) == "2025-11-20T09:00:00.000000001Z"

"""Undoing escapes, against the standard library's decoders."""

from __future__ import annotations

import json
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syswire.convert.escapes import JSON, PERCENT, around_escapes, unescape

MIXED = st.lists(
    st.one_of(
        st.sampled_from([b"%41", b"%2f", b"%2F", b"%", b"%4", b"%zz", b"ab", b"\\", b"\\n"]), st.binary(max_size=4)
    ),
    max_size=12,
).map(b"".join)


@given(MIXED)
@settings(max_examples=300, deadline=None)
def test_percent(data: bytes) -> None:
    undone, origins = unescape(data, PERCENT)
    assert undone == unquote_to_bytes(data)
    places = memoryview(origins).cast("I")
    assert len(places) == len(undone) + 1 and places[len(undone)] == len(data)
    for at, byte in enumerate(undone):
        step = places[at + 1] - places[at]
        assert step in {1, 3}
        assert data[places[at]] == (byte if step == 1 else ord("%"))


@given(st.text(max_size=30))
@settings(max_examples=300, deadline=None)
def test_json(text: str) -> None:
    for spelt in (json.dumps(text), json.dumps(text, ensure_ascii=False)):
        undone, _ = unescape(spelt[1:-1].encode("utf-8", "surrogatepass"), JSON)
        assert undone == text.encode("utf-8", "surrogatepass")


def test_json_escapes_that_are_none() -> None:
    for data in (b"\\", b"\\x41", b"\\u12", b"\\u12g4", b"a\\"):
        assert unescape(data, JSON)[0] == data
    assert unescape(b'\\/\\b\\f\\n\\r\\t\\"\\\\', JSON)[0] == b'/\b\f\n\r\t"\\'
    assert unescape(b"\\ud83d\\ude00\\ud83d", JSON)[0] == "\U0001f600".encode() + b"\xed\xa0\xbd"


@given(st.lists(st.integers(0, 60), max_size=5), st.integers(0, 20))
@settings(max_examples=200, deadline=None)
def test_around_escapes_holds_whatever_an_escape_spells(gaps: list[int], reach: int) -> None:
    data = b"".join(bytes(65 + at % 26 for at in range(gap)) + b"%61" for gap in gaps) + b"-" * 30
    out = around_escapes(data, PERCENT, reach)
    undone, origins = unescape(data, PERCENT)
    places = memoryview(origins).cast("I")
    assert bool(out) == bool(gaps)
    assert len(out) <= len(data)
    escapes = [at for at in range(len(undone)) if places[at + 1] - places[at] == 3]
    for at in escapes:
        assert undone[max(0, at - reach // 3) : at + reach // 3 + 1] in out


def test_nothing_escaped_gives_nothing() -> None:
    assert around_escapes(b"100% of \\ it", PERCENT, 5) == b""
    assert around_escapes(memoryview(b"a\\qb"), JSON, 5) == b""
    with pytest.raises(ValueError, match="negative"):
        around_escapes(b"", PERCENT, -1)


def test_origins_through_two_layers() -> None:
    once, first = unescape(b"a%2541b", PERCENT)
    twice, through = unescape(once, PERCENT, first)
    assert (once, twice) == (b"a%41b", b"aAb")
    assert list(memoryview(through).cast("I")) == [0, 1, 6, 7]
    with pytest.raises(ValueError, match="origins"):
        unescape(b"ab", PERCENT, first)

"""JSON spelled by compiled code is what msgspec spells, and times are those of the datetime module."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from syswire.convert.json_text import JsonText
from syswire.convert.model.text import timestamp

encode = msgspec.json.Encoder().encode
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=40)


def test_every_character() -> None:
    text = JsonText()
    for code in (*range(0x300), *range(0x1FF0, 0x2100), 0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF):
        for character in (chr(code), "abcdefg" + chr(code), chr(code) * 9, "12345678" + chr(code) + "12345678"):
            assert text.encode(character) == encode(character)


@settings(max_examples=500, deadline=None)
@given(st.one_of(TEXT, st.integers(0, 2**64 - 1), st.booleans(), st.none(), st.lists(st.tuples(TEXT, TEXT))))
def test_values(value: str | int | bool | list[tuple[str, str]] | None) -> None:
    assert JsonText().encode(value) == encode(value)


def test_a_long_text_makes_room() -> None:
    text = JsonText()
    for value in ("\x00" * 100_000, "a" * 10_000_000):
        assert text.encode(value) == encode(value)


def test_what_it_does_not_write() -> None:
    text = JsonText()
    for value, error in ((1.5, TypeError), ({}, TypeError), (-1, OverflowError), (2**64, OverflowError)):
        with pytest.raises(error):
            text.encode(value)  # type: ignore[arg-type]
    with pytest.raises(UnicodeEncodeError):
        text.encode("\ud800")


@settings(max_examples=1000, deadline=None)
@given(st.integers(0, 2**64 - 1))
@example(0)
@example(2**64 - 1)
@example(951782400_000000000)  # 2000-02-29
@example(4107542399_999999999)  # 2100-02-28, the day before no leap day
def test_moments(ns: int) -> None:
    text = JsonText()
    assert text.moment(ns) == f'"{timestamp(ns)}"'.encode()
    assert text.moment(ns) == f'"{timestamp(ns)}"'.encode(), "from the second that it keeps"


def test_every_day_of_some_centuries() -> None:
    text, day = JsonText(), datetime(1970, 1, 1, 23, 59, 58, tzinfo=UTC)
    while day.year < 2410:
        seconds = int(day.timestamp())
        assert text.moment(seconds * 10**9 + 7) == day.strftime('"%Y-%m-%dT%H:%M:%S.000000007Z"').encode()
        day += timedelta(days=1)

"""Formats taken apart, and what is wrong with those that cannot be."""

from __future__ import annotations

import pytest

from syswire.convert.errors import UsageError
from syswire.reports.listing.formats import NAMED, named, parse, unescaped


def test_pieces() -> None:
    format = parse("*a%10proc.name (%evt.arg[0])%evt.arg.fdx%evt.numz")
    assert [(piece.text, piece.field.name, piece.argument, piece.width) for piece in format.pieces] == [
        ("a", "proc.name", None, 10),
        (" (", "evt.arg", "0", 0),
        (")", "evt.arg", "fd", 0),
        ("x", "evt.num", None, 0),
    ]
    assert (format.tail, format.keep) == ("z", True)


def test_only_one_star_keeps() -> None:
    format = parse("**%evt.num")
    assert format.keep
    assert format.pieces[0].text == "*"


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("%evt.num %nosuch.x", 10, "no field nosuch.x"),
        ("%-10proc.name", 1, "a width has no sign"),
        ("%evt.num %", 9, "ends behind a %"),
        ("a%%b", 2, "a field is missing"),
        ("%999999999evt.num", 0, "columns wide at most"),
        ("%evt.arg", 8, "needs an argument"),
        ("%fd.port", 1, "for filters only"),
        ("%evt.rawarg.nosuch", 12, "no event has an argument nosuch"),
    ],
)
def test_wrong_formats(text: str, place: int, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text)
    assert message in str(caught.value)
    assert str(caught.value).splitlines()[-1].index("^") == place + 2


def test_empty_format() -> None:
    with pytest.raises(UsageError, match="empty"):
        parse("")


def test_escapes() -> None:
    assert unescaped(r"a\tb\n\\n\q") == "a\tb\n\\n\\q"
    assert unescaped("a\\") == "a\\"


def test_named_formats() -> None:
    assert all(parse(text).keep for text in NAMED.values())
    assert [piece.field.name for piece in named("").pieces][:3] == ["evt.num", "evt.outputtime", "evt.cpu"]
    assert [piece.field.name for piece in named("", "n").pieces][:2] == ["evt.num", "evt.cpu"]
    assert "container.name" in [piece.field.name for piece in named("c").pieces]

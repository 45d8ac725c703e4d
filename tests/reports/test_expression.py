"""Expressions of user's rules say what Python's do, in time that grows with the text alone."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syswire.reports.findings.expression import Expression, ExpressionError

ATOMS = st.sampled_from(["a", "b", "A", "1", ".", "[ab]", "[^a]", r"\d", r"\w", r"\s", r"[^\d]", r"\.", "\u00e9"])
PARTS = st.recursive(
    ATOMS,
    lambda part: st.one_of(
        st.tuples(part, part).map("".join),
        st.tuples(part, part).map(lambda two: f"({two[0]}|{two[1]})"),
        st.tuples(part, st.sampled_from(["*", "+", "?", "*?", "{2}", "{0,2}", "{1,}", "{0}"])).map(
            lambda two: f"(?:{two[0]}){two[1]}"
        ),
    ),
    max_leaves=8,
)


@given(PARTS, st.booleans(), st.booleans(), st.booleans(), st.text("abAB1 .\n\u00e9\u00c9", max_size=8))
@settings(max_examples=600, deadline=None)
def test_as_python_says(part: str, begin: bool, end: bool, ignore_case: bool, text: str) -> None:
    try:
        ours = Expression("^" * begin + f"(?:{part})" + "$" * end, ignore_case=ignore_case)
    except ExpressionError as error:
        assert "1000 characters" in str(error) or "longer" in str(error)
        return
    # $ in Python also stands before a last line feed; ours is the end alone.
    theirs = re.compile(r"\A" * begin + f"(?:{part})" + r"\Z" * end, re.IGNORECASE if ignore_case else 0)
    assert ours.search(text) == bool(theirs.search(text))


def test_what_takes_python_years() -> None:
    """2 ** 4095 ways of one, 4096 ** 4 of the other."""
    assert not Expression("(a+)+$").search("a" * 4095 + "b")
    assert not Expression(r"\s*\s*\s*\s*x").search(" " * 4096)


@pytest.mark.parametrize("text", ["(?=a)", r"(a)\1", r"a\b", "a$b", "(?i:a)", "(?s)a", "(?>a)", "a*+", "[", "a{9999}"])
def test_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        Expression(text)

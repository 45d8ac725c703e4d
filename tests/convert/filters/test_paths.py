"""Globs against the C library's fnmatch, and path prefixes."""

from __future__ import annotations

import ctypes
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syswire.convert.filters.paths import glob, path_prefixes

PIECES = st.sampled_from(
    ["a", "b", "*", "?", "[ab]", "[!a]", "[^b]", "[a-c]", "[]a]", "\\*", "\\a", "[", "]", "/", ".", "A", "-"]
)
PATTERNS = st.lists(PIECES, max_size=8).map("".join)
TEXTS = st.text("abcA/.*[]-?", max_size=10)
LIBC = ctypes.CDLL(None)
CASEFOLD = 16  # FNM_CASEFOLD of glibc


def fnmatch(pattern: str, text: str, flags: int = 0) -> bool:
    """fnmatch(3) without FNM_PATHNAME, as sysdig calls it."""
    return bool(LIBC.fnmatch(pattern.encode(), text.encode(), flags) == 0)


@settings(max_examples=1000)
@given(PATTERNS, TEXTS)
def test_globs_are_those_of_the_c_library(pattern: str, text: str) -> None:
    assert glob(pattern)(text) is fnmatch(pattern, text)


@given(PATTERNS.filter(lambda pattern: "[" not in pattern), TEXTS)
def test_globs_that_ignore_case_too(pattern: str, text: str) -> None:
    assert glob(pattern, True)(text) is fnmatch(pattern, text, CASEFOLD)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [("[[:alpha:]]x", "ax"), ("[[:digit:]]x", "5x"), ("[![:digit:]]x", "5x"), ("[[:upper:][:digit:]]*", "Q")],
)
def test_classes_of_characters(pattern: str, text: str) -> None:
    assert glob(pattern)(text) is fnmatch(pattern, text)


def test_many_stars_over_a_long_text_end_soon() -> None:
    started = time.process_time()
    assert not glob("*a" * 50 + "b")("a" * 20_000)
    assert time.process_time() - started < 20  # what tried every way would run for years


@pytest.mark.parametrize(
    ("prefixes", "path", "wanted"),
    [
        (["/etc"], "/etc/hosts", True),
        (["/etc"], "/etc", True),
        (["/etc/"], "/etc/hosts", True),
        (["etc"], "/etc/hosts", True),
        (["/et"], "/etc/hosts", False),
        (["/etc/hosts"], "/etc", False),
        (["/var", "/etc//hosts"], "/etc/hosts", True),
        (["/"], "anything", True),
        ([], "/etc", False),
    ],
)
def test_path_prefixes_go_by_components(prefixes: list[str], path: str, wanted: bool) -> None:
    assert path_prefixes(prefixes)(path) is wanted

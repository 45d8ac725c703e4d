"""The compiled search against plain Python, on patterns and data chosen to collide."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syswire.convert.secret_index import SHORTEST, SecretIndex

# Few letters and shared beginnings, so that prefixes, overlaps and equal beginnings are common.
# And some that differ in how odd they are: a pattern is found by what is oddest at its beginning.
TEXT = st.one_of(st.text("ab", max_size=40), st.text("aB1 ", max_size=40)).map(str.encode)
PATTERN = st.one_of(
    st.text("ab", min_size=SHORTEST, max_size=12).map(str.encode),
    st.text("aB1 ", min_size=SHORTEST, max_size=12).map(str.encode),
    st.integers(SHORTEST, 30).map(lambda length: b"a" * length),
    st.binary(min_size=SHORTEST, max_size=9),
)
PATTERNS = st.lists(PATTERN, max_size=25)


def plain_intervals(patterns: list[bytes], data: bytes) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for at in range(len(data)):
        lengths = [len(pattern) for pattern in patterns if data.startswith(pattern, at)]
        if not lengths:
            continue
        end = at + max(lengths)
        if joined and at <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((at, end))
    return joined


@given(PATTERNS, st.lists(st.one_of(TEXT, PATTERN, st.binary(max_size=6)), max_size=5).map(b"".join))
@settings(max_examples=600, deadline=None)
def test_as_plain_python_finds_it(patterns: list[bytes], data: bytes) -> None:
    index = SecretIndex()
    for number, pattern in enumerate(patterns):
        assert index.add(pattern)
        # Searches between additions: what is worked out lazily must be worked out again.
        assert index.found_in(data) == any(known in data for known in patterns[: number + 1])
    assert index.intervals(data) == plain_intervals(patterns, data)
    assert len(index) == len(set(patterns))
    assert index.longest == max(map(len, patterns), default=0)
    assert index.found_in(memoryview(data)) == index.found_in(bytearray(data)) == bool(index.intervals(data))


def test_what_tells_beside_a_match() -> None:
    index = SecretIndex()
    index.add(b"abcd", 1, 2)
    assert index.intervals(b"xxabcdyyy") == [(1, 8)]
    assert index.intervals(b"abcd") == [(0, 4)]
    index.add(b"abcd", 0, 1)  # once more: the wider one stays
    assert index.intervals(b"xxabcdyyy") == [(1, 9)]


def test_too_short_a_pattern() -> None:
    with pytest.raises(ValueError, match="too short"):
        SecretIndex().add(b"abc")


def test_many_patterns_grow_every_table() -> None:
    index = SecretIndex()
    patterns = [b"%05d" % number for number in range(30000)]
    for pattern in patterns:
        index.add(pattern)
    assert len(index) == 30000
    assert all(index.found_in(b"x" + pattern + b"y") for pattern in patterns[::37])
    assert not index.found_in(b"30000 99999 0000")


def test_room_is_bounded() -> None:
    index = SecretIndex()
    block = b"x" * (1 << 20)
    taken = 0
    while index.add(b"%08d" % taken + block):
        taken += 1
    assert taken == 63
    assert index.found_in(b"00000000" + block)


def test_deep_nests_of_prefixes() -> None:
    index = SecretIndex()
    for length in range(4, 1000):
        index.add(b"a" * length)
        index.add(b"a" * length + b"0")
    assert index.intervals(b"b" + b"a" * 500 + b"b") == [(1, 501)]
    assert index.intervals(b"a" * 3 + b"0") == []

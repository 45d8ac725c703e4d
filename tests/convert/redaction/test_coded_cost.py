"""Compressed bodies in a stream: all of their copies are found, and where that costs too much all is masked."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from syswire.convert.redaction import coded
from syswire.convert.redaction.stretches import PLAIN, Stretch

if TYPE_CHECKING:
    from syswire.convert.conversations.rebuilt import Rebuilt


class Runs:
    """A conversation of given runs to the client."""

    def __init__(self, *runs: tuple[int, bytes]) -> None:
        self.known = [(1, 0, offset, len(data), data) for offset, data in runs]

    def conversation(self, number: int) -> int:
        return number

    def runs(self, number: int) -> list[tuple[int, int, int, int, bytes]]:
        return self.known


FIRST, SECOND, OTHER = b"a" * 20, b"b" * 30, b"c" * 40


def stretches(runs: Runs, contents: list[list[bytes]]) -> list[tuple[int, int]]:
    found = coded.coded_stretches(cast("Rebuilt", runs), 7, False, contents)
    assert all(each[:3] == (7, False, PLAIN) for each in found)
    assert all(isinstance(each, Stretch) for each in found)
    return sorted({(each.begin, each.end) for each in found})


def test_a_body_that_passes_twice_is_found_twice() -> None:
    runs = Runs((0, b"xx" + FIRST + b"--" + SECOND), (54, OTHER), (200, FIRST + SECOND))
    assert stretches(runs, [[FIRST, SECOND]] * 2) == [(2, 22), (24, 54), (200, 220), (220, 250)]


def test_a_body_that_begins_like_another() -> None:
    """The first block stands at 0 alone, and at 100 with the second one behind it."""
    runs = Runs((0, FIRST), (100, FIRST + SECOND))
    assert stretches(runs, [[FIRST, SECOND]]) == [(0, 20), (100, 120), (120, 150)]


@pytest.mark.parametrize("blocks", [[b"short"], [OTHER], [FIRST, OTHER], []])
def test_what_is_not_certain_masks_all(blocks: list[bytes]) -> None:
    assert stretches(Runs((0, FIRST), (100, FIRST + SECOND)), [blocks]) == [(0, 150)]


def test_what_would_cost_too_much_masks_all(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Runs((0, bytes(10_000)), (20_000, b"".join(b"x%019d" % number for number in range(100))))
    contents = [[b"x%019d" % number] for number in range(100)]
    assert len(stretches(runs, contents)) == 100
    monkeypatch.setattr(coded, "MOST_LOOKED", 50 * 12_000)
    assert stretches(runs, contents) == [(0, 22_000)]

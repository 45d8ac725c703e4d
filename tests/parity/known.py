"""What sysdig 0.29.3 prints and syswire does not, on purpose: each row of docs/sysdig.md that tests have to know.

A row turns sysdig's lines into those that are right; it touches nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Known(NamedTuple):
    """A known difference: which chisel or switch, why, and what its lines ought to be."""

    word: str
    cause: str
    rewrite: Callable[[list[bytes]], list[bytes]]


KNOWN: tuple[Known, ...] = ()


def expected(words: tuple[str, ...], lines: list[bytes]) -> list[bytes]:
    """Sysdig's lines after the rows that apply to this call."""
    for row in KNOWN:
        if row.word in words:
            lines = row.rewrite(lines)
    return lines


def same_argument(theirs: str, ours: str) -> bool:
    """Whether the arguments' texts agree, but for the wordings that docs/sysdig.md lists."""
    return theirs == ours

"""Regular expressions of a user's rules over hostile text: always in linear time.

Python's `re` tries one way after the other, so that a short expression and a crafted text can take years. Here the
expression is taken apart by Python's own parser and becomes a position automaton (Glushkov): the set of positions that
have been reached is an integer, and each character of the text makes one step, whatever the expression. What such an
automaton cannot do (looking around, backreferences, atomic groups, word borders) is refused when the rule is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

_parser: Any = re._parser  # type: ignore[attr-defined]  # the one parser of Python's own grammar; tests hold us to it

LONGEST = 256
POSITIONS = 1_000
"""Repeats with numbers are written out: `a{3}` takes three."""
STATES = 2_000
"""Sets of positions and characters whose steps are kept; beyond them the table begins anew."""
_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d",
    "CATEGORY_NOT_DIGIT": r"\D",
    "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S",
    "CATEGORY_WORD": r"\w",
    "CATEGORY_NOT_WORD": r"\W",
}
Test = Callable[[str], bool]


class ExpressionError(ValueError):
    """The expression is none, or asks for what is not offered."""


class _Part(NamedTuple):
    """A part of the expression: whether it fits nothing too, and the positions it may begin and end with."""

    empty: bool
    first: int
    last: int


NOTHING = _Part(True, 0, 0)


class Expression:
    """A compiled expression. `search` says whether it fits anywhere in a text."""

    def __init__(self, text: str, *, ignore_case: bool = True) -> None:
        """Raises ExpressionError."""
        if len(text) > LONGEST:
            raise ExpressionError(f"longer than {LONGEST} characters")
        try:
            parsed = _parser.parse(text, re.IGNORECASE if ignore_case else 0)
        except (re.error, OverflowError, RecursionError) as error:
            raise ExpressionError(str(error)) from None
        if parsed.state.flags & ~(re.UNICODE | re.IGNORECASE):
            raise ExpressionError("flags within the expression are not offered")
        self._ignore_case = bool(parsed.state.flags & re.IGNORECASE)
        self._tests: list[Test] = []
        self._follow: list[int] = []
        items = list(parsed)
        self._from_start, self._to_end = _anchored(items, 0, "AT_BEGINNING"), _anchored(items, -1, "AT_END")
        whole = self._sequence(items)
        self._start, self._accepting, self._empty = whole.first, whole.last, whole.empty
        self._masks: dict[str, int] = {}
        self._steps: dict[tuple[int, str], int] = {}

    def search(self, text: str) -> bool:
        """Whether it fits somewhere in the text."""
        if self._empty and (not self._to_end or not self._from_start or not text):
            return True
        reached, begin = 0, self._start
        for character in text:
            step = self._steps.get((reached, character))
            if step is None:
                step = self._step(reached, begin, character)
            reached = step
            if self._from_start:
                begin = 0
                if not reached:
                    return False
            if reached & self._accepting and not self._to_end:
                return True
        return bool(reached & self._accepting)

    def _step(self, reached: int, begin: int, character: str) -> int:
        """The positions after one more character."""
        mask = self._masks.get(character)
        if mask is None:
            if len(self._masks) >= STATES:
                self._masks.clear()
            mask = self._masks[character] = sum(1 << at for at, test in enumerate(self._tests) if test(character))
        following, left = begin, reached
        while left:
            low = left & -left
            following |= self._follow[low.bit_length() - 1]
            left ^= low
        step = following & mask
        if not self._from_start:  # the beginning is a part of every step, so that the step depends on nothing else
            if len(self._steps) >= STATES:
                self._steps.clear()
            self._steps[reached, character] = step
        return step

    def _sequence(self, items: Any) -> _Part:
        whole = NOTHING
        for name, value in items:
            whole = self._then(whole, self._part(str(name), value))
        return whole

    def _then(self, one: _Part, other: _Part) -> _Part:
        self._link(one.last, other.first)
        return _Part(
            one.empty and other.empty,
            one.first | (other.first if one.empty else 0),
            other.last | (one.last if other.empty else 0),
        )

    def _link(self, last: int, first: int) -> None:
        while last:
            low = last & -last
            self._follow[low.bit_length() - 1] |= first
            last ^= low

    def _part(self, name: str, value: Any) -> _Part:
        if name == "SUBPATTERN":
            _, added, removed, items = value
            if added or removed:
                raise ExpressionError("flags within the expression are not offered")
            return self._sequence(items)
        if name == "BRANCH":
            parts = [self._sequence(items) for items in value[1]]
            first = last = 0
            for part in parts:
                first, last = first | part.first, last | part.last
            return _Part(any(part.empty for part in parts), first, last)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            return self._repeat(*value)
        if name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            return self._one(self._test(name, value))
        if name == "AT":
            raise ExpressionError("^ and $ may stand at the beginning and the end only, word borders nowhere")
        raise ExpressionError("looking around, backreferences and atomic groups are not offered")

    def _repeat(self, least: int, most: Any, items: Any) -> _Part:
        endless = most is _parser.MAXREPEAT
        count = max(int(least), 1) if endless else int(most)
        if count > POSITIONS:
            raise ExpressionError(f"more than {POSITIONS} characters when its repeats are written out")
        whole = NOTHING
        for number in range(count):
            part = self._sequence(items)
            if endless and number == count - 1:
                self._link(part.last, part.first)
            whole = self._then(whole, part if number < least else part._replace(empty=True))
        return whole

    def _one(self, test: Test) -> _Part:
        if len(self._tests) >= POSITIONS:
            raise ExpressionError(f"more than {POSITIONS} characters when its repeats are written out")
        self._tests.append(test)
        self._follow.append(0)
        bit = 1 << (len(self._tests) - 1)
        return _Part(False, bit, bit)

    def _test(self, name: str, value: Any) -> Test:
        """Whether a character fits: by Python's own expressions of one character, so that case is theirs too."""
        if name == "ANY":
            return lambda character: character != "\n"
        if name == "IN":
            body = "".join(_item(str(kind), of) for kind, of in value)
            text = f"[{body}]"
        else:
            text = f"[{'^' if name == 'NOT_LITERAL' else ''}{_escaped(value)}]"
        fits = re.compile(text, re.IGNORECASE if self._ignore_case else 0).fullmatch
        return lambda character: fits(character) is not None


def _anchored(items: list[Any], at: int, name: str) -> bool:
    """Whether the expression begins (ends) with ^ ($), which is taken away."""
    if items and str(items[at][0]) == "AT" and str(items[at][1]) in (name, f"{name}_STRING"):
        del items[at]
        return True
    return False


def _escaped(code: int) -> str:
    return f"\\U{code:08x}"


def _item(kind: str, of: Any) -> str:
    if kind == "NEGATE":
        return "^"
    if kind == "LITERAL":
        return _escaped(of)
    if kind == "RANGE":
        return f"{_escaped(of[0])}-{_escaped(of[1])}"
    return _CATEGORIES[str(of)]

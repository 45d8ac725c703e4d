"""A filter that can be asked of events: its tree, with each check bound to a row of the field table.

A field that is missing makes a check false, whatever the operator, so `not fd.name=x` holds where there is no name.
"""

from __future__ import annotations

from .errors import FilterError, did_you_mean
from .fields.table import EVENT_NAMES, FIELDS, NUMERIC_ARGUMENTS, FieldProblem, field
from .grammar import parse
from .operators import ValueProblem, matcher
from .tree import And, Check, Not, checks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..trace.model import Event
    from .fields.field import Field
    from .operators import Match
    from .tree import Tree

    Judge = Callable[[Event], bool]

CHECKED_NAMES = ("=", "!=", "in", "intersects")  # operators behind evt.type whose values must be event names


class BoundCheck:
    """A check, the field that it asks for with its argument, and the test of its value."""

    __slots__ = ("argument", "check", "field", "match")

    def __init__(self, check: Check, field: Field, argument: str | None, match: Match) -> None:
        self.check = check
        self.field = field
        self.argument = argument
        self.match = match

    def judge(self, event: Event) -> bool:
        """Whether the check holds at the event."""
        value = self.field.extract(event, self.argument)
        if value is None:
            return False
        return holds(self, value) if isinstance(value, tuple) else self.match(value)


def holds(bound: BoundCheck, value: object) -> bool:
    """Whether the check holds for this value of its field: None is missing, a tuple several values.

    Of several, one must do; for `!=` of a field that stands for two ends (fd.ip, fd.port ...), all must.
    """
    if value is None:
        return False
    match = bound.match
    if isinstance(value, tuple):
        if bound.check.operator == "!=" and bound.field.filter_only:
            return bool(value) and all(match(one) for one in value)
        return any(match(one) for one in value)
    return match(value)  # type: ignore[arg-type]


class Filter:
    """A filter; `judge(event)` says whether the event is wanted. `tree` is None for an empty filter: all are wanted."""

    def __init__(self, text: str, tree: Tree | None) -> None:
        self.text = text
        self.tree = tree
        self.checks: list[BoundCheck] = [] if tree is None else [bind(text, check) for check in checks(tree)]
        found = {id(bound.check): bound for bound in self.checks}
        self.judge: Judge = (lambda event: True) if tree is None else _judge(tree, found)

    @property
    def fields(self) -> list[Field]:
        """The fields that it asks for, each once."""
        return list(dict.fromkeys(bound.field for bound in self.checks))


def compile_filter(text: str) -> Filter:
    """The filter of a text. Raises FilterError, which says where the mistake is."""
    return Filter(text, parse(text))


def bind(text: str, check: Check) -> BoundCheck:
    """The check with its field and its test. Raises FilterError."""
    try:
        row, argument = field(check.field)
    except FieldProblem as problem:
        raise FilterError(problem.message, text, check.place + problem.place, problem.hint) from None
    if row.name == "evt.type" and check.operator in CHECKED_NAMES:
        for value, place in zip(check.values, check.value_places or (0,) * len(check.values), strict=True):
            if value not in EVENT_NAMES:
                raise FilterError(f"there is no event {value[:40]}", text, place, did_you_mean(value, EVENT_NAMES))
    numeric = row.type == "dyn" and argument in NUMERIC_ARGUMENTS
    try:
        return BoundCheck(check, row, argument, matcher(row, check.operator, check.values, numeric))
    except ValueProblem as problem:
        place = _place(row, check, problem, numeric)
        raise FilterError(problem.message, text, place, problem.hint) from None


def _place(row: Field, check: Check, problem: ValueProblem, numeric: bool) -> int:
    """Where the value stands that is wrong; the operator, if that is."""
    if " does not work on " in problem.message:
        return check.operator_place
    for value, place in zip(check.values, check.value_places, strict=False):
        try:
            matcher(row, check.operator, (value,), numeric)
        except ValueProblem:
            return place
    return check.operator_place


def _judge(tree: Tree, found: dict[int, BoundCheck]) -> Judge:
    if isinstance(tree, Check):
        return found[id(tree)].judge
    if isinstance(tree, Not):
        child = _judge(tree.child, found)
        return lambda event: not child(event)
    children = [_judge(child, found) for child in tree.children]
    return _both(children) if isinstance(tree, And) else _either(children)


def _both(children: list[Judge]) -> Judge:
    """Whether all hold; loops are several times as fast here as `all` over a generator."""

    def judge(event: Event) -> bool:
        for child in children:  # noqa: SIM110
            if not child(event):
                return False
        return True

    return judge


def _either(children: list[Judge]) -> Judge:
    """Whether one holds."""

    def judge(event: Event) -> bool:
        for child in children:  # noqa: SIM110
            if child(event):
                return True
        return False

    return judge


__all__ = ["FIELDS", "BoundCheck", "Filter", "bind", "compile_filter", "holds"]

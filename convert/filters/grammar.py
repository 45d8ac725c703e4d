"""From the text of a filter to its tree.

    filter := or;  or := and {"or" and};  and := not {"and" not};  not := {"not"} ( "(" or ")" | check )
    check  := field "exists" | field operator value | field ("in" | "pmatch" | "intersects") "(" [value {"," value}] ")"

`and` binds tighter than `or`, as in newer libraries (0.29.3 refuses to mix them without brackets); `==` is `=`.
"""

from __future__ import annotations

from .errors import FilterError, did_you_mean
from .lexer import SYMBOLS, WORDS, Lexer
from .tree import LIST_OPERATORS, And, Check, Not, Or

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from .tree import Tree

DEEPEST: Final = 100  # brackets and nots within each other
JOINS: Final = ("and", "or", "not")
OTHER_WORDS: Final = {"&&": "and", "||": "or", "!": "not", "&": "and", "|": "or"}


def parse(text: str) -> Tree | None:
    """The tree of a filter, None of an empty one. Raises FilterError."""
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as error:
        raise FilterError("the filter has a character that is no text", text, error.start) from None
    lexer = Lexer(text)
    if not lexer.peek():
        return None
    tree = _any(lexer, 0)
    if lexer.peek() == ")":
        raise lexer.error("this bracket was never opened")
    if lexer.peek():
        raise _not_joined(lexer)
    return tree


def _not_joined(lexer: Lexer) -> FilterError:
    word = lexer.word()
    if word in OTHER_WORDS or word.lower() in JOINS:
        return lexer.error(f"{word} is not known", hint=f"write {OTHER_WORDS.get(word, word.lower())}")
    return lexer.error("'and' or 'or' is missing here", hint="a value with blanks goes in quotes")


def _any(lexer: Lexer, depth: int) -> Tree:
    children = [_all(lexer, depth)]
    while lexer.take_word("or"):
        children.append(_all(lexer, depth))
    return children[0] if len(children) == 1 else Or(tuple(children))


def _all(lexer: Lexer, depth: int) -> Tree:
    children = [_one(lexer, depth)]
    while lexer.take_word("and"):
        children.append(_one(lexer, depth))
    return children[0] if len(children) == 1 else And(tuple(children))


def _one(lexer: Lexer, depth: int) -> Tree:
    if depth > DEEPEST:
        raise lexer.error(f"more than {DEEPEST} brackets and nots within each other")
    if lexer.take_word("not"):
        return Not(_one(lexer, depth + 1))
    opened = lexer.skip_blanks()
    if not lexer.take("("):
        return _check(lexer)
    tree = _any(lexer, depth + 1)
    if not lexer.take(")"):
        if lexer.peek():
            raise _not_joined(lexer)
        raise lexer.error("this bracket is not closed", opened)
    return tree


def _check(lexer: Lexer) -> Check:
    place = lexer.skip_blanks()
    name = lexer.field()
    if name is None or name in JOINS:
        lexer.place = place
        raise _no_field(lexer)
    operator_place = lexer.skip_blanks()
    operator = lexer.operator()
    if operator is None:
        raise _no_operator(lexer, name, place)
    if operator == "==":
        operator = "="
    if operator == "exists":
        return Check(name, operator, (), place, operator_place)
    if operator in LIST_OPERATORS:
        values, places = _list(lexer, operator)
        return Check(name, operator, values, place, operator_place, places)
    value_place = lexer.skip_blanks()
    value = lexer.value("()")
    if lexer.place == value_place:
        raise lexer.error(f"a value is missing behind {operator}", hint='an empty one is written ""')
    if lexer.text[lexer.place : lexer.place + 1] == "(":
        raise lexer.error("a bracket cannot stand in a value", hint="put the value in quotes")
    return Check(name, operator, (value,), place, operator_place, (value_place,))


def _no_field(lexer: Lexer) -> FilterError:
    word = lexer.word()
    if not word:
        if lexer.peek() == ")":
            return lexer.error("there is nothing in these brackets" if _opened(lexer) else "a check is missing here")
        return lexer.error("the filter ends where a check should come", hint="such as proc.name=httpd")
    if word in JOINS:
        return lexer.error(f"'{word}' stands where a check should come", hint="such as proc.name=httpd")
    if word[0] == "!":
        return lexer.error("! is not known", hint="write not")
    return lexer.error(f"{word[:40]} is no field", hint="checks begin with a field, such as proc.name=httpd")


def _opened(lexer: Lexer) -> bool:
    return lexer.text[: lexer.place].rstrip().endswith("(")


def _no_operator(lexer: Lexer, name: str, place: int) -> FilterError:
    word = lexer.word()
    if name.upper() in ("NOT", "AND", "OR"):
        return lexer.error(f"{name} is not known", place, f"write {name.lower()}")
    if not word or word in JOINS:
        return lexer.error(f"an operator is missing behind {name}", hint=f"to see whether it is there: {name} exists")
    if word.lower() in WORDS:
        return lexer.error(f"{word} is no operator", hint=f"write {word.lower()}")
    hint = did_you_mean(word, WORDS) or "known are " + " ".join((*SYMBOLS, *sorted(WORDS)))
    return lexer.error(f"{word[:40]} is no operator", hint=hint)


def _list(lexer: Lexer, operator: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    opened = lexer.skip_blanks()
    if not lexer.take("("):
        raise lexer.error(f"a list in brackets follows {operator}", hint=f"write {operator} (VALUE, VALUE)")
    values: list[str] = []
    places: list[int] = []
    if lexer.take(")"):
        return (), ()
    while True:
        place = lexer.skip_blanks()
        value = lexer.value(",()")
        if lexer.place == place:
            if not lexer.peek():
                raise lexer.error("this bracket is not closed", opened)
            raise lexer.error("a value is missing in this list", hint='an empty one is written ""')
        values.append(value)
        places.append(place)
        if lexer.take(")"):
            return tuple(values), tuple(places)
        if not lexer.take(","):
            if not lexer.peek():
                raise lexer.error("this bracket is not closed", opened)
            raise lexer.error("a comma is missing between these values", hint="a value with blanks goes in quotes")

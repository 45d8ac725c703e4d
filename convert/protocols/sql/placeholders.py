"""Which parameters of a prepared statement are passwords, and who they belong to.

Each placeholder is replaced by a literal that can be told from all others, and the text is then looked at as any other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from ...model.sighting import CLEARTEXT, HASH, LIKELY, Sighting
from .accounts import hash_of, says_nothing
from .secrets import find, may_hold
from .sightings import PARAMETER
from .tokens import POSTGRESQL, tokens

if TYPE_CHECKING:
    from ...model.span import Span
    from .tokens import Token

_MOST_NUMBER = 65_535
_MARK = "\x02"


class Place(NamedTuple):
    """One parameter that is a password."""

    number: int
    """Of the parameter, from 0 on."""
    user: int | None
    """Number of the parameter that names whose it is."""
    username: str | None
    """Whose it is, where the text itself says so."""


class Parameter(NamedTuple):
    """A value that was sent for a placeholder."""

    data: bytes
    """As it stands on the wire."""
    span: Span


def passwords(sql: str, dialect: str) -> list[Place]:
    """Those of a statement, in the order in which they stand; [] where none is one."""
    mark = "$" if dialect == POSTGRESQL else "?"
    if mark not in sql or not may_hold(sql) or _MARK in sql:
        return []
    places: list[Place] = []
    for secret in find(_with_literals(sql, dialect), dialect):
        number = _number(secret.value)
        if number is not None and all(number != place.number for place in places):
            user = _number(secret.username)
            places.append(Place(number, user, secret.username if user is None else None))
    return places


def _number(text: str | None) -> int | None:
    """Which placeholder this literal stands for."""
    if text is None or len(text) < 3 or text[0] != _MARK or text[-1] != _MARK or not text[1:-1].isdecimal():
        return None
    return int(text[1:-1])


def _with_literals(sql: str, dialect: str) -> str:
    parts: list[str] = []
    at = count = 0
    told = tokens(sql, dialect)
    for index, token in enumerate(told):
        number, end = None, token.end
        if dialect != POSTGRESQL:
            if token.word == "?" and token.kind == "mark":
                number, count = count, count + 1
        elif token.word == "$" and token.kind == "mark" and index + 1 < len(told):
            number, end = _numbered(told, index, sql)
        if number is not None and token.begin >= at:
            parts += (sql[at : token.begin], f"'{_MARK}{number}{_MARK}'")
            at = end
    return "".join((*parts, sql[at:]))


def _numbered(told: list[Token], index: int, sql: str) -> tuple[int | None, int]:
    """($N of PostgreSQL, from 0 on; the offset behind it and its cast)."""
    token, after = told[index], told[index + 1]
    digits = after.word
    if after.begin != token.end or not (digits.isascii() and digits.isdecimal() and len(digits) < 6):
        return None, token.end
    number = int(digits)
    if not 0 < number <= _MOST_NUMBER:
        return None, token.end
    end = after.end
    cast = told[index + 2 : index + 5]
    if len(cast) == 3 and cast[0].word == cast[1].word == ":" and cast[2].kind in {"word", "name"}:
        end = cast[2].end
        size = told[index + 5 : index + 8]
        if [one.word for one in size[::2]] == ["(", ")"] and size[1].kind == "number":
            end = size[2].end
    return number - 1, end


def sighted(place: Place, values: list[Parameter | None], protocol: str, whole: bool) -> Sighting | None:
    """The password that was sent for a placeholder; None where nothing was, or a number.

    `values`: of every parameter the text that was sent, None where it is none. `whole`: the last one's end is known.
    """
    value = values[place.number] if place.number < len(values) else None
    if value is None:
        return None
    text = value.data.decode("latin-1")
    if says_nothing(text):
        return None
    user = place.username
    if place.user is not None and place.user < len(values):
        named = values[place.user]
        user = _as_name(named.data) if named is not None else None
    one = Sighting(PARAMETER, None, user, value.data, value.data, whole, value.span, protocol=protocol)
    scheme = hash_of(text)
    one.form = HASH if scheme else CLEARTEXT
    one.confidence = LIKELY
    if scheme:
        one.details = {"mechanism": scheme[0], "hashcat": scheme[1], "john": None}
    return one


def _as_name(data: bytes) -> str | None:
    try:
        return data.decode() or None
    except UnicodeDecodeError:
        return data.decode("latin-1")

"""Fields of JSON that hold a secret or name a user, with the place of each value: nested, in arrays, and in GraphQL.

The text is read string by string, never parsed as a whole: what was cut at either end, or is no JSON any more behind
some point, still tells. A name is one only where a colon follows it, so that words in values say nothing.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...escapes import JSON, unescape
from ...model.sighting import LIKELY
from .form_fields import CLIENT_FIELDS, USER_FIELDS, Kind, own_name, secret_kind, text_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...model.span import Span
    from .form import Form

TELLING = (b"pass", b"pw", b"pin", b"secret", b"key", b"token", b"kennwort", b"jwt", b"contrasena", b"mot")
"""What is part of the name of any field that holds a secret; in lower case."""
_PAIR = re.compile(
    rb'"(?P<name>(?:[^"\\]|\\.)*+)(?:"|\\?\Z)'
    rb'(?:\s*+:\s*+(?:"(?P<text>(?:[^"\\]|\\.)*+)(?P<end>"|\\?\Z)|(?P<number>-?[0-9][0-9.eE+\-]*+)|(?P<other>)))?',
    re.DOTALL,
)
_QUERY = re.compile(rb"(?:query|mutation|subscription)\b|\{")
# name: "value", within the text of a GraphQL document; its quotes are escaped where that is a string of JSON.
_ARGUMENT = re.compile(
    rb'(?<![$\w])(?P<name>[A-Za-z_]\w{0,99})(?:\s|\\[nrt]){0,64}+:(?:\s|\\[nrt]){0,64}+(?P<quote>\\?")(?P<text>(?:(?!(?P=quote)).){0,1024}?)'
    rb"(?<!\\\\)(?P=quote)",
    re.DOTALL,
)
_LONGEST_NAME = 256
_LONGEST_QUERY = 1 << 16
_PAIRED_NAMES = frozenset((b"name", b"key", b"id", b"field", b"Name", b"Key"))
_PAIRED_VALUES = frozenset((b"value", b"Value", b"val"))


def may_hold_secret(data: bytes) -> bool:
    """A cheap look before it is read."""
    lower = data.lower()
    return any(word in lower for word in TELLING)


def looks_like_json(data: bytes) -> bool:
    """Whether it begins as an object or an array."""
    return data.lstrip(b" \t\r\n\xef\xbb\xbf")[:1] in {b"{", b"["}


def read_json(form: Form, data: bytes, ends_cut: bool, locate: Callable[[int, int], Span]) -> None:
    """Give the form the fields of one stretch of JSON."""
    if not may_hold_secret(data):
        return
    paired: bytes | None = None
    for match in _PAIR.finditer(data):
        if form.full:
            return
        name = match["name"]
        text, number = match["text"], match["number"]
        value = text if text is not None else number
        if value is None or len(name) > _LONGEST_NAME:
            continue
        group = "text" if text is not None else "number"
        begin, end = match.span(group)
        complete = match["end"] == b'"' if text is not None else end < len(data) or not ends_cut
        if name in _PAIRED_NAMES and text is not None:
            paired = text if len(text) <= _LONGEST_NAME else None
        elif name in _PAIRED_VALUES and paired is not None:
            name, paired = paired, None
        if text is not None and name in {b"query", b"mutation"} and _QUERY.match(text.lstrip(b"\\nrt ")):
            _read_arguments(form, data, begin, min(end, begin + _LONGEST_QUERY), True, locate)
            continue
        _take(form, name, value, text is not None, complete, begin, locate)


def read_graphql(form: Form, data: bytes, locate: Callable[[int, int], Span]) -> None:
    """Give the form the arguments of a GraphQL document (application/graphql), or of one in a query."""
    _read_arguments(form, data, 0, min(len(data), _LONGEST_QUERY), False, locate)


def _read_arguments(
    form: Form, data: bytes, begin: int, end: int, quoted: bool, locate: Callable[[int, int], Span]
) -> None:
    """Arguments given in the document itself; `quoted`: it stands in a string of JSON."""
    for match in _ARGUMENT.finditer(data, begin, end):
        if form.full:
            return
        if quoted == match["quote"].startswith(b"\\"):
            value = unescape(match["text"], JSON)[0] if quoted else match["text"]
            _take(form, match["name"], value, True, True, match.start("text"), locate, match["text"])


def _take(
    form: Form,
    name: bytes,
    value: bytes,
    is_text: bool,
    complete: bool,
    begin: int,
    locate: Callable[[int, int], Span],
    raw: bytes | None = None,
) -> None:
    field = own_name((unescape(name, JSON)[0] if b"\\" in name else name).replace(b"%", b"%25").replace(b"+", b"%2B"))
    kind = secret_kind(field)
    if kind is None and field not in USER_FIELDS and field not in CLIENT_FIELDS:
        return
    raw = value if raw is None else raw
    decoded = unescape(value, JSON)[0] if b"\\" in value else value
    if kind is None:
        form.name(text_of(decoded), field)
    elif decoded:
        if not is_text:
            kind = Kind(kind.form, LIKELY)
        form.add(text_of(name), decoded, raw, complete, locate(begin, begin + len(raw)), kind)

"""An event as a JSON object of a format's fields, the way sysdig's -j writes it: keys sorted, text in ASCII."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from .formats import Format, named, parse, unescaped
from .lines import value_text

if TYPE_CHECKING:
    from ...convert.filters.fields.field import Value
    from ...convert.trace.model import Event
    from .formats import Piece
    from .lines import Line

TIMES: Final = frozenset((
    "evt.time", "evt.time.s", "evt.time.iso8601", "evt.datetime", "evt.datetime.s", "evt.outputtime",
))  # fmt: skip
"""Fields that are the raw time in JSON, whatever their form."""
WRONG: Final = "\ufffd"
_LEAST: Final = (0x80, 0x800, 0x10000)
"""The lowest character that needs two, three and four bytes."""


def _characters(data: bytes) -> str:
    """Text of bytes that are not all UTF-8, as jsoncpp reads them: a lead byte takes what follows it, right or not."""
    out = []
    place, end = 0, len(data)
    while place < end:
        lead = data[place]
        more = 0 if lead < 0x80 else 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3 if lead < 0xF8 else 0
        if lead >= 0xF8 or (more and place + more >= end):
            out.append(WRONG)
            place += 1
            continue
        code = lead & (0x7F, 0x1F, 0x0F, 0x07)[more]
        for byte in data[place + 1 : place + 1 + more]:
            code = code << 6 | byte & 0x3F
        wrong = more and (code < _LEAST[more - 1] or 0xD800 <= code < 0xE000 or code > 0x10FFFF)
        out.append(WRONG if wrong else chr(code))
        place += 1 + more
    return "".join(out)


def text_json(text: str) -> str:
    """A text as a JSON string in ASCII."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        text = _characters(text.encode("utf-8", "surrogateescape"))
    return json.dumps(text).replace("\\u007f", "\x7f")


def _value_json(piece: Piece, value: Value, event: Event) -> str:
    if piece.field.name in TIMES:
        return str(event.ts)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and piece.field.shown != "hex":
        return str(value)
    return text_json(value_text(piece.field, value, event))


def json_of(format: Format) -> Line:
    """The function that makes objects of this format; None where a value is missing and the format does not keep."""
    pieces = sorted({piece.name: piece for piece in format.pieces}.values(), key=lambda piece: piece.name)
    heads = [(text_json(piece.name) + ":", piece) for piece in pieces]

    def line(event: Event) -> str | None:
        out = []
        for head, piece in heads:
            value = piece.field.extract(event, piece.argument)
            if isinstance(value, tuple):
                value = None
            if value is None and not format.keep:
                return None
            out.append(head + _value_json(piece, value, event))
        return "{" + ",".join(out) + "}" if out else "null"

    return line


def json_lines(format: str | None = None) -> Line:
    """As `lines`, for -j."""
    if format is None or format in ("c", "k", "m", "container", "kubernetes", "mesos"):
        return json_of(named(format or ""))
    return json_of(parse(unescaped(format)))

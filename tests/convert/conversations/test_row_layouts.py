"""The rows of the compiled modules and their Python views are the same."""

from __future__ import annotations

import re
from pathlib import Path
from struct import Struct

import pytest

from syswire.convert.conversations.totals import TOTALS
from syswire.convert.model.frame import FRAME, Frame

CODES = {"uint8_t": "B", "uint16_t": "H", "uint32_t": "I", "uint64_t": "Q"}


def declared(path: Path, struct: str) -> list[tuple[str, str]]:
    """(type code, name) of the fields of a struct in a .pxd."""
    body = re.search(rf"^ctypedef struct {struct}:.*?\n((?:    .*\n)+)", path.read_text(), re.MULTILINE)
    assert body is not None
    return [(CODES[kind], name) for kind, name in re.findall(r"^    (uint\d+_t) (\w+)", body[1], re.MULTILINE)]


@pytest.mark.parametrize(
    ("path", "struct", "view"), [("model/frame.pxd", "Frame", FRAME), ("conversations/both_ends.pxd", "Totals", TOTALS)]
)
def test_layouts(root: Path, path: str, struct: str, view: Struct) -> None:
    fields = declared(root / "convert" / path, struct)
    written = Struct("<" + "".join(code for code, _ in fields))
    assert Struct("@" + written.format[1:]).size == written.size == view.size
    plain = re.sub(r"(\d+)(\w)", lambda match: match[2] * int(match[1]), view.format)
    assert plain == written.format
    if struct == "Frame":
        assert Frame._fields == tuple(name for _, name in fields)

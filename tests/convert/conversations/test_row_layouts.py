"""The rows of the compiled modules and their Python views are the same."""

from __future__ import annotations

import re
from pathlib import Path
from struct import Struct

import pytest

from syswire.convert.conversations.totals import TOTALS
from syswire.convert.model.frame import FRAME, Frame
from syswire.convert.model.segments import FLOW, SEGMENT, Flow, Segment

CODES = {"uint8_t": "B", "uint16_t": "H", "uint32_t": "I", "uint64_t": "Q"}


def declared(path: Path, struct: str) -> list[tuple[str, str]]:
    """(type code, name) of the fields of a struct in a .pxd."""
    body = re.search(rf"^ctypedef struct {struct}:.*?\n((?:    .*\n)+)", path.read_text(), re.MULTILINE)
    assert body is not None
    found = re.findall(r"^    (uint\d+_t) (\w+)(?:\[(\d)\])?", body[1], re.MULTILINE)
    return [
        (CODES[kind], f"{name}_{number}" if count else name)
        for kind, name, count in found
        for number in range(int(count or 1))
    ]


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


def test_layouts_of_packet_rows(root: Path) -> None:
    path = root / "convert" / "model" / "segments.pxd"
    segment, flow = declared(path, "Segment"), declared(path, "Flow")
    assert [name for _, name in segment] == [*Segment._fields, "reserved_0", "reserved_1"]
    assert [name for _, name in flow] == [*Flow._fields]
    for fields, view in ((segment, SEGMENT), (flow, FLOW)):
        written = Struct("@" + "".join(code for code, _ in fields))
        assert written.size == view.size
        numbers = range(1, len(fields) + 1)
        known = [
            number for number, (_, name) in zip(numbers, fields, strict=True) if view is FLOW or "reserved" not in name
        ]
        assert list(view.unpack(written.pack(*numbers))) == known

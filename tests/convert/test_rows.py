"""What Python and the compiled modules must agree on: row layouts, numbers of operations and arguments, the table."""

from __future__ import annotations

import re
from pathlib import Path
from struct import Struct

import pytest

from syswire.convert.model import rows
from syswire.convert.scap import event_table, semantics
from syswire.convert.scap.reader import ROW, EventRow

CODES = {"int8_t": "b", "uint8_t": "B", "uint16_t": "H", "uint32_t": "I", "uint64_t": "Q", "int64_t": "q"}
CONSTANT = re.compile(r"^    ([A-Z][A-Z0-9_]*) = (\d+)", re.MULTILINE)


def fields(text: str, struct: str) -> list[tuple[str, str]]:
    """(struct code, name) of the fields of a struct in a .pxd."""
    body = re.search(rf"^ctypedef struct {struct}:.*?\n((?:    .*\n)+)", text, re.MULTILINE)
    assert body is not None
    found = re.findall(r"^    (u?int\d+_t) (\w+)(?:\[(\d+)\])?", body[1], re.MULTILINE)
    return [((size + "s" if size else CODES[kind]), name) for kind, name, size in found]


@pytest.mark.parametrize(
    ("struct", "layout", "names"),
    [
        ("Chunk", rows.CHUNK, rows.Chunk._fields),
        ("Conv", rows.CONV, rows.Conv._fields),
        ("Piece", rows.PIECE, rows.Piece._fields),
    ],
)
def test_layouts(root: Path, struct: str, layout: Struct, names: tuple[str, ...]) -> None:
    told = fields((root / "convert/model/rows.pxd").read_text(), struct)
    written = "".join(code for code, _ in told)
    assert tuple(name for _, name in told) == names
    assert re.sub(r"(\d+)([A-Z])", lambda m: m[2] * int(m[1]), layout.format[1:]) == written
    assert Struct("@" + written).size == layout.size, "the compiler would pad"


def test_the_listings_rows(root: Path) -> None:
    told = fields((root / "convert/scap/walk.pxd").read_text(), "ListRow")
    assert "<" + "".join(code for code, _ in told) == ROW.format
    assert [name for _, name in told] == list(EventRow._fields)


def test_constants_of_rows(root: Path) -> None:
    declared = dict(CONSTANT.findall((root / "convert/model/rows.pxd").read_text()))
    for name, value in declared.items():
        assert getattr(rows, name) == int(value), name


@pytest.mark.parametrize("prefix", ["OP_", "ARG_"])
def test_operations_and_arguments(root: Path, prefix: str) -> None:
    text = (root / "convert/scap/event.pxd").read_text()
    declared = [name for name in re.findall(r"\b[A-Z][A-Z0-9_]+\b", text) if name.startswith(prefix)]
    assert [getattr(semantics, name) for name in declared] == list(range(len(declared)))
    count = semantics.ARG_COUNT if prefix == "ARG_" else semantics.OP_CONNECT_ENTER + 1
    assert len(declared) == count
    if prefix == "ARG_":
        assert f"ARGS = {count}\n" in text
        assert f"int8_t place[{count}]" in text


def test_types(root: Path) -> None:
    text = (root / "convert/scap/event.pxd").read_text()
    types = re.search(r"\bTYPES = (\d+)", text)
    most = re.search(r"\bMAX_PARAMS = (\d+)", text)
    assert types is not None
    assert most is not None
    assert int(types[1]) == len(event_table.EVENTS) == len(semantics.type_rows()) == len(semantics.param_widths())
    assert max(len(row[4]) for row in event_table.EVENTS) <= int(most[1])
    assert f"off[{int(most[1]) + 1}]" in text
    for name in ("arguments.pxd", "walk.pxd"):
        assert f"[{types[1]}]" in (root / "convert/scap" / name).read_text()


def test_kinds_and_numbers_of_scap(root: Path) -> None:
    """Against the format's own names where the project has them."""
    declared = dict(CONSTANT.findall((root / "convert/scap/tables.pxd").read_text()))
    from syswire.convert.scap import snapshot

    pairs = {"KIND_IPV4": "FD_IPV4", "KIND_IPV6": "FD_IPV6", "KIND_IPV4_BOUND": "FD_IPV4_BOUND", "KIND_FIFO": "FD_FIFO"}
    pairs |= {"KIND_IPV6_BOUND": "FD_IPV6_BOUND", "KIND_UNIX": "FD_UNIX", "KIND_NETLINK": "FD_NETLINK"}
    pairs |= {"KIND_FILE_V2": "FD_FILE_V2", "KIND_FILE": "FD_FILE", "KIND_DIRECTORY": "FD_DIRECTORY"}
    pairs |= {"L4_TCP": "L4_TCP", "L4_UDP": "L4_UDP", "L4_ICMP": "L4_ICMP", "L4_RAW": "L4_RAW"}
    for ours, theirs in pairs.items():
        assert int(declared[ours]) == getattr(snapshot, theirs), ours

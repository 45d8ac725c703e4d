"""Event blocks of every kind, sound and damaged, and what is counted of them."""

from __future__ import annotations

import struct
from itertools import pairwise
from pathlib import Path

import pytest

from support import plain_scap
from support.every_event import every_event
from support.listing import listing
from support.recording import START, Recording, decoded, tcp
from syswire.convert.scap import event_table as table
from syswire.convert.scap.snapshot import Process
from syswire.convert.scap.writer import Form

PAIR = tcp("10.0.0.7", 40000, "10.0.0.5", 80)


def client(form: Form = Form.V2, flags: int | None = None) -> Recording:
    made = Recording("old", form=form, flags=flags)
    made.machine([Process(100, 100, 1, b"curl", b"curl")])
    made.socket(100, 3)
    made.connect(100, 3, PAIR)
    return made


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("flags", [None, 0, 1, 2, 3])
def test_every_kind_of_event_block(form: Form, flags: int | None) -> None:
    made = client(form, flags)
    made.write(100, 3, b"hello")
    seen = made.decoded()
    assert [data for *_, data in seen.told()] == [b"", b"hello"]
    assert seen.result.events == made.events == 6


@pytest.mark.parametrize("age", ["old", "new"])
@pytest.mark.parametrize("order", ["little", "big"])
def test_every_type_is_counted_and_in_the_listing(age: str, order: str, tmp_path: Path) -> None:
    data, told = every_event(age, order)  # type: ignore[arg-type]
    (tmp_path / "capture").write_bytes(data)
    seen = listing(tmp_path / "capture")
    rows = [(row.ordinal, row.ts, row.tid, row.cpu, row.type) for row in seen.rows]
    assert rows == [(i, one.ts, one.tid, one.cpu, one.code) for i, one in enumerate(told, 1)]
    assert seen.reader.walker.damaged_events == 0


def test_numbers_are_sysdigs() -> None:
    """Types that sysdig 0.29.3 does not know take no number."""
    made = client()
    made.raw(table.SYSDIG_MAX + 20, 100, [])
    made.blocks.append(made.writer.raw_event(made.now, 100, 0, 1000, []))
    at = len(bytes(made))
    made.write(100, 3, b"x")
    seen = made.decoded()
    chunk = seen.chunks[-1]
    assert (chunk.event, chunk.evt_num) == (8, 6)
    assert chunk.block > at
    loss = seen.result.losses["unknown_event_type"]
    assert (loss.count, seen.result.events) == (1, 8)


def test_large_blocks() -> None:
    made = client()
    made.blocks.append(made.writer.raw_event(made.now, -1, 0, 324, [b'{"container": {"id": "abc", "name": "web"}}']))
    made.blocks.append(
        made.writer.raw_event(made.now, -1, 0, 324, [b" " * 70_000 + b'{"container":{"id":"d","name":"e"}}'])
    )
    made.blocks.append(made.writer.raw_event(made.now, 100, 0, 9, [b"\5" + bytes(7), b"large"], large=True))
    seen = made.decoded()
    assert seen.result.container_names == {"abc": b"web", "d": b"e"}
    assert seen.result.events == 7


@pytest.mark.parametrize("order", ["little", "big"])
@pytest.mark.parametrize("lengths", [(10, 0xFFFFFFFF), (0xFFFFFFFF, 2), (0x80000000, 0x80000000), (11, 0)])
def test_lengths_that_would_wrap(order: str, lengths: tuple[int, int]) -> None:
    """32-bit lengths whose sum fits a block again by overflow."""
    made = Recording(byte_order=order)  # type: ignore[arg-type]
    block = bytearray(made.writer.raw_event(START, 100, 0, 402, [b"12345", b"12345"]))
    struct.pack_into(made.writer.encoder.prefix + "II", block, 8 + 2 + 26, *lengths)
    made.blocks.append(bytes(block))
    seen = made.decoded()
    losses = {name: loss.count for name, loss in seen.result.losses.items()}
    assert seen.result.events == 1
    assert set(losses) <= {"damaged_event"}
    with pytest.raises(plain_scap.Damaged):
        list(plain_scap.records(bytes(made)))


@pytest.mark.parametrize("lengths", [(10, 0xFFFFFFFF), (0xFFFFFFFF, 2), (9, 9)])
def test_lengths_that_would_wrap_where_they_are_looked_at(lengths: tuple[int, int]) -> None:
    made = Recording()
    block = bytearray(made.writer.raw_event(START, 100, 0, 324, [b"12345", b"12345"]))
    struct.pack_into("<II", block, 8 + 2 + 26, *lengths)
    made.blocks.append(bytes(block))
    assert made.decoded().result.losses["damaged_event"].count == 1


@pytest.mark.parametrize(
    ("place", "form", "value"),
    [
        (26, "<I", 25),  # shorter than its own header
        (26, "<I", 0),
        (26, "<I", 4000),
        (26, "<I", 0xFFFFFFFF),
        (32, "<I", 5000),  # more parameters than there is room for
        (32, "<I", 0xFFFFFFFF),
        (36, "<H", 60000),  # a parameter that is longer than the event
    ],
)
def test_a_damaged_event_is_counted_and_passed_over(place: int, form: str, value: int, tmp_path: Path) -> None:
    made = client()
    made.write(100, 3, b"before")
    block = bytearray(made.writer.event(made.now, 100, 0, 9, [5, b"lost!", 3, 5]))
    struct.pack_into(form, block, place, value)
    offset = len(bytes(made))
    made.blocks.append(bytes(block))
    made.write(100, 3, b"after")
    seen = made.decoded()
    assert [data for *_, data in seen.told()] == [b"", b"before", b"after"]
    assert seen.result.events == 9
    loss = seen.result.losses["damaged_event"]
    assert (loss.count, loss.offset) == (1, offset)
    (tmp_path / "capture").write_bytes(bytes(made))
    row = listing(tmp_path / "capture").rows[6]
    assert (row.tid, row.thread, row.fd, row.desc) == (100, 0, -1, 0)


@pytest.mark.parametrize("kind", sorted(plain_scap.EVENTS))
def test_a_block_too_small_for_an_event_has_a_place_in_the_listing(kind: int, tmp_path: Path) -> None:
    made = client()
    made.blocks.append(made.writer.block(kind, bytes(20)))
    made.write(100, 3, b"after")
    (tmp_path / "capture").write_bytes(bytes(made))
    seen = listing(tmp_path / "capture")
    assert [row.ordinal for row in seen.rows] == list(range(1, 8))
    row = seen.rows[4]
    assert (row.ts, row.tid, row.thread, row.fd, row.desc, row.evt_num) == (0, 0, 0, -1, 0, 0)
    assert seen.reader.walker.damaged_events == 1


def test_the_number_of_parameters_of_old_blocks_is_inferred() -> None:
    """Against the plain reader, for every type with each number of parameters that old recorders wrote."""
    made = Recording(form=Form.V1)
    for code, row in enumerate(table.EVENTS):
        for count in {len(row[4]), row[6] or 0}:
            params = [bytes((index + 1,)) * (index + 1) for index in range(count)]
            made.blocks.append(made.writer.raw_event(START, 1, 0, code, params))
    told = plain_scap.events(bytes(made))
    assert decoded(bytes(made)).result.losses.get("damaged_event") is None
    assert len(told) == decoded(bytes(made)).result.events


def test_an_old_length_that_counts_its_padding() -> None:
    """Two event types were written with a length that is 3 too large; more than that is damage."""
    made = Recording(form=Form.V1)
    for more in (3, 4):
        block = bytearray(made.writer.raw_event(START, 1, 0, 280, [b"1234", b"5678"]))
        struct.pack_into("<I", block, 26, struct.unpack_from("<I", block, 26)[0] + more)
        made.blocks.append(bytes(block))
    seen = made.decoded()
    assert seen.result.events == 2


def test_a_trailer_that_differs_is_told() -> None:
    made = client()
    block = bytearray(made.writer.event(made.now, 100, 0, 9, [4, b"kept", 3, 4]))
    block[-4:] = b"\0\0\0\0"
    made.blocks.append(bytes(block))
    seen = made.decoded()
    assert seen.result.losses["block_trailer_differs"].count == 1
    assert seen.result.events == 5


def test_times() -> None:
    made = client()
    first = made.now
    made.raw(1, 100, [1, 2], ts=0)
    made.raw(1, 100, [1, 2], ts=first - 10)
    made.raw(1, 100, [1, 2], ts=first + 10**9)
    seen = made.decoded()
    assert seen.result.last == first + 10**9
    assert seen.result.first <= first - 10


def test_rows_of_a_listing_come_in_order(tmp_path: Path) -> None:
    """More events than one batch of rows holds."""
    made = client()
    for _ in range(5000):
        made.raw(1, 100, [1, 2])
    (tmp_path / "capture").write_bytes(bytes(made))
    seen = listing(tmp_path / "capture")
    assert all(two.ordinal == one.ordinal + 1 for one, two in pairwise(seen.rows))
    assert len(seen.rows) == made.events

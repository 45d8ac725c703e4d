"""Files of several sections, unknown blocks, cuts and damage: what is read, what is told of the rest."""

from __future__ import annotations

import struct

import pytest

from support import plain_scap
from support.recording import MS, Recording, decoded, tcp
from syswire.convert.errors import InputError
from syswire.convert.scap import reader
from syswire.convert.scap.snapshot import Bound, Process, Socket

PAIR = tcp("10.0.0.7", 40000, "10.0.0.5", 80)


def capture(order: str = "little") -> Recording:
    made = Recording(byte_order=order)  # type: ignore[arg-type]
    made.machine([Process(100, 100, 1, b"curl", b"curl")])
    made.socket(100, 3)
    made.connect(100, 3, PAIR)
    made.write(100, 3, b"one")
    return made


@pytest.mark.parametrize("order", ["little", "big"])
def test_two_captures_in_one_file(order: str) -> None:
    """State begins anew: the same descriptor of the second is nobody's until it says so."""
    first, second = capture(), Recording(byte_order=order)  # type: ignore[arg-type]
    second.now = first.now + MS
    second.machine([Process(100, 100, 1, b"wget", b"wget")])
    second.write(100, 3, b"nobody's")
    second.accept(100, 4, PAIR)
    seen = decoded(bytes(first) + bytes(second))
    assert seen.told() == [
        ("connect", "client", ">", b""),
        ("data", "client", ">", b"one"),
        ("accept", "server", "<", b""),
    ]
    assert [chunk.event for chunk in seen.chunks] == [2, 3, 5]
    assert len(seen.convs) == 2
    assert [(version.name, version.end) for version in seen.threads] == [(b"curl", first.now), (b"wget", 0)]


def test_a_section_of_an_unknown_version_ends_the_reading() -> None:
    first, second = capture(), bytearray(bytes(capture()))
    second[12] = 2
    seen = decoded(bytes(first) + bytes(second))
    assert seen.result.events == first.events
    assert seen.result.damage == ("section header of an unknown version", len(bytes(first)))
    with pytest.raises(InputError, match="unknown version"):
        decoded(bytes(second) + bytes(first))


def test_a_section_without_events_leaves_nothing() -> None:
    first = Recording()
    first.machine([Process(100, 100, 1, b"old", b"old")], {100: [Socket(3, "10.0.0.7", 1, "10.0.0.5", 2)]})
    second = Recording()
    second.write(100, 3, b"x")
    assert decoded(bytes(first) + bytes(second)).chunks == []


def test_unknown_blocks_are_passed_over_and_told() -> None:
    made = capture()
    at = len(bytes(made))
    for kind in (5, 6, 0xBAD, 0xBAD):
        made.blocks.append(made.writer.block(kind, b"whatever"))
    made.write(100, 3, b"two")
    seen = made.decoded()
    assert [data for *_, data in seen.told()] == [b"", b"one", b"two"]
    loss = seen.result.losses["unknown_block"]
    assert (loss.count, loss.bytes, loss.offset) == (4, 80, at)


def test_kinds_of_unknown_blocks_do_not_fill_memory() -> None:
    made = capture()
    made.blocks += [made.writer.block(0x10000 + kind, b"") for kind in range(3 * reader.MAX_BLOCK_TYPES)]
    seen = made.decoded()
    assert seen.result.losses["unknown_block"].count == 3 * reader.MAX_BLOCK_TYPES


def test_lists_between_events() -> None:
    made = capture()
    made.machine([Process(300, 300, 1, b"late", b"late")], {300: [Bound(4, "0.0.0.0", 80)]})
    made.accept(300, 5, tcp("10.0.0.7", 40001, "10.0.0.5", 80))
    seen = made.decoded()
    assert seen.named(seen.chunks[-1]) == "late"


def test_a_list_that_is_cut_keeps_what_came_before() -> None:
    made = Recording()
    block = bytearray(made.writer.processes([Process(100, 100, 1, b"curl", b"c"), Process(101, 101, 1, b"lost", b"l")]))
    entries = plain_scap.headers(bytes(made) + bytes(block))[-1].entries
    assert len(entries) == 2
    second = 8 + struct.unpack_from("<I", block, 8)[0]
    struct.pack_into("<I", block, second, 0xFFFF)
    made.blocks.append(bytes(block))
    made.accept(100, 4, PAIR)
    seen = made.decoded()
    assert seen.named(seen.chunks[0]) == "curl"
    assert seen.result.losses["damaged_list"].count == 1


def test_entries_that_say_they_are_shorter_than_what_they_hold() -> None:
    """Else every four bytes of a list could be read as an entry of 64 KiB."""
    made = Recording()
    made.blocks.append(made.writer.block(0x215, struct.pack("<I", 4) * 50_000))
    made.blocks.append(made.writer.block(0x218, struct.pack("<q", 1) + struct.pack("<I", 21) * 50_000))
    made.accept(100, 4, PAIR)
    seen = made.decoded()
    assert len(seen.threads) == 0
    assert seen.result.losses["damaged_list"].count == 2


def test_more_descriptors_than_are_kept_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "MAX_LISTED", 2)
    made = Recording()
    made.machine([], {100: [Socket(fd, "10.0.0.7", fd, "10.0.0.5", 80) for fd in range(3, 8)]})
    made.write(100, 3, b"kept")
    seen = made.decoded()
    assert seen.result.losses["table_full"].count == 3
    assert len(seen.chunks) == 1


@pytest.mark.parametrize("size", [0, 4, 8, 11, 13, 0x7FFFFFFC, 0xFFFFFFFC, 0xFFFFFFFF])
def test_a_block_length_that_cannot_be_ends_the_reading(size: int) -> None:
    made = capture()
    at = len(bytes(made))
    block = bytearray(made.writer.event(made.now, 100, 0, 9, [3, b"two", 3, 3]))
    struct.pack_into("<I", block, 4, size)
    seen = decoded(bytes(made) + bytes(block) + bytes(40))
    assert seen.result.damage is not None
    assert seen.result.damage[1] == at
    assert [data for *_, data in seen.told()] == [b"", b"one"]
    assert "unreadable_rest" in seen.result.losses


def test_every_cut() -> None:
    """All whole blocks are read, wherever the file ends; the damage is told with its offset."""
    made = capture()
    whole = bytes(made)
    ends = [0]
    for block in made.blocks:
        ends.append(ends[-1] + len(block))
    for cut in sorted({*range(1, len(whole), 5), *ends[1:-1]}):
        if cut < len(made.blocks[0]):
            with pytest.raises(InputError):
                decoded(whole[:cut])
            continue
        seen = decoded(whole[:cut])
        assert seen.result.events == sum(end <= cut for end in ends[5:])
        last = max(end for end in ends if end <= cut)
        assert (seen.result.damage is None) == (last == cut)
        assert seen.result.damage is None or seen.result.damage[1] == last


@pytest.mark.parametrize("data", [b"x" * 100, bytes(100), b"\n\r\r\n" + bytes(100), b"\xd4\xc3\xb2\xa1" * 20])
def test_what_is_no_capture(data: bytes) -> None:
    with pytest.raises(InputError, match="at byte 0"):
        decoded(data)


def test_events_before_a_section_are_not_believed() -> None:
    made = capture()
    with pytest.raises(InputError, match="section header"):
        decoded(b"".join(made.blocks[1:]))


def test_drops_are_counted() -> None:
    made = capture()
    made.raw(148, 0, [1])
    made.raw(149, 0, [1])
    assert made.decoded().result.losses["recorder_dropped"].count == 1


def test_a_block_larger_than_the_buffer() -> None:
    made = Recording()
    made.blocks.append(made.writer.block(0xBAD, bytes(5 << 20)))
    made.accept(100, 4, PAIR)
    seen = made.decoded()
    assert len(seen.chunks) == 1
    assert seen.chunks[0].block == 28 + (5 << 20) + 12

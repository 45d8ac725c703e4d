"""pcapng files: sections, interfaces, every packet block, times, against struct, python-pcapng and hand-made bytes."""

from __future__ import annotations

import io
import struct

import pcapng
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.packet_files import (
    IF_DESCRIPTION,
    IF_NAME,
    IF_TSOFFSET,
    IF_TSRESOL,
    NAMES,
    PACKET,
    SECRETS,
    STATISTICS,
    Feed,
    block,
    interface,
    old_packet,
    option,
    packet,
    plain_frames,
    section,
    simple_packet,
)
from syswire.convert.packets.buffer import Frame, FrameReader
from syswire.convert.packets.interface import SourceInterface
from syswire.convert.packets.opening import open_frames

LAST = 2**63 - 1
STAMP = 1_700_000_000_123_456


def read(data: bytes, cuts: list[int] | None = None) -> tuple[FrameReader, list[Frame]]:
    reader = open_frames(Feed(data, cuts or []))
    return reader, list(reader.frames())


def bare(frames: list[Frame]) -> list[tuple[int, bytes, int, int]]:
    return [(frame.time, frame.data, frame.original, frame.linktype) for frame in frames]


def many(order: str) -> bytes:
    """A section with two interfaces and every packet block."""
    return b"".join(
        (
            section([(1, b"made")], order),
            interface(1, 20, [(IF_NAME, b"eth0"), (IF_TSRESOL, b"\x09")], order),
            packet(b"abcde", STAMP * 1000 + 7, 0, 60, [(1, b"comment"), (2, b"\0\0\0\1")], order),
            interface(101, 0, [(IF_DESCRIPTION, b"raw"), (IF_TSOFFSET, struct.pack(order + "q", -3600))], order),
            packet(b"", STAMP, 1, 40, (), order),
            old_packet(b"old one", STAMP, 1, None, [(1, b"of an old block")], order),
            simple_packet(b"simple packet of 25 bytes"[:20], 25, order),
            simple_packet(b"short", None, order),
            block(NAMES, option(1, b"\x7f\0\0\1localhost\0", order) + bytes(4), order),
            block(STATISTICS, struct.pack(order + "III", 1, 0, 0), order),
            block(SECRETS, struct.pack(order + "II", 0x544C534B, 3) + b"ABC", order),
            block(0x80000001, struct.pack(order + "I", 4242), order),
            packet(bytes(range(61)), 0, 0, None, (), order),
        )
    )


@pytest.mark.parametrize("order", "<>")
def test_blocks_and_interfaces(order: str) -> None:
    data = many(order) + many("<" if order == ">" else ">")
    reader, frames = read(data)
    hour = 3600 * 10**9
    once = [
        (STAMP * 1000 + 7, b"abcde", 60, 1),
        (STAMP * 1000 - hour, b"", 40, 101),
        (STAMP * 1000 - hour, b"old one", 7, 101),
        (0, b"simple packet of 25 ", 25, 1),
        (0, b"short", 5, 1),
        (0, bytes(range(61)), 61, 1),
    ]
    assert bare(frames) == once * 2
    assert bare(frames) == [frame.bare for frame in plain_frames(data)]
    assert [frame.interface for frame in frames] == [0, 1, 1, 0, 0, 0, 2, 3, 3, 2, 2, 2]
    assert [frame.frame for frame in frames] == [frame.source_frame for frame in frames] == list(range(1, 13))
    assert all(data[frame.position :][: len(frame.data)] == frame.data for frame in frames)
    pair = [SourceInterface(1, 20, 9, b"eth0"), SourceInterface(101, 0, 6, b"", b"raw")]
    assert reader.interfaces == pair * 2
    assert (reader.first_time, reader.last_time) == (STAMP * 1000 - hour, STAMP * 1000 + 7)
    assert (reader.damage, reader.format, reader.bytes_read) == (None, "pcapng", len(data))
    first = frames[0].offset
    assert reader.losses() == {"snaplen": (6, 2 * (55 + 40 + 5), first, STAMP * 1000 + 7, 1)}


def test_what_python_pcapng_writes_is_read() -> None:
    file = io.BytesIO()
    header = pcapng.blocks.SectionHeader(options={"shb_userappl": "tests"}, endianness=">")
    described = header.new_member(
        pcapng.blocks.InterfaceDescription, link_type=1, snaplen=90, options={"if_name": "lan0"}
    )
    writer = pcapng.FileWriter(file, header)
    for number in range(3):
        entry = header.new_member(pcapng.blocks.EnhancedPacket, options={"opt_comment": f"number {number}"})
        stamp = (1_600_000_000 + number) * 10**6 + 500_000
        entry.timestamp_high, entry.timestamp_low = stamp >> 32, stamp & 0xFFFFFFFF
        entry.packet_data = bytes([number]) * (number + 1)
        writer.write_block(entry)
    reader, frames = read(file.getvalue())
    assert described.link_type == 1
    assert [(frame.data, frame.time) for frame in frames] == [
        (bytes([number]) * (number + 1), (1_600_000_000 + number) * 10**9 + 500_000_000) for number in range(3)
    ]
    assert reader.interfaces == [SourceInterface(1, 90, 6, b"lan0")]
    assert reader.losses() == {}


@pytest.mark.parametrize(
    ("resolution", "stamp", "time"),
    [
        (6, STAMP, STAMP * 1000),
        (0, 17, 17 * 10**9),
        (3, 1_700_000_000_123, 1_700_000_000_123_000_000),
        (9, 2**63, LAST),
        (9, LAST, LAST),
        (12, 1_700_000_000_123_456_789, 1_700_000_000_123_456),
        (28, 10**19, 1),
        (29, 2**64 - 1, 0),
        (0x7F, 2**64 - 1, 0),
        (0, 2**64 - 1, LAST),
        (0x80, 1_700_000_000, 1_700_000_000 * 10**9),
        (0x80, 2**64 - 1, LAST),
        (0x80 | 10, 1_700_000_000 << 10 | 512, 1_700_000_000_500_000_000),
        (0x80 | 32, 1_700_000_000 << 32 | 1 << 31, 1_700_000_000_500_000_000),
        (0x80 | 63, 2**63 + 2**62, 1_500_000_000),
        (0x80 | 93, 2**64 - 1, (2**64 - 1) * 10**9 >> 93),
        (0xFF, 2**64 - 1, 0),
    ],
)
def test_time_stamps(resolution: int, stamp: int, time: int) -> None:
    head = section() + interface(1, 0, [(IF_TSRESOL, bytes([resolution]))])
    assert read(head + packet(b"", stamp))[1][0].time == time


@given(st.integers(0, 255), st.integers(0, 2**64 - 1), st.integers(-(2**63), 2**63 - 1), st.sampled_from("<>"))
def test_any_time_stamp(resolution: int, stamp: int, seconds: int, order: str) -> None:
    values = [(IF_TSOFFSET, struct.pack(order + "q", seconds)), (IF_TSRESOL, bytes([resolution]))]
    data = section((), order) + interface(1, 0, values, order) + packet(b"", stamp, order=order)
    exact = plain_frames(data)[0].time
    assert read(data)[1][0].time == max(0, min(LAST, exact))


@settings(max_examples=60)
@given(
    st.lists(
        st.sampled_from(
            [
                lambda order: packet(b"abc", 5, 0, 9, [(1, b"c")], order),
                lambda order: packet(bytes(200), 2**40, 0, None, (), order),
                lambda order: simple_packet(b"x" * 33, None, order),
                lambda order: old_packet(b"y" * 5, 77, 0, None, (), order),
                lambda order: block(0x777, bytes(36), order),
                lambda order: block(NAMES, bytes(4), order),
                lambda order: section((), order) + interface(105, 0, (), order),
                lambda order: section((), ">") + interface(113, 30, (), ">") + section((), order)
                + interface(1, 0, (), order),
            ]
        ),
        max_size=12,
    ),
    st.sampled_from("<>"),
    st.lists(st.integers(1, 1500), max_size=12),
)  # fmt: skip
def test_any_cuts_give_what_struct_reads(parts: list, order: str, cuts: list[int]) -> None:  # type: ignore[type-arg]
    data = section((), order) + interface(1, 0, (), order) + b"".join(part(order) for part in parts)
    expected = [frame.bare for frame in plain_frames(data)]
    outcomes = []
    for places in ([], cuts, list(range(len(data)))):
        reader, frames = read(data, places)
        assert bare(frames) == expected
        outcomes.append((frames, reader.losses(), reader.damage, reader.interfaces))
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_a_block_longer_than_the_buffer_comes_in_small_cuts() -> None:
    data = section() + interface() + block(0x777, bytes(5_000_000)) + packet(b"behind") + block(NAMES, bytes(4))
    reader, frames = read(data, list(range(0, len(data), 7919)))
    assert bare(frames) == [(0, b"behind", 6, 1)]
    assert reader.losses() == {"unknown_block": (1, 5_000_012, 48, 0, 0)}


@pytest.mark.parametrize(
    ("kind", "numbered"),
    [
        (0xBAD, True), (0x40000BAD, True), (9, True), (0x204, True), (0x216, True), (0x221, True), (0x208, False),
        (0x217, False), (0x222, False), (0x201, False), (0x101, False), (0, False), (7, False), (0x80000077, False),
    ],
)  # fmt: skip
def test_frames_are_numbered_as_wireshark_does(kind: int, numbered: bool) -> None:
    # Measured with tshark 4.0.17; test_files_shared.py asks it again.
    before = section() + interface() + packet(b"one")
    reader, frames = read(before + block(kind, bytes(60)) + packet(b"two"))
    assert [(frame.frame, frame.source_frame) for frame in frames] == [(1, 1), (2, 3 if numbered else 2)]
    assert reader.losses() == {"unknown_block": (1, 72, len(before), 0, 2 if numbered else 0)}


def damaged(data: bytes) -> list[bytes]:
    """Packet blocks that contradict themselves."""
    return [
        packet(data, number=1),
        packet(data, number=0xFFFFFFFF),
        old_packet(data, number=1),
        block(PACKET, struct.pack("<IIIII", 0, 0, 0, 5, 5) + b"abcd"),
        block(PACKET, struct.pack("<IIIII", 0, 0, 0, 0xFFFFFFFF, 5) + b"abcd"),
        block(PACKET, struct.pack("<IIII", 0, 0, 0, 0)),
        block(PACKET, b""),
        block(2, struct.pack("<HHIIII", 0, 0, 0, 0, 5, 5) + b"abcd"),
        block(3, b""),
        block(3, struct.pack("<I", 5) + b"abcd"),
        block(3, struct.pack("<I", 0xFFFFFFFF)),
        packet(bytes(262_145)),
    ]


@pytest.mark.parametrize("which", range(12))
def test_a_damaged_packet_costs_itself_only(which: int) -> None:
    before = section() + interface() + packet(b"one")
    bad = damaged(b"data")[which]
    reader, frames = read(before + bad + packet(b"two"))
    assert [(frame.data, frame.frame, frame.source_frame) for frame in frames] == [(b"one", 1, 1), (b"two", 2, 3)]
    assert reader.losses() == {"damaged_packet": (1, len(bad), len(before), 0, 2)}
    assert reader.damage is None


def test_packets_before_any_interface_are_damaged() -> None:
    reader, frames = read(section() + packet(b"a") + simple_packet(b"b") + interface() + packet(b"c") + section()
                          + packet(b"d"))  # fmt: skip
    assert [frame.data for frame in frames] == [b"c"]
    assert reader.losses()["damaged_packet"][:1] == (3,)


def test_a_short_interface_keeps_its_number() -> None:
    short = block(1, struct.pack("<HH", 1, 0))
    reader, frames = read(section() + short + interface(113) + packet(b"a", number=0) + packet(b"b", number=1))
    assert [(frame.data, frame.linktype, frame.interface) for frame in frames] == [(b"b", 113, 1)]
    assert {cause: loss[:2] for cause, loss in reader.losses().items()} == {
        "damaged_block": (1, 16), "damaged_packet": (1, 36),
    }  # fmt: skip


@pytest.mark.parametrize(
    "bad",
    [
        block(NAMES, option(1, b"\x7f\0\0\1no zero at the end") + bytes(4)),
        block(NAMES, option(1, b"\x7f") + bytes(4)),
        block(NAMES, option(2, bytes(15)) + bytes(4)),
        block(NAMES, struct.pack("<HH", 1, 400) + bytes(8)),
        block(NAMES, b""),
        block(NAMES, option(1, b"\x7f\0\0\1name\0") + struct.pack("<HH", 0, 16)),
        block(STATISTICS, bytes(8)),
        block(SECRETS, bytes(4)),
        block(SECRETS, struct.pack("<II", 0x544C534B, 5) + b"ABC"),
    ],
)
def test_blocks_that_readers_refuse_are_damaged(bad: bytes) -> None:
    reader, frames = read(section() + interface() + bad + packet(b"a"))
    assert [frame.data for frame in frames] == [b"a"]
    assert reader.losses() == {"damaged_block": (1, len(bad), 48, 0, 0)}


BAD_OPTIONS = [
    option(1, b"fine") + struct.pack("<HH", 1, 400) + b"abcd",
    struct.pack("<HH", 1, 5) + b"abcd",
    option(1, b"good") + struct.pack("<HH", 0, 4),
    option(2, b"12"),
    option(4, b"1234"),
    option(5, b""),
    option(6, b"12345"),
    option(7, b""),
    option(7, b"\x01" + b"23"),
    option(2988, b"123"),
    option(19372, struct.pack("<I", 10949) + b"1234"),
]


@pytest.mark.parametrize("bad", BAD_OPTIONS)
def test_options_that_do_not_fit_are_counted(bad: bytes) -> None:
    body = struct.pack("<IIIII", 0, 0, 7, 4, 4) + b"abcd"
    reader, frames = read(section() + interface() + block(PACKET, body + bad))
    assert [frame.data for frame in frames] == [b"abcd"]
    assert reader.losses() == {"damaged_options": (1, 0, 48, 7000, 1)}
    reader, _ = read(section() + interface() + block(2, body + bad))
    assert reader.losses() == {"damaged_options": (1, 0, 48, 7000, 1)}


@pytest.mark.parametrize("bad", [option(9, b""), option(9, b"\x09\x09"), option(14, bytes(4)), option(11, b"")])
def test_options_of_an_interface_that_do_not_fit_are_counted(bad: bytes) -> None:
    described = block(1, struct.pack("<HHI", 1, 0, 0) + option(2, b"lan") + bad + option(3, b"behind"))
    reader, frames = read(section() + described + packet(b"abcd", STAMP))
    assert [frame.time for frame in frames] == [STAMP * 1000]
    assert reader.interfaces == [SourceInterface(1, 0, 6, b"lan", b"behind")]
    assert reader.losses() == {"damaged_options": (1, 0, 28, 0, 0)}


@pytest.mark.parametrize("end", [b"", bytes(4), bytes(4) + b"\xff" * 8])
def test_options_need_no_end(end: bytes) -> None:
    body = struct.pack("<IIIII", 0, 0, 7, 4, 4) + b"abcd"
    good = option(1, b"") * 200 + option(7, b"\0") + option(4, bytes(8)) + option(2989, bytes(4)) + option(77, b"any")
    reader, _ = read(section([(1, b"")]) + interface() + block(PACKET, body + good + end))
    assert reader.losses() == {}


def test_a_trailer_that_differs_is_counted_and_read_over() -> None:
    wrong = block(PACKET, struct.pack("<IIIII", 0, 0, 0, 4, 4) + b"abcd", "<", 77)
    reader, frames = read(section() + interface() + wrong + packet(b"b"))
    assert [frame.data for frame in frames] == [b"abcd", b"b"]
    assert reader.losses() == {"block_trailer_differs": (1, 0, 48, 0, 0)}


@pytest.mark.parametrize(
    ("tail", "why"),
    [
        (struct.pack("<II", 6, 11) + bytes(20), "damaged: a block of 11 bytes cannot be"),
        (struct.pack("<II", 6, 0) + bytes(20), "damaged: a block of 0 bytes cannot be"),
        (struct.pack("<II", 6, 34) + bytes(40), "damaged: a block of 34 bytes cannot be"),
        (struct.pack("<II", 6, 2**24 + 4) + bytes(40), "damaged: a block of 16777220 bytes cannot be"),
        (struct.pack("<II", 6, 64) + bytes(40), "cut: a record of 64 bytes is not there to its end"),
        (b"abc", "cut: a record of 12 bytes is not there to its end"),
        (section()[:8] + bytes(20), "damaged: a section without a byte order"),
        (block(0x0A0D0D0A, struct.pack("<IHHI", 0x1A2B3C4D, 1, 0, 0)), "damaged: a block of 24 bytes cannot be"),
        (section(version=(2, 0)), "a section of format version 2, which is not known"),
    ],
)
def test_damage_ends_the_reading(tail: bytes, why: str) -> None:
    before = section() + interface() + packet(b"kept")
    reader, frames = read(before + tail + (b"" if "cut" in why else packet(b"lost")))
    assert [frame.data for frame in frames] == [b"kept"]
    assert reader.damage == (why, len(before))


def test_a_block_of_the_longest_length_is_read() -> None:
    reader, frames = read(section() + interface() + block(0x777, bytes(2**24 - 12)) + packet(b"a"))
    assert ([frame.data for frame in frames], reader.damage) == ([b"a"], None)


def test_interfaces_without_end_take_bounded_room() -> None:
    flood = interface(1, 0, [(IF_NAME, b"n" * 1000)]) * 70_000
    reader, frames = read(section() + flood + packet(b"in", number=65_535) + packet(b"out", number=65_536))
    assert [(frame.data, frame.interface) for frame in frames] == [(b"in", 65_535)]
    assert len(reader.interfaces) == 2**20 // 1008  # a name of 1,000 bytes takes 1,004, and the end 4
    assert {cause: loss[0] for cause, loss in reader.losses().items()} == {"damaged_block": 4464, "damaged_packet": 1}
    assert len(read(section() + interface() * 5_000)[0].interfaces) == 4096


def test_sections_without_end_start_anew() -> None:
    data = (section() + interface(101) + packet(b"p")) * 70_000
    reader, frames = read(data)
    assert (len(frames), frames[-1].interface, frames[-1].linktype) == (70_000, 69_999, 101)
    assert reader.losses() == {}

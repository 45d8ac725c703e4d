"""pcap files: every variant, against struct and dpkt; cuts of the input change nothing; damage ends the reading."""

from __future__ import annotations

import io
import os
import struct
from pathlib import Path

import dpkt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether
from scapy.utils import wrpcap

from support.packet_files import (
    FINE,
    IXIA_MICROSECONDS,
    IXIA_NANOSECONDS,
    MICROSECONDS,
    MODIFIED,
    NANOSECONDS,
    Feed,
    pcap_header,
    pcap_record,
    plain_frames,
)
from syswire.convert.packets.buffer import Frame, FrameReader
from syswire.convert.packets.interface import SourceInterface
from syswire.convert.packets.opening import open_frames
from syswire.convert.packets.pcap import is_pcap

MAGICS = [MICROSECONDS, NANOSECONDS, MODIFIED, IXIA_MICROSECONDS, IXIA_NANOSECONDS]
RECORDS = [(1_700_000_000, 123_456, bytes(range(60))), (1_700_000_001, 5, b""), (1_700_000_000, 999_999, b"x" * 1514)]


def made(order: str = "<", magic: int = MICROSECONDS, linktype: int = 1) -> bytes:
    records = b"".join(pcap_record(*record, order=order, magic=magic) for record in RECORDS)
    return pcap_header(linktype, order=order, magic=magic) + records


def read(data: bytes, cuts: list[int] | None = None) -> tuple[FrameReader, list[Frame]]:
    reader = open_frames(Feed(data, cuts or []))
    return reader, list(reader.frames())


def bare(frames: list[Frame]) -> list[tuple[int, bytes, int, int]]:
    return [(frame.time, frame.data, frame.original, frame.linktype) for frame in frames]


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic", MAGICS)
def test_every_variant(order: str, magic: int) -> None:
    reader, frames = read(made(order, magic, 113))
    unit = 1 if magic in FINE else 1000
    assert bare(frames) == [(sec * 10**9 + part * unit, data, len(data), 113) for sec, part, data in RECORDS]
    assert [(frame.frame, frame.source_frame, frame.interface) for frame in frames] == [(1, 1, 0), (2, 2, 0), (3, 3, 0)]
    assert (reader.first_time, reader.last_time) == (frames[0].time, frames[1].time)
    assert (reader.frame, reader.source_frame, reader.longest, reader.format) == (3, 3, 1514, "pcap")
    assert reader.interfaces == [SourceInterface(113, 65535, 9 if magic in FINE else 6)]
    assert reader.damage is None
    assert reader.losses() == {}
    assert reader.bytes_read == len(made(order, magic))


@pytest.mark.parametrize("magic", MAGICS)
def test_offsets_and_positions_are_those_of_the_input(magic: int) -> None:
    data = made(magic=magic)
    head = 24 if magic == MODIFIED else 16
    at = 28 if magic in (IXIA_MICROSECONDS, IXIA_NANOSECONDS) else 24
    for frame in read(data)[1]:
        assert (frame.offset, frame.position) == (at, at + head)
        assert data[frame.position : frame.position + len(frame.data)] == frame.data
        at += head + len(frame.data)


def test_what_dpkt_and_scapy_write_is_read(tmp_path: Path) -> None:
    file = io.BytesIO()
    writer = dpkt.pcap.Writer(file, nano=True, linktype=101)
    writer.writepkt(b"abcdef", ts=1_600_000_000.25)
    (frame,) = read(file.getvalue())[1]
    assert (frame.time, frame.data, frame.linktype) == (1_600_000_000_250_000_000, b"abcdef", 101)

    packets = [Ether() / IP(dst="10.0.0.1") / TCP(sport=number) for number in range(1, 5)]
    for number, made_packet in enumerate(packets):
        made_packet.time = 1_500_000_000 + number
    wrpcap(str(tmp_path / "made.pcap"), packets)
    frames = read((tmp_path / "made.pcap").read_bytes())[1]
    assert [frame.data for frame in frames] == [bytes(one) for one in packets]
    assert [frame.time for frame in frames] == [(1_500_000_000 + number) * 10**9 for number in range(4)]


@given(
    st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.binary(max_size=70)), max_size=8),
    st.sampled_from("<>"),
    st.sampled_from(MAGICS),
    st.lists(st.integers(1, 400), max_size=12),
)
def test_any_cuts_give_what_struct_reads(
    records: list[tuple[int, int, bytes]], order: str, magic: int, cuts: list[int]
) -> None:
    data = pcap_header(order=order, magic=magic)
    data += b"".join(pcap_record(*record, order=order, magic=magic) for record in records)
    expected = [frame.bare for frame in plain_frames(data)]
    for places in ([], cuts, list(range(len(data)))):
        reader, frames = read(data, places)
        assert bare(frames) == expected
        assert reader.damage is None


@pytest.mark.parametrize("field", [0xF0000001, 0x24000001, 0x00010001])
def test_bits_beside_the_link_type_are_not_it(field: int) -> None:
    assert [frame.linktype for frame in read(made(linktype=field))[1]] == [1, 1, 1]


def test_lengths_on_the_wire() -> None:
    data = pcap_header() + pcap_record(1, 0, b"abcd", 1500) + pcap_record(2, 0, b"abcd", 1)
    reader, frames = read(data + pcap_record(3, 0, b"", 40))
    assert [frame.original for frame in frames] == [1500, 4, 40]
    assert reader.losses() == {"snaplen": (2, 1496 + 40, 24, 10**9, 1)}


@pytest.mark.parametrize("order", "<>")
def test_a_record_that_cannot_be_ends_the_reading(order: str) -> None:
    longest = pcap_header(order=order) + pcap_record(1, 0, bytes(262_144), order=order)
    reader, frames = read(
        longest + pcap_record(2, 0, bytes(262_145), order=order) + pcap_record(3, 0, b"", order=order)
    )
    assert [len(frame.data) for frame in frames] == [262_144]
    assert reader.damage == ("damaged: a packet of 262145 bytes cannot be", len(longest))
    assert reader.longest == 262_144


@pytest.mark.parametrize("linktype", [186, 189, 220, 249, 266, 231, 279])
def test_buses_have_longer_frames(linktype: int) -> None:
    data = pcap_header(linktype) + pcap_record(1, 0, bytes(3_000_000)) + pcap_record(2, 0, b"last")
    assert [len(frame.data) for frame in read(data, list(range(0, len(data), 99_991)))[1]] == [3_000_000, 4]


def test_a_file_may_be_cut_anywhere() -> None:
    data = made()
    ends = [24, 24 + 16 + 60, 24 + 16 + 60 + 16, len(data)]
    for length in range(4, len(data)):
        reader, frames = read(data[:length])
        whole = sum(length >= end for end in ends[1:])
        assert bare(frames) == bare(read(data)[1])[:whole]
        if length in ends:
            assert reader.damage is None
        else:
            assert reader.damage is not None
            assert reader.damage[0].startswith("cut: ")
            assert reader.damage[1] == max([0, *(end for end in ends if end <= length)])


def test_another_file_behind_is_told_and_not_read() -> None:
    data = made()
    reader, frames = read(data + made())
    assert len(frames) == 3
    assert reader.damage == ("another capture file follows, with the same head of 24 bytes", len(data))


def test_damage_is_final() -> None:
    reader = open_frames(Feed(pcap_header() + struct.pack("<IIII", 0, 0, 1 << 31, 0) + bytes(100)))
    assert list(reader.frames()) == []
    assert list(reader.frames()) == []
    assert not reader.fill()
    assert reader.damage == ("damaged: a packet of 2147483648 bytes cannot be", 24)


def test_all_bytes_read_go_to_the_spool_file(tmp_path: Path) -> None:
    data = made()
    with (tmp_path / "spool").open("w+b") as file:
        reader = open_frames(Feed(data, [5, 77, 200]), file.fileno())
        frames = list(reader.frames())
    spooled = (tmp_path / "spool").read_bytes()
    assert spooled == data
    assert [spooled[frame.position :][: len(frame.data)] for frame in frames] == [data for _, _, data in RECORDS]


def test_failures_of_the_input_and_of_the_spool_come_through(tmp_path: Path) -> None:
    def fails(_: memoryview) -> int:
        raise OSError("gone")

    feed = Feed(made())
    feed.readinto = fails  # type: ignore[method-assign]
    with pytest.raises(OSError, match="gone"):
        list(open_frames(feed).frames())
    feed.readinto = lambda view: len(view) + 1  # type: ignore[method-assign]
    with pytest.raises(ValueError, match="readinto returned"):
        list(open_frames(feed).frames())
    descriptor = os.open(tmp_path, os.O_RDONLY)
    os.close(descriptor)
    with pytest.raises(OSError, match="Bad file descriptor"):
        list(open_frames(Feed(made()), descriptor).frames())


def test_the_magic_decides() -> None:
    for magic in MAGICS:
        assert is_pcap(struct.pack("<I", magic))
        assert is_pcap(struct.pack(">I", magic))
    for head in (b"", b"\xd4\xc3\xb2", b"\x0a\x0d\x0d\x0a", bytes(24), b"\xd4\xc3\xb2\xa0"):
        assert not is_pcap(head)
        if head[:1] != b"\x0a":
            with pytest.raises(ValueError, match="neither"):
                open_frames(Feed(head))

"""The pcapng of a packet capture: the source's own frames and blocks, comments added, what readers refuse mended."""

from __future__ import annotations

import io
import struct

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.copied import APPLICATION, TCP, UDP, conv_row, copied, flow_row
from support.packet_files import (
    COMMENT,
    IF_NAME,
    IF_TSRESOL,
    INTERFACE,
    IXIA_NANOSECONDS,
    MICROSECONDS,
    MODIFIED,
    NAMES,
    NANOSECONDS,
    PACKET,
    SECRETS,
    SECTION,
    SIMPLE_PACKET,
    STATISTICS,
    Block,
    block,
    interface,
    old_packet,
    option,
    options,
    packet,
    pcap_header,
    pcap_record,
    plain_blocks,
    plain_frames,
    plain_options,
    section,
    simple_packet,
)
from syswire.convert.model.rows import CONV, Conv
from syswire.convert.model.segments import FLOW, Flow

OURS = [(COMMENT, b"first of the file"), (COMMENT, b"second")]
HEAD = section() + interface()


def section_options(found: Block) -> list[tuple[int, bytes]]:
    assert found.kind == SECTION
    return plain_options(found.raw[24:-4], found.order)


def test_rows_are_laid_out_as_the_package_says() -> None:
    flow = Flow._make(FLOW.unpack(flow_row(7, 9)))
    assert (flow.id, flow.first_frame) == (7, 9)
    conv = Conv._make(CONV.unpack(conv_row(7, 17)))
    assert (conv.id, conv.protocol) == (7, 17)


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("magic", [MICROSECONDS, NANOSECONDS, MODIFIED, IXIA_NANOSECONDS])
def test_of_a_pcap_frames_and_times_are_exact(order: str, magic: int) -> None:
    kinds = {"order": order, "magic": magic}
    data = pcap_header(113, order=order, magic=magic, snaplen=99)
    data += pcap_record(1_700_000_000, 123_456, b"abcde", 60, **kinds)  # type: ignore[arg-type]
    data += pcap_record(2**32 - 1, 999_999_999, b"", **kinds)  # type: ignore[arg-type]
    data += pcap_record(0, 0, bytes(range(99)), 1, **kinds)  # type: ignore[arg-type]
    out, count = copied(data, {2: ["on the second", "and again"]}, longest=99)
    assert count == 3
    frames = plain_frames(out)
    assert [frame.bare for frame in frames] == [frame.bare for frame in plain_frames(data)]
    assert [frame.comments for frame in frames] == [[], ["on the second", "and again"], []]
    blocks = list(plain_blocks(out))
    assert [found.kind for found in blocks] == [SECTION, INTERFACE, PACKET, PACKET, PACKET]
    assert section_options(blocks[0]) == [*OURS, (4, APPLICATION.encode())]
    fine = b"\x09" if magic in (NANOSECONDS, IXIA_NANOSECONDS) else b"\x06"
    assert blocks[1].raw == interface(113, 99, [(IF_TSRESOL, fine)])
    read = list(dpkt.pcapng.Reader(io.BytesIO(out)))
    assert [frame for _, frame in read] == [frame.data for frame in frames]


@pytest.mark.parametrize(("snaplen", "longest", "written"), [(60, 61, 0), (61, 61, 61), (0, 5, 0), (80, 0, 0)])
def test_a_snaplen_that_does_not_hold_is_not_promised(snaplen: int, longest: int, written: int) -> None:
    out, _ = copied(pcap_header(snaplen=snaplen) + pcap_record(1, 0, bytes(61)), longest=longest)
    assert struct.unpack_from("<HHI", list(plain_blocks(out))[1].raw, 8) == (1, 0, written)


def full(order: str) -> list[bytes]:
    """One block of each kind that is kept."""
    return [
        interface(1, 40, [(IF_NAME, b"eth0"), (99, b"unknown option")], order),
        block(NAMES, option(1, b"\x7f\0\0\1localhost\0", order) + bytes(4) + options([(1, b"n")], order), order),
        block(SECRETS, struct.pack(order + "II", 0x544C534B, 3) + b"ABC\0" + options([(1, b"keys")], order), order),
        packet(b"abcde", 77, 0, 60, [(1, b"own"), (2, b"\0\0\0\1")], order),
        block(0x80000001, struct.pack(order + "I", 4242) + options([(2, b"name")], order), order),
        old_packet(b"old one", 78, 0, None, [(1, b"old")], order),
        simple_packet(b"simple", None, order),
        packet(b"", 79, 0, 4, (), order),
        block(STATISTICS, struct.pack(order + "III", 0, 0, 0) + options([(4, bytes(8))], order), order),
    ]


@pytest.mark.parametrize("order", "<>")
def test_of_a_pcapng_blocks_are_kept_to_the_byte(order: str) -> None:
    other = "<" if order == ">" else ">"
    parts = [section([(1, b"theirs"), (4, b"dumpcap")], order), *full(order), section((), other), *full(other)]
    out, count = copied(b"".join(parts))
    found = list(plain_blocks(out))
    assert count == 8
    assert [one.raw for one in found[1:]] == parts[1:]
    assert section_options(found[0]) == [(1, b"theirs"), (4, b"dumpcap"), *OURS]
    assert found[0].order == order
    assert found[0].raw[:4] + found[0].raw[8:24] == parts[0][:4] + parts[0][8:24]


@pytest.mark.parametrize("order", "<>")
def test_comments_come_behind_those_of_the_source(order: str) -> None:
    data = section((), order) + b"".join(full(order))
    noted = {number: [f"note {number}", "more"] for number in (1, 2, 3, 4)}
    out, _ = copied(data, noted, flows=[(1, TCP), (3, UDP)])
    blocks = list(plain_blocks(out))
    assert [frame.bare for frame in plain_frames(out)] == [frame.bare for frame in plain_frames(data)]
    assert [frame.comments for frame in plain_frames(out)] == [
        ["own", "syswire stream 1 (tcp)", "note 1", "more"],
        ["old", "note 2", "more"],
        ["syswire stream 2 (udp)", "note 3", "more"],
        ["note 4", "more"],
    ]
    assert [frame.options[1] for frame in plain_frames(out)][:1] == [(2, b"\0\0\0\1")]
    kept = [found.kind for found in blocks]
    assert kept == [SECTION, INTERFACE, NAMES, SECRETS, PACKET, 0x80000001, 2, PACKET, PACKET, STATISTICS]
    assert [found.raw for found in blocks[1:4]] == full(order)[:3]


def test_streams_are_named_on_their_first_frames() -> None:
    data = pcap_header() + b"".join(pcap_record(number, 0, bytes([number % 7])) for number in range(1, 3001))
    firsts = [(1, TCP), (2, UDP), (1500, TCP), (1500, UDP), (2999, UDP), (3000, TCP)]
    out, _ = copied(data, {2: ["b"]}, flows=firsts)
    comments = {number: frame.comments for number, frame in enumerate(plain_frames(out), 1) if frame.comments}
    assert comments == {
        1: ["syswire stream 1 (tcp)"],
        2: ["syswire stream 2 (udp)", "b"],
        1500: ["syswire stream 3 (tcp)"],
        2999: ["syswire stream 5 (udp)"],
        3000: ["syswire stream 6 (tcp)"],
    }


def test_more_than_the_buffer_holds_is_written_in_order() -> None:
    data = pcap_header() + b"".join(pcap_record(number, 0, bytes(50)) for number in range(1, 30_001))
    out, count = copied(data, flows=[(number, TCP) for number in range(1, 30_001)])
    assert count == 30_000
    assert len(out) > 2 << 20
    frames = plain_frames(out)
    assert [frame.time for frame in frames] == [number * 10**9 for number in range(1, 30_001)]
    assert [frame.comments for frame in frames] == [[f"syswire stream {number} (tcp)"] for number in range(1, 30_001)]


def test_what_would_shift_frames_or_cannot_be_read_is_left_out() -> None:
    kept = [section(), interface(), packet(b"one"), packet(b"two"), interface(113), packet(b"three", number=1)]
    gone = [block(0xBAD, bytes(8)), block(9, bytes(40)), block(0x204, bytes(60)), block(0x80000077, bytes(4)),
            packet(b"x", number=9), block(PACKET, struct.pack("<IIIII", 0, 0, 0, 9, 9)), block(NAMES, b"")]  # fmt: skip
    data = b"".join((kept[0], kept[1], *gone, kept[2], gone[0], kept[3], *gone[:3], *kept[4:], *gone))
    out, count = copied(data, comments=())
    assert count == 3
    assert out == b"".join(kept)


def test_a_trailer_that_differs_is_mended() -> None:
    wrong = block(PACKET, struct.pack("<IIIII", 0, 0, 0, 4, 4) + b"abcd", "<", 77)
    out, _ = copied(HEAD + wrong + packet(b"b"), comments=())
    assert out == HEAD + wrong[:-4] + wrong[4:8] + packet(b"b")


def test_options_that_do_not_fit_are_left_out() -> None:
    body = struct.pack("<IIIII", 0, 0, 7, 4, 4) + b"abcd"
    bad = option(1, b"good") + option(2, b"12") + option(3, b"\2hash") + struct.pack("<HH", 1, 400) + b"abcdefgh"
    good = [(1, b"good"), (3, b"\2hash")]
    out, _ = copied(HEAD + block(PACKET, body + bad), comments=())
    assert out == HEAD + packet(b"abcd", 7, 0, None, good)
    out, _ = copied(HEAD + block(PACKET, body + bad), {1: ["ours"]}, comments=())
    assert out == HEAD + packet(b"abcd", 7, 0, None, [*good, (1, b"ours")])
    out, _ = copied(HEAD + block(PACKET, body + bad[-12:]), comments=())
    assert out == HEAD + packet(b"abcd", 7)
    limits = interface()[:-4] + option(9, b"\x09") + struct.pack("<HH", 2, 90)
    out, _ = copied(section() + block(INTERFACE, limits[8:]), comments=())
    assert out == section() + interface(1, 0, [(9, b"\x09")])


@pytest.mark.parametrize(("version", "length"), [((1, 7), -1), ((1, 0), 4000), ((1, 9), -2)])
def test_sections_tell_what_holds(version: tuple[int, int], length: int) -> None:
    out, _ = copied(section(version=version, length=length) + interface(), comments=())
    assert out == section() + interface()
    assert copied(section(version=(1, 2)), comments=())[0] == section(version=(1, 2))


def test_a_short_interface_is_replaced_so_that_numbers_hold() -> None:
    data = section() + block(INTERFACE, b"") + interface(113) + packet(b"b", number=1)
    out, count = copied(data, comments=())
    assert (out, count) == (section() + interface(65535) + interface(113) + packet(b"b", number=1), 1)


@pytest.mark.parametrize("order", "<>")
def test_a_simple_packet_becomes_an_enhanced_one_for_a_comment(order: str) -> None:
    data = section((), order) + interface(1, 4, (), order) + simple_packet(b"abcd", 9, order)
    spare = block(SIMPLE_PACKET, struct.pack(order + "I", 2) + b"ab\xff\xff" + b"\xee" * 8, order)
    out, _ = copied(data + spare, {1: ["c"]}, comments=())
    mended = simple_packet(b"ab", None, order)
    assert (
        out == section((), order) + interface(1, 4, (), order) + packet(b"abcd", 0, 0, 9, [(1, b"c")], order) + mended
    )


def test_a_cut_file_keeps_what_came_before() -> None:
    out, count = copied(HEAD + packet(b"kept") + packet(b"lost")[:-1], comments=())
    assert (out, count) == (HEAD + packet(b"kept"), 1)


@pytest.mark.parametrize("data", [b"\x0a\x0d\x0d\x0a", pcap_header()[:20], section((), "<", (3, 0))])
def test_where_nothing_can_be_read_there_is_a_section_still(data: bytes) -> None:
    out, count = copied(data)
    (found,) = plain_blocks(out)
    assert (section_options(found), count) == ([*OURS, (4, APPLICATION.encode())], 0)


def test_comments_without_frames_are_no_harm() -> None:
    data = pcap_header() + pcap_record(1, 0, b"a")
    assert copied(data, {0: ["none"], 2: ["none"], 99: ["none"]}) == copied(data)


def test_unsafe_and_endless_comments_are_cleaned() -> None:
    out, _ = copied(pcap_header() + pcap_record(1, 0, b"a"), {1: ["esc\x1b\x00", *["x" * 16_384] * 50]})
    comments = plain_frames(out)[0].comments
    assert comments[0] == "esc\\x1b\\x00"
    assert 1 < len(comments) <= 2**19 // 16_384 + 1


def test_the_longest_block_leaves_no_room_for_comments() -> None:
    data = section() + interface(220) + packet(bytes(2**24 - 64))
    out, _ = copied(data, {1: ["no room"]}, comments=())
    assert out == data
    data = pcap_header(220) + pcap_record(1, 0, bytes(2**24 - 64))
    out, _ = copied(data, {1: ["no room"]}, comments=())
    assert [len(found.raw) for found in plain_blocks(out)][2:] == [2**24 - 32]


@settings(max_examples=80)
@given(st.binary(max_size=300), st.integers(0, 11), st.sampled_from("<>"), st.lists(st.integers(0, 400), max_size=6))
def test_whatever_is_read_is_written_so_that_all_of_it_is_read(
    noise: bytes, at: int, order: str, cut: list[int]
) -> None:
    """Damage anywhere in a good file: the copy is sound by the strict reader, with the same frames."""
    parts = [section((), order), *full(order)]
    data = bytearray(b"".join(parts[:at]) + noise + b"".join(parts[at:]))
    for place in cut:
        if 28 <= place < len(data):
            data[place] ^= 0x41
    out, count = copied(bytes(section((), order) + data), {1: ["c"], 2: ["d"]})
    assert len(plain_frames(out)) == count
    assert copied(out)[1] == count


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("pcap", [True, False])
def test_names_stand_behind_the_frames(order: str, pcap: bool) -> None:
    """In a section of their own where the source's is in the other byte order."""
    data = section(order=order) + b"".join(full(order))
    if pcap:
        data = pcap_header(1, order=order) + pcap_record(1, 2, b"abcde", order=order)
    names = [("192.0.2.7", "www.example.org"), ("2001:db8::1", "six.example")]
    plain, count = copied(data)
    named, same = copied(data, names=names)
    assert count == same
    assert named.startswith(plain)
    *between, last = plain_blocks(named[len(plain) :])
    assert [one.kind for one in between] == ([] if pcap or order == "<" else [SECTION])
    assert last.kind == NAMES
    four, six = b"\xc0\0\2\7www.example.org\0", bytes.fromhex("20010db8" + 22 * "0" + "01") + b"six.example\0"
    assert plain_options(last.raw[8:-4], "<") == [(1, four), (2, six)]

"""Fragments, against a slow put-together in plain Python, against scapy's cutting, and against what floods do."""

from __future__ import annotations

import os
import random
import struct
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import IP, fragment
from scapy.layers.inet import TCP as TcpLayer
from scapy.layers.inet import UDP as UdpLayer
from scapy.layers.inet6 import IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, fragment6

from support.packet_made import A4, A6, B4, B6, TCP, UDP, ipv4, ipv6, tcp, udp
from support.packet_made import fragment6 as piece6
from syswire.convert.packets.layers import Decoded, Layers

SECOND = 10**9
TEXT = bytes(range(256)) * 20


def feed(packets: list[bytes], layers: Layers, first: int = 1) -> list[Decoded | None]:
    """Decode raw IP packets; the one with number N stands at N * 100,000."""
    return [
        layers.decode_frame(101, packet, position=number * 100_000, frame=number, offset=number)
        for number, packet in enumerate(packets, first)
    ]


def from_places(one: Decoded, packets: list[bytes]) -> bytes:
    """The payload, read again from the places that it is said to stand in; they are in order and without holes."""
    at, data = 0, b""
    for position, offset, length in one.parts:
        assert offset == at
        at += length
        packet = packets[position // 100_000 - 1]
        data += packet[position % 100_000 : position % 100_000 + length]
    return data


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("six", [False, True])
@pytest.mark.parametrize("stream", [False, True])
def test_what_scapy_cut_in_any_order(seed: int, six: bool, stream: bool) -> None:
    rng = random.Random(seed)
    inner = TcpLayer(sport=1, dport=2, seq=3, ack=4, flags="PA") if stream else UdpLayer(sport=1, dport=2)
    if six:
        whole = IPv6(src=A6, dst=B6) / IPv6ExtHdrFragment(id=7) / IPv6ExtHdrDestOpt() / inner / TEXT
        packets = [bytes(one) for one in fragment6(whole, rng.choice([100, 576, 1280]))]
    else:
        packets = [bytes(one) for one in fragment(IP(src=A4, dst=B4, id=7) / inner / TEXT, rng.choice([8, 100, 1480]))]
    assert len(packets) > 3
    rng.shuffle(packets)
    layers = Layers()
    *before, last = feed(packets, layers)
    assert before == [None] * (len(packets) - 1)
    assert last is not None
    addresses = (A6, B6) if six else (A4, B4)
    rest = (TCP, 0x18, 3, 4) if stream else (UDP, 0, 0, 0)
    assert last[:10] == (*addresses, 1, 2, *rest, TEXT, len(TEXT))
    assert from_places(last, packets) == TEXT
    layers.close()
    assert layers.losses() == {}


@dataclass
class PlainTrain:
    """What is known of one datagram: who gave each byte, and the end that its last fragment set."""

    taken: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Place to the byte and the packet's number."""
    total: int = 0
    fragments: int = 0


class PlainTable:
    """Datagrams put together byte by byte; the first copy of a byte wins."""

    def __init__(self) -> None:
        self.trains: dict[object, PlainTrain] = {}
        self.conflicts = 0
        self.conflict_bytes = 0

    def add(self, key: object, number: int, place: int, more: bool, data: bytes) -> list[tuple[int, int]] | None:
        """The bytes of a datagram that this fragment completes, each with the packet that it came from."""
        train = self.trains.setdefault(key, PlainTrain())
        train.fragments += 1
        if more:
            data = data[: len(data) // 8 * 8]
        elif not train.total:
            train.total = place + len(data)
        clashes = 0
        for at, byte in enumerate(data, place):
            beyond = train.total and at >= train.total
            clashes += bool(beyond or train.taken.setdefault(at, (byte, number))[0] != byte)
        self.conflicts += clashes > 0
        self.conflict_bytes += clashes
        if not train.total or any(at not in train.taken for at in range(train.total)):
            return None
        del self.trains[key]
        return [train.taken[at] for at in range(train.total)]


HEADER = struct.pack(">HHHH", 5, 6, 0, 0)
"""Of UDP, with a length of zero: the payload is the rest of the packet."""


@st.composite
def trains(draw: st.DrawFn) -> list[tuple[int, int, bool, bytes]]:
    """Fragments of three datagrams: which, place, whether more follow, bytes; of two letters, so that copies agree."""
    fragments = []
    for _ in range(draw(st.integers(1, 14))):
        place = draw(st.integers(0, 5)) * 8
        more = draw(st.booleans())
        if more and draw(st.integers(0, 9)):
            size = draw(st.integers(1, 4)) * 8
        else:
            size = draw(st.integers(9 if place == 0 else 8 if more else 1, 33))
        data = bytearray(97 + (byte & 1) for byte in draw(st.binary(min_size=size, max_size=size)))
        if place == 0:
            data[:8] = HEADER
        if place or more:
            fragments.append((draw(st.integers(0, 2)), place, more, bytes(data)))
    return fragments


@given(trains(), st.booleans())
@settings(max_examples=500, deadline=None)
def test_as_plain_python_puts_it_together(fragments: list[tuple[int, int, bool, bytes]], six: bool) -> None:
    packets = [
        ipv6(piece6(data, UDP, ident, place, more), 44)
        if six
        else ipv4(data, UDP, ident=ident, place=place, more=more) + b"padding"
        for ident, place, more, data in fragments
    ]
    layers, plain = Layers(), PlainTable()
    header = 48 if six else 20
    for number, (packet, (ident, place, more, data)) in enumerate(zip(packets, fragments, strict=True), 1):
        (one,) = feed([packet], layers, number)
        expected = plain.add(ident, number, place, more, data)
        if expected is None:
            assert one is None
            continue
        assert one is not None
        assert one.payload == bytes(byte for byte, _ in expected[8:])
        assert from_places(one, packets) == one.payload
        source = [
            position // 100_000
            for position, _, length in one.parts
            for _ in range(length)
            if position % 100_000 >= header
        ]
        assert source == [origin for _, origin in expected[8:]]
    layers.close()
    left = sum(train.fragments for train in plain.trains.values())
    losses = layers.losses()
    assert losses.get("fragment_incomplete", (0,))[0] == left
    assert losses.get("fragment_conflict", (0, 0))[:2] == (plain.conflicts, plain.conflict_bytes)


def test_what_tells_datagrams_apart() -> None:
    data = udp(bytes(24))
    first, second = data[:16], data[16:]
    for change in (
        {"ident": 8},
        {"protocol": TCP},
        {"source": "192.0.2.9"},
        {"target": "192.0.2.9"},
    ):
        keys = {"ident": 7, "protocol": UDP, "source": A4, "target": B4}
        one = ipv4(first, more=True, **keys)  # type: ignore[arg-type]
        other = ipv4(second, place=16, **(keys | change))  # type: ignore[arg-type]
        same = ipv4(second, place=16, **keys)  # type: ignore[arg-type]
        told = feed([one, other, same], Layers())
        assert [bool(each) for each in told] == [False, False, True]


def test_a_fragment_that_is_whole_is_none() -> None:
    (one,) = feed([ipv6(piece6(tcp(b"abc"), TCP, 7, 0, False), 44)], Layers())
    assert one is not None
    assert one.payload == b"abc"


def test_the_protocol_of_ipv6_is_that_of_the_first_fragment() -> None:
    data = udp(bytes(24))
    packets = [ipv6(piece6(data[16:], TCP, 7, 16, False), 44), ipv6(piece6(data[:16], UDP, 7, 0, True), 44)]
    _, one = feed(packets, Layers())
    assert one is not None
    assert one[:10] == (A6, B6, 5000, 53, UDP, 0, 0, 0, bytes(24), 24)


def test_a_fragment_in_a_fragment() -> None:
    # The inner fragment header stands in the datagram that the outer ones make.
    data = udp(bytes(range(64)))
    inner = [piece6(data[:32], UDP, 1, 0, True), piece6(data[32:], UDP, 1, 32, False)]
    packets = [
        ipv6(piece6(inner[0][:24], 44, 2, 0, True), 44),
        ipv6(piece6(inner[0][24:], 44, 2, 24, False), 44),
        ipv6(piece6(inner[1][:16], 44, 3, 0, True), 44),
        ipv6(piece6(inner[1][16:], 44, 3, 16, False), 44),
    ]
    *before, one = feed(packets, Layers())
    assert before == [None] * 3
    assert one is not None
    assert one.payload == bytes(range(64))
    assert from_places(one, packets) == one.payload


def test_a_first_fragment_that_was_cut_is_read_alone() -> None:
    packet = ipv4(tcp(TEXT[:460]), ident=7, more=True)
    layers = Layers()
    one = layers.decode_frame(101, packet[:100], len(packet))
    assert one is not None
    assert (one.payload, one.length) == (TEXT[:60], 460)
    assert layers.decode_frame(101, ipv4(TEXT[460:500], ident=7, place=480)) is None
    assert layers.decode_frame(101, ipv4(TEXT[:80], ident=8, place=480)[:50], 100, frame=9) is None
    layers.close()
    assert layers.losses() == {"fragment_incomplete": (2, 120, 0, 0, 1, 1)}


@pytest.mark.parametrize(
    "packet",
    [
        ipv4(b"", more=True),
        ipv4(b"", place=64),
        ipv4(b"1234567", more=True),
        ipv4(b"123456789", place=65528),
        ipv6(piece6(bytes(16), TCP, 1, 65528, True), 44),
        ipv6(piece6(b"", TCP, 1, 0, True), 44),
    ],
)
def test_fragments_that_cannot_be(packet: bytes) -> None:
    layers = Layers()
    assert layers.decode_frame(101, packet) is None
    layers.close()
    assert list(layers.losses()) == ["malformed_packet"]


def test_the_longest_datagram() -> None:
    data = udp(bytes(65527), length=0)
    packets = [ipv4(data[:32768], UDP, more=True), ipv4(data[32768:], UDP, place=32768)]
    _, one = feed(packets, Layers())
    assert one is not None
    assert (len(one.payload), [part[1:] for part in one.parts]) == (65527, [(0, 32760), (32760, 32767)])


@pytest.mark.parametrize(("later", "whole"), [(60 * SECOND, True), (60 * SECOND + 1, False), (-61 * SECOND, False)])
def test_after_a_minute_it_is_another_datagram(later: int, whole: bool) -> None:
    layers = Layers()
    data = udp(bytes(24))
    start = 10**18
    assert layers.decode_frame(101, ipv4(data[:16], UDP, more=True), time=start, frame=1) is None
    one = layers.decode_frame(101, ipv4(data[16:], UDP, place=16), time=start + later, frame=2)
    assert (one is not None) is whole
    layers.close()
    assert layers.losses() == ({} if whole else {"fragment_incomplete": (2, 32, 0, start, 1, 1)})


def test_without_times_nothing_gets_old() -> None:
    layers = Layers()
    data = udp(bytes(24))
    layers.decode_frame(101, ipv4(data[:16], UDP, more=True), time=10**18)
    assert layers.decode_frame(101, ipv4(data[16:], UDP, place=16), time=0) is not None


def numbered(number: int, **more: int | bool) -> bytes:
    """A fragment of the datagram with this number."""
    place = int(more.get("place", 0))
    data = udp(bytes(24))[:16] if not place else bytes(16)
    source = f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    return ipv4(data, UDP, source, ident=7, place=place, more=bool(more.get("more")))


def test_the_table_holds_1024_datagrams_and_drops_what_was_used_least_recently() -> None:
    layers = Layers()
    for number in range(1024):
        assert layers.decode_frame(101, numbered(number, more=True), frame=number + 1) is None
    assert layers.losses() == {}
    layers.decode_frame(101, numbered(0, more=True), frame=1025)  # now the one used last
    layers.decode_frame(101, numbered(1024, more=True), frame=1026)
    assert layers.losses() == {"fragment_incomplete": (1, 16, 0, 0, 2, 2)}
    for number in (1024, 2, 0, 1023):
        assert layers.decode_frame(101, numbered(number, place=16)) is not None
    assert layers.decode_frame(101, numbered(1, place=16)) is None


def resident() -> int:
    """Bytes of memory in use."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * 4096


@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="the sanitizer keeps freed memory")
def test_a_flood_of_fragments_stays_within_its_memory() -> None:
    layers = Layers()
    before = resident()
    for number in range(30_000):
        layers.decode_frame(101, ipv4(bytes(1480), UDP, ident=number & 0xFFFF, place=1480, more=True))
    grown = resident() - before
    assert grown < 24 << 20
    # Every datagram fills two pages of 1,024 bytes: 2,730 of them would fit, but 1,024 datagrams are the most.
    assert layers.losses()["fragment_incomplete"][:2] == (30_000 - 1024, (30_000 - 1024) * 1480)
    for number in range(300):
        for place in range(0, 64000, 8000):
            layers.decode_frame(101, ipv6(piece6(bytes(8000), UDP, number, place, True), 44))
    assert resident() - before < 24 << 20
    layers.close()
    assert layers.losses()["fragment_incomplete"][0] == 30_000 + 2400


def test_large_datagrams_fill_the_table_by_their_bytes() -> None:
    layers = Layers()
    for number in range(100):
        for place in range(0, 64000, 8000):
            layers.decode_frame(101, ipv6(piece6(bytes(8000), UDP, number, place, True), 44), frame=number + 1)
    # 63 pages each: the 5,461 pages are enough for 86 of them.
    count, size, *_, frame = layers.losses()["fragment_incomplete"]
    assert (count, size, frame) == (14 * 8, 14 * 64000, 1)
    alive = [
        number
        for number in reversed(range(100))
        if layers.decode_frame(101, ipv6(piece6(b"end", UDP, number, 64000, False), 44)) is not None
    ]
    assert len(alive) > 80
    assert alive == list(range(99, 99 - len(alive), -1))


def test_small_pieces_fill_the_table_by_their_number() -> None:
    layers = Layers()
    for number in range(20):
        for place in range(0, 65520, 16):  # every other eight bytes: none joins another
            layers.decode_frame(101, ipv6(piece6(bytes(8), UDP, number, place, True), 44))
    # 4,095 pieces each: 16 datagrams are 65,520.
    assert layers.losses()["fragment_incomplete"][0] == 4 * 4095


def test_copies_of_the_same_bytes_take_no_room() -> None:
    layers = Layers()
    first = ipv4(udp(bytes(24))[:16], UDP, ident=7, more=True)
    for _ in range(100_000):
        assert layers.decode_frame(101, first) is None
    one = layers.decode_frame(101, ipv4(bytes(16), UDP, ident=7, place=16))
    assert one is not None
    assert (one.payload, len(one.parts)) == (bytes(24), 2)
    assert layers.losses() == {}

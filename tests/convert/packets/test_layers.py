"""Link, network and transport headers, against frames made by hand, by scapy and read by dpkt."""

from __future__ import annotations

import struct

import dpkt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, IPOption_LSRR, TCPerror
from scapy.layers.inet import TCP as TcpLayer
from scapy.layers.inet import UDP as UdpLayer
from scapy.layers.inet6 import (
    ICMPv6PacketTooBig,
    IPv6,
    IPv6ExtHdrDestOpt,
    IPv6ExtHdrHopByHop,
    IPv6ExtHdrRouting,
    IPv6ExtHdrSegmentRouting,
    PadN,
)
from scapy.layers.ipsec import AH
from scapy.layers.l2 import ARP, GRE, CookedLinux, Ether

from support.layers import decoded, lost
from support.packet_made import (
    A4,
    A6,
    B4,
    B6,
    IPV4,
    IPV6,
    SERVICE,
    TCP,
    UDP,
    VLAN,
    ethernet,
    ipv4,
    ipv6,
    tcp,
    udp,
)
from syswire.convert.packets.layers import Decoded, Layers

TEXT = b"GET / HTTP/1.1\r\n\r\n"


V4 = ipv4(tcp(TEXT))
V6 = ipv6(tcp(TEXT))


@pytest.mark.parametrize(
    "frame",
    [
        bytes(Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / ARP(pdst="1.2.3.4", psrc="1.2.3.5")),
        ethernet(b"\x42\x42\x03" + bytes(35), kind=38),
        ethernet(b"\xaa\xaa\x03\x00\x00\x0c\x20\x00" + bytes(30), kind=38),
        ethernet(V4, kind=0x8863),
        ethernet(bytes(IP(src=A4, dst=B4) / ICMP() / b"ping")),
        ethernet(bytes(IP(src=A4, dst=B4) / GRE(proto=0x809B) / V4)),
        ethernet(ipv4(V4, protocol=94)),
        ethernet(ipv4(TEXT, protocol=132)),
        ethernet(ipv4(ipv6(b"", 59), protocol=41)),
        ethernet(ipv6(b"", 59), IPV6),
        ethernet(ipv6(bytes(40), 50), IPV6),
        # Hop-by-hop and destination options are IPv6's alone.
        ethernet(ipv4(struct.pack(">BB6x", TCP, 0) + tcp(), protocol=60)),
    ],
)
def test_what_is_not_followed(frame: bytes) -> None:
    assert lost(frame) == "not_followed"


@pytest.mark.parametrize(
    ("linktype", "frame"),
    [
        *((1, ethernet(V4)[:length]) for length in (0, 1, 13, 14, 33, 34 + 15)),
        (1, ethernet(V4, tags=[VLAN])[:16]),
        (1, ethernet(V4, tags=[VLAN] * 17)),
        (1, ethernet(V4, tags=[VLAN] * 300)),
        (1, ethernet(b"\xaa\xaa\x03\x00", kind=4)),
        (1, ethernet(ipv6(b""), IPV4)),
        (1, ethernet(ipv4(tcp()), IPV6)),
        (1, ethernet(b"\x44" + V4[1:])),
        (1, ethernet(b"\x4f" + V4[1:20])),
        (1, ethernet(ipv4(tcp(), total=19))),
        (1, ethernet(ipv4(tcp(), total=1))),
        (1, ethernet(ipv4(tcp(offset=4)))),
        (1, ethernet(ipv4(tcp(offset=0)))),
        (1, ethernet(ipv4(tcp(offset=15)))),
        (1, ethernet(ipv4(tcp(TEXT), total=39))),
        (1, ethernet(ipv4(udp(), protocol=UDP)[:-1])),
        (1, ethernet(ipv4(udp(length=7), protocol=UDP))),
        (1, ethernet(V6[:39], IPV6)),
        (1, ethernet(ipv6(b"\x06\x00", 60), IPV6)),
        (1, ethernet(ipv6(b"\x06\x05" + bytes(40), 60), IPV6)),
        (1, ethernet(ipv6(b"\x3c\x00\x00\x00\x00\x00\x00\x00" * 40 + tcp(), 60), IPV6)),
        (0, b"\x02\x00\x00"),
        (101, b""),
        (101, b"\x00" * 60),
        (113, bytes(15)),
        (276, bytes(19)),
    ],
)
def test_what_is_malformed(linktype: int, frame: bytes) -> None:
    assert lost(frame, linktype) == "malformed_packet"


def test_ethernet_padding_is_not_payload() -> None:
    assert decoded(ethernet(ipv4(tcp()) + bytes(6))).payload == b""
    assert decoded(ethernet(ipv4(tcp(b"ab")) + bytes(4) + b"FCS!")).payload == b"ab"


@pytest.mark.parametrize("cut", [1, 5, len(TEXT)])
def test_a_frame_that_the_snaplen_cut(cut: int) -> None:
    frame = ethernet(V4)
    one = decoded(frame[:-cut], original=len(frame))
    assert (one.payload, one.length) == (TEXT[:-cut], len(TEXT))


@pytest.mark.parametrize("kept", [16, 19, 20, 31])
def test_a_header_that_the_snaplen_cut_tells_what_it_can(kept: int) -> None:
    frame = ethernet(ipv4(tcp(TEXT, options=bytes([1]) * 12, seq=77)))
    one = decoded(frame[: 34 + kept], original=len(frame))
    assert (one.seq, one.payload, one.length) == (77, b"", len(TEXT))


def test_a_length_of_zero_means_the_rest_of_the_frame() -> None:
    big = TEXT * 5000
    for frame in (ethernet(ipv4(tcp(big), total=0)), ethernet(ipv6(tcp(big), length=0), IPV6)):
        assert decoded(frame).payload == big
        one = decoded(frame[:200], original=len(frame))
        assert (one.length, one.payload) == (len(big), big[: len(one.payload)])
        assert len(one.payload) in (200 - 54, 200 - 74)


def test_the_rest_of_an_absurd_frame_is_what_was_captured() -> None:
    for frame in (ethernet(ipv4(tcp(TEXT), total=0)), ethernet(ipv6(tcp(TEXT), length=0), IPV6)):
        assert decoded(frame, original=2**32 - 1).length == len(TEXT)


@pytest.mark.parametrize("frame", [ethernet(ipv4(tcp(TEXT), total=5000)), ethernet(ipv6(tcp(TEXT), length=4980), IPV6)])
def test_a_packet_is_no_longer_than_its_frame(frame: bytes) -> None:
    layers = Layers()
    one = layers.decode_frame(1, frame, offset=24, frame=2)
    assert one is not None
    assert (one.payload, one.length) == (TEXT, len(TEXT))
    lacking = 5000 - 40 - len(TEXT) if frame[12:14] == b"\x08\x00" else 4980 - 20 - len(TEXT)
    assert layers.losses() == {"short_frame": (1, lacking, 24, 0, 2, 2)}


@pytest.mark.parametrize(
    ("header", "there", "expected"),
    [
        (12, b"abcd", b"abcd"),
        (10, b"abcdef", b"ab"),
        (0, b"abcd", b"abcd"),
        (60000, b"abcd", b"abcd"),
        (8, b"abcd", b""),
    ],
)
def test_which_length_a_datagram_has(header: int, there: bytes, expected: bytes) -> None:
    one = decoded(ethernet(ipv4(udp(there, length=header), protocol=UDP) + b"padding"))
    assert one[:10] == (A4, B4, 5000, 53, UDP, 0, 0, 0, expected, len(expected))


def test_ipv4_options_are_passed_over() -> None:
    for options in (b"\x01" * 4, b"\x07\x07\x04" + bytes(4) + b"\x00", b"\x82\x00" + bytes(2), b"\x83\xff\x04\x00"):
        assert decoded(ethernet(ipv4(tcp(TEXT), options=options))).payload == TEXT


def test_a_source_route_names_the_target() -> None:
    routers = ["203.0.113.7", "203.0.113.8", "203.0.113.9"]
    on_its_way = IP(src=A4, dst=B4, options=[IPOption_LSRR(routers=routers)]) / TcpLayer(sport=1, dport=2)
    assert decoded(ethernet(bytes(on_its_way))).target == "203.0.113.9"
    arrived = IP(src=A4, dst=B4, options=[IPOption_LSRR(routers=routers, pointer=16)]) / TcpLayer(sport=1, dport=2)
    assert decoded(ethernet(bytes(arrived))).target == B4


@pytest.mark.parametrize(
    "between",
    [
        IPv6ExtHdrHopByHop(options=[PadN(optdata=b"\x00" * 12)]),
        IPv6ExtHdrDestOpt() / IPv6ExtHdrDestOpt(),
        IPv6ExtHdrHopByHop() / IPv6ExtHdrDestOpt() / IPv6ExtHdrRouting(addresses=["2001:db8::9"], segleft=0),
        AH(nh=TCP, payloadlen=4, spi=7, seq=1, icv=b"x" * 12),
    ],
)
def test_extension_headers_are_passed_over(between: object) -> None:
    packet = IPv6(src=A6, dst=B6) / between / TcpLayer(sport=1, dport=2, seq=9, flags="PA") / TEXT
    one = decoded(bytes(packet), 101)
    assert one[:10] == (A6, B6, 1, 2, TCP, 0x18, 9, 0, TEXT, len(TEXT))


@pytest.mark.parametrize("number", [135, 139, 140])
def test_the_rarer_extension_headers(number: int) -> None:
    one = decoded(ipv6(struct.pack(">BB14x", TCP, 1) + tcp(TEXT), number), 101)
    assert one.payload == TEXT


def test_an_authentication_header_in_ipv4() -> None:
    packet = (
        IP(src=A4, dst=B4) / AH(nh=UDP, payloadlen=4, spi=7, seq=1, icv=b"x" * 12) / UdpLayer(sport=1, dport=2) / b"abc"
    )
    assert decoded(bytes(packet), 101)[:10] == (A4, B4, 1, 2, UDP, 0, 0, 0, b"abc", 3)


def test_a_routing_header_names_the_target() -> None:
    hops = ["2001:db8::8", "2001:db8::9"]
    packet = IPv6(src=A6, dst=B6) / IPv6ExtHdrRouting(addresses=hops, segleft=2) / TcpLayer(sport=1, dport=2)
    assert decoded(bytes(packet), 101).target == hops[-1]
    packet = IPv6(src=A6, dst=B6) / IPv6ExtHdrSegmentRouting(addresses=hops, segleft=1) / TcpLayer(sport=1, dport=2)
    assert decoded(bytes(packet), 101).target == hops[0]


def test_thirty_two_extension_headers_and_no_more() -> None:
    one = struct.pack(">BB6x", 60, 0)
    last = struct.pack(">BB6x", TCP, 0)
    assert decoded(ipv6(one * 31 + last + tcp(TEXT), 60), 101).payload == TEXT
    assert lost(ipv6(one * 32 + last + tcp(TEXT), 60), 101) == "malformed_packet"


def mentioned(frame: bytes) -> Decoded | None:
    layers = Layers()
    assert layers.decode_frame(1, frame) is None, "only on demand"
    layers.mentions = True
    one = layers.decode_frame(1, frame)
    assert one is None or (one.mentioned and one.payload == b"" and one.length == 0 and one.parts == ())
    (tally,) = layers.losses().values()
    assert tally[0] == 2
    return one


def test_what_an_icmp_error_quotes() -> None:
    quoted = TCPerror(sport=1, dport=2, seq=3, ack=4, flags="S")
    frame = ethernet(bytes(IP(src=B4, dst=A4) / ICMP(type=3, code=1) / IP(src=A4, dst=B4, proto=TCP) / quoted))
    one = mentioned(frame)
    assert one and one[:8] == (A4, B4, 1, 2, TCP, 2, 3, 4)
    assert mentioned(frame[:-4]) is not None, "up to the window is enough for Wireshark"
    assert mentioned(frame[:-5]) is None
    packet = IPv6(src=B6, dst=A6) / ICMPv6PacketTooBig() / IPv6(src=A6, dst=B6, nh=TCP) / quoted
    one = mentioned(ethernet(bytes(packet), IPV6))
    assert one and one[:8] == (A6, B6, 1, 2, TCP, 2, 3, 4)
    for message in (0, 5, 8):
        packet = IP(src=B4, dst=A4) / ICMP(type=message) / IP(src=A4, dst=B4, proto=TCP) / quoted
        assert mentioned(ethernet(bytes(packet))) is None


def test_a_header_that_contradicts_itself_is_mentioned() -> None:
    one = mentioned(ethernet(ipv4(tcp(TEXT, offset=4, seq=9))))
    assert one and one[:8] == (A4, B4, 40000, 80, TCP, 0x18, 9, 2000)
    assert mentioned(ethernet(ipv4(udp(length=5), protocol=UDP))) is None


def test_what_was_lost_first_is_kept() -> None:
    layers = Layers()
    for number in (4, 5, 6):
        layers.decode_frame(1, ethernet(b"", 0x1234), 60, 100, number * 10, number, number + 1, number * 100)
    assert layers.losses() == {"not_followed": (3, 180, 400, 40, 5, 4)}


def by_dpkt(frame: bytes) -> tuple[bytes, bytes, int, int, bytes] | None:
    """What dpkt makes of an Ethernet frame that is whole."""
    packet = dpkt.ethernet.Ethernet(frame).data
    if not isinstance(packet, dpkt.ip.IP | dpkt.ip6.IP6):
        return None
    inner = packet.data
    if not isinstance(inner, dpkt.tcp.TCP | dpkt.udp.UDP):
        return None
    return packet.src, packet.dst, inner.sport, inner.dport, bytes(inner.data)


@given(
    st.booleans(),
    st.booleans(),
    st.lists(st.sampled_from([VLAN, SERVICE]), max_size=2),
    st.integers(0, 10),
    st.integers(0, 65535),
    st.binary(max_size=300),
    st.binary(max_size=20),
)
@settings(max_examples=300, deadline=None)
def test_as_dpkt_reads_it(
    six: bool, stream: bool, tags: list[int], words: int, port: int, payload: bytes, trailer: bytes
) -> None:
    ports = (port, 65535 - port)
    inner = tcp(payload, ports, options=b"\x01" * 4 * words) if stream else udp(payload, ports)
    protocol = TCP if stream else UDP
    packet = ipv6(inner, protocol) if six else ipv4(inner, protocol, options=b"\x01" * 4 * words)
    frame = ethernet(packet, IPV6 if six else IPV4, tags)
    told = by_dpkt(frame)
    one = decoded(frame + trailer)
    assert told == ((A6_BYTES if six else A4_BYTES), (B6_BYTES if six else B4_BYTES), *ports, payload)
    assert (one.source, one.target) == ((A6, B6) if six else (A4, B4))
    assert (one.source_port, one.target_port, one.payload, one.length) == (*ports, payload, len(payload))


A4_BYTES, B4_BYTES = ipv4(b"")[12:16], ipv4(b"")[16:20]
A6_BYTES, B6_BYTES = ipv6(b"")[8:24], ipv6(b"")[24:40]

SEEDS = [
    ethernet(V4, tags=[VLAN]),
    ethernet(ipv4(udp(TEXT), protocol=UDP, options=b"\x83\x07\x04" + bytes(5))),
    ethernet(ipv6(struct.pack(">BB6x", 44, 0) + struct.pack(">BBHI", TCP, 0, 0, 1) + tcp(TEXT), 60), IPV6),
    ethernet(bytes(IP(src=B4, dst=A4) / ICMP(type=3) / IP(src=A4, dst=B4, proto=TCP) / TCPerror())),
    ethernet(b"\xaa\xaa\x03\x00\x00\x00\x08\x00" + V4, kind=8 + len(V4)),
    V4,
    bytes(CookedLinux(proto=IPV4) / V4),
]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(SEEDS),
            st.sampled_from([0, 1, 101, 108, 113, 228, 229, 276]),
            st.lists(st.tuples(st.integers(0, 90), st.integers(0, 255)), max_size=4),
            st.integers(0, 120),
        ),
        max_size=20,
    )
)
@settings(max_examples=500, deadline=None)
def test_every_frame_is_handed_on_or_counted(frames: list[tuple[bytes, int, list[tuple[int, int]], int]]) -> None:
    layers = Layers()
    handed_on, put_together = 0, False
    for number, (seed, linktype, changes, length) in enumerate(frames, 1):
        frame = bytearray(seed)
        for at, value in changes:
            frame[at % len(frame)] = value
        data = bytes(frame[:length])
        start = number * 1000
        one = layers.decode_frame(linktype, data, len(frame), position=start, frame=number)
        if one is None:
            continue
        handed_on += 1
        assert one.length >= len(one.payload)
        inside = all(start <= position and position + size <= start + len(data) for position, _, size in one.parts)
        put_together |= not inside
        if inside:
            assert one.payload == b"".join(data[p - start :][:size] for p, _, size in one.parts)
    layers.close()
    causes = ("unknown_link_type", "not_followed", "malformed_packet", "fragment_incomplete")
    counted = sum(layers.losses().get(cause, (0,))[0] for cause in causes)
    assert handed_on + counted == len(frames) or (put_together and handed_on + counted < len(frames))

"""Tunnels and rare link layers, against frames made by hand and by scapy."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scapy.contrib.erspan import ERSPAN_I, ERSPAN_II, ERSPAN_III
from scapy.contrib.geneve import GENEVE, GeneveOptions
from scapy.contrib.gtp import GTP_U_Header, GTPPDUSessionContainer
from scapy.contrib.mpls import MPLS, EoMCW
from scapy.contrib.nsh import NSH
from scapy.layers.dot11 import Dot11, Dot11QoS, RadioTap
from scapy.layers.inet import IP
from scapy.layers.l2 import GRE, GRE_PPTP, LLC, SNAP, Dot1AD, Ether
from scapy.layers.l2tp import L2TP
from scapy.layers.ppp import HDLC, PPP, PPPoE
from scapy.layers.vxlan import VXLAN

from support.layers import decoded, lost
from support.packet_made import A4, A6, B4, B6, IPV6, TCP, UDP, ethernet, ipv4, ipv6, tcp, udp
from syswire.convert.packets.layers import Layers

TEXT = b"GET / HTTP/1.1\r\n\r\n"
V4 = ipv4(tcp(TEXT))
V6 = ipv6(tcp(TEXT))
FRAME = ethernet(V4)
OUTER = ("10.0.0.1", "10.0.0.2")
SNAP_IPV4 = b"\xaa\xaa\x03\x00\x00\x00\x08\x00"
TRAILER = b"trailer"


def outer(payload: bytes, protocol: int) -> bytes:
    """An Ethernet frame of another host's packet."""
    return ethernet(ipv4(payload, protocol, *OUTER))


def in_udp(payload: bytes, port: int) -> bytes:
    return outer(udp(payload, (50000, port)), UDP)


def in_gre(payload: object) -> bytes:
    return outer(bytes(payload), 47)  # type: ignore[call-overload]  # scapy's packets have no types


def wlan(payload: bytes, control: int = 0x08, flags: int = 1, rest: bytes = b"") -> bytes:
    """A frame of 802.11 by the standard's figure: control (2), duration (2), addresses (18), sequence (2), the rest."""
    return bytes([control, flags]) + bytes(2 + 18 + 2) + rest + payload


SERIAL = [
    (9, b"\xff\x03\x00\x21" + V4),
    (9, b"\x00\x21" + V4),
    (9, b"\x21" + V4),
    (9, b"\x0f\x00\x08\x00" + V4),
    (9, b"\xff\x03\x00\x31\x00\x01" + FRAME),
    (9, b"\xff\x03\x02\x81" + struct.pack(">I", 16 << 12 | 0x1FF) + V4),
    (50, bytes(HDLC() / PPP(proto=0x21)) + V4),
    (51, bytes(PPPoE(sessionid=1, len=2 + len(V4)) / PPP(proto=0x21)) + V4),
    (104, b"\x8f\x00\x08\x00" + V4),
    (107, b"\x18\x41\x03\xcc" + V4),
    (107, b"\x18\x41\x03\x00\x80\x00\x00\x00\x08\x00" + V4),
    (107, b"\x18\x41\x03\x00\x80\x00\x80\xc2\x00\x07" + FRAME),
    (107, b"\x18\x41\x08\x00" + V4),
    (107, b"\x18\x40\x00\x41\x03\xcc" + V4),
    (166, b"\x01\x03\x00\x21" + V4),
    (204, b"\x01\xff\x03\x00\x21" + V4),
    (206, b"\x00\x18\x41\x03\xcc" + V4),
]

LANS = [
    (6, b"\x10\x40" + bytes(12) + SNAP_IPV4 + V4),
    (6, b"\x10\x40" + bytes(6) + b"\x80" + bytes(5) + b"\x06\x00\x00\x11\x00\x20" + SNAP_IPV4 + V4),
    (10, b"\x50" + bytes(12) + SNAP_IPV4 + V4),
    (100, SNAP_IPV4 + V4),
    (138, bytes(16) + b"\x08\x00" + V4),
    (240, bytes(4) + FRAME),
    (109, bytes(12) + V4),
    (117, b"\x3d\x02" + bytes(62) + V4),
    (226, b"\x01\x02" + bytes(22) + V4),
    (239, b"\x02\x00\x00\x05" + struct.pack("<HH1sxxxHH", 5, 10, b"", 4 + len(V4), 9) + V4),
    (239, b"\x02\x00\x00\x05" + struct.pack(">HH2sxxHH", 6, 10, b"x", 4 + len(V4), 9) + V4),
    (192, struct.pack("<BBHI", 0, 0, 8, 1) + FRAME),
    (192, struct.pack("<BBHII", 0, 0, 12, 9, 0) + b"\x21" + V4),
    (258, struct.pack("<IIII", 16, 1, 1, 0) + FRAME),
]

WIRELESS = [
    (105, wlan(SNAP_IPV4 + V4)),
    (105, wlan(SNAP_IPV4 + V4, flags=3, rest=bytes(6))),
    (105, wlan(SNAP_IPV4 + V4, 0x88, rest=bytes(2))),
    (105, wlan(SNAP_IPV4 + V4, 0x88, 0x81, rest=bytes(6))),
    (105, wlan(struct.pack(">12xH", 8 + len(V4)) + SNAP_IPV4 + V4, 0x88, rest=b"\x80\x00")),
    (105, bytes(Dot11(type=2, subtype=8, FCfield=1) / Dot11QoS() / LLC() / SNAP(OUI=0, code=0x800) / IP(V4))),
    (127, bytes(RadioTap()) + wlan(SNAP_IPV4 + V4)),
    (127, bytes(RadioTap(present="TSFT+Flags", Flags="FCS")) + wlan(SNAP_IPV4 + V4) + b"FCS!"),
    (127, struct.pack("<BBHIB", 0, 0, 9, 2, 0x20) + wlan(SNAP_IPV4 + V4, 0x88, rest=bytes(4))),
    (127, struct.pack("<BBHIIB", 0, 0, 13, 1 << 31 | 2, 0, 0) + wlan(SNAP_IPV4 + V4)),
    (119, struct.pack("<II16s", 0x44, 24, b"wlan0") + wlan(SNAP_IPV4 + V4)),
    (119, struct.pack(">II56x", 0x80211001, 64) + wlan(SNAP_IPV4 + V4)),
    (163, struct.pack(">II56x", 0x80211002, 64) + wlan(SNAP_IPV4 + V4)),
]


@pytest.mark.parametrize(("linktype", "frame"), [*SERIAL, *LANS, *WIRELESS])
def test_a_packet_in_every_link_layer(linktype: int, frame: bytes) -> None:
    # What follows an attribute or a frame of a set length would be another one.
    one = decoded(frame if linktype == 239 else frame + TRAILER, linktype)
    assert one[:10] == (A4, B4, 40000, 80, TCP, 0x18, 1000, 2000, TEXT, len(TEXT))


TAGGED = [
    ethernet(bytes(6) + b"\x08\x00" + V4, 0x893F),
    ethernet(bytes(4) + b"\x08\x00" + V4, 0x8926),
    ethernet(bytes(4) + b"\x08\x00" + V4, 0x892F),
    ethernet(b"\x20" + bytes(13) + b"\x08\x00" + V4 + bytes(16), 0x88E5),
    ethernet(b"\x00" + bytes(5) + b"\x08\x00" + V4 + bytes(16), 0x88E5),
    ethernet(bytes(4) + FRAME, 0x88E7),
    ethernet(b"\x00\x41" + FRAME, 0x8903),
    bytes(Ether(src="02:00:00:00:00:01", dst="02:00:00:00:00:02") / Dot1AD(vlan=3, type=0x88E7)) + bytes(4) + FRAME,
    ethernet(bytes(PPPoE(sessionid=9, len=2 + len(V4)) / PPP(proto=0x21)) + V4, 0x8864),
    ethernet(bytes(NSH(nextproto=1)) + V4, 0x894F),
    ethernet(bytes(NSH(nextproto=3)) + FRAME, 0x894F),
]

LABELLED = [
    ethernet(bytes(MPLS(label=100, s=1)) + V4, 0x8847),
    ethernet(bytes(MPLS(label=100, s=0) / MPLS(label=0, s=1)) + V4, 0x8847),
    ethernet(b"".join(struct.pack(">I", number << 12) for number in range(16, 56)) + b"\0\0\x11\xff" + V4, 0x8848),
    ethernet(bytes(MPLS(label=100, s=1)) + FRAME, 0x8847),
    ethernet(bytes(MPLS(label=100, s=1)) + b"\x45" + FRAME[1:], 0x8847),
    ethernet(bytes(MPLS(label=100, s=1)) + bytes(EoMCW(seq=5)) + FRAME, 0x8847),
    outer(bytes(MPLS(label=100, s=1)) + V4, 137),
    in_udp(bytes(MPLS(label=100, s=1)) + V4, 6635),
]

IN_IP = [
    outer(V4, 4),
    ethernet(ipv6(V4, 4), IPV6),
    outer(ipv6(V4, 4), 41),
    outer(b"\x30\x00" + FRAME, 97),
    in_gre(GRE(proto=0x0800) / V4),
    in_gre(GRE(proto=0x0800, chksum_present=1, key_present=1, key=7, seqnum_present=1) / V4),
    in_gre(GRE(proto=0x6558, key_present=1, key=7) / FRAME),
    in_gre(GRE(proto=0x8847) / struct.pack(">I", 0x101FF) / V4),
    in_gre(b"\x40\x00\x08\x00" + bytes(4) + b"\x08\x00\x00\x04\x01\x02\x03\x04" + bytes(4) + V4),
    in_gre(GRE_PPTP(call_id=3, seqnum_present=1, acknum_present=1, payload_len=4 + len(V4)) / b"\xff\x03\x00\x21" / V4),
    in_gre(GRE(proto=0x883E) / V4),
    in_gre(GRE(proto=0x883E) / bytes(4) / V4),
    in_gre(GRE(proto=0x88BE) / ERSPAN_I() / FRAME),
    in_gre(GRE(proto=0x88BE, seqnum_present=1) / ERSPAN_II() / FRAME),
    in_gre(GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III() / FRAME),
    in_gre(GRE(proto=0x22EB, seqnum_present=1) / ERSPAN_III(o=1) / bytes(8) / FRAME),
]

GTP_LENGTH = 4 + 4 + len(V4)
IN_UDP = [
    in_udp(bytes(VXLAN(vni=5)) + FRAME, 4789),
    in_udp(struct.pack(">B2xBI", 8 | 4, 1, 5 << 8) + V4, 4790),
    in_udp(struct.pack(">B2xBI", 8 | 4, 3, 5 << 8) + FRAME, 4790),
    in_udp(bytes(GENEVE(proto=0x6558, options=[GeneveOptions(classid=1, type=2, data=b"abcd")])) + FRAME, 6081),
    in_udp(bytes(GENEVE(proto=0x0800, options=[])) + V4, 6081),
    in_udp(struct.pack(">BBHI", 0x30, 255, len(V4), 7) + V4, 2152),
    in_udp(struct.pack(">BBHIHBB", 0x32, 255, 4 + len(V4), 7, 1, 0, 0) + V4, 2152),
    in_udp(struct.pack(">BBHIHBB", 0x34, 255, GTP_LENGTH, 7, 1, 0, 0x85) + b"\x01\x10\x09\x00" + V4, 2152),
    in_udp(bytes(GTP_U_Header(teid=7) / GTPPDUSessionContainer(type=1, QFI=9) / IP(V4)), 2152),
    in_udp(struct.pack(">BBHHHB3xQ", 0x1E, 255, len(V4), 1, 2, 0, 0) + V4, 3386),
    in_udp(bytes(L2TP(hdr=["length"], tunnel_id=1, session_id=2)) + b"\xff\x03\x00\x21" + V4, 1701),
    in_udp(struct.pack(">HHHHHH", 0x0A02, 1, 2, 3, 4, 2) + b"xx\x21" + V4, 1701),
    in_udp(b"\x01\x00\x00\x01\x0a\x01\x07\x00\x01" + FRAME, 37008),
    in_udp(ipv6(V4, 4), 3544),
    in_udp(b"\x00\x00" + bytes(6) + ipv6(V4, 4), 3544),
    in_udp(b"\x00\x01\x02\x03" + bytes(5 + 9) + b"\x00\x00" + bytes(6) + ipv6(V4, 4), 3544),
]


@pytest.mark.parametrize("frame", [*TAGGED, *LABELLED, *IN_IP, *IN_UDP])
def test_the_packet_in_a_tunnel_names_the_stream(frame: bytes) -> None:
    one = decoded(frame + TRAILER)
    assert one[:10] == (A4, B4, 40000, 80, TCP, 0x18, 1000, 2000, TEXT, len(TEXT))


@pytest.mark.parametrize(
    "frame",
    [
        outer(V6, 41),
        in_gre(GRE(proto=0x86DD) / V6),
        ethernet(bytes(MPLS(label=2, s=1)) + V6, 0x8847),
        ethernet(bytes(MPLS(label=99, s=1)) + V6, 0x8847),
        in_udp(V6, 3544),
        in_udp(struct.pack(">BBHI", 0x30, 255, len(V6), 7) + V6, 2152),
    ],
)
def test_ipv6_in_a_tunnel(frame: bytes) -> None:
    one = decoded(frame + TRAILER)
    assert (one.source, one.target, one.payload) == (A6, B6, TEXT)


@pytest.mark.parametrize(
    ("port", "payload"),
    [
        (4789, b""),
        (4789, bytes(8) + FRAME),
        (2152, struct.pack(">BBHI", 0x32, 1, 4, 0) + bytes(4)),
        (2152, struct.pack(">BBHI", 0x30, 255, 4, 7) + b"\xff\x03\x00\x21"),
        (2152, struct.pack(">BBHIHBB", 0x34, 255, 9, 7, 1, 0, 0x85) + b"\x00" + V4),
        (1701, struct.pack(">HHHHHH", 0xC802, 12, 1, 0, 0, 0)),
        (3544, b"\x60" + bytes(30)),
        (6081, b"\xc0" + bytes(7) + FRAME),
        (6081, b"\x00\x01\x01\x00" + bytes(20)),
        (6635, b"\x00\x01\x01\x00" + bytes(20)),
        (37008, b"\x01\x04\x00\x00"),
        (37008, b"\x01\x00\x00\x01\x0a\x7f" + FRAME),
    ],
)
def test_what_does_not_begin_as_a_tunnel_is_a_datagram(port: int, payload: bytes) -> None:
    assert decoded(in_udp(payload, port))[:10] == (*OUTER, 50000, port, UDP, 0, 0, 0, payload, len(payload))


def test_a_client_may_have_the_port_of_a_tunnel() -> None:
    query = b"\x08\x00\x01\x00\x00\x01" + bytes(6) + b"\x07example\x00\x00\x01\x00\x01"
    for ports in ((4789, 53), (53, 4789)):
        assert decoded(outer(udp(query, ports), UDP))[:5] == (*OUTER, *ports, UDP)
    assert decoded(outer(udp(bytes(VXLAN(vni=5)) + FRAME, (53, 4789)), UDP)).payload == TEXT


def test_what_packets_in_one_another_lack_counts_once() -> None:
    layers = Layers()
    assert layers.decode_frame(101, ipv4(ipv4(tcp(TEXT), total=90), 4, *OUTER, total=110)) is not None
    assert layers.losses()["short_frame"][:2] == (1, 90 - 40 - len(TEXT))


@pytest.mark.parametrize(
    ("linktype", "frame", "cause"),
    [
        (105, wlan(SNAP_IPV4 + V4, flags=0x41), "not_followed"),
        (105, wlan(SNAP_IPV4 + V4, flags=0x05), "not_followed"),
        (105, wlan(b"", control=0x48), "not_followed"),
        (105, wlan(b"", control=0x80), "not_followed"),
        (105, b"\xd4\x00" + bytes(8), "not_followed"),
        (105, wlan(b"")[:20], "malformed_packet"),
        (127, b"\x00\x00\xff\xff" + bytes(20), "malformed_packet"),
        (127, struct.pack("<BBHII", 0, 0, 12, 1 << 31, 1 << 31) + FRAME, "malformed_packet"),
        (239, b"\x02\x00\x00\x05\x03\x00\x09\x00" + V4, "malformed_packet"),
        (258, struct.pack("<IIII", 16, 1, 258, 0) + FRAME, "not_followed"),
        (9, b"\xff\x03\xc0\x21\x01\x01\x00\x04", "not_followed"),
        (1, in_gre(b"\x00\x02\x08\x00" + V4), "not_followed"),
        (1, in_gre(b"\xb0\x00\x08\x00"), "malformed_packet"),
        (1, ethernet(b"\x00\x00\x10\x00" * 20, 0x8847), "malformed_packet"),
        (1, ethernet(b"\x2c" + bytes(13) + FRAME, 0x88E5), "not_followed"),
    ],
)
def test_what_is_not_followed_is_counted(linktype: int, frame: bytes, cause: str) -> None:
    assert lost(frame, linktype) == cause


def test_packets_in_packets_have_a_bound() -> None:
    frame = V4
    for _ in range(31):
        frame = ipv4(frame, 4, *OUTER)
    assert lost(frame, 101) == "malformed_packet"
    assert decoded(frame[20 * 1 :], 101).payload == TEXT


def test_fragments_of_a_tunnel() -> None:
    layers = Layers()
    inside = struct.pack(">BBHI", 0x30, 255, len(V4), 7) + V4
    datagram = udp(inside, (50000, 2152))
    pieces = [(0, datagram[:24], True), (24, datagram[24:], False)]
    frames = [ethernet(ipv4(piece, UDP, *OUTER, ident=1, place=at, more=more)) for at, piece, more in pieces]
    assert layers.decode_frame(1, frames[0], position=1000) is None
    one = layers.decode_frame(1, frames[1], position=2000, frame=2)
    assert one and (one.source, one.payload) == (A4, TEXT)
    where = {1000: frames[0], 2000: frames[1]}
    there = [where[place // 1000 * 1000][place % 1000 :][:size] for place, _, size in one.parts]
    assert b"".join(there) == TEXT


ALL = [*((1, frame) for frame in (*TAGGED, *LABELLED, *IN_IP, *IN_UDP)), *SERIAL, *LANS, *WIRELESS]


@given(
    st.sampled_from(ALL),
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 255)), max_size=4),
    st.integers(0, 160),
    st.integers(0, 40),
)
@settings(max_examples=1500, deadline=None)
def test_a_changed_frame_is_handed_on_or_counted(
    chosen: tuple[int, bytes], changes: list[tuple[int, int]], length: int, more: int
) -> None:
    linktype, seed = chosen
    frame = bytearray(seed)
    for at, value in changes:
        frame[at % len(frame)] = value
    data = bytes(frame[:length])
    layers = Layers()
    one = layers.decode_frame(linktype, data, len(data) + more, position=24)
    if one is not None:
        assert one.payload == b"".join(data[place - 24 :][:size] for place, _, size in one.parts)
        assert one.length >= len(one.payload)
        return
    layers.close()
    causes = ("unknown_link_type", "not_followed", "malformed_packet", "fragment_incomplete")
    assert sum(layers.losses().get(cause, (0,))[0] for cause in causes) == 1

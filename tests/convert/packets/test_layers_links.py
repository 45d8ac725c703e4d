"""Link layers, against frames made by hand and by scapy."""

from __future__ import annotations

import struct

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import LLC, SNAP, CookedLinux, CookedLinuxV2, Dot1AD, Dot1Q, Dot3, Ether, Loopback

from support.layers import decoded
from support.packet_made import A4, A6, B4, B6, IPV4, IPV6, QINQ, SERVICE, TCP, VLAN, ethernet, ipv4, ipv6, tcp
from syswire.convert.packets.layers import Layers
from syswire.convert.packets.links import known_link_types

TEXT = b"GET / HTTP/1.1\r\n\r\n"
V4 = ipv4(tcp(TEXT))
V6 = ipv6(tcp(TEXT))


@pytest.mark.parametrize(
    ("linktype", "frame"),
    [
        (1, ethernet(V4)),
        (1, ethernet(V4, tags=[VLAN])),
        (1, ethernet(V4, tags=[SERVICE, VLAN])),
        (1, ethernet(V4, tags=[QINQ, SERVICE, VLAN])),
        (1, ethernet(V4, tags=[VLAN] * 16)),
        (1, bytes(Ether(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / Dot1AD(vlan=2) / Dot1Q(vlan=3) / IP(V4))),
        (1, bytes(Dot3(dst="02:00:00:00:00:02", src="02:00:00:00:00:01") / LLC() / SNAP(OUI=0, code=IPV4) / V4)),
        (1, ethernet(b"\xaa\xaa\x03\x00\x00\xf8\x08\x00" + V4, kind=8 + len(V4))),
        (1, ethernet(b"\x06\x06\x03" + V4, kind=3 + len(V4))),
        (1, ethernet(b"\xaa\xaa\x03\x00\x00\x00\x08\x00" + V4, kind=8 + len(V4), tags=[VLAN])),
        (0, bytes(Loopback(type=2) / V4)),
        (0, b"\x02\x00\x00\x00" + V4),
        (0, b"\x00\x00\x00\x02" + V4),
        (0, b"\x00\x00\x08\x00" + V4),
        (108, b"\x00\x00\x00\x02" + V4),
        (12, V4),
        (14, V4),
        (101, V4),
        (228, V4),
        (113, bytes(CookedLinux(proto=IPV4) / V4)),
        (113, bytes(CookedLinux(proto=VLAN)) + struct.pack(">HH", 9, IPV4) + V4),
        (113, bytes(CookedLinux(proto=4)) + b"\xaa\xaa\x03\x00\x00\x00\x08\x00" + V4),
        (276, bytes(CookedLinuxV2(proto=IPV4) / V4)),
        (276, bytes(CookedLinuxV2(proto=VLAN)) + struct.pack(">HHHH", 9, VLAN, 10, IPV4) + V4),
    ],
)
def test_ipv4_in_every_link_layer(linktype: int, frame: bytes) -> None:
    one = decoded(frame + b"trailer", linktype)
    assert one[:10] == (A4, B4, 40000, 80, TCP, 0x18, 1000, 2000, TEXT, len(TEXT))


@pytest.mark.parametrize(
    ("linktype", "frame"),
    [
        (1, ethernet(V6, IPV6)),
        (1, ethernet(V6, IPV6, tags=[VLAN, VLAN])),
        *((0, struct.pack(order + "I", family) + V6) for family in (10, 24, 28, 30) for order in "<>"),
        (108, struct.pack(">I", 24) + V6),
        (101, V6),
        (229, V6),
        (113, bytes(CookedLinux(proto=IPV6) / V6)),
        (276, bytes(CookedLinuxV2(proto=IPV6) / V6)),
    ],
)
def test_ipv6_in_every_link_layer(linktype: int, frame: bytes) -> None:
    one = decoded(frame + b"trailer", linktype)
    assert one[:10] == (A6, B6, 40000, 80, TCP, 0x18, 1000, 2000, TEXT, len(TEXT))


def test_the_link_types_that_are_known() -> None:
    serial, wireless = [9, 50, 51, 104, 107, 166, 204, 206], [105, 119, 127, 163]
    others = [6, 10, 100, 109, 117, 138, 192, 226, 239, 240, 258]
    common = [0, 1, 12, 14, 101, 108, 113, 228, 229, 276]
    assert known_link_types() == sorted(common + serial + wireless + others)


def test_a_link_type_that_is_not_known_is_told_by_number() -> None:
    layers = Layers()
    for number, linktype in enumerate([147, 8, 147, 65535, 147], 1):
        assert layers.decode_frame(linktype, ethernet(V4), frame=number) is None
    assert layers.unknown_links() == {147: 3, 8: 1, 65535: 1}
    assert layers.losses()["unknown_link_type"][0] == 5


def test_many_link_types_do_not_fill_the_table() -> None:
    layers = Layers()
    for linktype in range(300, 1300):
        layers.decode_frame(linktype, b"x")
    assert layers.unknown_links() == dict.fromkeys(range(300, 364), 1)
    assert layers.losses()["unknown_link_type"][:2] == (1000, 1000)

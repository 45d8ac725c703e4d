"""What the layers say of every frame, against tshark."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest
from scapy.layers.inet import ICMP, IP, IPOption_LSRR, fragment
from scapy.layers.inet import TCP as TcpLayer
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6, IPv6ExtHdrFragment, fragment6

from support.packet_made import (
    A4,
    A6,
    B4,
    B6,
    IPV6,
    QINQ,
    SERVICE,
    UDP,
    VLAN,
    ethernet,
    ipv4,
    ipv6,
    pcap,
    read_pcap,
    tcp,
    udp,
)
from support.tshark import Tshark
from syswire.convert.packets.layers import Decoded, Layers

Find = Callable[[str], str]
Sight = tuple[object, ...]

MAGICS = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\x4d\x3c\xb2\xa1", b"\xa1\xb2\x3c\x4d")

# Layers between the frame and the innermost IP header that are not followed here, and protocols that quote packets.
INSIDE_OTHERS = {"sflow", "icmp", "icmpv6", "capwap.data", "udpencap", "lwapp", "gtpv2"}
INSIDE_OTHERS |= {"cfp"}  # of FabricPath's frames tshark takes the last four bytes for a check sequence

# Behind the innermost UDP header: what they carry is no IP, so both tell of something else.
IN_UDP = {"vxlan", "geneve", "gtp", "teredo", "l2tp", "tzsp", "mpls", "vxlan-gpe"}

FIELDS = (
    *("frame.number", "frame.protocols", "ip.src", "ip.dst", "ipv6.src", "ipv6.dst", "tcp.srcport", "tcp.dstport"),
    *("tcp.seq_raw", "tcp.ack_raw", "tcp.flags", "tcp.len", "udp.srcport", "udp.dstport", "tcp.stream"),
)


def told(row: list[list[str]]) -> Sight | None:
    """tshark's view of what is innermost in a frame: None where there is no TCP or UDP that it could read."""
    frame = dict(zip(FIELDS, row, strict=True))
    inner = innermost(row)
    if not inner:
        return None
    family = inner[0]
    ends = tuple(ip_address(frame[f"{family}.{end}"][-1]) for end in ("src", "dst") if frame[f"{family}.{end}"])
    if frame["tcp.len"] and frame["tcp.ack_raw"]:  # no number of an acknowledgement: the header was not read to its end
        numbers = [int(frame[f"tcp.{name}"][-1]) for name in ("srcport", "dstport", "seq_raw", "ack_raw", "len")]
        return ("tcp", *ends, *numbers, int(frame["tcp.flags"][-1], 16) & 255)
    if "udp" in inner:
        return ("udp", *ends, int(frame["udp.srcport"][-1]), int(frame["udp.dstport"][-1]))
    return None


def innermost(row: list[list[str]]) -> list[str]:
    """The names of a frame's layers from its last IP header on."""
    protocols = row[1][0].split(":") if row[1] else []
    places = [place for place, name in enumerate(protocols) if name in ("ip", "ipv6")]
    return protocols[places[-1] :] if places else []


def ours(one: Decoded | None) -> Sight | None:
    """The same of what the layers handed on."""
    if one is None or one.mentioned:
        return None
    ends = (ip_address(one.source), ip_address(one.target), one.source_port, one.target_port)
    if one.protocol == UDP:
        return ("udp", *ends)
    return ("tcp", *ends, one.seq, one.ack, one.length, one.tcp_flags)


def followed(row: list[list[str]]) -> bool:
    """Whether what tshark tells of a frame is of the packet that we follow too."""
    protocols = row[1][0].split(":") if row[1] else []
    return not INSIDE_OTHERS & set(protocols) and not IN_UDP & set(innermost(row))


def compare(program: str, file: Path, frames: Sequence[tuple[bytes, int]], linktype: int) -> tuple[int, list[object]]:
    """How many frames were compared, and those that differ. With TCP, tshark must number just the frames we tell of."""
    file.write_bytes(pcap(frames, linktype))
    rows = Tshark(program, file, "-n").fields("frame", *FIELDS)
    assert len(rows) == len(frames)
    layers = Layers()
    layers.mentions = True
    compared, differing = 0, list[object]()
    for number, (row, (data, original)) in enumerate(zip(rows, frames, strict=True), 1):
        one = layers.decode_frame(linktype, data, original, position=number * 10**6, time=number, frame=number)
        expected = told(row)
        if not followed(row):
            quoted = {"icmp", "icmpv6"} & set(row[1][0].split(":")) and one is not None and one.mentioned
            if quoted and len(row[-1]) != 1:
                differing.append((number, "numbered", row[1], one))
            continue
        compared += 1
        if ours(one) != expected or (one is not None and one.protocol != UDP) != bool(row[-1]):
            differing.append((number, row[1], expected, ours(one), one and one.mentioned))
    return compared, differing


def odd_frames() -> list[tuple[bytes, int]]:
    """Frames of every kind that the layers treat in a way of their own, with their lengths on the wire."""
    data = b"GET / HTTP/1.0\r\n\r\n"
    first = tcp(data, (1, 80))
    whole = [
        ethernet(ipv4(first)),
        ethernet(ipv4(first) + bytes(20)),
        *(ethernet(ipv4(tcp(data, (number, 80))), tags=[VLAN, SERVICE, QINQ][:number]) for number in (1, 2, 3)),
        ethernet(b"\xaa\xaa\x03\x00\x00\x00\x08\x00" + ipv4(first), kind=8 + len(ipv4(first))),
        ethernet(ipv4(first, total=0)),
        ethernet(ipv4(first, total=15)),
        ethernet(ipv4(first, total=900)),
        ethernet(ipv6(first, length=900), IPV6),
        ethernet(ipv4(tcp(data, offset=4))),
        ethernet(ipv4(tcp(data, (7, 8), offset=15))),
        ethernet(ipv4(tcp(data, options=b"\x01" * 40))),
        ethernet(bytes(IP(src=A4, dst=B4, options=[IPOption_LSRR(routers=["1.2.3.4", "1.2.3.5"])]) / TcpLayer())),
        ethernet(ipv4(udp(data, length=0), UDP)),
        ethernet(ipv4(udp(data, length=10), UDP)),
        ethernet(ipv6(struct.pack(">BB6x", 6, 0) + first, 60), IPV6),
        ethernet(ipv6(struct.pack(">BB6x", 60, 0) + struct.pack(">BB14x", 6, 1) + first, 0), IPV6),
        *(ethernet(bytes(IP(src=B4, dst=A4) / ICMP(type=t) / IP(ipv4(tcp(ports=(t, 9)))))) for t in (3, 4, 11, 12)),
        ethernet(bytes(IPv6(src=B6, dst=A6) / ICMPv6PacketTooBig() / IPv6(ipv6(tcp(ports=(90, 9))))), IPV6),
    ]
    cut = ethernet(ipv4(tcp(data, (50, 51), options=b"\x01" * 12)))
    pieces = [ethernet(bytes(one)) for one in fragment(IP(ipv4(tcp(data * 90, (60, 61)), ident=5)), 400)]
    again = [ethernet(bytes(one)) for one in fragment(IP(ipv4(udp(data * 90, (62, 63)), UDP, ident=5)), 400)]
    six = IPv6(src=A6, dst=B6) / IPv6ExtHdrFragment(id=9) / TcpLayer(tcp(data * 90, (64, 65)))
    others = [ethernet(bytes(one), IPV6) for one in fragment6(six, 400)]
    mixed = [*pieces[::-1], *again, *pieces[1:], *others[1:], others[0], *again[:2]]
    return [
        *((frame, len(frame)) for frame in (*whole, *mixed)),
        *((cut[:length], len(cut)) for length in range(30, len(cut), 2)),
    ]


def test_odd_frames(tool: Find, tmp_path: Path) -> None:
    frames = odd_frames()
    compared, differing = compare(tool("tshark"), tmp_path / "odd.pcap", frames, 1)
    assert not differing
    assert compared > 60


@pytest.mark.parametrize(
    ("linktype", "least"),
    [
        *((1, 30_000), (0, 1000), (101, 200), (113, 100), (276, 10), (228, 100)),
        *((9, 1), (10, 1), (104, 10), (105, 10), (127, 10), (239, 5)),
    ],
)
def test_all_captures_of_a_link_type(shared: Path, tool: Find, tmp_path: Path, linktype: int, least: int) -> None:
    frames = list[tuple[bytes, int]]()
    for path in sorted((shared / "data" / "http").glob("*cap")):
        with path.open("rb") as file:
            head = file.read(24)
        if head[:4] in MAGICS:
            records = [record for record in read_pcap(path) if record.linktype == linktype]
            # tshark reads no record that claims more than this and gives up the file at it.
            frames += [(one.data, max(one.original, len(one.data))) for one in records if len(one.data) <= 262144]
    compared, differing = compare(tool("tshark"), tmp_path / "all.pcap", frames, linktype)
    assert not differing
    assert compared >= least

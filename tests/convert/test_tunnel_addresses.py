"""The addresses around a conversation that passes through tunnels are kept beside it, as scapy reads them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import GRE, Ether
from scapy.layers.vxlan import VXLAN
from scapy.packet import Packet
from scapy.utils import wrpcap

from syswire.convert.options import Options
from syswire.convert.pipeline import Case

INNER = IP(src="192.0.2.1", dst="192.0.2.2") / TCP(sport=40000, dport=80, flags="PA", seq=5, ack=7) / b"hello"


def streams(folder: Path, *frames: Packet) -> list[dict[str, object]]:
    wrpcap(str(folder / "a.pcap"), list(frames))
    Case([str(folder / "a.pcap")], folder / "out", Options(pcapng=False)).run()
    lines = (folder / "out/a.annotations.jsonl").read_text().splitlines()
    return [one for one in map(json.loads, lines) if one["type"] == "stream"]


def around(frame: Packet) -> list[dict[str, str]]:
    """Source and target of all IP headers but the innermost."""
    found = []
    layer = frame
    while layer:
        if layer.name in ("IP", "IPv6"):
            found.append({"source_ip": layer.src, "target_ip": layer.dst})
        layer = layer.payload
    return found[:-1]


@pytest.mark.parametrize(
    "frame",
    [
        Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / GRE() / INNER,
        Ether() / IPv6(src="2001:db8::1", dst="2001:db8::2") / INNER,
        Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / UDP(sport=5, dport=4789) / VXLAN() / Ether() / INNER,
        Ether() / IP(src="10.0.0.1", dst="10.0.0.2") / GRE() / IPv6(src="::3", dst="::4") / GRE() / INNER,
    ],
)
def test_outer_addresses_are_told_from_the_outside_in(frame: Packet, tmp_path: Path) -> None:
    plain = Ether() / IP(src="192.0.2.9", dst="192.0.2.2") / TCP(sport=1, dport=2, flags="PA") / b"x"
    told = around(Ether(bytes(frame)))
    assert told
    first, second, third = streams(tmp_path, plain, frame, Ether() / IP(src="192.0.2.8") / UDP() / b"y")
    assert "tunnel" not in first
    assert second["tunnel"] == told
    assert second["client"] == {"ip": "192.0.2.1", "port": 40000}
    assert "tunnel" not in third


def test_more_headers_than_there_is_room_for(tmp_path: Path) -> None:
    frame = INNER
    for number in range(12):
        frame = IP(src=f"10.0.0.{number + 1}", dst="10.1.1.1") / frame
    told = around(Ether(bytes(Ether() / frame)))
    assert len(told) == 12
    [stream] = streams(tmp_path, Ether() / frame)
    assert stream["tunnel"] == told[:8]


def test_what_an_error_quotes_is_no_tunnel(tmp_path: Path) -> None:
    from scapy.layers.inet import ICMP

    quoting = Ether() / IP(src="10.0.0.9", dst="192.0.2.1") / ICMP(type=3, code=1) / IP(bytes(INNER)[:40])
    [stream] = streams(tmp_path, quoting, Ether() / INNER)
    assert "tunnel" not in stream

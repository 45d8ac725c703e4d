"""Packets as a trace: one event a segment or datagram, told from the server's side. Captures are built by scapy."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP, UDP, fragment
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw
from scapy.utils import PcapWriter

from syswire.convert.scap.event_table import EF_READS_FROM_FD, EF_WRITES_TO_FD
from syswire.convert.source import Source
from syswire.convert.trace.model import Event
from syswire.convert.trace.packets import PacketTrace, open_packets

CLIENT, SERVER = "10.0.0.7", "10.0.0.5"
ASKED, ANSWERED = b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n"


def tcp(source: str, target: str, sport: int, dport: int, flags: str, seq: int, ack: int, data: bytes = b"") -> Packet:
    return Ether() / IP(src=source, dst=target) / TCP(sport=sport, dport=dport, flags=flags, seq=seq, ack=ack) / data


def talk() -> list[Packet]:
    """Opened, asked, answered; then a datagram over IPv6."""
    up, down = (CLIENT, SERVER, 40000, 80), (SERVER, CLIENT, 80, 40000)
    return [
        tcp(*up, "S", 100, 0),
        tcp(*down, "SA", 500, 101),
        tcp(*up, "A", 101, 501),
        tcp(*up, "PA", 101, 501, ASKED),
        tcp(*down, "PA", 501, 101 + len(ASKED), ANSWERED),
        Ether() / IPv6(src="2001:db8::7", dst="2001:db8::5") / UDP(sport=5353, dport=53) / Raw(b"question"),
    ]


def written(path: Path, packets: list[Packet]) -> Path:
    with PcapWriter(str(path), linktype=1, nano=True) as writer:
        for index, packet in enumerate(packets):
            packet.time = 1_700_000_000 + index
            writer.write(packet)
    return path


def opened(path: Path) -> PacketTrace:
    return open_packets(Source(path), "pcap")


def events(path: Path) -> list[Event]:
    return list(opened(path))


def test_one_event_for_each_payload(tmp_path: Path) -> None:
    found = events(written(tmp_path / "a.pcap", talk()))
    assert [event.num for event in found] == [4, 5, 6]
    assert [event.ts for event in found] == [(1_700_000_000 + index) * 10**9 for index in (3, 4, 5)]
    assert [event.params for event in found] == [
        (len(data).to_bytes(8, "little"), data) for data in (ASKED, ANSWERED, b"question")
    ]
    assert [event.res for event in found] == [len(ASKED), len(ANSWERED), 8]
    assert {event.name for event in found} == {"packet"}
    assert all(event.is_exit and event.thread is None and event.fd_num is None for event in found)
    assert [event.previous_ts for event in found] == [None, found[0].ts, found[1].ts]


def test_what_the_client_sent_was_read(tmp_path: Path) -> None:
    found = events(written(tmp_path / "a.pcap", talk()))
    reads = [bool(event.info.flags & EF_READS_FROM_FD) for event in found]
    assert reads == [True, False, True]
    assert [bool(event.info.flags & EF_WRITES_TO_FD) for event in found] == [not read for read in reads]


def test_the_descriptor_is_the_servers(tmp_path: Path) -> None:
    first, second, third = events(written(tmp_path / "a.pcap", talk()))
    fd = first.fd
    assert fd is not None
    assert second.fd is fd
    assert (fd.kind, fd.l4, fd.role, fd.connected) == ("ipv4", "tcp", "server", True)
    assert (fd.sip, fd.sport, fd.dip, fd.dport) == (bytes([10, 0, 0, 7]), 40000, bytes([10, 0, 0, 5]), 80)
    assert fd.name == "10.0.0.7:40000->10.0.0.5:80"
    assert third.fd is not None
    assert (third.fd.kind, third.fd.l4, third.fd.name) == ("ipv6", "udp", "2001:db8::7:5353->2001:db8::5:53")


def test_a_fragmented_datagram_is_one_event(tmp_path: Path) -> None:
    data = bytes(range(256)) * 12
    whole = IP(src=CLIENT, dst=SERVER) / UDP(sport=4000, dport=53) / Raw(data)
    (event,) = events(written(tmp_path / "f.pcap", [Ether() / part for part in fragment(whole, 1000)]))
    assert event.params[1] == data
    assert event.res == len(data)


def test_compressed_or_plain_is_the_same(tmp_path: Path) -> None:
    plain = written(tmp_path / "a.pcap", talk())
    packed = tmp_path / "a.pcap.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    told = [
        [(event.num, event.ts, event.params, event.fd and event.fd.name) for event in events(path)]
        for path in (plain, packed)
    ]
    assert told[0] == told[1]
    assert len(told[0]) == 3


def test_damage_and_losses_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.pcap", talk())
    path.write_bytes(path.read_bytes()[:-3])
    trace = opened(path)
    assert len(list(trace)) == 2
    assert trace.damage is not None
    assert "cut" in trace.damage.what


@pytest.mark.parametrize("cut", [10, 0])
def test_what_a_snaplen_cut_off_counts(tmp_path: Path, cut: int) -> None:
    packet = tcp(CLIENT, SERVER, 40000, 80, "PA", 1, 1, b"x" * 100)
    packet.time = 1.0
    raw = bytes(packet)
    path = tmp_path / "s.pcap"
    with PcapWriter(str(path), linktype=1) as writer:
        writer.write_header(raw)
        writer.write_packet(raw[: len(raw) - 100 + cut], sec=1, usec=0, wirelen=len(raw))
    (event,) = events(path)
    assert (event.res, event.params[1]) == (100, b"x" * cut)

"""The conversations in a recording of our own on loopback: whole and in order."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import dpkt


@dataclass
class Recorded:
    """One conversation as both ends said it."""

    server_port: int
    calls: list[tuple[bool, bytes]] = field(default_factory=list)
    """(to the server, bytes of one segment or datagram)."""


def recorded(path: Path, transport: str = "tcp") -> list[Recorded]:
    """TCP conversations from their SYN on, or of UDP each pair of ports, in the order in which they began."""
    found: dict[tuple[int, int], Recorded] = {}
    begun: list[Recorded] = []
    due: dict[tuple[int, int], int] = {}
    with path.open("rb") as file:
        for _, frame in dpkt.pcap.Reader(file):
            segment = dpkt.ethernet.Ethernet(frame).data.data
            if not isinstance(segment, dpkt.tcp.TCP if transport == "tcp" else dpkt.udp.UDP):
                continue
            way = (segment.sport, segment.dport)
            if transport == "tcp":
                if segment.flags & dpkt.tcp.TH_SYN:
                    due[way] = segment.seq + 1
                    if not segment.flags & dpkt.tcp.TH_ACK:
                        found[way] = Recorded(segment.dport)
                        begun.append(found[way])
                    continue
                if segment.data:
                    ahead = (segment.seq - due[way]) % 2**32
                    if ahead >= 2**31:
                        continue  # sent again
                    assert not ahead, "the recording is not in order"
                    due[way] += len(segment.data)
            elif way not in found and way[::-1] not in found:
                found[way] = Recorded(segment.dport)
                begun.append(found[way])
            if segment.data:
                to_server = way in found
                found[way if to_server else way[::-1]].calls.append((to_server, bytes(segment.data)))
    return begun

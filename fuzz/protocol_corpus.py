"""Conversations of real servers (tests/data/protocols) as inputs of the target `protocols`, cut short."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dpkt

from .mutate import protocols
from .mutate.http1 import Call

if TYPE_CHECKING:
    from collections.abc import Iterator

RECORDED = Path(__file__).resolve().parent.parent / "tests/data/protocols"
MOST = 3_000
"""Bytes of an input."""
SEVERAL = 3
"""Conversations of a recording at most."""

Tuple = tuple[bytes, int, bytes, int]


def _conversations(path: Path) -> list[tuple[bool, list[Call]]]:
    """(whether they are datagrams, calls) of each conversation; the one who speaks or connects first is the client."""
    found: dict[Tuple, tuple[bool, list[Call], set[tuple[bool, int]]]] = {}
    with path.open("rb") as file:
        reader = dpkt.pcap.UniversalReader(file)
        for _, frame in reader:
            packet = _packet(reader.datalink(), frame)
            segment = getattr(packet, "data", None)
            if not isinstance(segment, dpkt.tcp.TCP | dpkt.udp.UDP):
                continue
            key = (packet.src, segment.sport, packet.dst, segment.dport)
            back = (packet.dst, segment.dport, packet.src, segment.sport)
            to_server = back not in found
            udp = isinstance(segment, dpkt.udp.UDP)
            _, calls, seen = found.setdefault(key if to_server else back, (udp, [], set()))
            place = (to_server, 0 if udp else segment.seq)
            if segment.data and (udp or place not in seen):  # the loopback device gives frames twice
                seen.add(place)
                calls.append(Call(to_server, 0, bytes(segment.data)))
    return [(udp, calls) for udp, calls, _ in found.values() if calls]


def _packet(link: int, frame: bytes) -> Any:
    if link == dpkt.pcap.DLT_EN10MB:
        return dpkt.ethernet.Ethernet(frame).data
    if link == dpkt.pcap.DLT_LINUX_SLL:
        return dpkt.sll.SLL(frame).data
    return dpkt.ip.IP(frame)


def inputs() -> Iterator[tuple[str, bytes]]:
    """The beginning of the first conversations of each recording, under its name."""
    for path in sorted(RECORDED.glob("*.pcap")):
        protocol = path.stem.partition("-")[0]
        kept = Counter[str]()
        for udp, calls in _conversations(path):
            name = f"{protocol}-tcp" if f"{protocol}-tcp" in protocols.NAMES and not udp else protocol
            if name not in protocols.NAMES or kept[name] == SEVERAL:
                continue
            short, room = [], MOST
            for call in calls:
                if name == "websocket" and call.data.startswith((b"GET ", b"HTTP/")):
                    continue  # the upgrade is HTTP's
                short.append(call._replace(data=call.data[:room]))
                room -= len(call.data)
                if room <= 0:
                    break
            kept[name] += 1
            yield f"{path.stem}{'-tcp' if name != protocol else ''}-{kept[name]}", protocols.join(name, short)

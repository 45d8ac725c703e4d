"""The target `protocols`: conversations of real servers (tests/data/protocols), cut short, and some made by hand."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dpkt

from . import made_talks
from .mutate import protocols
from .mutate.http1 import Call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RECORDED = Path(__file__).resolve().parent.parent / "tests/data/protocols"
MOST = 2_000
"""Bytes of an input."""
SEVERAL = 2
"""Conversations of a recording at most."""

SHOWN = {"smb1": "smb", "smb2": "smb", "smb3": "smb"}
"""Recordings that begin with another name than their protocol's."""

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
    """The beginning of the first conversations of each recording, under its protocol's name and the rest of its own."""
    for path in sorted(RECORDED.glob("*.pcap")):
        first, _, rest = path.stem.partition("-")
        shown = SHOWN.get(first, first)
        kept = Counter[str]()
        for udp, calls in _conversations(path):
            other = f"{shown}-udp" if udp else f"{shown}-tcp"
            name = other if other in protocols.NAMES else shown
            if name not in protocols.NAMES or kept[name] == SEVERAL:
                continue
            short = _cut(one for one in calls if name != "websocket" or not one.data.startswith((b"GET ", b"HTTP/")))
            kept[name] += 1
            middle = "-".join(part for part in (name, first[len(shown) :], rest) if part)
            yield f"{middle}-{kept[name]}", protocols.join(name, short)
    for name, calls in made_talks.talks():
        yield f"{name}-made", protocols.join(name, calls)


def _cut(calls: Iterable[Call]) -> list[Call]:
    """The first ones; an upgrade to websocket is HTTP's and is left out before."""
    short, room = [], MOST
    for call in calls:
        short.append(call._replace(data=call.data[:room]))
        room -= len(call.data)
        if room <= 0:
            break
    return short

"""The TCP conversations of a small recording whose segments came in order, as a parser is fed in tests."""

from __future__ import annotations

from pathlib import Path

import dpkt


def recorded(file: Path, port: int) -> list[list[tuple[bool, bytes | int]]]:
    """Each conversation's payloads: (to the server, which has that port; bytes)."""
    found: dict[int, list[tuple[bool, bytes | int]]] = {}
    with file.open("rb") as opened:
        for _, frame in dpkt.pcap.Reader(opened):
            segment = dpkt.ethernet.Ethernet(frame).data.data
            if segment.data:
                to_server = segment.dport == port
                found.setdefault(segment.sport if to_server else segment.dport, []).append(
                    (to_server, bytes(segment.data))
                )
    return list(found.values())


def conversations(file: Path) -> list[list[tuple[bool, bytes | int]]]:
    """The payloads of each TCP conversation, without copies: (to the server, whom the first segment asks; bytes)."""
    found: dict[tuple[int, int], list[tuple[bool, bytes | int]]] = {}
    seen: set[tuple[int, int, int]] = set()
    with file.open("rb") as opened:
        for _, frame in dpkt.pcap.Reader(opened):
            segment = dpkt.ethernet.Ethernet(frame).data.data
            if not isinstance(segment, dpkt.tcp.TCP):
                continue
            to_server = (segment.dport, segment.sport) not in found
            ends = (segment.sport, segment.dport)
            calls = found.setdefault(ends if to_server else ends[::-1], [])
            if segment.data and (*ends, segment.seq) not in seen:
                seen.add((*ends, segment.seq))
                calls.append((to_server, bytes(segment.data)))
    return [calls for calls in found.values() if calls]

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

"""Changes to a capture of any format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import pcap, pcapng, scap

if TYPE_CHECKING:
    from random import Random

SECTION = b"\x0a\x0d\x0d\x0a"
PCAPNG = (1, 2, 3, 5, 6)  # types of blocks that a scap file does not have


def mutate(data: bytes, random: Random) -> bytes:
    """One change, by the format that the file begins as; a pcap at times becomes a pcapng."""
    if not data.startswith(SECTION):
        if random.random() < 0.02:
            return pcapng.from_pcap(data)
        return pcap.mutate(data, random)
    second = int.from_bytes(data[4:8], "little")
    if data[8:12] == b"\x1a\x2b\x3c\x4d":
        second = int.from_bytes(data[4:8], "big")
    order = "big" if data[8:12] == b"\x1a\x2b\x3c\x4d" else "little"
    kind = int.from_bytes(data[second : second + 4], order) if second < len(data) else 1  # type: ignore[arg-type]
    return pcapng.mutate(data, random) if kind in PCAPNG else scap.mutate(data, random)

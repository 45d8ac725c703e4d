"""Changes to a capture of any format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from . import pcap, pcapng, scap

if TYPE_CHECKING:
    from random import Random
    from types import ModuleType

SECTION = b"\x0a\x0d\x0d\x0a"
PCAPNG = (1, 2, 3, 5, 6)  # types of blocks that a scap file does not have


def _format(data: bytes) -> ModuleType:
    """The module that knows the format of a file, by how it begins."""
    if not data.startswith(SECTION):
        return pcap
    order: Literal["little", "big"] = "big" if data[8:12] == b"\x1a\x2b\x3c\x4d" else "little"
    second = int.from_bytes(data[4:8], order)
    kind = int.from_bytes(data[second : second + 4], order) if second < len(data) else 1
    return pcapng if kind in PCAPNG else scap


def pieces(data: bytes) -> list[bytes]:
    """What of an input can be left out."""
    found: list[bytes] = _format(data).pieces(data)
    return found


def mutate(data: bytes, random: Random) -> bytes:
    """One change, by the format that the file begins as; a pcap at times becomes a pcapng."""
    if not data.startswith(SECTION) and random.random() < 0.02:
        return pcapng.from_pcap(data)
    changed: bytes = _format(data).mutate(data, random)
    return changed

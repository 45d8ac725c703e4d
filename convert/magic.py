"""What kind of capture a source holds, by its first bytes: the magic decides, not the name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .compression import recognise

if TYPE_CHECKING:
    from .source import Source

SECTION = b"\x0a\x0d\x0d\x0a"
PCAP = frozenset(
    bytes.fromhex(magic) for magic in ("a1b2c3d4", "d4c3b2a1", "a1b23c4d", "4d3cb2a1", "a1b2cd34", "34cdb2a1")
)
PCAPNG_ONLY = frozenset((1, 2, 3, 4, 5, 6, 10))


def capture_format(source: Source) -> str | None:
    """scap, or what else the first bytes look like (for a message), None where they are unknown.

    scap and pcapng begin alike; the type of the second block tells them apart.
    """
    head = source.peek(64)
    if head[:4] in PCAP:
        return "a pcap file; this version reads scap files only"
    if recognise(head) is not None:
        return "compressed more than three times over"
    if head[:4] != SECTION:
        return None
    order = "big" if head[8:12] == b"\x1a\x2b\x3c\x4d" else "little"
    size = int.from_bytes(head[4:8], order)  # type: ignore[arg-type]
    kind = source.peek(size + 4)[size:] if size < 1 << 16 else b""
    second = int.from_bytes(kind[:4], order) if len(kind) >= 4 else 0  # type: ignore[arg-type]
    return "a pcapng file; this version reads scap files only" if second in PCAPNG_ONLY else "scap"

"""What kind of capture a source holds, by its first bytes: the magic decides, not the name."""

from __future__ import annotations

from .compression import recognise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Literal

    from .source import Source

SECTION = b"\x0a\x0d\x0d\x0a"
# Interface, packet, simple packet, names, statistics, enhanced packet, interface of an event (IRIG, ARINC), journal,
# secrets, custom blocks, and processes of macOS: what a pcapng has and a scap has not.
PCAPNG_ONLY = frozenset((1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 0xBAD, 0x40000BAD, 0x80000001))
MOST_SECTIONS = 16  # empty ones, one after the other, that are looked past
LOOKED_AT = 1 << 16


def capture_format(source: Source) -> str | None:
    """scap, pcap or pcapng; None where the first bytes are none of them, "compressed" where they are packed too often.

    scap and pcapng begin alike; the type of the first block that is not a section header tells them apart.
    """
    head = source.peek(64)
    if head[:4] != SECTION:
        from .packets.pcap import is_pcap

        if is_pcap(head):
            return "pcap"
        return "compressed" if recognise(head) is not None else None
    at, order = 0, _order(head)
    for _ in range(MOST_SECTIONS):
        head = source.peek(at + 12)[at:]
        if head[:4] != SECTION:
            whole = len(head) >= 4
            return "pcapng" if whole and int.from_bytes(head[:4], order) in PCAPNG_ONLY else "scap"
        order = _order(head)
        at += int.from_bytes(head[4:8], order)
        if at > LOOKED_AT:
            break
    return "scap"


def _order(section: bytes) -> Literal["little", "big"]:
    return "big" if section[8:12] == b"\x1a\x2b\x3c\x4d" else "little"

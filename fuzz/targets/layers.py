"""Link layers, IP, fragments: what is decoded stands in the file where it says, and nothing is lost uncounted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from syswire.convert.packets.layers import Layers

from ..mutate import pcap

if TYPE_CHECKING:
    from pathlib import Path

    from syswire.convert.packets.layers import Decoded

FRAMES = ("unknown_link_type", "not_followed", "malformed_packet")


class Run:
    """Decodes the frames of a pcap, twice: tables are hashed with other seeds each time."""

    def __init__(self, scratch: Path) -> None:
        """Needs no files."""

    def __call__(self, data: bytes) -> None:
        """Raises where a payload is not in the file, or a count is wrong."""
        first, losses = self._decode(data)
        second, others = self._decode(data)
        assert first == second and losses == others
        for decoded in filter(None, first):
            self._check(data, decoded)
        handed_on = sum(decoded is not None for decoded in first)
        lost = sum(losses[name][0] for name in FRAMES if name in losses)
        assert handed_on + lost <= len(first)
        if handed_on + lost < len(first):
            assert any(_may_be_fragment(one.frame) for one in pcap.split(data)[1])

    @staticmethod
    def _decode(data: bytes) -> tuple[list[Decoded | None], dict[str, tuple[int, int, int, int, int, int]]]:
        layers = Layers()
        header, records, _ = pcap.split(data)
        linktype = pcap.linktype(header)
        found = []
        at = len(header)
        for number, one in enumerate(records, 1):
            begin = at + 16 + len(one.more)
            original = max(one.original, len(one.frame))
            time = one.seconds * 10**9
            found.append(layers.decode_frame(linktype, one.frame, original, begin, time, number, number, at))
            at = begin + len(one.frame)
        layers.close()
        return found, layers.losses()

    @staticmethod
    def _check(data: bytes, decoded: Decoded) -> None:
        assert decoded.protocol in (6, 17)
        assert len(decoded.payload) <= decoded.length
        assert 0 <= decoded.source_port <= 65535 and 0 <= decoded.target_port <= 65535
        at = 0
        for position, offset, size in decoded.parts:
            assert offset == at and (size > 0 or not decoded.payload)
            assert data[position : position + size] == decoded.payload[offset : offset + size]
            at += size
        assert at == len(decoded.payload)


def _may_be_fragment(frame: bytes) -> bool:
    """A coarse look: whether anything in the frame could be the header of a fragment."""
    return any(
        frame[at] >> 4 == 4 and frame[at + 6 : at + 8] not in (b"\0\0", b"\x40\0") or frame[at] >> 4 == 6
        for at in range(len(frame) - 8)
    )

"""The readers of pcap and pcapng: any file, whole and in pieces, gives the same frames, and each lies where it says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from syswire.convert.packets.opening import open_frames

from ..feeding import Fed, chance
from ..mutate import pcap

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from syswire.convert.packets.buffer import Frame, FrameReader

PLAIN = (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34)
MOST_NAMED = 4096


class Run:
    """Reads an input twice and compares."""

    def __init__(self, scratch: Path) -> None:
        self._spool = scratch / "spool"

    def __call__(self, data: bytes) -> None:
        """Raises where the two differ or a frame is not what stands in the file."""
        whole = self._read(data, None)
        assert whole == self._read(data, chance(data)), "cuts change something"
        if whole is None:
            return
        reader, frames = whole[0], whole[1:]
        if reader["format"] == "pcap":
            magic = int.from_bytes(data[:4], "big" if pcap.byte_order(data) == ">" else "little")
            if magic in PLAIN:
                _, records, _ = pcap.split(data)
                expected = [(one.frame, max(one.original, len(one.frame))) for one in records]
                if reader["damage"] is not None:  # such as another pcap behind this one
                    expected = expected[: len(frames)]
                assert [(frame.data, frame.original) for frame in frames] == expected

    def _read(self, data: bytes, random: Random | None) -> list[Any] | None:
        """What a reader tells in the end, then every frame; None for what is no capture."""
        spool = os.open(self._spool, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            reader = open_frames(Fed(data, random), spool)
            frames = list(reader.frames())
            kept = os.pread(spool, len(data) + 1, 0)
        except ValueError:
            return None
        finally:
            os.close(spool)
        assert kept == data[: len(kept)]
        if reader.damage is None:
            assert kept == data
        _check(data, reader, frames)
        assert not reader.fill() or reader.damage is not None
        told = {
            name: getattr(reader, name)
            for name in (
                "format",
                "frame",
                "source_frame",
                "first_time",
                "last_time",
                "longest",
                "damage",
                "interfaces",
            )
        }
        return [told | {"losses": reader.losses()}, *frames]


def _check(data: bytes, reader: FrameReader, frames: list[Frame]) -> None:
    assert reader.frame == len(frames)
    before, source_frame = 0, 0
    named = len(reader.interfaces) if "damaged_block" not in reader.losses() else 0  # a damaged one has a number only
    for number, frame in enumerate(frames, 1):
        assert frame.frame == number
        assert frame.source_frame > source_frame
        assert before <= frame.offset < frame.position
        assert data[frame.position : frame.position + len(frame.data)] == frame.data
        assert frame.original >= len(frame.data) <= max(reader.longest, 0)
        assert not named or frame.interface < named or named == MOST_NAMED
        before, source_frame = frame.position + len(frame.data), frame.source_frame
    for count, _, offset, *_ in reader.losses().values():
        assert not count or offset <= len(data)
    if reader.damage is not None:
        assert reader.damage[0] and before <= reader.damage[1] <= len(data)

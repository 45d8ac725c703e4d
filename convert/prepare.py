"""Phase 1 for one input, whatever its format: read it, merge both ends, give the frames their numbers.

A function of a path and a folder, so that it can run in another process: what it returns is plain data and the names
of spool files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .conversations.both_ends import rebuild
from .conversations.numbers import number_frames
from .conversations.rebuilt import Rebuilt
from .decode import decode
from .errors import InputError
from .magic import capture_format
from .model.losses import Loss
from .model.rows import CHUNK
from .source import Source
from .spool.sort import sort_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from .compression import Damage
    from .decoded import Decoded

CONV_FIELD = (52, 4)  # Chunk.conv
SPOOLED = ("pieces", "frames", "totals", "threads", "ordered", "numbers", "tcp")


@dataclass
class Prepared:
    """One input, read and rebuilt. `folder` holds the spool files; `stat` is (size, mtime in ns, inode) when opened."""

    name: str
    folder: Path
    decoded: Decoded
    size: int
    sha256: str
    compression: str
    regular: bool
    stat: tuple[int, int, int]
    damage: Damage | None
    frames: int
    pieces: int
    shifted: int

    def open(self) -> Rebuilt:
        """The conversations; the caller closes them."""
        return Rebuilt(
            convs=self.decoded.convs,
            totals=str(self.folder / "totals"),
            threads=str(self.folder / "threads"),
            pieces=str(self.folder / "pieces"),
            numbers=str(self.folder / "numbers"),
            tcp_streams=str(self.folder / "tcp"),
            payload=self.decoded.payload,
        )


def identity(status: os.stat_result) -> tuple[int, int, int]:
    """What tells whether a file was touched: size, time of the last change in ns, inode."""
    return status.st_size, status.st_mtime_ns, status.st_ino


def prepare(name: str, folder: Path, progress: Callable[[int, int], None] | None = None) -> Prepared:
    """Read the input `name` ("-" is standard input) into spool files in `folder`.

    Raises InputError where nothing of it can be read.
    """
    source = Source(None if name == "-" else Path(name))
    try:
        kind = capture_format(source)
        if kind != "scap":
            if kind is None and source.damage is not None:
                raise InputError(f"{name}: {source.damage.what}, at stored byte {source.damage.offset}")
            raise InputError(f"{name}: {kind or 'not a capture (no known magic number)'}, at byte 0")
        source.start_hashing()
        decoded = decode(source, folder, None if progress is None else lambda done: progress(done, source.size))
        frames, pieces, shifted = _rebuild(decoded, folder)
        return Prepared(
            name=name,
            folder=folder,
            decoded=decoded,
            size=source.size,
            sha256=source.sha256(),
            compression=source.compression,
            regular=source.regular,
            stat=identity(source.status),
            damage=source.damage,
            frames=frames,
            pieces=pieces,
            shifted=shifted,
        )
    finally:
        source.close()


def _rebuild(decoded: Decoded, folder: Path) -> tuple[int, int, int]:
    """Merge both ends of every conversation and number the frames: how many frames, pieces and shifted events."""
    ordered = folder / "sorted"
    sort_rows(decoded.chunks, str(ordered), CHUNK.size, [CONV_FIELD], scratch=str(folder))
    Path(decoded.chunks).unlink()
    files = {name: str(folder / name) for name in SPOOLED}
    payload = os.open(decoded.payload, os.O_RDONLY | os.O_CLOEXEC)
    try:
        summary = rebuild(
            str(ordered),
            decoded.convs,
            files["pieces"],
            files["frames"],
            files["totals"],
            files["threads"],
            payload_fd=payload,
            scratch=str(folder),
        )
    finally:
        os.close(payload)
    ordered.unlink()
    for cause in ("gap_frames_not_written", "overlong"):
        if count := getattr(summary, cause):
            decoded.losses[cause] = Loss(count)
    if summary.not_captured:
        decoded.losses["not_captured"] = Loss(summary.not_captured, summary.not_captured_bytes)
    frames = number_frames(
        files["frames"],
        files["ordered"],
        files["numbers"],
        files["tcp"],
        conversations=decoded.conversations,
        scratch=str(folder),
    )
    return frames, summary.pieces, summary.shifted

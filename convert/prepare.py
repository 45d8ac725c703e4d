"""Phase 1 for one input, whatever its format: read it, merge both ends, give the frames their numbers.

A function of a path and a folder, so that it can run in another process: what it returns is plain data and the names
of spool files.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .conversations.both_ends import rebuild
from .conversations.numbers import number_frames, number_streams
from .conversations.reassembly import reassemble
from .conversations.rebuilt import Rebuilt
from .decode import decode
from .decode_packets import decode_packets
from .errors import InputError
from .magic import capture_format
from .model.losses import Loss
from .model.rows import CHUNK
from .model.segments import SEGMENT
from .model.text import spelled
from .scap import counts
from .source import Source
from .spool.sort import sort_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from .compression import Damage
    from .conversations.reassembly import Place
    from .decoded import Decoded

CONV_FIELD = (52, 4)  # Chunk.conv
HALF_FIELD, REL_FIELD = (40, 4), (0, 8)  # Segment.half, Segment.rel
SEGMENTS = "segments"
SPOOLED = ("pieces", "frames", "totals", "threads", "ordered", "numbers", "tcp")


@dataclass
class Prepared:
    """One input, read and rebuilt. `folder` holds the spool files; `stat` is (size, mtime in ns, inode) when opened.

    `counts_file` is the recorder's file of counts beside it, `name` and `sha256`; None where there is none to be used.
    """

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
    counts_file: dict[str, str] | None = None

    def open(self) -> Rebuilt:
        """The conversations; the caller closes them."""
        return Rebuilt(
            convs=self.decoded.convs,
            totals=str(self.folder / "totals"),
            threads=str(self.folder / "threads"),
            pieces=str(self.folder / "pieces"),
            numbers=None if self.decoded.packets else str(self.folder / "numbers"),
            tcp_streams=str(self.folder / "tcp"),
            payload=self.decoded.payload,
            tunnels=str(self.folder / "tunnels") if self.decoded.packets else None,
        )

    def damage_message(self) -> str | None:
        """What is wrong with an input that could be read in part, and where."""
        kept = f"{self.decoded.frames} frames" if self.decoded.packets else f"{self.decoded.events} events"
        if self.decoded.damage is not None:
            what, offset = self.decoded.damage
            return f"{spelled(self.name)}: {what}, at byte {offset}; kept the {kept} before it"
        if self.damage is not None:
            return f"{spelled(self.name)}: {self.damage.what}, at stored byte {self.damage.offset}; kept all {kept}"
        return None


def identity(status: os.stat_result) -> tuple[int, int, int]:
    """What tells whether a file was touched: size, time of the last change in ns, inode."""
    return status.st_size, status.st_mtime_ns, status.st_ino


def prepare(
    name: str, folder: Path, progress: Callable[[int, int], None] | None = None, *, keep_segments: bool = False
) -> Prepared:
    """Read the input `name` ("-" is standard input) into spool files in `folder`.

    `keep_segments`: the sorted rows of a packet capture's segments stay there, under SEGMENTS.

    Raises InputError where nothing of it can be read.
    """
    source = Source(None if name == "-" else Path(name))
    try:
        kind = capture_format(source)
        if kind not in ("scap", "pcap", "pcapng"):
            raise InputError(_refusal(source, kind))
        source.start_hashing()
        beside, told = _recorder(source) if kind == "scap" else (None, {})
        shown = None if progress is None else lambda done: progress(done, source.size)
        if kind == "scap":
            decoded = decode(source, folder, shown)
            frames, pieces, shifted = _rebuild(decoded, folder)
            decoded.losses |= {cause: _joined(decoded.losses.get(cause), loss) for cause, loss in told.items()}
        else:
            decoded = decode_packets(source, kind, folder, shown)
            frames, pieces, shifted = decoded.frames, _reassemble(decoded, folder, keep_segments), 0
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
            counts_file=beside,
        )
    finally:
        source.close()


def _recorder(source: Source) -> tuple[dict[str, str] | None, dict[str, Loss]]:
    """The recorder's counts beside a capture: which file that is, and what it says that the capture lacks."""
    if source.path is None or not source.regular:
        return None, {}
    try:
        beside = counts.read(Path(source.path), source.size)
    except counts.CountsError:
        return None, {"recorder_counts_unusable": Loss(1)}
    if beside is None:
        return None, {}
    return {"name": spelled(beside.name), "sha256": beside.sha256}, counts.losses(beside.tally)


def _refusal(source: Source, kind: str | None) -> str:
    """Why a source is not read."""
    if kind == "compressed":
        return f"{source.name}: compressed more than three times over, at byte 0"
    if source.damage is not None:
        return f"{source.name}: {source.damage.what}, at stored byte {source.damage.offset}"
    return f"{source.name}: not a capture (no known magic number), at byte 0"


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


def _reassemble(decoded: Decoded, folder: Path, keep_segments: bool) -> int:
    """Put the streams of every conversation of a packet capture together: how many pieces they have."""
    ordered = folder / "sorted"
    sort_rows(decoded.chunks, str(ordered), SEGMENT.size, [HALF_FIELD, REL_FIELD], scratch=str(folder))
    Path(decoded.chunks).unlink()
    files = {name: str(folder / name) for name in ("pieces", "totals", "threads", "tcp", "flows")}
    Path(files["threads"]).touch()
    payload = os.open(decoded.payload, os.O_RDONLY | os.O_CLOEXEC)
    try:
        done = reassemble(
            str(ordered), decoded.convs, files["flows"], files["pieces"], files["totals"], payload_fd=payload
        )
    finally:
        os.close(payload)
    if keep_segments:
        ordered.rename(folder / SEGMENTS)
    else:
        ordered.unlink()
    number_streams(
        decoded.convs, files["flows"], files["tcp"], conversations=decoded.conversations, scratch=str(folder)
    )
    found = (
        ("not_captured", done.gaps, done.missing_bytes, done.first_gap),
        ("conflicting_overlap", done.conflicts, done.conflict_bytes, done.first_conflict),
        ("before_start", done.before_start, done.before_start_bytes, done.first_before_start),
    )
    for cause, count, missing, first in found:
        if count:
            decoded.losses[cause] = _joined(decoded.losses.get(cause), _located(count, missing, first))
    return done.pieces


def _located(count: int, missing: int, first: Place | None) -> Loss:
    if first is None:
        return Loss(count, missing)
    frame, source_frame, block, time = first
    return Loss(count, missing, offset=block, time=time or None, source_frame=source_frame, frame=frame)


def _joined(one: Loss | None, other: Loss) -> Loss:
    """Two tallies of one cause, with the place of the earlier one."""
    if one is None:
        return other
    first = other if one.offset is None or (other.offset is not None and other.offset < one.offset) else one
    return replace(first, count=one.count + other.count, bytes=one.bytes + other.bytes)

"""From what both passes over the conversations spooled to the patches of one input."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..packets.opening import PayloadFile, open_frames
from .fill import filled
from .packets import patches_of
from .patches import Patches
from .places import find
from .stretches import unpacked

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..parts import Part
    from ..prepare import Prepared
    from ..redact import Redactor
    from .stretches import Stretch

SIGHTED, COVERED = "sighted", "covered"
"""Spool files of a part: where secrets were sighted, and where the search found them."""
SEGMENTS = "segments"


def redaction(prepared: Prepared, parts: Sequence[Part], redactor: Redactor) -> tuple[Patches, dict[str, Any]]:
    """The patches of an input, and what its entry in the manifest says of them: docs/formats.md, `redacted`.

    Raises OSError where a spool file cannot be read.
    """
    packets = prepared.decoded.packets
    rebuilt = prepared.open()
    try:
        segments = str(prepared.folder / SEGMENTS) if packets else None
        places = find(rebuilt, _stretches(parts), segments, str(prepared.folder / "flows") if packets else None)
    finally:
        rebuilt.close()
    if not packets:
        made = filled(places.plain, places.blocks)
        return Patches(made), {"bytes": sum(len(new) for _, new in made)}
    with open(prepared.decoded.payload, "rb") as file:
        reader = open_frames(PayloadFile(file.fileno()))
        masked = patches_of(reader, file, places, redactor)
    return masked.patches, {"bytes": masked.bytes, "frames": masked.frames, "checksums_unknown": masked.unmended}


def _stretches(parts: Sequence[Part]) -> Iterator[Stretch]:
    for part in parts:
        for name in (SIGHTED, COVERED):
            path = Path(part.path(name))
            if path.exists():
                yield from unpacked(path.read_bytes())

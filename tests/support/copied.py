"""The pcapng that is written of a capture file, with comments, from bytes in memory."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from struct import Struct

from syswire.convert.model.rows import CONV
from syswire.convert.model.segments import FLOW
from syswire.convert.passthrough import write_packets

APPLICATION = "syswire tests"
TCP, UDP = 6, 17


def _row(layout: Struct, size: int, **known: int) -> bytes:
    """A row of which only the named places (offsets of 32-bit or 8-bit numbers) are not zero."""
    row = bytearray(layout.size)
    assert layout.size == size
    for place, value in known.items():
        at, width = (int(part) for part in place.removeprefix("at").split("_"))
        row[at : at + width] = value.to_bytes(width, "little")
    return bytes(row)


def flow_row(number: int, first_frame: int) -> bytes:
    """A Flow row: three pairs of 64-bit numbers, then id and first frame (segments.pxd)."""
    return _row(FLOW, 80, at48_4=number, at52_4=first_frame)


def conv_row(number: int, protocol: int) -> bytes:
    """A Conv row: four 64-bit numbers, two addresses of 16 bytes, id ... protocol (rows.pxd)."""
    return _row(CONV, 96, at64_4=number, at88_1=protocol)


def copied(
    data: bytes,
    frame_comments: Mapping[int, Iterable[str]] | None = None,
    *,
    comments: Sequence[str] = ("first of the file", "second"),
    flows: Sequence[tuple[int, int]] = (),
    longest: int = 0,
    names: Sequence[tuple[str, str]] = (),
) -> tuple[bytes, int]:
    """The pcapng of a capture file, and how many frames were written.

    `flows` are pairs of the conversations' first frames and protocols, in the order of their ids.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = {name: Path(folder) / name for name in ("payload", "flows", "convs")}
        paths["payload"].write_bytes(data)
        rows = list(enumerate(flows, 1))
        paths["flows"].write_bytes(b"".join(flow_row(number, first) for number, (first, _) in rows))
        paths["convs"].write_bytes(b"".join(conv_row(number, protocol) for number, (_, protocol) in rows))
        out = io.BytesIO()
        descriptor = os.open(paths["payload"], os.O_RDONLY)
        try:
            count = write_packets(
                out,
                payload_fd=descriptor,
                comments=comments,
                application=APPLICATION,
                flows=str(paths["flows"]),
                convs=str(paths["convs"]),
                frame_comments=frame_comments or {},
                longest=longest,
                names=lambda: names,
            )
        finally:
            os.close(descriptor)
    return out.getvalue(), count

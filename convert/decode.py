"""Phase 1 for a scap file: one pass over the events into spool files of chunk rows, conversations and identities.

`python -m syswire.convert.decode FILE` runs this phase alone (the benchmark's measure of decoding with state).
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .conversations.from_events import Recorder
from .decoded import Decoded
from .model.losses import Loss
from .scap.reader import ScapReader

if TYPE_CHECKING:
    from collections.abc import Callable

    from .source import Source


def decode(source: Source, folder: Path, progress: Callable[[int], None] | None = None) -> Decoded:
    """Read a scap source to its end; spool files go to `folder`. Raises InputError where nothing can be read."""
    payload = None if source.plain_fd is not None else folder / "payload"
    names = {name: folder / name for name in ("chunks", "convs", "identities")}
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    chunks_fd = os.open(names["chunks"], flags, 0o600)
    convs_fd = os.open(names["convs"], flags, 0o600)
    spool_fd = os.open(payload, flags, 0o600) if payload is not None else -1
    try:
        with names["identities"].open("w+b") as spool:
            recorder = Recorder(chunks_fd, convs_fd, spool_fd)
            reader = ScapReader(source, recorder, spool)
            reader.restart = recorder.restart
            for _ in reader.run(progress):
                raise AssertionError("rows without a listing")
            recorder.finish()
    finally:
        for descriptor in (chunks_fd, convs_fd, spool_fd):
            if descriptor >= 0:
                os.close(descriptor)
    walker = reader.walker
    return Decoded(
        format="scap",
        chunks=str(names["chunks"]),
        convs=str(names["convs"]),
        payload=str(payload if payload is not None else source.path),
        identities=str(names["identities"]),
        offsets=reader.identities.offsets,
        ends=reader.identities.ends,
        containers=reader.identities.containers,
        container_names=reader.identities.container_names,
        paths=recorder.path_list,
        conversations=recorder.conversations,
        events=walker.events,
        first=walker.first_ts,
        last=walker.last_ts,
        machine=reader.machine,
        interfaces=[(interface.name, interface.address) for interface in reader.interfaces],
        losses=_losses(reader, recorder),
        damage=None if reader.damage is None else (reader.damage.what, reader.damage.offset),
        sightings=reader.identities.sightings,
        sightings_left_out=reader.identities.sightings_left_out,
    )


def _losses(reader: ScapReader, recorder: Recorder) -> dict[str, Loss]:
    """Everything that the capture lacks or that could not be used, by the causes of model/losses.py."""
    walker, losses = reader.walker, {}
    for cause, (count, missing, event, block, ts, evt_num) in recorder.losses().items():
        if count:
            losses[cause] = Loss(count, missing, event, evt_num or None, block, ts)
    plain = {
        "recorder_dropped": (reader.dropped, None),
        "damaged_event": (walker.damaged_events, walker.first_damaged),
        "unknown_event_type": (walker.unknown_types, walker.first_unknown),
        "block_trailer_differs": (walker.trailers, None),
        "damaged_list": (reader.short_lists, reader.first_short_list),
        "table_full": (reader.refused + recorder.refused, None),
        "conversation_evicted": (recorder.evicted, None),
    }
    for cause, (count, offset) in plain.items():
        if count:
            losses[cause] = Loss(count, offset=offset)
    if blocks := sum(reader.unknown_blocks.values()):
        losses["unknown_block"] = Loss(blocks, reader.unknown_bytes, offset=reader.first_unknown_block)
    if reader.damage is not None:
        losses["unreadable_rest"] = Loss(1, offset=reader.damage.offset)
    return losses


def main() -> None:
    """Decode the file named on the command line and print how many events and conversations it has."""
    import sys
    import tempfile

    from .source import Source

    with tempfile.TemporaryDirectory() as folder:
        decoded = decode(Source(Path(sys.argv[1])), Path(folder))
    sys.stdout.write(f"{decoded.events} events, {decoded.conversations} conversations\n")


if __name__ == "__main__":
    main()

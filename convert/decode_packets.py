"""Phase 1 for a packet capture: one pass over the frames into spool files of segments, conversations and flows."""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING

from .conversations.flows import PacketFlows
from .conversations.from_packets import gather
from .decoded import Decoded
from .model.losses import Loss
from .packets.layers import Layers
from .packets.opening import open_frames

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .packets.buffer import FrameReader
    from .source import Source


def decode_packets(source: Source, kind: str, folder: Path, progress: Callable[[int], None] | None = None) -> Decoded:
    """Read a pcap or pcapng (`kind`) source to its end; spool files go to `folder`.

    Raises InputError where nothing can be read.
    """
    spooled = source.plain_fd is None
    paths = {name: str(folder / name) for name in ("chunks", "convs", "flows", "identities", "payload", "tunnels")}
    flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
    wanted = ["chunks", "convs", "flows", "identities", "tunnels", *(["payload"] if spooled else [])]
    files = {name: os.open(paths[name], flags, 0o600) for name in wanted}
    try:
        reader = open_frames(source, files.get("payload", -1))
        layers = Layers()
        flows = PacketFlows(files["convs"], files["flows"], files["chunks"], files["tunnels"])
        gather(reader, layers, flows, progress)
    finally:
        for descriptor in files.values():
            os.close(descriptor)
    return Decoded(
        format=kind,
        chunks=paths["chunks"],
        convs=paths["convs"],
        payload=paths["payload"] if spooled else str(source.path),
        identities=paths["identities"],
        offsets=array("Q"),
        ends=array("Q"),
        containers=[""],
        container_names={},
        paths=[b""],
        conversations=flows.last_id,
        events=0,
        first=reader.first_time,
        last=reader.last_time,
        machine=None,
        interfaces=[],
        losses=_losses(reader, layers, flows),
        damage=_damage(reader, source),
        frames=reader.frame,
        longest=reader.longest,
        unread_links=layers.unknown_links(),
    )


def _damage(reader: FrameReader, source: Source) -> tuple[str, int] | None:
    """Why reading ended early: the compression's damage where there is one, since that explains a cut record."""
    if source.damage is not None and (reader.damage is not None or reader.frame == 0):
        return f"{source.damage.what}, at stored byte {source.damage.offset}", reader.offset
    return reader.damage


def _losses(reader: FrameReader, layers: Layers, flows: PacketFlows) -> dict[str, Loss]:
    """Everything that the capture lacks or that could not be used, by the causes of model/losses.py."""
    losses: dict[str, Loss] = {}
    for cause, (count, size, offset, time, source_frame, *rest) in [
        *reader.losses().items(),
        *layers.losses().items(),
        *flows.losses().items(),
    ]:
        if count:
            losses[cause] = Loss(
                count,
                size,
                offset=offset,
                time=time or None,
                source_frame=source_frame or None,
                frame=rest[0] or None if rest else None,
            )
    if flows.evicted:
        losses["conversation_evicted"] = Loss(flows.evicted)
    return losses

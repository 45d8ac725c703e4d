"""The capture files that are written for one input: its pcapng, synthetic or with the source's own frames, and pcap."""

from __future__ import annotations

import os
from itertools import chain
from typing import TYPE_CHECKING, Any

from .comments import FlowComments
from .model.text import readable
from .passthrough import write_packets
from .pcapng import Header, Interface, Writable, write_pcapng
from .scap.identity_store import IdentityStore
from .version import VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .prepare import Prepared
    from .redact import Redactor
    from .redaction.patches import Patches

SYNTHETIC = "synthetic TCP rebuilt from system calls: headers, sequence numbers and acknowledgements were not on a wire"
DESEGMENT = "where payload was cut, tshark and Wireshark show every response with -o http.desegment_body:FALSE"
REDACTED = "redacted: secrets are masked in place, lengths are kept and checksums follow; the source has the true bytes"
ORIGINAL = "the frames are the source's own, byte for byte; comments were added"


def write_frames(
    out: Writable,
    prepared: Prepared,
    entry: Mapping[str, Any],
    redactor: Redactor,
    frame_comments: Mapping[int, list[str]],
    names: Callable[[], Sequence[tuple[str, str]]],
    patches: Patches | None = None,
) -> None:
    """Write the pcapng of one input; `entry` is its place in the manifest, `patches` mask bytes of the payload file.

    `names` tells which (address, name) the conversations named: behind the frames of packets, so late that these need
    not wait for the conversations to be read.

    Raises OSError where reading the spool files or writing failed.
    """
    packets = prepared.decoded.packets
    comments = [
        f"syswire {VERSION}",
        f"source {entry['name']}, SHA-256 {entry['sha256']}",
        *([] if not packets else [ORIGINAL if patches is None else REDACTED]),
        *([] if packets else [SYNTHETIC, DESEGMENT, *([] if patches is None else [REDACTED])]),
        *(["the comments CONTAIN SECRETS in clear text"] if redactor.reveal else []),
    ]
    payload = os.open(prepared.decoded.payload, os.O_RDONLY | os.O_CLOEXEC)
    try:
        if packets:
            write_packets(
                out,
                payload_fd=payload,
                comments=comments,
                application=f"syswire {VERSION}",
                flows=str(prepared.folder / "flows"),
                convs=prepared.decoded.convs,
                frame_comments=frame_comments,
                longest=prepared.decoded.longest,
                names=names,
                change=None if patches is None else patches.to,
            )
        else:
            _write_synthetic(out, prepared, entry, redactor, comments, payload, frame_comments, names(), patches)
    finally:
        os.close(payload)


def _write_synthetic(
    out: Writable,
    prepared: Prepared,
    entry: Mapping[str, Any],
    redactor: Redactor,
    comments: list[str],
    payload: int,
    frame_comments: Mapping[int, list[str]],
    names: Sequence[tuple[str, str]],
    patches: Patches | None,
) -> None:
    decoded, rebuilt = prepared.decoded, prepared.open()
    machine = entry["machine"] or {}
    try:
        with open(decoded.identities, "rb") as spool:
            flow = FlowComments(decoded, rebuilt, IdentityStore(spool, decoded.offsets, decoded.ends), redactor)
            header = Header(
                comments=comments,
                os=f"Linux, host {machine['hostname']}" if machine.get("hostname") else "Linux",
                application=f"syswire {VERSION}",
                containers=[
                    Interface(f"container {name}", redactor.text(readable(decoded.container_names.get(name, b""))[0]))
                    for name in decoded.containers[1:]
                ],
                names=chain(flow.names(), names),
            )
            write_pcapng(
                out,
                header,
                frames=str(prepared.folder / "ordered"),
                pieces=str(prepared.folder / "pieces"),
                convs=decoded.convs,
                payload_fd=payload,
                identity=flow.identity,
                flow_comments=flow.comments,
                frame_comments=frame_comments,
                patches=patches,
            )
    finally:
        rebuilt.close()

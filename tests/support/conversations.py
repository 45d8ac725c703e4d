"""Reads a packet capture as `convert` does, in process, and gives what its conversations are."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import NamedTuple

from syswire.convert.model.losses import Loss
from syswire.convert.model.rows import GAP_NONE
from syswire.convert.model.segments import FLOW, Flow
from syswire.convert.model.text import address
from syswire.convert.prepare import prepare

from . import packet_made as made

SYN, ACK, FIN, RST, PSH = 2, 16, 1, 4, 8


class Stream(NamedTuple):
    """One conversation. Bytes are what was captured; gaps are (offset, length, reason) by direction."""

    protocol: int
    client: tuple[str, int]
    server: tuple[str, int]
    to_server: bytes
    to_client: bytes
    gaps_to_server: list[tuple[int, int, int]]
    gaps_to_client: list[tuple[int, int, int]]
    opened: int
    closed: int
    tcp_stream: int | None
    frames: tuple[int, int]
    order: list[tuple[int, int]]
    """(direction, offset) of the runs, as parsers see them; gaps too."""


class Read(NamedTuple):
    """What became of a capture."""

    streams: list[Stream]
    losses: dict[str, Loss]
    frames: int
    flows: list[Flow]


def read(path: Path, folder: Path) -> Read:
    """Prepare the capture at `path`; spool files go to `folder`, which is made."""
    folder.mkdir()
    prepared = prepare(str(path), folder)
    flows = [Flow._make(row) for row in FLOW.iter_unpack((folder / "flows").read_bytes())]
    streams = []
    rebuilt = prepared.open()
    try:
        for conversation in rebuilt:
            conv, totals = conversation
            width = 4 if conv.family == 4 else 16
            known: tuple[bytearray, bytearray] = (bytearray(), bytearray())
            gaps: tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]] = ([], [])
            order = []
            for _, direction, offset, length, data, _, reason, _ in rebuilt.runs(conversation):
                order.append((direction, offset))
                if data is None:
                    assert reason != GAP_NONE
                    gaps[direction].append((offset, length, reason))
                else:
                    known[direction].extend(data)
            streams.append(
                Stream(
                    conv.protocol,
                    (address(conv.client_ip[:width]), conv.client_port),
                    (address(conv.server_ip[:width]), conv.server_port),
                    bytes(known[1]),
                    bytes(known[0]),
                    gaps[1],
                    gaps[0],
                    conv.opened,
                    conv.closed,
                    rebuilt.tcp_stream(conv.id),
                    (totals.first_frame_row + 1, totals.last_frame_row + 1),
                    order,
                )
            )
    finally:
        rebuilt.close()
    return Read(streams, prepared.decoded.losses, prepared.frames, flows)


class Talk:
    """Segments of one TCP connection, by offsets from both initial numbers."""

    def __init__(
        self,
        client: tuple[str, int] = (made.A4, 40000),
        server: tuple[str, int] = (made.B4, 80),
        numbers: tuple[int, int] = (1000, 5000),
    ) -> None:
        self.ends, self.numbers = (client, server), numbers

    def __call__(self, up: bool, flags: int, seq: int, ack: int, data: bytes = b"") -> bytes:
        """One frame: `seq` and `ack` count from the initial numbers of the sender and of the receiver."""
        (source, sport), (target, dport) = self.ends if up else self.ends[::-1]
        mine, other = self.numbers if up else self.numbers[::-1]
        number = (other + ack) & 0xFFFFFFFF if flags & ACK else 0
        segment = made.tcp(data, (sport, dport), seq=(mine + seq) & 0xFFFFFFFF, ack=number, flags=flags)
        return made.ethernet(made.ipv4(segment, source=source, target=target))

    def handshake(self) -> list[bytes]:
        """SYN, SYN and ACK, ACK."""
        return [self(True, SYN, 0, 0), self(False, SYN | ACK, 0, 1), self(True, ACK, 1, 1)]

    def close(self, sent: int, got: int) -> list[bytes]:
        """FINs of both ends, after `sent` and `got` bytes."""
        return [
            self(True, FIN | ACK, 1 + sent, 1 + got),
            self(False, FIN | ACK, 1 + got, 2 + sent),
            self(True, ACK, 2 + sent, 2 + got),
        ]


def capture(path: Path, frames: list[bytes], times: list[int] | None = None) -> Path:
    """A pcap of Ethernet frames with nanoseconds; times in ns, else 1 s apart from 1,000,000,000 s on."""

    parts = [struct.pack("<IHHIIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
    for number, frame in enumerate(frames):
        ns = (10**18 + number * 10**9) if times is None else times[number]
        parts += [struct.pack("<IIII", ns // 10**9, ns % 10**9, len(frame), len(frame)), frame]
    path.write_bytes(b"".join(parts))
    return path

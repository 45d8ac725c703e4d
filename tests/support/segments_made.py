"""Builds segment rows by hand and has them reassembled."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from syswire.convert.conversations.reader import ConversationReader
from syswire.convert.conversations.reassembly import Reassembled, reassemble
from syswire.convert.conversations.totals import TOTALS, ConversationTotals, Run
from syswire.convert.model import segments as rows
from syswire.convert.model.rows import CONV, PIECE, TCP, UDP, Piece
from syswire.convert.spool.sort import sort_rows

T0 = 1_700_000_000_000_000_000
MS = 1_000_000
BASE = 1 << 40
BLOCK = 1000
"""Bytes from the record of one frame to that of the next."""


@dataclass
class Talk:
    """One conversation. Half 0 is the client unless `client` says otherwise; `rel` counts from BASE."""

    trace: Trace
    id: int
    protocol: int
    client: int = 0
    opened: tuple[bool, bool] = (True, True)
    base: list[int] = field(default_factory=lambda: [BASE, BASE])
    end: list[int] = field(default_factory=lambda: [0, 0])
    rows: list[int] = field(default_factory=lambda: [0, 0])
    frames: list[int] = field(default_factory=list)

    def segment(
        self,
        half: int,
        rel: int,
        data: bytes,
        *,
        frame: int | None = None,
        ack: int | None = None,
        length: int | None = None,
        flags: int = 0,
    ) -> int:
        """A segment with captured bytes `data` of `length`, in the order of arrival; its frame number."""
        frame = frame or self.trace.frames + 1
        self.trace.frames = max(frame, self.trace.frames)
        self.frames.append(frame)
        self.rows[half] += 1
        position = len(self.trace.payload)
        self.trace.payload += data
        segment = rows.Segment(
            frame if self.protocol == UDP else BASE + rel, 0 if ack is None else BASE + ack, T0 + frame * MS,
            frame * BLOCK, position, self.id << 1 | half, frame, frame + 7, len(data) if length is None else length,
            len(data), flags | (0 if ack is None else rows.SEGMENT_ACKS),
        )  # fmt: skip
        self.trace.rows += rows.SEGMENT.pack(*segment)
        return frame

    def datagram(self, half: int, data: bytes, **more: int) -> int:
        return self.segment(half, 0, data, **more)

    def flow(self) -> bytes:
        flags = sum(bit for bit, opened in zip((rows.FLOW_SYN_0, rows.FLOW_SYN_1), self.opened, strict=True) if opened)
        first, last = (min(self.frames), max(self.frames)) if self.frames else (0, 0)
        return rows.FLOW.pack(
            *self.rows, *self.base, *self.end, self.id, first, last, 0, self.client, flags, 0, 0, len(set(self.frames))
        )

    def conv(self) -> bytes:
        none = bytes(16)
        return CONV.pack(0, 0, 0, 0, none, none, self.id, 0, 0, 0, 0, 40_000, 80, self.protocol, 4, 3, 0, 0)


@dataclass
class Trace:
    """Conversations and their segments, in the order of the capture."""

    payload: bytearray = field(default_factory=lambda: bytearray(b"<header>"))
    rows: bytearray = field(default_factory=bytearray)
    talks: list[Talk] = field(default_factory=list)
    frames: int = 0

    def tcp(self, *, client: int = 0, opened: tuple[bool, bool] = (True, True)) -> Talk:
        return self._add(Talk(self, len(self.talks) + 1, TCP, client, opened))

    def udp(self, *, client: int = 0) -> Talk:
        return self._add(Talk(self, len(self.talks) + 1, UDP, client, (False, False), [0, 0]))

    def _add(self, talk: Talk) -> Talk:
        self.talks.append(talk)
        return talk

    def reassemble(self, folder: Path) -> Rebuilt:
        """Run the stage in `folder`."""
        folder.mkdir(exist_ok=True)
        path = {
            name: str(folder / name)
            for name in ("unsorted", "segments", "convs", "flows", "payload", "pieces", "totals", "threads")
        }
        Path(path["unsorted"]).write_bytes(self.rows)
        Path(path["payload"]).write_bytes(self.payload)
        Path(path["convs"]).write_bytes(b"".join(talk.conv() for talk in self.talks))
        Path(path["flows"]).write_bytes(b"".join(talk.flow() for talk in self.talks))
        Path(path["threads"]).write_bytes(b"")
        sort_rows(path["unsorted"], path["segments"], rows.SEGMENT.size, [(40, 4), (0, 8)], scratch=str(folder))
        return run(path)


class Rebuilt:
    """What came out."""

    def __init__(self, path: dict[str, str], done: Reassembled, payload: bytes) -> None:
        self.path, self.done, self.payload = path, done, payload
        self.rows = [Piece(*row) for row in PIECE.iter_unpack(Path(path["pieces"]).read_bytes())]
        self.raw_totals = list(TOTALS.iter_unpack(Path(path["totals"]).read_bytes()))
        with open(path["payload"], "rb") as held, self._reader(held.fileno()) as reader:
            self.totals: list[ConversationTotals] = list(reader)

    def _reader(self, payload_fd: int) -> ConversationReader:
        return ConversationReader(self.path["totals"], self.path["threads"], self.path["pieces"], payload_fd)

    def pieces(self, conv: int = 1) -> list[Piece]:
        totals = self.totals[conv - 1]
        return self.rows[totals.pieces_begin : totals.pieces_end]

    def runs(self, conv: int = 1) -> list[Run]:
        """As the reader hands them on: joined pieces together."""
        totals = self.totals[conv - 1]
        with open(self.path["payload"], "rb") as held, self._reader(held.fileno()) as reader:
            return list(reader.runs(totals.pieces_begin, totals.pieces_end))

    def bytes_of(self, piece: Piece) -> bytes:
        assert piece.known
        return self.payload[piece.payload : piece.payload + piece.length]

    def stream(self, to_server: int, conv: int = 1) -> list[bytes | tuple[int, int]]:
        """One direction: its known bytes in one where nothing is between, and (reason, length) of gaps."""
        found: list[bytes | tuple[int, int]] = []
        at = 0
        for piece in self.pieces(conv):
            if piece.to_server != to_server:
                continue
            assert piece.stream_offset == at
            at += piece.length
            last = found[-1] if found else None
            if piece.known:
                if isinstance(last, bytes):
                    found[-1] = last + self.bytes_of(piece)
                else:
                    found.append(self.bytes_of(piece))
            elif isinstance(last, tuple) and last[0] == piece.reason:
                found[-1] = (piece.reason, last[1] + piece.length)
            else:
                found.append((piece.reason, piece.length))
        return found

    def order(self, conv: int = 1) -> list[bytes | int]:
        """Both directions as they took turns: known bytes, or the length of a gap (below 0 towards the client)."""
        return [
            self.bytes_of(piece) if piece.known else piece.length * (1 if piece.to_server else -1)
            for piece in self.pieces(conv)
        ]


def run(path: dict[str, str]) -> Rebuilt:
    """Reassemble files that are made."""
    payload_fd = os.open(path["payload"], os.O_RDONLY)
    try:
        done = reassemble(path["segments"], path["convs"], path["flows"], path["pieces"], path["totals"],
                          payload_fd=payload_fd)  # fmt: skip
    finally:
        os.close(payload_fd)
    return Rebuilt(path, done, Path(path["payload"]).read_bytes())

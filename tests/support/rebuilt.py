"""Builds chunk rows by hand and runs them through rebuilding, numbering and the pcapng writer."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

from syswire.convert.conversations.both_ends import Summary, rebuild
from syswire.convert.conversations.numbers import number_frames
from syswire.convert.conversations.reader import ConversationReader
from syswire.convert.conversations.totals import ConversationTotals, Run
from syswire.convert.model import rows
from syswire.convert.model.frame import FRAME, Frame
from syswire.convert.pcapng import Header, Interface, write_pcapng
from syswire.convert.spool.sort import sort_rows

CLIENT, SERVER = 0, 1
T0 = 1_700_000_000_000_000_000
MS = 1_000_000


@dataclass
class Dialogue:
    """One conversation; calls are events in the order of the file. Times are ms after T0."""

    capture: Capture
    id: int
    client: tuple[str, int]
    server: tuple[str, int]
    protocol: int
    family: int
    preexisting: bool = False
    container: int = 0
    path: int = 0

    def event(
        self,
        kind: int,
        end: int,
        at: float,
        *,
        to_server: int = 0,
        data: bytes = b"",
        length: int | None = None,
        stored: int | None = None,
        entered: float | None = None,
        thread: int | None = None,
        flags: int = 0,
        reason: int = 0,
    ) -> None:
        capture = self.capture
        exit_time = T0 + round(at * MS)
        time = exit_time if entered is None else T0 + round(entered * MS)
        length = len(data) if length is None else length
        held = data if stored is None else data[:stored]
        if capture.snaplen is not None:
            held = held[: capture.snaplen]
        if data[:5] in (b"GET /", b"POST "):
            flags |= rows.CHUNK_REQUEST
        if data.startswith(b"HTTP/1."):
            flags |= rows.CHUNK_RESPONSE
        if entered is not None:
            flags |= rows.CHUNK_ENTERED
        if len(held) < length and reason == 0:
            reason = 1
        capture.events += 1
        capture.payload += b"<gap>"
        position = len(capture.payload)
        capture.payload += held
        capture.chunks.append(
            rows.Chunk(
                time, exit_time, capture.events, capture.events * 100, position, length, capture.events + 7, self.id,
                (10 * self.id + end) if thread is None else thread, len(held), kind, to_server, end, reason, flags,
            )
        )  # fmt: skip

    def send(self, end: int, at: float, data: bytes = b"", **more: object) -> None:
        self.event(rows.CHUNK_DATA, end, at, to_server=1 - end, data=data, **more)  # type: ignore[arg-type]

    def read(self, end: int, at: float, data: bytes = b"", **more: object) -> None:
        self.event(rows.CHUNK_DATA, end, at, to_server=end, data=data, **more)  # type: ignore[arg-type]

    def connect(self, at: float, pending: bool = False) -> None:
        self.event(rows.CHUNK_CONNECT, CLIENT, at, to_server=1, flags=rows.CHUNK_PENDING if pending else 0)

    def accept(self, at: float) -> None:
        self.event(rows.CHUNK_ACCEPT, SERVER, at)

    def close(self, end: int, at: float) -> None:
        self.event(rows.CHUNK_CLOSE, end, at)

    def shutdown(self, end: int, at: float) -> None:
        self.event(rows.CHUNK_SHUTDOWN, end, at)

    def reset(self, end: int, at: float) -> None:
        self.event(rows.CHUNK_RESET, end, at)

    def eof(self, end: int, at: float) -> None:
        self.event(rows.CHUNK_EOF, end, at, to_server=end)

    def row(self) -> bytes:
        ends = [b"" if self.family == 1 else ip_address(ip).packed for ip in (self.client[0], self.server[0])]
        return rows.CONV.pack(
            *rows.Conv(
                0, 0, 0, 0, ends[0], ends[1], self.id, 0, 0, self.path, self.container, self.client[1], self.server[1],
                self.protocol, self.family, 3, int(self.preexisting), 0,
            )
        )  # fmt: skip


@dataclass
class Capture:
    """Conversations and what happened in them, in the order of the file."""

    snaplen: int | None = None
    payload: bytearray = field(default_factory=lambda: bytearray(b"start"))
    chunks: list[rows.Chunk] = field(default_factory=list)
    dialogues: list[Dialogue] = field(default_factory=list)
    events: int = 0

    def tcp(
        self, client: str = "10.0.0.5", server: str = "10.0.0.80", *, port: int | None = None, **more: object
    ) -> Dialogue:
        return self._add(rows.TCP, client, server, port, more)

    def udp(
        self, client: str = "10.0.0.5", server: str = "10.0.0.53", *, port: int | None = None, **more: object
    ) -> Dialogue:
        return self._add(rows.UDP, client, server, port, more)

    def unix(self, datagram: bool = False, **more: object) -> Dialogue:
        more["family"] = 1
        return self._add(rows.UNIX_DATAGRAM if datagram else rows.UNIX_STREAM, "", "", 0, more)

    def _add(self, protocol: int, client: str, server: str, port: int | None, more: dict[str, object]) -> Dialogue:
        number = len(self.dialogues) + 1
        more.setdefault("family", 6 if ":" in client else 4)
        server_port = more.pop("server_port", 8080)
        found = Dialogue(
            self, number, (client, 40_000 + number if port is None else port), (server, server_port), protocol, **more,  # type: ignore[arg-type]
        )  # fmt: skip
        self.dialogues.append(found)
        return found

    def convert(
        self, folder: Path, comments: Mapping[int, Iterable[str]] | None = None, gap_frames: int = 2_000_000
    ) -> Converted:
        """Run the whole path in `folder`."""
        names = ["unsorted", "chunks", "convs", "payload", "pieces", "frames", "totals", "threads", "sorted",
                 "numbers", "streams"]  # fmt: skip
        path = {name: str(folder / name) for name in names}
        Path(path["unsorted"]).write_bytes(b"".join(rows.CHUNK.pack(*chunk) for chunk in self.chunks))
        Path(path["convs"]).write_bytes(b"".join(dialogue.row() for dialogue in self.dialogues))
        Path(path["payload"]).write_bytes(self.payload)
        sort_rows(path["unsorted"], path["chunks"], rows.CHUNK.size, [(52, 4), (16, 8)], scratch=str(folder))
        payload_fd = os.open(path["payload"], os.O_RDONLY)
        summary = rebuild(
            path["chunks"], path["convs"], path["pieces"], path["frames"], path["totals"], path["threads"],
            payload_fd=payload_fd, scratch=str(folder), gap_frames=gap_frames,
        )  # fmt: skip
        number_frames(path["frames"], path["sorted"], path["numbers"], path["streams"],
                      conversations=len(self.dialogues), scratch=str(folder))  # fmt: skip
        header = Header(["made by tests", "synthetic"], "Linux", "syswire", [Interface("web-1", "container web-1")],
                        [("240.0.0.7", "/run/app.sock")])  # fmt: skip
        with open(folder / "out.pcapng", "wb") as out:
            count = write_pcapng(
                out, header, frames=path["sorted"], pieces=path["pieces"], convs=path["convs"], payload_fd=payload_fd,
                identity=lambda thread: (thread // 10 * 100, thread, f"proc{thread}"),
                flow_comments=lambda conv: [f"conversation {conv}"], frame_comments=comments or {},
            )  # fmt: skip
        return Converted(folder, path, summary, payload_fd, count)


class Converted:
    """What came out."""

    def __init__(self, folder: Path, path: dict[str, str], summary: Summary, payload_fd: int, count: int) -> None:
        self.pcapng = folder / "out.pcapng"
        self.summary = summary
        self.count = count
        self.payload_fd = payload_fd
        self.reader = ConversationReader(path["totals"], path["threads"], path["pieces"], payload_fd, path["numbers"])
        self.totals: list[ConversationTotals] = list(self.reader)
        raw = Path(path["frames"]).read_bytes()
        self.frames = [Frame(*row) for row in FRAME.iter_unpack(raw)]
        self.sorted_frames = [Frame(*row) for row in FRAME.iter_unpack(Path(path["sorted"]).read_bytes())]
        self.streams = list(memoryview(Path(path["streams"]).read_bytes()).cast("I"))

    def runs(self, conv: int = 1) -> list[Run]:
        totals = self.totals[conv - 1]
        return list(self.reader.runs(totals.pieces_begin, totals.pieces_end))

    def pieces(self, conv: int = 1) -> list[rows.Piece]:
        totals = self.totals[conv - 1]
        return [self.reader.piece(row) for row in range(totals.pieces_begin, totals.pieces_end)]

    def stream(self, to_server: int, conv: int = 1) -> list[bytes | int]:
        """Known bytes joined, and lengths of gaps."""
        out: list[bytes | int] = []
        for _, way, _, length, data, *_ in self.runs(conv):
            if way != to_server:
                continue
            if data is None:
                out.append(length if not out or isinstance(out[-1], bytes) else int(out.pop()) + length)
            elif out and isinstance(out[-1], bytes):
                out[-1] += data
            else:
                out.append(data)
        return out

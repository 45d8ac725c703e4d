"""Pieces by hand, as reassembly writes them: rows, totals and payload of any number of conversations."""

from __future__ import annotations

import os
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from syswire.convert.conversations.reader import ConversationReader
from syswire.convert.conversations.totals import TOTALS
from syswire.convert.decoded import Decoded
from syswire.convert.model.rows import CONV, PIECE, TCP, Conv, Piece
from syswire.convert.parts import Part
from syswire.convert.prepare import Prepared

BOUNDARY, IN_FRAME, JOINS = 1, 2, 8
T0 = 1_700_000_000_000_000_000


@dataclass
class Pieces:
    """Conversations of a packet capture: a piece is one frame's. Frames count from 1 over all of them."""

    rows: list[Piece] = field(default_factory=list)
    totals: list[tuple[int, ...]] = field(default_factory=list)
    payload: bytearray = field(default_factory=lambda: bytearray(b"before"))
    sent: list[int] = field(default_factory=lambda: [0, 0])
    begun: int = 0

    def known(self, to_server: int, data: bytes, *, joins: bool = False, boundary: bool = True) -> None:
        """One frame's bytes; something else stands before them in the file."""
        self.payload += b"<between>"
        flags = IN_FRAME | (JOINS if joins else 0) | (BOUNDARY if boundary else 0)
        self._row(to_server, len(data), len(self.payload), 1, flags)
        self.payload += data

    def gap(self, to_server: int, length: int) -> None:
        """Bytes that were not captured."""
        self._row(to_server, length, 0, 0, 0)

    def _row(self, to_server: int, length: int, position: int, known: int, flags: int) -> None:
        number = len(self.rows)
        time = T0 + number * 1000
        self.rows.append(
            Piece(
                time, time, number + 1001, number * 100, position, self.sent[to_server], number, 0, 0,
                len(self.totals) + 1, 0, length, known, to_server, 0 if known else 4, flags, 0,
            )
        )  # fmt: skip
        self.sent[to_server] += length

    def end(self) -> None:
        """The conversation is complete."""
        rows = self.rows[self.begun :]
        lost = sum(row.length for row in rows if not row.known)
        gaps = sum(not row.known for row in rows)
        self.totals.append(
            (
                self.sent[1], self.sent[0], lost, self.begun, len(self.rows), 0, gaps,
                len(self.totals) + 1, self.begun, len(rows), 0, 0, 0, 0, 0, 0, 0,
            )
        )  # fmt: skip
        self.sent, self.begun = [0, 0], len(self.rows)

    def write(self, folder: Path) -> dict[str, str]:
        """The spool files, by the names that Prepared.open expects."""
        files = {
            name: str(folder / name) for name in ("totals", "threads", "pieces", "numbers", "tcp", "convs", "tunnels")
        }
        files["payload"] = str(folder / "payload")
        convs = [
            Conv(0, T0, 0, 0, bytes(16), bytes(16), number, 0, 0, 0, 0, 40_000 + number, 80, TCP, 4, 0, 0, 0)
            for number in range(1, len(self.totals) + 1)
        ]
        for name, data in {
            "totals": b"".join(TOTALS.pack(*row) for row in self.totals),
            "threads": b"",
            "pieces": b"".join(PIECE.pack(*row) for row in self.rows),
            "numbers": array("I", range(1, len(self.rows) + 1)).tobytes(),
            "tunnels": b"",
            "tcp": array("I", range(len(convs))).tobytes(),
            "convs": b"".join(CONV.pack(*conv) for conv in convs),
            "payload": bytes(self.payload),
        }.items():
            Path(files[name]).write_bytes(data)
        return files

    def reader(self, folder: Path) -> tuple[ConversationReader, int]:
        """A reader of them, and the payload's descriptor."""
        files = self.write(folder)
        payload = os.open(files["payload"], os.O_RDONLY)
        return ConversationReader(files["totals"], files["threads"], files["pieces"], payload), payload

    def part(self, folder: Path, *, reveal: bool = False) -> Part:
        """All conversations as one part for the passes over them."""
        files = self.write(folder)
        empty: array[int] = array("Q")
        decoded = Decoded(
            "pcap", "", files["convs"], files["payload"], "", empty, empty, [""], {}, [b""], len(self.totals),
            0, T0, T0, None, [], frames=len(self.rows),
        )  # fmt: skip
        prepared = Prepared(
            "made.pcap", folder, decoded, 0, "", "none", True, (0, 0, 0), None, len(self.rows), len(self.rows), 0
        )
        return Part(0, 0, prepared, 1, len(self.totals) + 1, bytes(32), reveal)

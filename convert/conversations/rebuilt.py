"""A capture's conversations after both ends were merged: rows, totals and frame numbers, read back on demand."""

from __future__ import annotations

import os
from bisect import bisect_left
from typing import TYPE_CHECKING, NamedTuple

from ..model.rows import CONV, Conv
from ..model.segments import TUNNEL, Tunnel
from .reader import ConversationReader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..model.rows import Piece
    from .totals import ConversationTotals, Run

NO_STREAM = 0xFFFFFFFF
ROWS = 2048
SERVER_PORT = 86
"""Where it stands in a row (rows.pxd)."""


class Conversation(NamedTuple):
    """One conversation: who (`conv`) and how much (`totals`)."""

    conv: Conv
    totals: ConversationTotals


class _Block:
    """Rows of a file, read many at a time: who asks for one mostly asks for its neighbours next."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self._size = descriptor, size
        self._begin = self._end = 0
        self._data = b""

    def get(self, row: int) -> bytes:
        """One row. Raises IndexError for one that is not there."""
        if not self._begin <= row < self._end:
            self._begin = max(0, row - ROWS // 8)
            self._data = os.pread(self._descriptor, ROWS * self._size, self._begin * self._size)
            self._end = self._begin + len(self._data) // self._size
            if row >= self._end:
                raise IndexError(row)
        at = (row - self._begin) * self._size
        return self._data[at : at + self._size]


class Rebuilt:
    """All conversations of one capture by id. Memory holds one at a time; files are closed by `close`."""

    def __init__(
        self,
        *,
        convs: str,
        totals: str,
        threads: str,
        pieces: str,
        numbers: str | None,
        tcp_streams: str,
        payload: str,
        tunnels: str | None = None,
    ) -> None:
        """Paths of the files that phase 1, `rebuild` and `number_frames` wrote, and of the payload.

        Without `numbers` the frames have those of their rows, from 1.
        """
        self._files: list[int] = []
        self._convs = self._open(convs)
        self._tcp_streams = self._open(tcp_streams)
        self._payload = self._open(payload)
        self.reader = ConversationReader(totals, threads, pieces, self._payload, numbers)
        self._rows = _Block(self._convs, CONV.size)
        self._tunnels = _Block(-1, TUNNEL.size)
        self._tunnelled = 0
        if tunnels is not None:
            descriptor = self._open(tunnels)
            self._tunnels = _Block(descriptor, TUNNEL.size)
            self._tunnelled = os.fstat(descriptor).st_size // TUNNEL.size

    def _open(self, path: str) -> int:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._files.append(descriptor)
        return descriptor

    def __iter__(self) -> Iterator[Conversation]:
        """In the order of the ids."""
        for totals in self.reader:
            yield Conversation(self.conv(totals.conv), totals)

    def conv(self, number: int) -> Conv:
        """Who talks in a conversation, by its id."""
        return Conv._make(CONV.unpack(self._rows.get(number - 1)))

    def served_at(self, port: int, begin: int, end: int) -> Iterator[int]:
        """Ids of conversations from `begin` to `end` (the last one excluded) whose server has that port."""
        wanted = port.to_bytes(2, "little")
        while begin < end:
            count = min(ROWS, end - begin)
            rows = os.pread(self._convs, count * CONV.size, (begin - 1) * CONV.size)
            at = rows.find(wanted, SERVER_PORT)
            while at >= 0:
                row, inside = divmod(at, CONV.size)
                if inside == SERVER_PORT:
                    yield begin + row
                at = rows.find(wanted, at + 1)
            begin += count

    def conversation(self, number: int) -> Conversation:
        """One conversation by its id."""
        return Conversation(self.conv(number), self.reader.conversation(number))

    def runs(self, conversation: Conversation) -> Iterator[Run]:
        """Its pieces in order, both directions as they took turns; those that simply go on are joined."""
        return self.reader.runs(conversation.totals.pieces_begin, conversation.totals.pieces_end)

    def piece(self, row: int, offset: int | None = None) -> Piece:
        """One piece with all it knows of its event; of a run's pieces the one that holds the byte at `offset`."""
        return self.reader.piece(row, offset)

    def frame_number(self, row: int) -> int:
        """The number in the pcapng of a frame row, 0 for none."""
        return self.reader.frame_number(row)

    def tcp_stream(self, number: int) -> int | None:
        """Wireshark's tcp.stream of a conversation, None where it has no TCP frame."""
        found = int.from_bytes(os.pread(self._tcp_streams, 4, (number - 1) * 4), "little")
        return None if found == NO_STREAM else found

    def tunnel(self, number: int) -> list[tuple[bytes, bytes]]:
        """Source and target of the IP headers around a conversation's first packet, from the outside in."""
        at = bisect_left(range(self._tunnelled), number, key=lambda row: self._tunnel(row).conv)
        row = self._tunnel(at) if at < self._tunnelled else None
        if row is None or row.conv != number:
            return []
        widths = [4 if family == 4 else 16 for family in row.family[: row.outers]]
        pairs = enumerate(widths)
        return [(row.addresses[32 * i :][:width], row.addresses[32 * i + 16 :][:width]) for i, width in pairs]

    def _tunnel(self, row: int) -> Tunnel:
        return Tunnel._make(TUNNEL.unpack(self._tunnels.get(row)))

    def close(self) -> None:
        """Close all files."""
        self.reader.close()
        for descriptor in self._files:
            os.close(descriptor)
        self._files.clear()

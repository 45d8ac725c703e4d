"""From packets to streams: what must not matter does not, be it the container, compression, or every frame twice."""

from __future__ import annotations

import gzip
import shutil
from typing import TYPE_CHECKING, Any

from syswire.convert.errors import InputError
from syswire.convert.model.rows import TCP
from syswire.convert.prepare import prepare

from ..mutate import pcap, pcapng

if TYPE_CHECKING:
    from pathlib import Path

MICROSECONDS = (b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4")
Told = list[tuple[Any, ...]]


class Run:
    """Reads a pcap, and others that hold the same."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch

    def __call__(self, data: bytes) -> None:
        """Raises where the streams are not the same."""
        header, records, _ = pcap.split(data)
        if data[:4] not in MICROSECONDS or not records:
            return
        plain = pcap.join(header, records)
        first, streams = self.read(plain)
        assert self.read(gzip.compress(plain, 1)) == (first, streams), "gzip"
        if all(one.fraction < 10**6 for one in records):  # else a time has two spellings
            assert self.read(pcapng.from_pcap(plain)) == (first, streams), "pcapng"
        _, twice = self.read(pcap.join(header, [one for one in records for _ in range(2)]))
        assert twice == streams, "every frame twice"

    def read(self, data: bytes) -> tuple[Told, Told]:
        """Every conversation with its pieces; and the bytes and gaps of both directions of those of TCP."""
        path, folder = self._scratch / "input", self._scratch / "spool"
        path.write_bytes(data)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        try:
            prepared = prepare(str(path), folder)
        except InputError:
            return [], []
        told: Told = []
        streams: Told = []
        rebuilt = prepared.open()
        try:
            for one in rebuilt:
                runs = list(rebuilt.runs(one))
                frames = [rebuilt.piece(run[0]).frame for run in runs]
                told.append((one.conv, one.totals, rebuilt.tcp_stream(one.conv.id), runs, frames))
                sides: list[list[bytes | tuple[int, int]]] = [[], []]
                for _, to_server, offset, length, known, _, reason, _ in runs:
                    side = sides[to_server]
                    assert offset == sum(len(part) if isinstance(part, bytes) else part[1] for part in side)
                    last = side[-1] if side else None
                    if known is not None:
                        assert len(known) == length
                        if isinstance(last, bytes):
                            side[-1] = last + known
                        else:
                            side.append(known)
                    elif isinstance(last, tuple) and last[0] == reason:
                        side[-1] = (reason, last[1] + length)
                    else:
                        side.append((reason, length))
                for size, side in zip((one.totals.bytes_to_client, one.totals.bytes_to_server), sides, strict=True):
                    assert size == sum(len(part) if isinstance(part, bytes) else part[1] for part in side)
                if one.conv.protocol == TCP:
                    ends = (one.conv.client_ip, one.conv.client_port, one.conv.server_ip, one.conv.server_port)
                    streams.append((ends, sides))
        finally:
            rebuilt.close()
        return told, streams

"""Runs syswire as a user does, and reads back what it wrote with small readers of our own."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

Record = dict[str, Any]
ENHANCED_PACKET = 6


class Outputs(NamedTuple):
    """What one run wrote: the folder, the annotations by type, and the pcapng."""

    folder: Path
    records: dict[str, list[Record]]
    pcapng: Path

    def stream_of(self, record: Record) -> Record:
        """The stream record that an exchange or a sighting names."""
        found: Record = self.records["stream"][record["stream"] - 1]
        assert found["id"] == record["stream"]
        return found

    def pid(self, process: int | None) -> int | None:
        """The pid behind a process id of the annotations."""
        if process is None:
            return None
        found = self.records["process"][process - 1]
        assert found["id"] == process
        pid: int = found["pid"]
        return pid

    def findings(self) -> list[Record]:
        """The findings of a report."""
        return [json.loads(line) for line in (self.folder / "findings.jsonl").read_text("utf-8").splitlines()]


def syswire(command: str, source: Path, folder: Path, *options: str) -> Outputs:
    """Run a command on one input; it has to end with 0."""
    subprocess.run([sys.executable, "-m", "syswire", command, source, "-o", folder, *options], check=True)
    (annotations,) = folder.glob("*.annotations.jsonl")
    (pcapng,) = folder.glob("*.pcapng")
    records: dict[str, list[Record]] = defaultdict(list)
    with annotations.open(encoding="utf-8") as lines:
        for line in lines:
            record = json.loads(line)
            records[record["type"]].append(record)
    return Outputs(folder, records, pcapng)


def payloads(pcapng: Path) -> list[bytes]:
    """The transport payload of every frame of a little-endian pcapng of raw IP (link type 101), frame 1 first."""
    data, found, at = pcapng.read_bytes(), [], 0
    while at < len(data):
        kind, length = struct.unpack_from("<II", data, at)
        if kind == ENHANCED_PACKET:
            (captured,) = struct.unpack_from("<I", data, at + 20)
            found.append(payload(data[at + 28 : at + 28 + captured]))
        at += length
    return found


def payload(packet: bytes) -> bytes:
    """What a packet carries behind its IP and transport headers."""
    if packet[0] >> 4 == 4:
        protocol, start = packet[9], 4 * (packet[0] & 15)
    else:
        protocol, start = packet[6], 40
    return packet[start + 8 :] if protocol == 17 else packet[start + 4 * (packet[start + 12] >> 4) :]

"""A plain reader of the pcapng files that syswire writes (little endian, one section, raw IP), block by block."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

SECTION, INTERFACE, NAMES, PACKET, PROCESS = 0x0A0D0D0A, 1, 4, 6, 0x80000001
COMMENT, IDS, PROCESS_INDEX = 1, 8, 0x8001

Options = list[tuple[int, bytes]]


class Packet(NamedTuple):
    """One enhanced packet block."""

    interface: int
    time: int
    length: int
    data: bytes
    options: Options
    processes: int  # process blocks that stand before it

    def values(self, code: int) -> list[bytes]:
        return [value for number, value in self.options if number == code]

    @property
    def payload(self) -> bytes:
        """What stands behind its IP and transport headers."""
        if self.data[0] >> 4 == 4:
            protocol, start = self.data[9], 4 * (self.data[0] & 15)
        else:
            protocol, start = self.data[6], 40
        if protocol == 17:
            return self.data[start + 8 :]
        assert protocol == 6
        return self.data[start + 4 * (self.data[start + 12] >> 4) :]

    @property
    def sequence(self) -> int:
        """The TCP sequence number."""
        start = 4 * (self.data[0] & 15) if self.data[0] >> 4 == 4 else 40
        found: int = struct.unpack_from(">I", self.data, start + 4)[0]
        return found


@dataclass
class Pcapng:
    """A whole file."""

    section: Options = field(default_factory=list)
    interfaces: list[Options] = field(default_factory=list)
    names: list[tuple[bytes, str]] = field(default_factory=list)
    processes: list[tuple[int, str]] = field(default_factory=list)
    packets: list[Packet] = field(default_factory=list)
    kinds: list[int] = field(default_factory=list)


def options(data: bytes) -> Options:
    found: Options = []
    at = 0
    while at < len(data):
        code, size = struct.unpack_from("<HH", data, at)
        if code == 0:
            assert at + 4 == len(data)
            break
        assert at + 4 + size <= len(data)
        found.append((code, data[at + 4 : at + 4 + size]))
        at += 4 + size + -size % 4
    return found


def names(data: bytes) -> list[tuple[bytes, str]]:
    found: list[tuple[bytes, str]] = []
    at = 0
    while True:
        kind, size = struct.unpack_from("<HH", data, at)
        if kind == 0:
            return found
        width = {1: 4, 2: 16}[kind]
        value = data[at + 4 : at + 4 + size]
        found.append((value[:width], value[width:].removesuffix(b"\0").decode()))
        at += 4 + size + -size % 4


def read(path: Path) -> Pcapng:
    """Read it; every length is checked."""
    data, found, at = path.read_bytes(), Pcapng(), 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        assert size % 4 == 0 and size >= 12 and data[at + size - 4 : at + size] == data[at + 4 : at + 8]
        body = data[at + 8 : at + size - 4]
        found.kinds.append(kind)
        if kind == SECTION:
            assert at == 0 and struct.unpack_from("<IHHq", body) == (0x1A2B3C4D, 1, 0, -1)
            found.section = options(body[16:])
        elif kind == INTERFACE:
            assert struct.unpack_from("<HHI", body) == (101, 0, 0)
            found.interfaces.append(options(body[8:]))
        elif kind == NAMES:
            found.names += names(body)
        elif kind == PROCESS:
            ((code, name),) = options(body[4:])
            assert code == 2
            found.processes.append((struct.unpack_from("<i", body)[0], name.decode()))
        else:
            assert kind == PACKET
            interface, high, low, captured, length = struct.unpack_from("<IIIII", body)
            rest = body[20 + captured + -captured % 4 :]
            packet = body[20 : 20 + captured]
            found.packets.append(
                Packet(interface, high << 32 | low, length, packet, options(rest), len(found.processes))
            )
        at += size
    return found

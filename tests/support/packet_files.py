"""Capture files made and read by struct alone, apart from the package and in no hurry: its oracle."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import NamedTuple

SECTION, INTERFACE, OLD_PACKET, SIMPLE_PACKET, NAMES, STATISTICS, PACKET, SECRETS = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6, 10
COMMENT, IF_NAME, IF_DESCRIPTION, IF_TSRESOL, IF_TSOFFSET = 1, 2, 3, 9, 14
MICROSECONDS, NANOSECONDS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
IXIA_NANOSECONDS, IXIA_MICROSECONDS = 0x1C0001AC, 0x1C0001AB
FINE = (NANOSECONDS, IXIA_NANOSECONDS)
Options = Iterable[tuple[int, bytes]]


class Plain(NamedTuple):
    """A frame: time in ns, captured bytes, length on the wire, link type, options of its block."""

    time: int
    data: bytes
    original: int
    linktype: int
    options: tuple[tuple[int, bytes], ...] = ()

    @property
    def bare(self) -> tuple[int, bytes, int, int]:
        return self[:4]

    @property
    def comments(self) -> list[str]:
        return [value.decode() for code, value in self.options if code == COMMENT]


class Feed:
    """Bytes as a reader takes them: never across a cut."""

    def __init__(self, data: bytes, cuts: Iterable[int] = ()) -> None:
        self.data = data
        self.at = 0
        self.cuts = sorted({cut for cut in cuts if 0 < cut < len(data)} | {len(data)})

    def peek(self, count: int, /) -> bytes:
        return self.data[self.at : self.at + count]

    def readinto(self, view: memoryview, /) -> int:
        while self.cuts and self.cuts[0] <= self.at:
            self.cuts.pop(0)
        count = min(len(view), (self.cuts[0] if self.cuts else len(self.data)) - self.at)
        view[:count] = self.data[self.at : self.at + count]
        self.at += count
        return count


# ---- pcap ----


def pcap_header(linktype: int = 1, *, order: str = "<", magic: int = MICROSECONDS, snaplen: int = 65535) -> bytes:
    extra = bytes(4) if magic in (IXIA_NANOSECONDS, IXIA_MICROSECONDS) else b""
    return struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, snaplen, linktype) + extra


def pcap_record(
    seconds: int,
    fraction: int,
    data: bytes,
    original: int | None = None,
    *,
    order: str = "<",
    magic: int = MICROSECONDS,
) -> bytes:
    head = struct.pack(order + "IIII", seconds, fraction, len(data), len(data) if original is None else original)
    if magic == MODIFIED:
        head += struct.pack(order + "IHBB", 7, 0x800, 1, 0)
    return head + data


def plain_pcap(data: bytes) -> Iterator[Plain]:
    """The frames of a pcap that nothing is wrong with."""
    order = "<" if data[0] in (0xD4, 0x4D, 0x34, 0xAC, 0xAB) else ">"
    magic, _, _, _, _, _, linktype = struct.unpack_from(order + "IHHiIII", data)
    at = 28 if magic in (IXIA_NANOSECONDS, IXIA_MICROSECONDS) else 24
    while at < len(data):
        seconds, fraction, captured, original = struct.unpack_from(order + "IIII", data, at)
        at += 24 if magic == MODIFIED else 16
        time = seconds * 10**9 + fraction * (1 if magic in FINE else 1000)
        yield Plain(time, data[at : at + captured], max(original, captured), linktype & 0xFFFF)
        at += captured


# ---- pcapng ----


def option(code: int, value: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def options(values: Options, order: str = "<") -> bytes:
    encoded = b"".join(option(code, value, order) for code, value in values)
    return encoded + bytes(4) if encoded else b""


def block(kind: int, body: bytes, order: str = "<", trailer: int | None = None) -> bytes:
    body += bytes(-len(body) % 4)
    size = len(body) + 12
    return struct.pack(order + "II", kind, size) + body + struct.pack(order + "I", size if trailer is None else trailer)


def section(values: Options = (), order: str = "<", version: tuple[int, int] = (1, 0), length: int = -1) -> bytes:
    head = struct.pack(order + "IHHq", 0x1A2B3C4D, *version, length)
    return block(SECTION, head + options(values, order), order)


def interface(linktype: int = 1, snaplen: int = 0, values: Options = (), order: str = "<") -> bytes:
    return block(INTERFACE, struct.pack(order + "HHI", linktype, 0, snaplen) + options(values, order), order)


def packet(
    data: bytes, stamp: int = 0, number: int = 0, original: int | None = None, values: Options = (), order: str = "<"
) -> bytes:
    wire = len(data) if original is None else original
    head = struct.pack(order + "IIIII", number, stamp >> 32, stamp & 0xFFFFFFFF, len(data), wire)
    return block(PACKET, head + data + bytes(-len(data) % 4) + options(values, order), order)


def old_packet(
    data: bytes, stamp: int = 0, number: int = 0, original: int | None = None, values: Options = (), order: str = "<"
) -> bytes:
    wire = len(data) if original is None else original
    head = struct.pack(order + "HHIIII", number, 3, stamp >> 32, stamp & 0xFFFFFFFF, len(data), wire)
    return block(OLD_PACKET, head + data + bytes(-len(data) % 4) + options(values, order), order)


def simple_packet(data: bytes, original: int | None = None, order: str = "<") -> bytes:
    return block(SIMPLE_PACKET, struct.pack(order + "I", len(data) if original is None else original) + data, order)


class Block(NamedTuple):
    """A block of a pcapng."""

    offset: int
    kind: int
    raw: bytes
    order: str


def plain_blocks(data: bytes) -> Iterator[Block]:
    """The blocks of a pcapng that nothing is wrong with."""
    at, order = 0, "<"
    while at < len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = "<" if data[at + 8] == 0x4D else ">"
        kind, size = struct.unpack_from(order + "II", data, at)
        assert size >= 12 and size % 4 == 0 and at + size <= len(data)
        assert struct.unpack_from(order + "I", data, at + size - 4)[0] == size
        yield Block(at, kind, data[at : at + size], order)
        at += size


def plain_options(raw: bytes, order: str) -> list[tuple[int, bytes]]:
    """Options up to their end, which may be left out."""
    found, at = [], 0
    while at + 4 <= len(raw):
        code, length = struct.unpack_from(order + "HH", raw, at)
        if code == 0:
            break
        found.append((code, raw[at + 4 : at + 4 + length]))
        at += 4 + length + -length % 4
        assert at <= len(raw)
    return found


def plain_pcapng(data: bytes) -> Iterator[Plain]:
    """The frames of a pcapng that nothing is wrong with."""
    known: list[tuple[int, int, Fraction, int]] = []
    for _, kind, raw, order in plain_blocks(data):
        if kind == SECTION:
            known = []
        elif kind == INTERFACE:
            linktype, _, snaplen = struct.unpack_from(order + "HHI", raw, 8)
            values = dict(plain_options(raw[16:-4], order))
            exponent = values.get(IF_TSRESOL, b"\6")[0]
            unit = Fraction(1, 2 ** (exponent & 127) if exponent & 128 else 10**exponent)
            known.append((linktype, snaplen, unit, struct.unpack(order + "q", values.get(IF_TSOFFSET, bytes(8)))[0]))
        elif kind == SIMPLE_PACKET:
            original = struct.unpack_from(order + "I", raw, 8)[0]
            captured = min(original, known[0][1] or original)
            yield Plain(0, raw[12 : 12 + captured], original, known[0][0])
        elif kind in (PACKET, OLD_PACKET):
            number = struct.unpack_from(order + ("I" if kind == PACKET else "H"), raw, 8)[0]
            high, low, captured, original = struct.unpack_from(order + "IIII", raw, 12)
            linktype, _, unit, seconds = known[number]
            time = int(((high << 32 | low) * unit + seconds) * 10**9)
            end = 28 + captured
            own = tuple(plain_options(raw[end + -captured % 4 : -4], order))
            yield Plain(time, raw[28:end], max(original, captured), linktype, own)


def plain_frames(data: bytes) -> list[Plain]:
    """The frames of a capture file that nothing is wrong with."""
    return list(plain_pcapng(data) if data.startswith(b"\x0a\x0d\x0d\x0a") else plain_pcap(data))

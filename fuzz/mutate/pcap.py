"""Changes to a pcap: its header, its records' headers, their order, and the frames in them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

from . import packet
from .plain import number, put_number, rearrange

if TYPE_CHECKING:
    from random import Random

MAGICS = (0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34, 0x1C0001AC, 0x1C0001AB)
LONG_HEADER = 0xA1B2CD34
HEADER = 24


class Record(NamedTuple):
    """A record; `more` are the 8 bytes that the modified format has."""

    seconds: int
    fraction: int
    original: int
    more: bytes
    frame: bytes


def byte_order(data: bytes) -> str:
    """Of a file; little endian where it is none."""
    return ">" if struct.unpack_from(">I", data.ljust(4, b"\0"))[0] in MAGICS else "<"


def linktype(data: bytes) -> int:
    """Of a file, 1 where it has none."""
    (found,) = struct.unpack_from(byte_order(data) + "I", data.ljust(HEADER, b"\0"), 20)
    return int(found) & 0xFFFF


def split(data: bytes) -> tuple[bytes, list[Record], bytes]:
    """The header, the records as far as they are whole, and what is left."""
    order = byte_order(data)
    wide = struct.unpack_from(order + "I", data.ljust(4, b"\0"))[0] == LONG_HEADER
    size = 24 if wide else 16
    found, at = [], HEADER
    while at + size <= len(data):
        seconds, fraction, captured, original = struct.unpack_from(order + "4I", data, at)
        if captured > len(data) - at - size:
            break
        frame = data[at + size : at + size + captured]
        found.append(Record(seconds, fraction, original, data[at + 16 : at + size], frame))
        at += size + captured
    return data[:HEADER], found, data[at:]


def join(header: bytes, records: list[Record], rest: bytes = b"") -> bytes:
    """A file of these."""
    order = byte_order(header)
    parts = [header]
    for one in records:
        parts += [
            struct.pack(order + "4I", one.seconds, one.fraction, len(one.frame), one.original),
            one.more,
            one.frame,
        ]
    return b"".join([*parts, rest])


def pieces(data: bytes) -> list[bytes]:
    """What of an input can be left out."""
    header, records, rest = split(data)
    size = len(header)
    return [header, *(join(header, [one])[size:] for one in records), rest]


def mutate(data: bytes, random: Random) -> bytes:
    """One change to a file."""
    header, records, rest = split(data)
    chance = random.random()
    if chance < 0.06 or not records:
        return _other_header(data, random)
    if chance < 0.25:
        return join(header, rearrange(records, random), rest)
    at = random.randrange(len(records))
    one = records[at]
    if chance < 0.31:
        place = HEADER + sum(16 + len(record.more) + len(record.frame) for record in records[:at])
        return put_number(data, random, place + random.choice((0, 4, 8, 8, 12)), 4, byte_order(data) == "<")
    if chance < 0.36:
        cut = one.frame[: random.randrange(len(one.frame) + 1)]
        records[at] = one._replace(frame=cut)
    elif chance < 0.4:
        records[at] = one._replace(seconds=number(random, 4, one.seconds))
    else:
        frames = packet.mutate(one.frame, linktype(header), random)
        records[at : at + 1] = [one._replace(frame=frame, original=len(frame)) for frame in frames]
    return join(header, records, rest)


def _other_header(data: bytes, random: Random) -> bytes:
    little = byte_order(data) == "<"
    choice = random.random()
    if choice < 0.3:
        magic = random.choice(MAGICS).to_bytes(4, random.choice(("little", "big")))
        return magic + data[4:]
    if choice < 0.6:
        return data[:20] + random.choice(packet.LINKTYPES).to_bytes(4, "little" if little else "big") + data[24:]
    return put_number(data, random, random.choice((0, 4, 6, 8, 12, 16, 20)), 4, little)

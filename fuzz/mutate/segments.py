"""Changes to the segments of the target `reassembly`, whose layout is told there."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .plain import change, rearrange

if TYPE_CHECKING:
    from random import Random

HEADER, SIZE = 5, 10


def pieces(data: bytes) -> list[bytes]:
    """The header, and each segment that is whole."""
    rest = data[HEADER:]
    return [data[:HEADER].ljust(HEADER, b"\0"), *(rest[at : at + SIZE] for at in range(0, len(rest) - SIZE + 1, SIZE))]


def mutate(data: bytes, random: Random) -> bytes:
    """One change: a header bit, a field of a segment, their order."""
    header, *items = pieces(data)
    chance = random.random()
    if chance < 0.05 or not items:
        bit = bytes((header[0] ^ 1 << random.randrange(7),))
        return bit + header[1:] + b"".join(items) + (bytes(SIZE) if not items else b"")
    if chance < 0.08:
        return header[:1] + struct.pack("<hh", *(random.randrange(-20, 300) for _ in range(2))) + b"".join(items)
    if chance < 0.1:
        return change(data, random)
    if chance < 0.4:
        items = rearrange(items, random)
        return header + b"".join(items)
    at = random.randrange(len(items))
    flags, rel, length, cut, ack, other, apart = struct.unpack("<BhHBHBB", items[at])
    match random.randrange(8):
        case 0:
            flags ^= 1 << random.randrange(4)
        case 1:
            rel = random.randrange(-40, 400)
        case 2:
            rel = max(-32768, min(32767, rel + random.choice((-64, -8, -1, 1, 8, 64, length % 64 + 1))))
        case 3:
            length = random.choice((0, 1, 7, 31, 63, random.randrange(4096)))
        case 4:
            cut = random.choice((0, 128, 129, 128 + random.randrange(128)))
        case 5:
            ack = random.randrange(400)
        case 6:
            other = random.choice((0, 0, 201, 255))
        case _:
            apart = random.randrange(3)
    new = struct.pack("<BhHBHBB", flags, rel, length, cut, ack, other, apart)
    if random.random() < 0.4:
        items.insert(random.randrange(len(items) + 1), new)
    else:
        items[at] = new
    return header + b"".join(items)

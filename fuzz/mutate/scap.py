"""Changes to a scap file, block by block: order, lengths, event types, parameters, header entries."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .plain import change, number, put_number, rearrange

if TYPE_CHECKING:
    from random import Random

EVENTS = (0x204, 0x208, 0x216, 0x217, 0x221, 0x222)
OTHERS = (0x201, 0x0A0D0D0A, 0x215, 0x218, 0x219, 0x220, 0x202, 0x207, 0x214, 0x203, 0x205, 0x206, 0x8000ABCD, 0x999)
TYPES = 420  # event types that there are, and some that there are not
WITH_FLAGS = (0x208, 0x217, 0x222)
COUNTED = (0x216, 0x217, 0x221, 0x222)


def split(data: bytes) -> list[bytes]:
    """The blocks, as far as their lengths lead; the last item may be what is left."""
    found, at = [], 0
    order = ">" if data[8:12] == b"\x1a\x2b\x3c\x4d" else "<"
    while len(data) - at >= 12:
        (size,) = struct.unpack_from(order + "I", data, at + 4)
        if size < 12 or size > len(data) - at:
            break
        found.append(data[at : at + size])
        at += size
    return [*found, data[at:]] if at < len(data) else found


def pieces(data: bytes) -> list[bytes]:
    """What of an input can be left out."""
    return split(data)


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A block whose lengths are right."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def mutate(data: bytes, random: Random) -> bytes:
    """One change to a file."""
    items = split(data)
    if not items:
        return change(data, random)
    chance = random.random()
    if chance < 0.25:
        kept = 1 if random.random() < 0.9 else 0  # the section header, without which nothing is read
        return b"".join(items[:kept] + rearrange(items[kept:], random))
    at = random.randrange(len(items))
    one = items[at]
    order = ">" if data[8:12] == b"\x1a\x2b\x3c\x4d" else "<"
    if len(one) < 12:
        items[at] = change(one, random)
    elif chance < 0.32:
        items[at] = put_number(one, random, random.choice((0, 4, len(one) - 4)), 4, order == "<")
    else:
        items[at] = _inside(one, random, order)
    return b"".join(items)


def _inside(one: bytes, random: Random, order: str) -> bytes:
    """A change within a block that leaves its framing whole."""
    (kind,) = struct.unpack_from(order + "I", one)
    body = one[8:-4]
    if random.random() < 0.05:
        kind = random.choice(EVENTS + OTHERS)
    elif kind in EVENTS and random.random() < 0.85:
        body = _event(kind, body, random, order)
    else:
        body = change(body, random)
    return block(kind, body, order)


def _event(kind: int, body: bytes, random: Random, order: str) -> bytes:
    """A change within an event: its header, or a parameter whose length is kept right."""
    little = order == "<"
    begin = 2 + (4 if kind in WITH_FLAGS else 0)
    lengths_at = begin + 22 + (4 if kind in COUNTED else 0)
    if len(body) < lengths_at:
        return change(body, random)
    (code,) = struct.unpack_from(order + "H", body, begin + 20)
    choice = random.random()
    if choice < 0.1:
        return put_number(body, random, begin, 8, little)  # time
    if choice < 0.2:
        tid = struct.pack(order + "Q", random.choice((1, 2, 10, 20, 30, number(random, 8))))
        return body[: begin + 8] + tid + body[begin + 16 :]
    if choice < 0.3:
        new = code ^ 1 if random.random() < 0.4 else random.randrange(TYPES)
        return body[: begin + 20] + struct.pack(order + "H", new) + body[begin + 22 :]
    if kind not in COUNTED or choice < 0.35:
        return change(body, random)
    (count,) = struct.unpack_from(order + "I", body, begin + 22)
    wide = 4 if kind in (0x221, 0x222) else 2
    parts_at = lengths_at + count * wide
    if count == 0 or count > 64 or parts_at > len(body):
        return put_number(body, random, begin + 22, 4, little)
    sizes = [
        int.from_bytes(body[at : at + wide], "little" if little else "big") for at in range(lengths_at, parts_at, wide)
    ]
    if choice < 0.42:
        return put_number(body, random, lengths_at + wide * random.randrange(count), wide, little)
    parts, at = [], parts_at
    for size in sizes:
        parts.append(body[at : at + size])
        at += size
    one = random.randrange(count)
    if choice < 0.6 and len(parts[one]) in (1, 2, 4, 8):
        parts[one] = number(random, len(parts[one])).to_bytes(len(parts[one]), "little" if little else "big")
    elif choice < 0.7:
        parts = rearrange(parts, random)[:64]
    else:
        parts[one] = change(parts[one], random)[: (1 << 8 * wide) - 1]
    lengths = b"".join(len(part).to_bytes(wide, "little" if little else "big") for part in parts)
    head = body[: begin + 16] + struct.pack(order + "I", 26 + len(lengths) + sum(map(len, parts)))
    return head + body[begin + 20 : begin + 22] + struct.pack(order + "I", len(parts)) + lengths + b"".join(parts)

"""Changes to a pcapng: blocks and their order, interfaces, options, packets; and a pcap as a pcapng."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from . import packet, pcap
from .plain import change, put_number, rearrange
from .scap import block

if TYPE_CHECKING:
    from random import Random

SECTION, INTERFACE, OLD, SIMPLE, NAMES, STATISTICS, ENHANCED, SECRETS = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6, 10
KINDS = (SECTION, INTERFACE, OLD, SIMPLE, NAMES, STATISTICS, ENHANCED, SECRETS, 9, 0xBAD, 0x40000BAD, 0x204, 0x80000001)
FIXED = {SECTION: 16, INTERFACE: 8, OLD: 20, SIMPLE: 4, ENHANCED: 20, STATISTICS: 12, SECRETS: 8, NAMES: 0}
OPTIONS = (0, 1, 2, 3, 4, 9, 12, 14, 2988)


def order_of(data: bytes) -> str:
    """The byte order of a section that begins with these bytes."""
    return ">" if data[8:12] == b"\x1a\x2b\x3c\x4d" else "<"


def split(data: bytes) -> list[tuple[str, bytes]]:
    """The blocks, each with its byte order, as far as their lengths lead; the last may be what is left."""
    found, at, order = [], 0, "<"
    while len(data) - at >= 12:
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = order_of(data[at : at + 12])
        (size,) = struct.unpack_from(order + "I", data, at + 4)
        if size < 12 or size > len(data) - at:
            break
        found.append((order, data[at : at + size]))
        at += size
    if at < len(data):
        found.append((order, data[at:]))
    return found


def pieces(data: bytes) -> list[bytes]:
    """What of an input can be left out."""
    return [one for _, one in split(data)]


def option(code: int, value: bytes, order: str = "<") -> bytes:
    """One option, padded."""
    return struct.pack(order + "HH", code, len(value)) + value + bytes(-len(value) % 4)


def section(order: str = "<", options: bytes = b"") -> bytes:
    """A section header."""
    return block(SECTION, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1) + options, order)


def interface(linktype: int, snaplen: int = 0, options: bytes = b"", order: str = "<") -> bytes:
    """An interface description."""
    return block(INTERFACE, struct.pack(order + "HHI", linktype, 0, snaplen) + options, order)


def enhanced(
    frame: bytes, number: int = 0, time: int = 0, original: int | None = None, options: bytes = b"", order: str = "<"
) -> bytes:
    """An enhanced packet."""
    fixed = struct.pack(
        order + "5I", number, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame) if original is None else original
    )
    return block(ENHANCED, fixed + frame + bytes(-len(frame) % 4) + options, order)


def from_pcap(data: bytes) -> bytes:
    """The packets of a pcap as a pcapng."""
    header, records, _ = pcap.split(data)
    times = [(one.seconds * 10**6 + one.fraction) % (1 << 64) for one in records]
    packets = [enhanced(one.frame, 0, time, one.original) for one, time in zip(records, times, strict=True)]
    return section() + interface(pcap.linktype(header)) + b"".join(packets)


def mutate(data: bytes, random: Random) -> bytes:
    """One change to a file."""
    items = split(data)
    if not items:
        return section() + interface(1)
    chance = random.random()
    if chance < 0.25:
        kept = 1 if random.random() < 0.9 else 0
        return b"".join(one for _, one in items[:kept] + rearrange(items[kept:], random))
    at = random.randrange(len(items))
    order, one = items[at]
    if len(one) < 12:
        made = change(one, random)
    elif chance < 0.33:
        made = put_number(one, random, random.choice((0, 4, 8, len(one) - 4)), 4, order == "<")
    elif chance < 0.36:
        made = one + block(random.choice(KINDS), random.randbytes(random.choice((0, 4, 20, 60))), order)
    else:
        made = _inside(order, one, random)
    items[at] = (order, made)
    return b"".join(made for _, made in items)


def _inside(order: str, one: bytes, random: Random) -> bytes:
    """A change within a block whose framing stays whole; it may become several blocks."""
    (kind,) = struct.unpack_from(order + "I", one)
    body = one[8:-4]
    fixed = FIXED.get(kind, 0)
    chance = random.random()
    if chance < 0.04:
        return block(random.choice(KINDS), body, order)
    if kind == ENHANCED and len(body) >= 20:
        number, high, low, captured, original = struct.unpack_from(order + "5I", body)
        frame = body[20 : 20 + captured]
        if chance < 0.6:
            frames = packet.mutate(frame, random.choice((1, 1, 1, 101)), random)
            return b"".join(enhanced(made, number, high << 32 | low, order=order) for made in frames)
        if chance < 0.66:
            return block(SIMPLE, struct.pack(order + "I", original) + frame, order)
        if chance < 0.72:
            drops = struct.pack(order + "HHIIII", number & 0xFFFF, 7, high, low, captured, original)
            return block(OLD, drops + body[20:], order)
    if chance < 0.8 and fixed:
        width = random.choice((2, 4, 4))
        return block(
            kind, put_number(body, random, random.randrange(fixed // width) * width, width, order == "<"), order
        )
    if chance < 0.92:
        value = random.choice((b"", b"\x06", b"\x09", b"\x8a", b"\xff", b"text", random.randbytes(8), b"x" * 60))
        added = option(random.choice(OPTIONS), value, order) * random.choice((1, 1, 1, 20))
        if random.random() < 0.2:
            added = change(added, random)
        return block(kind, body + added, order)
    return block(kind, change(body, random), order)

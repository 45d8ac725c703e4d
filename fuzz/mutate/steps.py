"""Changes to the steps of the target `connection`, whose layout is told there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .plain import rearrange

if TYPE_CHECKING:
    from random import Random

HEADER, SIZE, KINDS = 6, 4, 7


def pieces(data: bytes) -> list[bytes]:
    """The header, and each step that is whole."""
    rest = data[HEADER:]
    return [data[:HEADER].ljust(HEADER, b"\0"), *(rest[at : at + SIZE] for at in range(0, len(rest) - SIZE + 1, SIZE))]


def mutate(data: bytes, random: Random) -> bytes:
    """One change: the header, a step, their order."""
    header, *items = pieces(data)
    chance = random.random()
    if chance < 0.06:
        return bytes((random.randrange(4), 0)) + random.randbytes(4) + b"".join(items)
    if chance < 0.3:
        items = rearrange(items, random)
        return header + b"".join(items)
    step = bytes(
        (random.randrange(KINDS), random.randrange(2), random.choice((0, 1, 9, 99, 255)), random.randrange(256))
    )
    at = random.randrange(len(items) + 1)
    if chance < 0.7 or at == len(items):
        items.insert(at, step)
    else:
        field = random.randrange(SIZE)
        items[at] = items[at][:field] + step[field : field + 1] + items[at][field + 1 :]
    return header + b"".join(items)

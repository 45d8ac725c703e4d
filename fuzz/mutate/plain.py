"""Changes that know no format: bits, numbers, runs of bytes; and changes to a list of things."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from random import Random

T = TypeVar("T")
SIZES = (1, 2, 4, 8)


def number(random: Random, size: int, old: int = 0) -> int:
    """A number of `size` bytes: on an edge, near the old one, or any."""
    top = 1 << 8 * size
    chance = random.random()
    if chance < 0.4:
        found = old + random.choice((-64, -8, -4, -3, -2, -1, 1, 2, 3, 4, 8, 64))
    elif chance < 0.8:
        edge = random.choice((0, top >> 1, top, 1 << random.randrange(8 * size)))
        found = edge + random.choice((-2, -1, 0, 0, 1, 2))
    else:
        found = random.randrange(top)
    return found % top


def put_number(data: bytes, random: Random, at: int, size: int, little: bool | None = None) -> bytes:
    """Another number at a place; in any byte order where none is told."""
    order = "little" if (random.random() < 0.5 if little is None else little) else "big"
    if at < 0 or at + size > len(data):
        return data
    old = int.from_bytes(data[at : at + size], order)  # type: ignore[arg-type]
    new = number(random, size, old).to_bytes(size, order)  # type: ignore[arg-type]
    return data[:at] + new + data[at + size :]


def span(random: Random, length: int) -> tuple[int, int]:
    """A run within `length`, most often a short one."""
    begin = random.randrange(length + 1)
    most = random.choice((1, 4, 16, 64, length))
    return begin, min(length, begin + random.randrange(most + 1))


def change(data: bytes, random: Random) -> bytes:
    """One change somewhere."""
    if not data:
        return random.randbytes(random.choice((1, 4, 32)))
    begin, end = span(random, len(data))
    part = data[begin:end]
    match random.randrange(8):
        case 0:
            at = random.randrange(len(data))
            return data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :]
        case 1:
            return data[:begin] + data[end:]
        case 2:
            return data[:begin] + part * random.choice((2, 2, 3, 9)) + data[end:]
        case 3:
            at = random.randrange(len(data))
            return data[:at] + part + data[at + len(part) :]
        case 4:
            return data[:begin] + random.randbytes(len(part)) + data[end:]
        case 5:
            return data[: random.randrange(len(data))]
        case 6:
            return data[:begin] + bytes((random.randrange(256),)) * random.choice((1, 2, 8, 300)) + data[begin:]
        case _:
            return put_number(data, random, random.randrange(len(data)), random.choice(SIZES))


def rearrange(items: list[T], random: Random) -> list[T]:
    """One change to the order or number of things."""
    if not items:
        return items
    begin, end = span(random, len(items))
    match random.randrange(6):
        case 0:
            return items[:begin] + items[end:]
        case 1:
            at = random.randrange(len(items) + 1)
            return items[:at] + items[begin:end] + items[at:]
        case 2:
            return items[:begin] + items[begin:end][::-1] + items[end:]
        case 3:
            window = items[begin:end]
            random.shuffle(window)
            return items[:begin] + window + items[end:]
        case 4:
            one, other = random.randrange(len(items)), random.randrange(len(items))
            out = list(items)
            out[one], out[other] = out[other], out[one]
            return out
        case _:
            return items[:begin] + items[begin:end] * random.choice((2, 2, 2, 5)) + items[end:]

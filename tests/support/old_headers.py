"""Header blocks of every version that was ever written, with values by seed: food for readers.

The writer of the product writes the present versions only; this one writes the lists as the formats of 2014 to 2026 had
them, in either byte order, under their released and their pre-release block numbers.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator

PROCESS_BLOCKS = {1: (0x202, 0x8000ABCD), 2: (0x207, 0x8013ABCD), 3: (0x209, 0x8014ABCD), 4: (0x210,), 5: (0x211,)}
PROCESS_BLOCKS |= {6: (0x212,), 7: (0x213,), 8: (0x214,), 9: (0x215,)}
DESCRIPTOR_BLOCKS = {1: (0x203, 0x8001ABCD), 2: (0x218,)}
INTERFACE_BLOCKS = {1: (0x205, 0x8011ABCD), 2: (0x219,)}
USER_BLOCKS = {1: (0x206, 0x8012ABCD), 2: (0x220,)}
MACHINE_BLOCKS = (0x201, 0x8002ABCD)
# Bytes of the tail of a process entry by what wrote it: none, 2020, 2021, 0.9, 0.10, and the newest.
TAILS = (0, 4, 5, 29, 12 + 29, 12 + 29 + 25, 12 + 29 + 26, 12 + 29 + 27, 12 + 29 + 35)


class Made:
    """Makes entries in one byte order from one seed."""

    def __init__(self, order: str, seed: int) -> None:
        self.order = order
        self.random = random.Random(seed)

    def number(self, *codes: str) -> bytes:
        """Random integers of the given sizes."""
        size = struct.calcsize(self.order + "".join(codes))
        return self.random.randbytes(size)

    def text(self, most: int = 40) -> bytes:
        """A string with its length."""
        data = self.random.randbytes(self.random.randrange(most))
        return struct.pack(self.order + "H", len(data)) + data

    def measured(self, body: bytes, itself: bool = True) -> bytes:
        """An entry led by its length."""
        return struct.pack(self.order + "I", len(body) + (4 if itself else 0)) + body

    def process(self, version: int, tail: int = 0) -> bytes:
        """A process list entry."""
        out = self.number("qqq")
        out += self.number("q") if version >= 6 else b""
        out += self.number("q") if version >= 8 else b""
        out += self.text() + self.text()
        out += self.text() if version >= 7 else b""
        out += self.text(400) + self.text() + self.number("qIII")
        out += self.number("IIIQQ") if version >= 2 else b""
        out += self.text(400) if version >= 3 else b""
        out += self.number("qq") + self.text(100) if version >= 4 else b""
        out += self.text() if version >= 5 else b""
        return self.measured(out + self.random.randbytes(tail)) if version >= 9 else out

    def descriptor(self, version: int, kind: int) -> bytes:
        """A descriptor list entry."""
        out = self.number("qQ") + bytes((kind,))
        if kind in (3, 4):
            out += self.random.randbytes(8 if kind == 3 else 32) + self.random.randbytes(5)
        elif kind in (5, 6):
            out += self.random.randbytes(4 if kind == 5 else 16) + self.random.randbytes(3)
        elif kind == 8:
            out += self.random.randbytes(16) + self.text()
        elif kind == 16:
            out += self.random.randbytes(4) + self.text()
            out += self.random.randbytes(4) if version == 2 and self.random.random() < 0.5 else b""
        elif kind:
            out += self.text()
        return self.measured(out) if version == 2 else out

    def interface(self, version: int, kind: int) -> bytes:
        """An interface list entry."""
        name = self.random.randbytes(self.random.randrange(1, 16))
        width = 4 if kind in (1, 3) else 16
        out = struct.pack(self.order + "HH", kind, len(name)) + self.random.randbytes(3 * width)
        out += (self.random.randbytes(8) if kind in (1, 2) else b"") + name
        return self.measured(out, itself=False) if version == 2 else out

    def user(self, version: int, kind: int) -> bytes:
        """A user list entry."""
        out = bytes((kind,)) + self.random.randbytes(4 if kind else 8)
        for _ in range(1 if kind else 3):
            out += self.text()
        return self.measured(out) if version == 2 else out

    def block(self, number: int, body: bytes) -> bytes:
        """A block."""
        body += bytes(-len(body) % 4)
        length = struct.pack(self.order + "I", len(body) + 12)
        return struct.pack(self.order + "I", number) + length + body + length

    def section(self) -> bytes:
        """The first block of a file."""
        return self.block(0x0A0D0D0A, struct.pack(self.order + "IHHQ", 0x1A2B3C4D, 1, 0, 0xFFFFFFFFFFFFFFFF))


def blocks(order: str, seed: int) -> Iterator[tuple[str, int, int, bytes]]:
    """Every kind of list in every version under every number: (kind, version, block number, body)."""
    made = Made(order, seed)
    for version, numbers in PROCESS_BLOCKS.items():
        for number in numbers:
            tails = TAILS if version == 9 else (0, 0, 0)
            yield "processes", version, number, b"".join(made.process(version, tail) for tail in tails)
    for version, numbers in DESCRIPTOR_BLOCKS.items():
        for number in numbers:
            entries = b"".join(made.descriptor(version, kind) for kind in range(22 if version == 2 else 17))
            yield "descriptors", version, number, made.number("Q") + entries
    for version, numbers in INTERFACE_BLOCKS.items():
        for number in numbers:
            yield "interfaces", version, number, b"".join(made.interface(version, kind) for kind in (1, 2, 3, 4, 1))
    for version, numbers in USER_BLOCKS.items():
        for number in numbers:
            yield "users", version, number, b"".join(made.user(version, kind) for kind in (0, 1, 0, 1))
    for number in MACHINE_BLOCKS:
        yield "machine", 1, number, made.number("IQQ") + b"host\0" + bytes(123) + made.number("QQQQ")

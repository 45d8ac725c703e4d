"""What a pcapng says beside its packets: comments, names, statistics, keys (draft-ietf-opsawg-pcapng).

Text in it may repeat a secret; the secrets that decrypt TLS and the like (Decryption Secrets Block) open others.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

_SECTION = 0x0A0D0D0A
_INTERFACE, _OLD_PACKET, _SIMPLE, _STATISTICS, _PACKET, _SECRETS = 1, 2, 3, 5, 6, 10
_FIXED = {_SECTION: 16, _INTERFACE: 8, _STATISTICS: 12}
_LONGEST = 1 << 24
_HEAD = 32


class Text(NamedTuple):
    """Bytes of a block that are no packet's. `secret`: all of them are."""

    position: int
    data: bytes
    secret: bool


def texts(file: BinaryIO) -> Iterator[Text]:
    """What stands beside the packets, in order; ends where the file is damaged, as its readers do."""
    order, at = "<", 0
    while len(head := _at(file, at, _HEAD)) >= 12:
        word = Struct(order + "I")
        kind = word.unpack_from(head)[0]
        if head[:4] == b"\x0a\x0d\x0d\x0a":
            kind, order = _SECTION, "<" if head[8:12] == b"\x4d\x3c\x2b\x1a" else ">"
            word = Struct(order + "I")
        size = word.unpack_from(head, 4)[0]
        if size < 12 or size % 4 or size > _LONGEST:
            return
        begin = 8 + _FIXED.get(kind, 0)
        if kind in (_PACKET, _OLD_PACKET) and len(head) == _HEAD:
            begin = 28 + (word.unpack_from(head, 20)[0] + 3 & ~3)
        elif kind == _SIMPLE:
            begin = size
        elif kind == _SECRETS and len(head) >= 16:
            length = min(word.unpack_from(head, 12)[0], max(size, 20) - 20)
            yield Text(at + 16, _at(file, at + 16, length), True)
            begin = 16 + (length + 3 & ~3)
        if begin < size - 4:
            yield Text(at + begin, _at(file, at + begin, size - 4 - begin), False)
        at += size


def _at(file: BinaryIO, position: int, size: int) -> bytes:
    file.seek(position)
    return file.read(size)

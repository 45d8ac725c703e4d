"""Compressed bodies that hold a secret: it has no bytes of its own, so the body is masked as a whole.

Where a body's blocks stand in the stream is found by their bytes. Where that is not certain (a block is short, or not
found as it is), the whole direction is masked: rather too much than a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .stretches import PLAIN, Stretch

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ..conversations.rebuilt import Rebuilt

MOST_BYTES = 64 << 20
"""Of a direction in which is looked."""
CERTAIN = 16
"""Bytes of a block that are found by nothing but it."""


def coded_stretches(
    rebuilt: Rebuilt, number: int, to_server: bool, contents: Iterable[Sequence[bytes]]
) -> list[Stretch]:
    """Stretches for bodies, each given as its blocks in order, in one direction of a conversation."""
    runs: list[tuple[int, bytes]] = []
    held, last = 0, 0
    for _, direction, offset, length, data, *_ in rebuilt.runs(rebuilt.conversation(number)):
        if bool(direction) == to_server:
            last = max(last, offset + length)
            if data is not None and held < MOST_BYTES:
                held += length
                runs.append((offset, data))
    stream = _joined(runs)
    out: list[Stretch] = []
    for blocks in contents:
        found = _found(stream, blocks)
        if found is None or held >= MOST_BYTES:
            return [Stretch(number, to_server, PLAIN, 0, last)]
        out += [Stretch(number, to_server, PLAIN, begin, end) for begin, end in found]
    return out


def _joined(runs: list[tuple[int, bytes]]) -> list[tuple[int, bytes]]:
    """What simply goes on as one."""
    out: list[tuple[int, list[bytes]]] = []
    behind = -1
    for offset, data in runs:
        if offset != behind:
            out.append((offset, []))
        out[-1][1].append(data)
        behind = offset + len(data)
    return [(offset, b"".join(parts)) for offset, parts in out]


def _found(stream: list[tuple[int, bytes]], blocks: Sequence[bytes]) -> list[tuple[int, int]] | None:
    """Where the blocks stand, one behind the other; None where that is not certain."""
    found: list[tuple[int, int]] = []
    behind = 0
    for block in blocks:
        place = None
        if len(block) >= CERTAIN or found:
            for offset, data in stream:
                at = data.find(block, max(0, behind - offset))
                if at >= 0:
                    place = offset + at
                    break
        if place is None or (len(block) < CERTAIN and place - behind > CERTAIN):
            return None
        behind = place + len(block)
        found.append((place, behind))
    return found

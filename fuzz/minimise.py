"""Make an input smaller while it still does the same."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    Same = Callable[[bytes], bool]
    Pieces = Callable[[bytes], list[bytes]]


def minimised(data: bytes, same: Same, seconds: float, pieces: Pieces | None = None) -> bytes:
    """The smallest input found for which `same` holds, as it does for `data`.

    Left out are first the parts that the format has, as `pieces` divides an input, then bytes; then bytes become zero.
    """
    until = monotonic() + seconds
    if pieces is not None:
        data = b"".join(_fewer(pieces(data), same, until))
    data = b"".join(_fewer([bytes((byte,)) for byte in data], same, until))
    for at in range(len(data)):
        if monotonic() > until:
            break
        zero = data[:at] + b"\0" + data[at + 1 :]
        if data[at] and same(zero):
            data = zero
    return data


def _fewer(items: list[bytes], same: Same, until: float) -> list[bytes]:
    """Leave out runs of items, long ones first."""
    size = max(len(items) // 2, 1)
    while size:
        at, changed = 0, False
        while at < len(items) and monotonic() < until:
            fewer = items[:at] + items[at + size :]
            if same(b"".join(fewer)):
                items, changed = fewer, True
            else:
                at += size
        if not changed or size > len(items):
            size //= 2
    return items

"""Make an input smaller while it still does the same."""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def minimised(data: bytes, same: Callable[[bytes], bool], seconds: float) -> bytes:
    """The smallest input found for which `same` holds, as it does for `data`: parts left out, then bytes made zero."""
    until = monotonic() + seconds
    size = max(len(data) // 2, 1)
    while size:
        at, changed = 0, False
        while at < len(data) and monotonic() < until:
            shorter = data[:at] + data[at + size :]
            if same(shorter):
                data, changed = shorter, True
            else:
                at += size
        if not changed or size > len(data):
            size //= 2
    for at in range(len(data)):
        if monotonic() > until:
            break
        zero = data[:at] + b"\0" + data[at + 1 :]
        if data[at] and same(zero):
            data = zero
    return data

"""Open a trace: `open_trace(source)` gives the events of a scap file as libsinsp shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .model import Trace

if TYPE_CHECKING:
    from ..source import Source

__all__ = ["open_trace"]


def open_trace(source: Source) -> Trace:
    """The trace in `source`; iterating reads it. Raises InputError where it is not a scap file."""
    return Trace(source.name, "scap")

"""Endpoints and machines as a reader sees them: what the capture names, or our word for what it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .language import later, text
from .model import Captured
from .names import endpoint_of

OURS = later(
    ("unknown", "unix socket", "others", "other hosts", "other programs", "several clients", "several servers")
)


def named(name: str) -> str:
    """A name of `names` or `survey`: captured, unless it is one of our words."""
    return text(name) if name in OURS else Captured(name)


def place(end: Mapping[str, Any] | None) -> str:
    """An endpoint as it stands in a record."""
    return named(endpoint_of(end))

"""The version, as the package's root tells it."""

from __future__ import annotations

from .. import __version__ as VERSION

__all__ = ["VERSION"]

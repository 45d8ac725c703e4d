"""The version, as the package's root tells it."""

from __future__ import annotations

from .. import __version__ as VERSION  # noqa: N812 - one name for it everywhere below

__all__ = ["VERSION"]

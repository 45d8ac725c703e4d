"""One input of a case on its way through the phases: what is known of it so far."""

from __future__ import annotations

from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from .hashing import Hasher

if TYPE_CHECKING:
    from .annotate import Annotated
    from .parts import Part
    from .prepare import Prepared


@dataclass(eq=False)
class Input:
    """One input on its way through the phases."""

    source: int
    name: str
    stem: str
    entry: dict[str, Any]
    prepared: Prepared | None = None
    parts: list[Part] = field(default_factory=list)
    found: list[Annotated] = field(default_factory=list)
    pcaps: list[str] = field(default_factory=list)
    hasher: Hasher | None = None
    names: Future[list[tuple[str, str]]] = field(default_factory=Future)
    """Addresses and the names that answers gave them, once all conversations were read."""

    def hash_again(self) -> None:
        """Begin to hash it once more, if that was not begun yet; what came through a pipe is gone."""
        if self.hasher is None and self.prepared is not None and self.prepared.regular:
            self.hasher = Hasher(self.name)

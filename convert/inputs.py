"""One input of a case on its way through the phases: what is known of it so far."""

from __future__ import annotations

from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import InputError
from .hashing import Hasher
from .model.text import spelled
from .prepare import Prepared, identity

if TYPE_CHECKING:
    from .annotate import Annotated
    from .parts import Part


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

    spread: list[dict[str, Any]] = field(default_factory=list)
    """The records of where its secrets went."""

    def hash_again(self) -> None:
        """Begin to hash it once more, if that was not begun yet; what came through a pipe is gone."""
        if self.hasher is None and self.prepared is not None and self.prepared.regular:
            self.hasher = Hasher(self.name)

    def changed(self) -> str | None:
        """What is wrong where the evidence is not what it was: hash, size and time are compared with those at first."""
        assert self.prepared is not None
        if self.hasher is None:
            self.entry["sha256_after"] = None
            return None
        after, same = None, False
        with suppress(InputError, OSError):  # it may be gone
            after = self.hasher.digest()
            same = identity(Path(self.name).stat()) == self.prepared.stat
        self.entry["sha256_after"] = after
        if same and after == self.entry["sha256"]:
            return None
        message = f"{spelled(self.name)}: the input changed while it was read"
        self.entry |= {"status": "damaged", "message": message}
        return message

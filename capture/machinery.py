"""What a recording needs of the machine: the probe, the drain, the state at its start. The real ones, put together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, Self

from .rotation import Rotation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from .filtering import Pushed

HORIZON = 200_000_000  # ns that an event may come late without standing in the wrong place


@dataclass(frozen=True)
class Options:
    """What a recording is to be. `count`: events after which it ends; `seconds`: the same. `ring` in bytes. `nice`
    None: what is usual.
    """

    path: str
    compress: bool = False
    snaplen: int = 4096
    count: int | None = None
    seconds: float | None = None
    files: bool = False
    rotation: Rotation = field(default_factory=Rotation)
    ring: int = 64 << 20
    filter: str = ""
    nice: int | None = None
    quiet: bool = False


class Probe(Protocol):
    """What is in the kernel (capture/probe/load.py): a context, in which it is loaded."""

    ring_fd: int
    clock_offset: int

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def attach(self) -> None:
        """From here on records flow."""

    def detach(self) -> None:
        """No further records come; those in the ring can still be taken, and the counters read."""

    def counters(self) -> Mapping[str, int]:
        """What became of the system calls, by name."""


class Drain(Protocol):
    """What makes events of records (capture/drain.pyx)."""

    def poll(self, timeout_ms: int) -> int:
        """Take what is in the ring, waiting for it at most so long. Returns how many records that were."""

    def take(self, up_to_ns: int | None) -> bytes:
        """Event blocks up to a time, in order; None: all."""

    @property
    def counts(self) -> Mapping[str, int]:
        """What was made of the records, by name."""


class State(Protocol):
    """The machine as it stands (capture/snapshot.py)."""

    @property
    def blocks(self) -> bytes:
        """All blocks that come before the events."""

    @property
    def losses(self) -> Mapping[str, int]:
        """What could not be read, by cause."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for the user."""


class Machinery(Protocol):
    """All that a recording needs of the machine."""

    def probe(self, options: Options, pushed: Pushed) -> Probe:
        """The probe, not loaded yet. Raises MachineError where the machine lacks something."""

    def drain(self, probe: Probe, options: Options) -> Drain:
        """The drain of a loaded probe's ring."""

    def state(self) -> State:
        """The machine as it stands."""

    def prefer(self, nice: int | None) -> None:
        """Take the priority that was asked for, None: the usual one. Raises MachineError where it is not allowed."""

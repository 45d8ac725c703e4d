"""The real machine: the probe in the kernel, the drain of its ring, the state from /proc."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..convert.errors import MachineError
from .drain import Drain
from .machinery import HORIZON
from .probe.load import Probe as Loaded
from .probe.load import Settings
from .snapshot import State, snapshot

if TYPE_CHECKING:
    from .filtering import Pushed
    from .machinery import Options, Probe


NICE = -10
"""What a recorder needs to keep up while others compete for the processors: it uses little, but has to have it soon."""


class Live:
    """The machine that this runs on."""

    def probe(self, options: Options, pushed: Pushed) -> Loaded:
        """The probe, loaded and not attached. Raises MachineError where the machine lacks something."""
        return Loaded(
            Settings(
                snaplen=options.snaplen,
                files=options.files,
                ring_bytes=options.ring,
                pids=pushed.pids,
                comms=pushed.comms,
                ports=pushed.ports,
                addresses=pushed.addresses,
                own_pid=os.getpid(),
            )
        )

    def drain(self, probe: Probe, options: Options) -> Drain:
        """The drain of a probe's ring."""
        return Drain(probe.ring_fd, probe.clock_offset, options.snaplen, HORIZON)

    def state(self) -> State:
        """The machine as it stands, this program left out."""
        return snapshot(frozenset((os.getpid(),)))

    def prefer(self, nice: int | None) -> None:
        """Let this thread run before others. Raises MachineError where the priority that was asked for is refused."""
        try:
            os.setpriority(os.PRIO_PROCESS, 0, NICE if nice is None else nice)
        except OSError as error:
            if nice is not None:
                what = f"--nice {nice}: {error.strerror}"
                raise MachineError(f"{what}: run it as root or with CAP_SYS_NICE, or leave it out") from None

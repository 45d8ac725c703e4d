"""The real machine: the probe in the kernel, the drain of its ring, the state from /proc."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .drain import Drain
from .machinery import HORIZON
from .probe.load import Probe as Loaded
from .probe.load import Settings
from .snapshot import State, snapshot

if TYPE_CHECKING:
    from .filtering import Pushed
    from .machinery import Options, Probe


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

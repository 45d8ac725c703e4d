"""Write events of a scap trace to another scap file, with the state that they need.

The lists at the begin are copied as recorded. Of the events between those that are wanted, the ones that change what is
known of threads and descriptors are kept too, marked STATE_ONLY, so that readers use them and do not show them. An exit
is understood only behind its enter: where the enter was not wanted, it goes in front of its exit, marked likewise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scap.event_table import EF_MODIFIES_STATE
from ..scap.writer import FLAG_STATE_ONLY, ScapWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import Event, Trace


class TraceSaver:
    """Writes the blocks of one file by `write`; give it every event in order, by `keep` or `pass_over`."""

    def __init__(self, trace: Trace, write: Callable[[bytes], object]) -> None:
        self.kept = 0
        self._trace = trace
        self._write = write
        self._writer = ScapWriter()
        self._begun = False
        self._section: object = None
        self._enters: dict[int, int] = {}  # ordinal of the last enter written, by thread that is alive

    def keep(self, event: Event) -> None:
        """Write an event that is wanted."""
        enter = event.enter
        if enter is not None and self._enters.get(event.tid) != enter.ordinal:
            self._event(enter, FLAG_STATE_ONLY)
        flags = event.block_flags & FLAG_STATE_ONLY
        self._event(event, flags or None)
        self.kept += 1

    def pass_over(self, event: Event) -> None:
        """Write an event that is not wanted if what follows needs it."""
        if event.consumed:  # readers do not show those anyway
            self._event(event, event.block_flags & FLAG_STATE_ONLY or None)
        elif event.info.flags & EF_MODIFIES_STATE:
            self._event(event, FLAG_STATE_ONLY)

    def finish(self) -> None:
        """Write what stands in front of the events, where there was none."""
        if not self._begun:
            self._begin()

    def _event(self, event: Event, flags: int | None) -> None:
        if not self._begun or self._section is not self._lists():  # a further one began: readers forget what they knew
            self._begin()
        self._write(self._writer.raw_event(event.ts, event.tid, event.cpu, event.code, event.params, flags=flags))
        if event.info.direction == ">":
            self._enters[event.tid] = event.ordinal
            if len(self._enters) > 2 * len(self._trace.threads) + 1024:
                self._enters = {tid: at for tid, at in self._enters.items() if tid in self._trace.threads}

    def _begin(self) -> None:
        """A section: its header, and the lists that describe the machine as they were recorded."""
        self._begun = True
        self._section = self._lists()
        self._enters.clear()
        self._write(self._writer.section_header())
        for kind, body in self._trace.headers:
            self._write(self._writer.block(kind, body))

    def _lists(self) -> object:
        """What tells one section's lists from another's."""
        return self._trace.headers[0] if self._trace.headers else None

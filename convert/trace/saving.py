"""Write events of a scap trace to another scap file, with the state that they need.

The lists at the begin are copied as recorded. Of the events between those that are wanted, the ones that change what is
known of threads and descriptors are kept too, marked STATE_ONLY, so that readers use them and do not show them. An exit
is understood only behind its enter: where the enter was not wanted, it goes in front of its exit, marked likewise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..scap.event_table import EF_MODIFIES_STATE
from ..scap.headers import SECTION
from ..scap.writer import FLAG_STATE_ONLY, ScapWriter

if TYPE_CHECKING:
    from collections.abc import Callable

    from .model import Event, Trace

SWITCH = 152
# Readers take the processor's thread from it; it changes nothing that an event of another kind needs.


class TraceSaver:
    """Writes the blocks of one file by `write`; give it every event in order, by `keep` or `pass_over`."""

    def __init__(self, trace: Trace, write: Callable[[bytes], object]) -> None:
        self.kept = 0
        self._trace = trace
        self._write = write
        self._writer: ScapWriter | None = None
        self._headers = 0
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
        if event.info.flags & EF_MODIFIES_STATE and event.code != SWITCH:
            self._event(event, FLAG_STATE_ONLY)

    def finish(self) -> None:
        """Write what stands in front of the events, where there was none."""
        if self._writer is None:
            self._begin(big=False)

    def _event(self, event: Event, flags: int | None) -> None:
        if self._writer is None:
            self._begin(event.big_endian)
        assert self._writer is not None
        if self._headers < len(self._trace.headers):  # a further section began
            self._copy_headers()
        self._write(self._writer.raw_event(event.ts, event.tid, event.cpu, event.code, event.params, flags=flags))
        if event.info.direction == ">":
            self._enters[event.tid] = event.ordinal
            if len(self._enters) > 2 * len(self._trace.threads) + 1024:
                self._enters = {tid: at for tid, at in self._enters.items() if tid in self._trace.threads}

    def _begin(self, big: bool) -> None:
        self._writer = ScapWriter("big" if big else "little")
        self._write(self._writer.section_header())
        self._copy_headers(first=True)

    def _copy_headers(self, *, first: bool = False) -> None:
        """The blocks that are not events, those that were read since the last time."""
        assert self._writer is not None
        blocks = self._trace.headers[self._headers :]
        if not first and blocks and blocks[0][0] != SECTION:
            self._write(self._writer.section_header())  # readers take lists behind a section header only
        for kind, body in blocks:
            if kind == SECTION:
                if not first:
                    self._write(self._writer.section_header())
            else:
                self._write(self._writer.block(kind, body))
        self._headers = len(self._trace.headers)

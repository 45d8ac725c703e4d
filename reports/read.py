"""The command `syswire read`: open a capture, filter its events, print them or run chisels on them, write them.

What is printed and how is decided elsewhere (listing/, chisels/, convert/filters/); here the parts are put together.
"""

from __future__ import annotations

import sys
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from ..convert.errors import EXIT_DAMAGED, EXIT_DONE, EXIT_USAGE, InputError, UsageError
from ..convert.filters.errors import FilterError
from ..convert.filters.fields.table import FIELDS
from ..convert.filters.judge import compile_filter
from ..convert.magic import capture_format
from ..convert.model.text import printable
from ..convert.source import Source
from ..convert.trace.packets import open_packets
from ..convert.trace.trace import open_trace
from .chisels.api import make
from .chisels.base import Output
from .console import tell
from .listing.json import json_lines
from .listing.lines import lines, prepare
from .read_arguments import HELP, ReadOptions, split
from .read_lists import arity, is_filter, listed
from .read_write import Saving, refuse_input
from .terminal import Printer

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..convert.filters.judge import Filter
    from ..convert.trace.model import Event, Trace
    from .chisels.base import Buffers, Chisel, Mode
    from .chisels.saved import Saved

SECOND = 1_000_000_000
STATE_ONLY = 1  # of an event block's flags
EVENT_TYPE = FIELDS["evt.type"].extract
NOT_IN_PACKETS = ("fd.num", "evt.cpu")  # beside all that is of a process
BUFFERS: dict[str, Buffers] = {"": "dots", "A": "ascii", "x": "hex", "X": "hexascii", "b": "base64"}


def read(words: list[str]) -> int:
    """Run `syswire read` with the words behind it. Returns the exit code; raises SyswireError and BrokenPipeError."""
    try:
        given = split(words, arity, is_filter)
        printer = Printer()
        if given.help:
            printer.write(HELP)
        elif not listed(given, printer.write):
            return _run(given, printer)
        printer.flush()
    except FilterError as error:
        first, *rest = str(error).split("\n")
        tell(first)
        sys.stderr.writelines(f"{printable(line)}\n" for line in rest)
        return EXIT_USAGE
    return EXIT_DONE


def _run(given: ReadOptions, printer: Printer) -> int:
    """Read the capture once, and do with each event what is asked for."""
    if given.input is None:
        raise UsageError("which capture? syswire read FILE [FILTER]; syswire read --help tells more")
    wanted = compile_filter(given.filter)
    source = Source(None if given.input == "-" else Path(given.input))
    try:
        if given.write is not None:
            refuse_input(source, given.write)
        trace = _open(source)
        reading = Reading(given, trace, wanted, printer)
        for saved in reading.saved:
            refuse_input(source, saved.path)
            if source.path is None:
                raise UsageError(
                    "what a chisel saves is written in a second pass, for which the capture must be a file"
                )
        with ExitStack() as stack:
            if given.write is not None:
                reading.saving = stack.enter_context(Saving(trace, given.write, compress=given.compress))
            reading.run()
        printer.flush()
    finally:
        source.close()
    for saved in reading.saved:
        _save(saved, source.path)
    if trace.damage is None:
        return EXIT_DONE
    tell(f"{trace.name}: {trace.damage.what}, at byte {trace.damage.offset}; what comes before was read")
    return EXIT_DAMAGED


def _open(source: Source) -> Trace:
    kind = capture_format(source)
    if kind == "scap":
        return open_trace(source)
    if kind in ("pcap", "pcapng"):
        return open_packets(source, kind)
    if kind == "compressed":
        raise InputError(f"{source.name}: compressed more than three times over, at byte 0")
    if source.damage is not None:
        raise InputError(f"{source.name}: {source.damage.what}, at stored byte {source.damage.offset}")
    raise InputError(f"{source.name}: not a capture (no known magic number), at byte 0")


def _save(saved: Saved, path: Path | None) -> None:
    """The second pass of a chisel: write the events around those that it found."""
    source = Source(path)
    try:
        trace, wanted = open_trace(source), saved.wanted()
        with Saving(trace, saved.path, compress=saved.path.endswith((".gz", ".z"))) as saving:
            for event in trace:
                (saving.keep if not uncounted(event) and wanted(event) else saving.pass_over)(event)
    finally:
        source.close()


def uncounted(event: Event) -> bool:
    """Whether sysdig neither shows nor counts the event: it is there for the state alone."""
    return event.consumed or bool(event.block_flags & STATE_ONLY)


class Reading:
    """One pass over a trace: the filter, then the file that is written, then chisels or lines."""

    def __init__(self, given: ReadOptions, trace: Trace, wanted: Filter, printer: Printer) -> None:
        self.saving: Saving | None = None
        self._given = given
        self._trace = trace
        self._wanted = wanted
        self._printer = printer
        self._asked = list(wanted.fields)
        self._chisels = [self._chisel(call.name, call.arguments) for call in given.chisels]
        self.saved = [chisel.saved for chisel, _ in self._chisels if chisel.saved is not None]
        self._line = self._listing() if not given.chisels and not given.quiet else None
        self._counts: Counter[tuple[int, str]] = Counter()

    def run(self) -> None:
        """Read to the end, or to where -n or -M say."""
        if self._trace.format != "scap":
            self._tell_unknown()
        for chisel, _ in self._chisels:
            chisel.capture_filter(self._given.filter)
            chisel.start(self._trace)
        if not self._finished():
            self._events()
        for chisel, _ in self._chisels:
            chisel.end()
        if self._given.summary:
            self._summary()

    def _tell_unknown(self) -> None:
        """Say once what was asked for and no packet tells."""
        names = sorted({row.name for row in self._asked if row.klass == "P" or row.name in NOT_IN_PACKETS})
        if names:
            tell(f"{self._trace.name}: packets do not tell {', '.join(names)}: missing in every event")

    def _events(self) -> None:
        given, judge, saving = self._given, self._wanted.judge, self.saving
        seen = 0
        until: int | None = None
        for event in self._trace:
            if given.seconds is not None:
                if until is None:
                    until = event.ts + given.seconds * SECOND
                if event.ts > until:
                    return
            if uncounted(event) or not judge(event):
                if saving is not None:
                    saving.pass_over(event)
                continue
            seen += 1
            if saving is not None:
                saving.keep(event)
            self._show(event)
            if seen == given.count or self._finished():
                return

    def _finished(self) -> bool:
        """Whether nobody waits for further events."""
        return self.saving is None and bool(self._chisels) and all(chisel.finished for chisel, _ in self._chisels)

    def _show(self, event: Event) -> None:
        if self._given.summary:
            self._counts[event.code, f"{event.info.direction} {EVENT_TYPE(event, None)!s}"] += 1
        for chisel, judge in self._chisels:
            chisel.tick(event.ts)
            if judge(event):
                chisel.event(event)
        if self._line is not None and (self._given.show_hidden or not event.hidden):
            self._line(event)

    def _summary(self) -> None:
        rule = "-" * 22 + "\n"
        self._printer.write(f"{rule}Event           #Calls\n{rule}")
        for (_, name), count in self._counts.most_common():
            self._printer.write(f"{name:<18}{count}\n")

    def _listing(self) -> Callable[[Event], None]:
        """What prints the line of an event."""
        given, write = self._given, self._printer.write
        prepare(self._trace, data=given.data, verbose=given.verbose, json=given.json, time_mode=given.time)
        line = json_lines(given.format) if given.json else lines(given.format, given.time)

        def show(event: Event) -> None:
            text = line(event)
            if text is not None:
                write(text + "\n")

        return show

    def _chisel(self, name: str, arguments: list[str]) -> tuple[Chisel, Callable[[Event], bool]]:
        """A chisel, and whether an event is for it."""
        given = self._given
        mode: Mode = "json" if given.json else "csv" if given.csv else "text"
        output = Output(
            write=self._printer.write,
            mode=mode,
            buffers=BUFFERS[given.data],
            containers=given.format == "c",
            colors=self._printer.colors,
            warn=lambda text: tell(text.rstrip("\n")),
        )
        chisel = make(name, arguments, output)
        asked = compile_filter(chisel.filter or "")
        self._asked += [*asked.fields, *(FIELDS[column] for column in chisel.columns if column in FIELDS)]
        return chisel, asked.judge

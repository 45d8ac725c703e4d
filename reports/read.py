"""The command `syswire read`: open a capture, filter its events, print them or run chisels on them, write them.

What is printed and how is decided elsewhere (listing/, chisels/, convert/filters/); here the parts are put together.
Only what every reading needs is imported at the top: see "What read imports" in docs/architecture.md.
"""

from __future__ import annotations

import sys

from ..convert.errors import EXIT_DAMAGED, EXIT_DONE, EXIT_USAGE, InputError, UsageError
from ..convert.filters.errors import FilterError
from ..convert.filters.fields.table import FIELDS
from ..convert.filters.judge import compile_filter
from ..convert.magic import capture_format
from ..convert.source import Source
from ..convert.trace.trace import open_trace
from .console import tell
from .read_arguments import HELP, Arity, split
from .terminal import Printer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ..convert.filters.judge import Filter
    from ..convert.trace.model import Event, Trace
    from .chisels.base import Buffers, Chisel, Mode
    from .chisels.saved import Saved
    from .read_arguments import ReadOptions
    from .read_write import Saving

SECOND = 1_000_000_000
STATE_ONLY = 1  # of an event block's flags
NOT_IN_PACKETS = ("fd.num", "evt.cpu")  # beside all that is of a process
BUFFERS: dict[str, Buffers] = {"": "dots", "A": "ascii", "x": "hex", "X": "hexascii", "b": "base64"}


def read(words: list[str]) -> int:
    """Run `syswire read` with the words behind it. Returns the exit code; raises SyswireError and BrokenPipeError."""
    try:
        given = split(words, _arity, _is_filter)
        printer = Printer()
        if given.help:
            printer.write(HELP)
        elif given.lists:
            from .read_lists import write_lists

            write_lists(given, printer.write)
        else:
            return _run(given, printer)
        printer.flush()
    except FilterError as error:
        from ..convert.model.text import printable

        first, *rest = str(error).split("\n")
        tell(first)
        sys.stderr.writelines(f"{printable(line)}\n" for line in rest)
        return EXIT_USAGE
    return EXIT_DONE


def _arity(name: str) -> Arity:
    """How many arguments a chisel takes, beside the word that turns colours off. Raises UsageError: no such chisel."""
    from .chisels.api import find

    arguments = find(name).arguments
    required = sum(argument.required for argument in arguments)
    return Arity(required, len(arguments) - required)


def _is_filter(text: str) -> bool:
    """Whether a text is a filter that can be judged."""
    try:
        compile_filter(text)
    except UsageError:
        return False
    return True


def _run(given: ReadOptions, printer: Printer) -> int:
    """Read the capture once, and do with each event what is asked for."""
    if given.input is None:
        raise UsageError("which capture? syswire read FILE [FILTER]; syswire read --help tells more")
    wanted = compile_filter(given.filter)
    source = Source(None if given.input == "-" else given.input)
    try:
        if given.write is not None:
            from .read_write import refuse_input

            refuse_input(source, given.write)
        trace = _open(source)
        reading = Reading(given, trace, wanted, printer)
        for saved in reading.saved:
            _refuse(saved, source)
        if given.write is not None:
            from .read_write import Saving

            with Saving(trace, given.write, compress=given.compress) as reading.saving:
                reading.run()
        else:
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
        from ..convert.trace.packets import open_packets

        return open_packets(source, kind)
    if kind == "compressed":
        raise InputError(f"{source.name}: compressed more than three times over, at byte 0")
    if source.damage is not None:
        raise InputError(f"{source.name}: {source.damage.what}, at stored byte {source.damage.offset}")
    raise InputError(f"{source.name}: not a capture (no known magic number), at byte 0")


def _refuse(saved: Saved, source: Source) -> None:
    """Raise UsageError where what a chisel wants to save could not be."""
    from .read_write import refuse_input

    refuse_input(source, saved.path)
    if source.path is None:
        raise UsageError("what a chisel saves is written in a second pass, for which the capture must be a file")


def _save(saved: Saved, path: str | None) -> None:
    """The second pass of a chisel: write the events around those that it found."""
    from .read_write import Saving

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
        self._counts: dict[tuple[int, str], int] = {}

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
        given = self._given
        whole = self.saving is not None or given.seconds is not None or given.summary
        if not whole and not self._chisels:
            self._lines()
        elif not whole and len(self._chisels) == 1 and given.count is None and self._chisels[0][0].only_its_own:
            self._sum(self._chisels[0][0])
        else:
            self._each()

    def _lines(self) -> None:
        """Print the events that pass; no others are looked at."""
        from ..convert.star.star import Star

        seen, most, all_shown = 0, self._given.count, self._given.show_hidden

        def show(event: Event) -> bool:
            nonlocal seen
            seen += 1
            if self._line is not None and (all_shown or not event.hidden):
                self._line(event)
            return seen == most

        Star(self._trace, [self._wanted], show).run()

    def _sum(self, chisel: Chisel) -> None:
        """Run a chisel that needs nothing but the events that pass its filter."""
        from ..convert.star.star import Star

        filters = [self._wanted, compile_filter(chisel.filter or "")]
        star = Star(self._trace, filters, chisel.event, chisel.sums_itself)
        star.run()
        if chisel.sums_itself is not None and not self._given.filter:
            chisel.tick(star.last_ts)

    def _each(self) -> None:
        """Look at every event."""
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
            name = event.code, f"{event.info.direction} {FIELDS['evt.type'].extract(event, None)!s}"
            self._counts[name] = self._counts.get(name, 0) + 1
        for chisel, judge in self._chisels:
            chisel.tick(event.ts)
            if judge(event):
                chisel.event(event)
        if self._line is not None and (self._given.show_hidden or not event.hidden):
            self._line(event)

    def _summary(self) -> None:
        rule = "-" * 22 + "\n"
        self._printer.write(f"{rule}Event           #Calls\n{rule}")
        for (_, name), count in sorted(self._counts.items(), key=lambda item: -item[1]):
            self._printer.write(f"{name:<18}{count}\n")

    def _listing(self) -> Callable[[Event], None]:
        """What prints the line of an event."""
        from .listing.lines import lines, prepare

        given, write = self._given, self._printer.write
        prepare(self._trace, data=given.data, verbose=given.verbose, json=given.json, time_mode=given.time)
        if given.json:
            from .listing.json import json_lines

            line = json_lines(given.format)
        else:
            line = lines(given.format, given.time)

        def show(event: Event) -> None:
            text = line(event)
            if text is not None:
                write(text + "\n")

        return show

    def _chisel(self, name: str, arguments: list[str]) -> tuple[Chisel, Callable[[Event], bool]]:
        """A chisel, and whether an event is for it."""
        from .chisels.api import make
        from .chisels.base import Output

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

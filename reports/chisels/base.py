"""What a chisel is given, and how it prints: as text, as JSON, as CSV."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Literal

    from ...convert.star.keys import Sums
    from ...convert.trace.model import Event, Trace
    from .saved import Saved

    Mode = Literal["text", "json", "csv"]
    Buffers = Literal["dots", "ascii", "hex", "hexascii", "base64"]
    Cell = str | int | float | bool | None


def nothing(_: str) -> None:
    """Throws the text away."""


class Output:
    """How the results are to be given.

    `write` gets text, whole lines with their end. `mode` is text, json (`-j`) or csv; `buffers` is how data is shown in
    text: dots (as listings do), ascii (`-A`), hex (`-x`), hexascii (`-X`) or base64 (`-b`). `containers` is `-pc`,
    `colors` whether the terminal's colours are wanted. `warn` gets lines for standard error.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        mode: Mode = "text",
        buffers: Buffers = "dots",
        containers: bool = False,
        colors: bool = False,
        warn: Callable[[str], object] = nothing,
    ) -> None:
        self.write = write
        self.mode = mode
        self.buffers = buffers
        self.containers = containers
        self.colors = colors
        self.warn = warn

    def without_colors(self) -> Output:
        """The same, whatever the terminal can do."""
        return Output(self.write, self.mode, self.buffers, self.containers, False, self.warn)

    @staticmethod
    def json(document: object) -> str:
        """A document on one line."""
        import msgspec

        return msgspec.json.encode(document).decode()


class Chisel:
    """A chisel at work. Give it the events that its filter lets pass, then call `end`.

    `filter` is in the filter language, None where all events are wanted; events that sysdig hides from listings are
    wanted too. `tick` must see the time of every event, those that the filter holds back too, before `event`.
    `finished`: it wants no more events (what lists the state before the first one has printed it in `start`). `saved`
    says, after `end`, which events a second pass is to write to a file (logs.Saved).
    `capture_filter` is told the filter of the command line before `start`, "" for none.
    """

    filter: str | None = None
    finished = False
    saved: Saved | None = None
    columns: Sequence[str] = ()

    def __init__(self, output: Output) -> None:
        self.output = output
        self.write = output.write
        self.plain = output.mode == "text"
        self.headed = False

    @property
    def only_its_own(self) -> bool:
        """Whether it needs nothing but the events that pass its filter: not the time of others, for one."""
        return type(self).tick is Chisel.tick and type(self).finished is False

    @property
    def sums_itself(self) -> Sums | None:
        """Who takes keys and values instead of events, where that is all that the chisel needs of them."""
        return None

    def start(self, trace: Trace) -> None:
        """The first event was taken but not handed on, or there is none: the state is that of the beginning."""

    def capture_filter(self, text: str) -> None:
        """The filter of the command line."""

    def tick(self, ts: int) -> None:
        """The time of the next event, ns since the epoch."""

    def event(self, event: Event) -> None:
        """An event that passed the filter."""

    def end(self) -> None:
        """There are no more events."""

    def header(self, text: str) -> None:
        """Lines above the first record, in text only."""
        if self.plain:
            self.write(text)

    def record(self, values: Iterable[Cell], text: str = "") -> None:
        """One result: `text` as it is, a JSON object on a line, or a CSV row under the columns' names."""
        if self.plain:
            self.write(text)
            return
        row = [readable(value) for value in values]
        if self.output.mode == "json":
            self.write(self.output.json(dict(zip(self.columns, row, strict=True))) + "\n")
            return
        self.write_csv([row])

    def write_csv(self, rows: Iterable[Sequence[Cell]]) -> None:
        """Rows, with the columns' names above the first."""
        import csv
        import io

        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        if not self.headed:
            writer.writerow(self.columns)
            self.headed = True
        writer.writerows(["" if value is None else harmless(value) for value in row] for row in rows)
        self.write(text.getvalue())

    def close(self) -> None:
        """Call at the end of what prints records: a CSV file has its header even without rows."""
        if self.output.mode == "csv" and not self.headed:
            self.write_csv([])


def harmless(value: Cell) -> Cell:
    """A CSV cell that no spreadsheet takes for a formula."""
    return "'" + value if isinstance(value, str) and value[:1] in ("=", "+", "-", "@", "\t", "\r") else value


def readable(value: Cell) -> Cell:
    """Text that can be encoded: bytes of the evidence that are not UTF-8 become a backslash, x and two digits."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return value


__all__ = ["Chisel", "Output", "readable"]

from ...model.span import Span

KEPT_BYTES: int
"""Of one body; what goes beyond counts as cut."""
KEPT_MARKS: int
"""Places where the stream does not simply go on: chunks, losses, new system calls."""

class Kept:
    """A body's bytes, with the way back to the stream. `runs` are stretches without a loss in between."""

    @property
    def runs(self) -> list[bytearray]: ...
    @property
    def begins_cut(self) -> bool:
        """The first run is not the beginning of the body."""

    @property
    def ends_cut(self) -> bool:
        """The last run is not the end of what passed."""

    @property
    def full(self) -> bool: ...
    def add(self, data: bytes | memoryview, offset: int, place: object) -> None:
        """Body bytes that stand in one piece at `offset` of the stream."""

    def cut(self) -> None:
        """Bytes are lost here."""

    def span(self, run: int, begin: int, end: int) -> Span:
        """Where the bytes [begin, end) of a run, at least one, stand in the stream."""

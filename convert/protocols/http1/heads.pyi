from ...model.span import Span

class HeadText:
    """A head's bytes, which stand in one piece in the stream; `places` are (position, place), the first at 0."""

    def __init__(self, raw: bytes, offset: int, places: list[tuple[int, object]]) -> None: ...
    @property
    def raw(self) -> bytes: ...
    @property
    def offset(self) -> int:
        """Of the first byte in the stream."""

    def span(self, begin: int, end: int) -> Span:
        """Where raw[begin:end] stands in the stream."""

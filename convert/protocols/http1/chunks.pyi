class Dechunker:
    """Chunked framing (RFC 9112, 7.1), fed in any cuts, up to the line of the last chunk; trailers are not its own."""

    def __init__(self) -> None: ...
    @property
    def done(self) -> bool: ...
    @property
    def bad(self) -> bool: ...
    @property
    def bare_lf(self) -> bool:
        """A line of the framing ended without CR."""

    @property
    def blank(self) -> bool:
        """Blanks stood before a chunk's size."""

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """Position and length of each run of body bytes in the data of the last feed that asked for them."""

    def skip(self, length: int) -> bool:
        """Pass over lost bytes: True if all of them lie in the data of the present chunk, else the framing is lost."""

    def feed(self, data: bytes, pos: int, note_ranges: bool) -> tuple[int, bytes | memoryview]:
        """Take bytes from `pos`: (where the framing's next byte is, body bytes); `ranges` lists where those stood.

        Body bytes are a view of `data` where they are in one run. Stops at the end of the last chunk's line, or at
        the first byte that is not chunked framing (`bad`).
        """

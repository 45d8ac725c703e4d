from .state import State

NEED: int
BLOCK: int
DAMAGE: int
LISTED: int

DescSnapshot = tuple[int, int, int, bytes, bytes, int, int, int, int, bytes, bool, bool]

class Walker:
    """Walks the blocks of a scap file in a buffer and applies its events."""

    swapped: bool
    def __init__(self, state: State, *, listing: bool = False) -> None: ...
    def replace_state(self, state: State) -> None:
        """Go on with new tables: another capture follows in the same file."""
    def walk(self, buffer: bytearray, begin: int, end: int, base: int) -> tuple[int, int, int]:
        """Take the blocks in buffer[begin:end]; returns (status, position, detail), see the source."""
    def take_rows(self) -> bytes:
        """The listing's rows so far, as bytes of struct "<QQqQqIIIHH"."""
    @property
    def snapshots(self) -> dict[int, DescSnapshot]:
        """Descriptor versions by id: kind, role, l4, sip, dip, sport, dport, source, dest, name, has_tuple, named."""
    @property
    def events(self) -> int: ...
    @property
    def numbered(self) -> int: ...
    @property
    def first_ts(self) -> int: ...
    @property
    def last_ts(self) -> int: ...
    @property
    def damaged_events(self) -> int: ...
    @property
    def first_damaged(self) -> int: ...
    @property
    def first_damaged_event(self) -> int: ...
    @property
    def unknown_types(self) -> int: ...
    @property
    def first_unknown(self) -> int: ...
    @property
    def trailers(self) -> int: ...

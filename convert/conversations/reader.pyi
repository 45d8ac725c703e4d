from collections.abc import Iterator
from types import TracebackType

from ..model.rows import Piece
from .totals import ConversationTotals, Run

class ConversationReader:
    """Reads back what `rebuild` wrote; iterating yields the totals of every conversation in the order of the ids.

    Attributes:
        conversations: How many there are.
    """

    conversations: int

    def __init__(self, totals: str, threads: str, pieces: str, payload_fd: int, numbers: str | None = None) -> None:
        """Open the files that `rebuild` wrote, and `numbers` of number_frames where frame numbers are wanted."""

    def __iter__(self) -> Iterator[ConversationTotals]: ...
    def __enter__(self) -> ConversationReader: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def close(self) -> None:
        """Close the files; the payload's descriptor is the caller's."""

    def conversation(self, conv: int) -> ConversationTotals:
        """The totals of one conversation, by its id."""

    def runs(self, begin: int, end: int) -> Iterator[Run]:
        """The pieces of rows `begin` to `end` (pieces_begin, pieces_end of the totals) in the conversation's order.

        Both directions are in it, as they took turns. Memory is bounded: a piece has 65,507 known bytes at most.

        Raises:
            OSError: Reading failed, or the payload file is shorter than the rows say.
        """

    def piece(self, index: int) -> Piece:
        """One piece with all it knows of its event, by its row."""

    def frame_number(self, row: int) -> int:
        """The number in the pcapng, from 1, of the frame with this row (Piece.frame, ConversationTotals.*_frame_row).

        0 where `row` is NO_FRAME: nothing stands for the piece.
        """

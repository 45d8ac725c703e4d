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
        """Open the files that `rebuild` wrote, and `numbers` of number_frames.

        Without `numbers` the frames have those of their rows, from 1: they are in the order of the source.
        """

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

        Both directions are in it, as they took turns. Pieces that carry PIECE_JOINS come together with those before
        them as one run, of 64 KiB and 512 pieces at most; its row, flags and time are those of its first piece.
        Memory is bounded: a piece has 65,507 known bytes at most.

        Raises:
            OSError: Reading failed, or the payload file is shorter than the rows say.
        """

    def piece(self, index: int, offset: int | None = None) -> Piece:
        """One piece with all it knows of its event, by its row.

        With an `offset` of its stream the piece that holds this byte, of those that `runs` joined to row `index`;
        the last of them where none does.
        """

    def frame_number(self, row: int) -> int:
        """The number in the pcapng, from 1, of the frame with this row (Piece.frame, ConversationTotals.*_frame_row).

        0 where `row` is NO_FRAME: nothing stands for the piece.
        """

"""What the rebuilding stage says of each conversation, for Python; the row's layout is Totals in both_ends.pxd."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

TOTALS = Struct("<7Q10I")

Run = tuple[int, int, int, int, bytes | None, int, int, int]
"""(row of the first piece, to_server, stream offset, length, bytes or None where they are missing, PIECE_* flags,
GAP_* reason, time). Flags, reason and time are the first piece's."""


class ConversationTotals(NamedTuple):
    """One conversation after both its ends were merged.

    Attributes:
        conv: Its id.
        bytes_to_server: True length of what the client sent, missing bytes included.
        bytes_to_client: The same of what the server sent.
        gaps: Runs of missing bytes.
        missing_bytes: How many bytes those are.
        first_frame_row: Its first row in the frames file, -1 if it has no frame.
        last_frame_row: Its last one; all between are its own.
        pieces_begin: Its first row in the pieces file.
        pieces_end: The row after its last one.
        shifted: Events dated elsewhere than recorded, to keep cause before effect.
        client_threads: Thread versions seen moving bytes at the client's end (where none did: those that connected),
            in the order in which they were seen, 1,000 at most.
        server_threads: The same of the server's end.
    """

    conv: int
    bytes_to_server: int
    bytes_to_client: int
    gaps: int
    missing_bytes: int
    first_frame_row: int
    last_frame_row: int
    pieces_begin: int
    pieces_end: int
    shifted: int
    client_threads: tuple[int, ...]
    server_threads: tuple[int, ...]

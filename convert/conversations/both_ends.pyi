from typing import NamedTuple

class Summary(NamedTuple):
    """What was made of all conversations.

    shifted: events dated elsewhere than recorded, to keep cause before effect.
    gap_frames_not_written: frames for missing bytes beyond the file's budget; there the sequence numbers jump.
    overlong: chunks that claimed more bytes than one system call can move, and were cut to that.
    not_captured: gaps of which no event tells: the other end read bytes whose writing was not recorded.
    not_captured_bytes: how many bytes those are.
    """

    conversations: int
    chunks: int
    pieces: int
    frames: int
    shifted: int
    gap_frames_not_written: int
    overlong: int
    not_captured: int
    not_captured_bytes: int

def rebuild(
    chunks: str,
    convs: str,
    pieces: str,
    frames: str,
    totals: str,
    threads: str,
    *,
    payload_fd: int,
    scratch: str,
    gap_frames: int = 2_000_000,
) -> Summary:
    """Merge both ends of every conversation, in flat memory, and write what came out as rows.

    Args:
        chunks: Chunk rows (model/rows.pxd), sorted by conversation and within it by event.
        convs: Conversation rows, the one with id N at (N - 1) rows.
        pieces: To be written: Piece rows, conversation by conversation, each in its order.
        frames: To be written: Frame rows (model/frame.pxd), conversation by conversation.
        totals: To be written: Totals rows (both_ends.pxd), one a conversation; reader.ConversationReader reads them.
        threads: To be written: u32 thread version ids, to which the totals point.
        payload_fd: The payload file; only few bytes of it are looked at.
        scratch: A folder for temporary files.
        gap_frames: How many frames for missing bytes alone the file may get.

    Raises:
        OSError: Reading or writing failed.
        ValueError: The chunk rows are not sorted, or belong to no conversation.
    """

from typing import NamedTuple

class Place(NamedTuple):
    """Where something was found first.

    frame: Number of the frame in the pcapng, from 1.
    source_frame: Number of the frame in the source.
    block: Offset of its record in the decompressed input.
    time: ns since the epoch, 0 = not known.
    """

    frame: int
    source_frame: int
    block: int
    time: int

class Reassembled(NamedTuple):
    """What was made of all conversations.

    pieces: Rows of the pieces file.
    gaps: Runs of bytes that no captured segment claims; what the snaplen cut is not counted here.
    missing_bytes: How many bytes those are.
    first_gap: The lowest frame that shows one: that of the bytes behind it, at the end of a stream of those before it.
    conflicts: Segments with bytes that lost against other bytes in the same place of the stream, captured earlier.
    conflict_bytes: How many bytes of them differ.
    first_conflict: The first of those segments.
    before_start: Segments with bytes before the beginning of their stream (keep-alives, mostly).
    before_start_bytes: How many bytes those are.
    """

    conversations: int
    segments: int
    pieces: int
    gaps: int
    missing_bytes: int
    first_gap: Place | None
    conflicts: int
    conflict_bytes: int
    first_conflict: Place | None
    before_start: int
    before_start_bytes: int
    first_before_start: Place | None

def reassemble(segments: str, convs: str, flows: str, pieces: str, totals: str, *, payload_fd: int) -> Reassembled:
    """Reassemble every conversation, in flat memory.

    Of a byte of a TCP stream the copy that was captured first, by frame number, wins. Bytes that lack are gaps: of
    reason snaplen where a segment claims them, else not captured. Where a half was not seen to begin, it begins with
    its first byte.

    Args:
        segments: Segment rows (model/segments.pxd), sorted by (half, rel), stably in the order of the capture.
        convs: Conversation rows, the one with id N at (N - 1) rows.
        flows: Flow rows, in the same way.
        payload_fd: A descriptor of the payload file, which the rows' positions refer to; it is read where segments
            overlap, to compare them.
        pieces: To be written: Piece rows, conversation by conversation, each in its order. A piece of bytes that the
            snaplen cut has the frame that lacks them; one of bytes that no segment claims has the frame of what comes
            behind it, at the end of a stream of what comes before it, or none.
        totals: To be written: Totals rows (both_ends.pxd), one a conversation; none has threads.

    Raises:
        OSError: Reading or writing failed.
        ValueError: A file's size is not a whole number of rows, segments are not in order or belong to no
            conversation, or there are not as many flows as conversations.
    """

# cython: language_level=3
"""From segment rows to pieces and totals, one conversation after the other.

Each half is swept by sequence number (sweep.pyx). The spans of both take turns by the frame with which their bytes can
be handed on, the highest up to them in their half; but what a segment acknowledges is handed out before it, so a reply
never comes before its question, whatever the order in which they were captured.

The memory is the same for every input: buffers of rows, and what overlaps within the reach of one segment.
"""

import os
from contextlib import ExitStack
from typing import NamedTuple

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from syswire.convert.conversations.both_ends cimport Totals
from syswire.convert.conversations.both_ends import rows_in
from syswire.convert.conversations.contest cimport Found, found
from syswire.convert.conversations.sweep cimport Span, Sweep, sweep_begin, sweep_close, sweep_next, sweep_open
from syswire.convert.model.frame cimport MAX_UDP_PAYLOAD, NO_FRAME
from syswire.convert.model.rows cimport (
    GAP_NONE, GAP_NOT_CAPTURED, GAP_SNAPLEN, PIECE_BOUNDARY, PIECE_IN_FRAME, PIECE_JOINS, Conv, Piece,
)
from syswire.convert.model.segments cimport (
    FLOW_SYN_0, FLOW_SYN_1, SEGMENT_ACKS, SEGMENT_CONTINUES, SEGMENT_START, Flow, Segment,
)
from syswire.convert.spool.files cimport (
    RowCursor, RowWriter, cursor_close, cursor_open, cursor_row, raise_errno, writer_close, writer_flush, writer_open,
    writer_put,
)

cdef enum:
    TCP = 6
    BUFFERED = 1024
    BATCH = 1 << 18             # spans between two looks at signals
    LONGEST_GAP = 0x7FFFFFFF    # of one piece

cdef uint64_t NOWHERE = <uint64_t>-1


class Place(NamedTuple):
    """Where something was found first; see reassembly.pyi."""

    frame: int
    source_frame: int
    block: int
    time: int


class Reassembled(NamedTuple):
    """What was made of all conversations; see reassembly.pyi."""

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


cdef object place_of(const Found *first):
    return Place(first.frame, first.source_frame, first.block, first.time) if first.frame else None


cdef object earlier(const Found *a, const Found *b):
    if a.frame == 0 or (b.frame and b.frame < a.frame):
        return place_of(b)
    return place_of(a)


cdef class Reassembler:
    cdef Sweep halves[2]
    cdef RowCursor convs, flows
    cdef RowWriter pieces, totals
    cdef Flow flow              # of the conversation at hand
    cdef Totals total
    cdef bint datagrams
    cdef uint64_t gap_end[2]    # where its last gap ended in each half
    cdef uint64_t lost_end[2]   # the same of bytes that no segment claims
    cdef uint64_t known_end     # where the last piece ended, if its bytes are known
    cdef uint32_t known_half
    cdef uint64_t segment       # row of the next conversation's first segment
    cdef uint64_t done          # conversations
    cdef bint open_one          # one is begun and not ended
    cdef uint64_t gaps, missing
    cdef Found first_gap

    def __cinit__(self):
        memset(&self.halves[0], 0, sizeof(Sweep))
        memset(&self.halves[1], 0, sizeof(Sweep))
        memset(&self.convs, 0, sizeof(RowCursor))
        memset(&self.flows, 0, sizeof(RowCursor))
        memset(&self.pieces, 0, sizeof(RowWriter))
        memset(&self.totals, 0, sizeof(RowWriter))
        memset(&self.first_gap, 0, sizeof(Found))
        self.segment = self.done = self.gaps = self.missing = 0
        self.open_one = False

    def __dealloc__(self):
        sweep_close(&self.halves[0])
        sweep_close(&self.halves[1])
        cursor_close(&self.convs)
        cursor_close(&self.flows)
        writer_close(&self.pieces)
        writer_close(&self.totals)

    cdef int open(self, int segments, uint64_t segment_rows, int convs, int flows, uint64_t conv_rows, int pieces,
                  int totals, int payload, uint64_t payload_size) except -1:
        if (sweep_open(&self.halves[0], segments, segment_rows, payload, payload_size) < 0
                or sweep_open(&self.halves[1], segments, segment_rows, payload, payload_size) < 0
                or cursor_open(&self.convs, convs, sizeof(Conv), BUFFERED, conv_rows) < 0
                or cursor_open(&self.flows, flows, sizeof(Flow), BUFFERED, conv_rows) < 0
                or writer_open(&self.pieces, pieces, sizeof(Piece), BUFFERED) < 0
                or writer_open(&self.totals, totals, sizeof(Totals), BUFFERED) < 0):
            raise MemoryError
        return 0

    cdef int begin(self, uint64_t limit) noexcept nogil:
        """The next conversation; its rows are the next ones, below `limit`."""
        cdef const Conv *conv = <const Conv *>cursor_row(&self.convs, self.done)
        cdef const Flow *flow = <const Flow *>cursor_row(&self.flows, self.done)
        cdef uint32_t id = <uint32_t>(self.done + 1)
        cdef uint64_t middle, stop
        if conv == NULL or flow == NULL:
            return -1
        self.flow, self.datagrams = flow[0], conv.protocol != TCP
        middle = self.segment + flow.rows[0]
        stop = middle + flow.rows[1]
        if flow.rows[0] > limit or flow.rows[1] > limit or stop > limit:
            self.halves[0].wrong = limit + 1
            return -1
        memset(&self.total, 0, sizeof(Totals))
        self.total.conv, self.total.pieces_begin = id, self.pieces.rows
        if flow.first_frame and flow.last_frame >= flow.first_frame:
            self.total.first_frame = flow.first_frame - 1
            self.total.frames = flow.last_frame - flow.first_frame + 1
        self.gap_end[0] = self.gap_end[1] = self.lost_end[0] = self.lost_end[1] = self.known_end = NOWHERE
        if (sweep_begin(&self.halves[0], id << 1, self.segment, middle, self.flow.base[0],
                        self.flow.flags & FLOW_SYN_0, self.flow.end[0], self.datagrams) < 0
                or sweep_begin(&self.halves[1], id << 1 | 1, middle, stop, self.flow.base[1],
                               self.flow.flags & FLOW_SYN_1, self.flow.end[1], self.datagrams) < 0):
            return -1
        self.segment = stop
        self.open_one = True
        return 0

    cdef int finish_one(self) noexcept nogil:
        """The totals of the conversation at hand."""
        self.total.pieces_end = self.pieces.rows
        self.open_one = False
        self.done += 1
        return writer_put(&self.totals, &self.total)

    cdef int put_known(self, Piece *piece, const Span *span, int half) noexcept nogil:
        cdef uint64_t length = span.end - span.begin, part
        cdef bint joins = self.known_half == half and self.known_end == span.begin
        if span.offset == 0 and span.row.flags & SEGMENT_START:
            joins = False
        if self.datagrams and not (span.offset == 0 and span.row.flags & SEGMENT_CONTINUES):
            joins = False
        piece.known, piece.flags = 1, piece.flags | PIECE_IN_FRAME
        piece.payload = span.row.payload + span.offset
        while length:
            part = length if length < MAX_UDP_PAYLOAD else MAX_UDP_PAYLOAD
            piece.length = <uint32_t>part
            if joins:
                piece.flags |= PIECE_JOINS
            if writer_put(&self.pieces, piece) < 0:
                return -1
            piece.payload += part
            piece.stream_offset += part
            piece.frame_offset += <uint32_t>part
            piece.flags = PIECE_IN_FRAME
            joins = True
            length -= part
        self.known_half, self.known_end = half, span.end
        return 0

    cdef int put_gap(self, Piece *piece, const Span *span, uint64_t end, int half) noexcept nogil:
        cdef uint64_t length = end - span.begin, part
        self.total.missing_bytes += length
        if self.gap_end[half] != span.begin:
            self.total.gaps += 1
        self.gap_end[half] = end
        if span.reason == GAP_NOT_CAPTURED:
            self.missing += length
            if self.lost_end[half] != span.begin:
                self.gaps += 1
            self.lost_end[half] = end
            if span.row.frame:
                found(&self.first_gap, &span.row)
        piece.reason = span.reason
        while length:
            part = length if length < LONGEST_GAP else LONGEST_GAP
            piece.length = <uint32_t>part
            if writer_put(&self.pieces, piece) < 0:
                return -1
            piece.stream_offset += part
            piece.flags = 0
            if span.reason == GAP_SNAPLEN:
                piece.frame_offset += <uint32_t>part
            length -= part
        self.known_end = NOWHERE
        return 0

    cdef int put(self, int half, uint64_t upto) noexcept nogil:
        """Hand out the next span of a half, of missing bytes only those below `upto`."""
        cdef Sweep *sweep = &self.halves[half]
        cdef Span *span = &sweep.head
        cdef Piece piece
        cdef uint64_t end = span.end
        cdef bint to_server = half == self.flow.client
        memset(&piece, 0, sizeof(Piece))
        if span.reason != GAP_NONE and end > upto:
            end = upto
        if to_server:
            self.total.bytes_to_server += end - span.begin
        else:
            self.total.bytes_to_client += end - span.begin
        piece.conv, piece.to_server = self.total.conv, to_server
        piece.stream_offset = span.begin - sweep.start
        piece.time = piece.recorded = span.row.time
        piece.event, piece.block = span.row.source_frame, span.row.block
        piece.frame = span.row.frame - 1 if span.row.frame else NO_FRAME
        piece.frame_offset = span.offset
        if span.reason != GAP_NOT_CAPTURED and span.offset == 0 and not span.row.flags & SEGMENT_CONTINUES:
            piece.flags = PIECE_BOUNDARY
        if span.reason == GAP_NONE:
            if self.put_known(&piece, span, half) < 0:
                return -1
        elif self.put_gap(&piece, span, end, half) < 0:
            return -1
        if end == span.end:
            return sweep_next(sweep)
        if span.reason == GAP_SNAPLEN:
            span.offset += <uint32_t>(end - span.begin)
        span.begin = end
        return 0

    cdef int turn(self) noexcept nogil:
        """Hand out the next span of the conversation; 0 where none is left."""
        cdef Span *mine
        cdef Span *other
        cdef int half = self.flow.client & 1
        mine, other = &self.halves[half].head, &self.halves[1 - half].head
        if not mine.there or (other.there and other.key < mine.key):
            half = 1 - half
            mine, other = other, mine
        if not mine.there:
            return 0
        if (mine.reason != GAP_NOT_CAPTURED and mine.row.flags & SEGMENT_ACKS and other.there
                and other.begin < mine.row.ack):
            # It keeps its turn: the other half's key does not fall.
            return -1 if self.put(1 - half, mine.row.ack) < 0 else 1
        return -1 if self.put(half, NOWHERE) < 0 else 1

    cdef int run(self, uint64_t conversations, uint64_t rows, uint64_t budget) noexcept nogil:
        """Go on for `budget` spans; 0 when all is done."""
        cdef int result
        while budget:
            budget -= 1
            if not self.open_one:
                if self.done == conversations:
                    return 0
                if self.begin(rows) < 0:
                    return -1
            result = self.turn()
            if result < 0 or (result == 0 and self.finish_one() < 0):
                return -1
        return 1

    cdef int finish(self) except -1:
        """Write what is still buffered."""
        if writer_flush(&self.pieces) < 0 or writer_flush(&self.totals) < 0:
            raise_errno()
        return 0


def reassemble(segments, convs, flows, pieces, totals, *, payload_fd):
    """Reassemble every conversation; see reassembly.pyi."""
    cdef Reassembler stage = Reassembler()
    cdef uint64_t segment_rows, conv_rows
    cdef int result = 1
    cdef Sweep *a = &stage.halves[0]
    cdef Sweep *b = &stage.halves[1]
    with ExitStack() as stack:
        inputs = [stack.enter_context(open(path, "rb", buffering=0)).fileno() for path in (segments, convs, flows)]
        segment_rows = rows_in(inputs[0], sizeof(Segment), segments)
        conv_rows = rows_in(inputs[1], sizeof(Conv), convs)
        if rows_in(inputs[2], sizeof(Flow), flows) != conv_rows:
            raise ValueError(f"{flows}: it has not as many rows as there are conversations")
        outputs = [stack.enter_context(open(path, "w+b", buffering=0)).fileno() for path in (pieces, totals)]
        stage.open(inputs[0], segment_rows, inputs[1], inputs[2], conv_rows, outputs[0], outputs[1], payload_fd,
                   os.fstat(payload_fd).st_size)
        while result > 0:
            with nogil:
                result = stage.run(conv_rows, segment_rows, BATCH)
            if a.wrong or b.wrong:
                row = (a.wrong or b.wrong) - 1
                raise ValueError(f"{segments}: row {row} is out of order or belongs to no conversation")
            if result < 0:
                raise_errno()
        stage.finish()
    if stage.segment != segment_rows:
        raise ValueError(f"{segments}: row {stage.segment} is out of order or belongs to no conversation")
    return Reassembled(
        conv_rows, segment_rows, stage.pieces.rows, stage.gaps, stage.missing, place_of(&stage.first_gap),
        a.contest.conflicts + b.contest.conflicts, a.contest.conflict_bytes + b.contest.conflict_bytes,
        earlier(&a.contest.first_conflict, &b.contest.first_conflict),
        a.before_start + b.before_start, a.before_start_bytes + b.before_start_bytes,
        earlier(&a.first_before_start, &b.first_before_start),
    )

# One half of a conversation as a run of spans, known or not, out of its segment rows.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.convert.conversations.contest cimport Contest, Found
from syswire.convert.conversations.copies cimport Copies
from syswire.convert.model.segments cimport Segment
from syswire.convert.spool.files cimport RowCursor

ctypedef struct Span:
    uint64_t begin            # TCP: `rel`; UDP: bytes from the half's beginning
    uint64_t end
    uint64_t key              # the highest frame number up to here: the frame with which the bytes can be handed on
    uint64_t index            # of the row that holds the bytes, or claims them
    uint32_t offset           # of the first byte in that row's payload
    uint8_t reason            # GAP_NONE where the bytes are known
    uint8_t there             # 0: there is no span left
    Segment row               # of a gap that no row claims: the row behind it, at the end the one before it

ctypedef struct Sweep:
    Span head                 # the next span
    uint64_t start            # `begin` of the half's first
    uint64_t wrong            # 1 + the row that does not belong where it is, 0 = none
    uint64_t before_start     # rows with bytes before their half's beginning, over all halves
    uint64_t before_start_bytes
    Found first_before_start
    Contest contest
    # For the sweep itself:
    RowCursor rows
    Segment coming            # the next row that counts, held to what a packet can hold
    Span follow               # the span behind a gap that no row claims
    Segment last_row
    Copies stored             # whose captured bytes the sweep stands in
    Copies claimed            # whose claimed bytes, of those that lack some
    uint64_t next             # index of the next row
    uint64_t stop             # index behind the half's last row
    uint64_t rel              # of the row before
    uint64_t base
    uint64_t final            # `rel` behind the last byte known to have been sent
    uint64_t at               # where the sweep is
    uint64_t reach            # how far captured bytes go that it has seen
    uint64_t key
    uint32_t half
    uint32_t taken            # of datagrams: bytes of `coming` that are handed out
    uint8_t datagrams
    uint8_t more              # `coming` is there
    uint8_t contested         # a byte behind what was judged has several copies
    uint8_t following         # `follow` is made

cdef int sweep_open(Sweep *sweep, int rows_fd, uint64_t rows, int payload_fd, uint64_t payload_size) noexcept nogil
cdef void sweep_close(Sweep *sweep) noexcept nogil
cdef int sweep_begin(Sweep *sweep, uint32_t half, uint64_t row, uint64_t stop, uint64_t base, bint opened,
                     uint64_t final, bint datagrams) noexcept nogil
cdef int sweep_next(Sweep *sweep) noexcept nogil

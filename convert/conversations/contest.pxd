# Compares the copies of a byte that lost with the one that won; for the sweep over a half.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.convert.model.segments cimport Segment
from syswire.convert.spool.files cimport PayloadWindow, RowCursor

ctypedef struct Won:          # bytes of the stream in one place of the payload file
    uint64_t begin            # `rel`
    uint64_t end
    uint64_t payload
    uint64_t index            # of the row that holds them

ctypedef struct Found:        # the place of a first finding
    uint64_t time
    uint64_t block
    uint32_t frame            # 0: none was found
    uint32_t source_frame

ctypedef struct Contest:
    RowCursor rows            # behind the sweep's
    PayloadWindow winners
    PayloadWindow losers
    uint64_t base             # of the half
    uint64_t next             # the row to be judged next
    Won *won                  # a ring: what was won, from what the next row may need on
    uint64_t first            # counted from the half's first
    uint64_t count
    uint64_t room             # a power of two
    uint64_t filling          # the one whose bytes come next into `recent`
    uint64_t filled           # `rel` behind the bytes in `recent`
    uint8_t *recent           # a ring of winning bytes, by `rel`
    uint64_t conflicts        # rows that lost bytes to others, over all halves
    uint64_t conflict_bytes
    Found first_conflict      # by the losing frame

cdef void found(Found *place, const Segment *row) noexcept nogil
cdef int contest_open(Contest *contest, int rows_fd, uint64_t rows, int payload_fd,
                      uint64_t payload_size) noexcept nogil
cdef void contest_close(Contest *contest) noexcept nogil
cdef void contest_begin(Contest *contest, uint64_t row, uint64_t base) noexcept nogil
cdef int contest_add(Contest *contest, const Won *won) noexcept nogil
cdef void contest_clear(Contest *contest, uint64_t next_row) noexcept nogil
cdef int contest_settle(Contest *contest, uint64_t at, uint64_t next_row) noexcept nogil

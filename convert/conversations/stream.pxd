# Both ends of a byte stream, merged.

from libc.stdint cimport uint8_t, uint64_t

from syswire.convert.conversations.emitter cimport Emitter
from syswire.convert.conversations.views cimport Views
from syswire.convert.model.rows cimport Chunk, Conv


cdef class StreamMerger:
    cdef Views views
    cdef Emitter out
    cdef uint64_t placed[2]     # by to_server: bytes of the stream that have their place
    cdef uint64_t taken[2]      # bytes that the main walk saw read
    cdef uint64_t flight[2]     # bytes that were on their way when the capture began
    cdef uint64_t orphan[2]     # where the first message begins that is whole
    cdef bint messages[2]       # the direction carries messages whose beginnings are known
    cdef bint broken[2]         # ... and the one at hand has a gap
    cdef bint opens, full, established, dead, closed
    cdef bint wanted[2]         # by end: it has finished sending
    cdef bint finished[2]       # ... and that was written
    cdef bint refused[2]        # by end: it sends a reset
    cdef int first_closer

    cdef int run(self, const Conv *conv) noexcept nogil
    cdef int prepare(self, const Conv *conv) noexcept nogil
    cdef int step(self, uint64_t index, const Chunk *chunk) noexcept nogil
    cdef int open_up(self, uint64_t index, const Chunk *chunk, uint64_t time) noexcept nogil
    cdef void note_message(self, const Chunk *chunk) noexcept nogil
    cdef int place_known(self, const Chunk *chunk, uint64_t skip, uint64_t length, uint64_t time,
                         uint8_t flags) noexcept nogil
    cdef int place_gap(self, const Chunk *chunk, uint64_t length, uint64_t time, uint8_t flags) noexcept nogil
    cdef int place_write(self, int to_server, uint64_t latest) noexcept nogil
    cdef int fill(self, const Chunk *write, uint64_t upto, uint64_t time, uint8_t flags) noexcept nogil
    cdef int place_reads(self, int to_server, uint64_t upto, uint64_t latest) noexcept nogil
    cdef int meet_read(self, uint64_t index, const Chunk *chunk) noexcept nogil
    cdef void note_close(self, const Chunk *chunk) noexcept nogil
    cdef int close_down(self, uint64_t index, const Chunk *chunk) noexcept nogil

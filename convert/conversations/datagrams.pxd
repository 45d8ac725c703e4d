# Both ends of a datagram conversation, merged.

from libc.stdint cimport uint32_t, uint64_t

from syswire.convert.conversations.emitter cimport Emitter
from syswire.convert.conversations.views cimport Views
from syswire.convert.model.rows cimport Chunk, Conv

cdef enum:
    RING = 256      # datagrams sent and not yet read that are remembered


cdef class DatagramMerger:
    cdef Views views
    cdef Emitter out
    cdef uint64_t placed[2]         # by to_server: bytes that have their place
    cdef bint aligned[2]            # every datagram read is the next one written
    cdef uint64_t sent[2], met[2]   # datagrams
    cdef uint64_t lengths[2][RING]  # those sent and not yet read, oldest first from `oldest`
    cdef uint32_t oldest[2], waiting[2]

    cdef int run(self, const Conv *conv) noexcept nogil
    cdef int place(self, const Chunk *chunk, const Chunk *other, uint64_t time) noexcept nogil
    cdef int place_write(self, int to_server, uint64_t latest) noexcept nogil
    cdef int meet_read(self, uint64_t index, const Chunk *chunk) noexcept nogil
    cdef bint was_sent(self, int to_server, uint64_t length) noexcept nogil

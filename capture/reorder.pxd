from libc.stdint cimport uint8_t, uint32_t, uint64_t

ctypedef struct Chunk:
    Chunk *next
    uint32_t used
    uint32_t live               # blocks in it that were not handed out

ctypedef struct Entry:
    uint64_t ts
    uint64_t order              # of arrival: what has the same time stays in it
    const uint8_t *block
    Chunk *chunk
    uint32_t size

cdef class Reorder:
    cdef Entry *entries         # entries[head:tail] are in order
    cdef size_t head, tail, capacity
    cdef Entry *strays          # came too far out of order to be placed at once
    cdef size_t stray_count, stray_capacity
    cdef Chunk *current         # where the next block goes
    cdef Chunk *spare
    cdef uint64_t held          # bytes of chunks in use
    cdef uint64_t spared        # chunks in `spare`
    cdef uint64_t bound         # of `held`
    cdef uint64_t arrivals
    cdef uint64_t handed        # greatest time that was handed out
    cdef uint64_t pending_bytes
    cdef uint64_t late, hurried
    cdef bint exhausted         # the machine gave no memory

    cdef uint8_t *room(self, uint32_t size) noexcept nogil
    cdef bint place(self, uint64_t ts, const uint8_t *block, uint32_t size) noexcept nogil
    cdef bint full(self) noexcept nogil
    cdef void settle(self) noexcept nogil
    cdef void leave(self, Chunk *chunk) noexcept nogil
    cdef bint grow(self) noexcept nogil
    cdef bint stray(self, const Entry *entry) noexcept nogil
    cdef bytes release(self, uint64_t limit)

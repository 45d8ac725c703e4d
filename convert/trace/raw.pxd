from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.convert.scap.walk cimport Walker

cdef class RawWalker(Walker):
    cdef bint framed(self, uint8_t *block, uint32_t kind, uint32_t size, uint64_t offset) noexcept nogil
    cdef void turn_head(self, uint8_t *block, uint32_t head, bint counted) noexcept nogil
    cdef object row(self)

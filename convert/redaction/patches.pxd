# Bytes of the payload file that are written otherwise than they were read.

from libc.stdint cimport uint8_t, uint64_t

cdef class Patches:
    cdef uint64_t *begins       # ascending, and none overlaps the next
    cdef uint64_t *ends
    cdef uint64_t *places       # where each patch's bytes begin in `data`
    cdef const uint8_t *data
    cdef bytes held
    cdef readonly uint64_t count
    cdef readonly uint64_t size # bytes in all

    cdef void apply(self, uint8_t *target, uint64_t position, uint64_t length) noexcept nogil

# Which conversation had the same two ends before.

from libc.stdint cimport uint32_t, uint64_t

from syswire.convert.model.rows cimport Conv

ctypedef struct Key:            # 16 bytes, at (id - 1) * 16 of the file that find_predecessors writes
    uint64_t ends               # a hash that does not mind which end is which
    uint32_t conv
    uint32_t before             # the conversation before it, 0 = none

cdef bint same_ends(const Conv *a, const Conv *b, bint *swapped) noexcept nogil

# Losses that the recorder of conversations counts, and what it looks for in stored bytes.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.convert.scap.event cimport Event

ctypedef struct Loss:
    uint64_t count
    uint64_t bytes
    uint64_t event        # of the first
    uint64_t block
    uint64_t ts
    uint32_t evt_num

cdef loss_tuple(Loss *loss)
cdef void count_loss(Loss *loss, Event *e, uint64_t missing) noexcept nogil
cdef uint32_t start_line(const uint8_t *bytes, uint32_t size) noexcept nogil

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

from syswire.convert.scap.event cimport Event
from syswire.convert.scap.tables cimport Desc, Thread

cdef class NetSink:
    cdef void listed(self, Desc *d) noexcept nogil
    cdef void connected(self, Event *e, Thread *t, Desc *d, bint pending) noexcept nogil
    cdef void accepted(self, Event *e, Thread *t, Desc *d) noexcept nogil
    cdef void paired(self, Event *e, Thread *t, Desc *first, Desc *second) noexcept nogil
    cdef void data(self, Event *e, Thread *t, Desc *d, bint sending, uint64_t moved, const uint8_t *bytes,
                   uint32_t stored, const uint8_t *pair, uint32_t pair_size, bint in_kernel) noexcept nogil
    cdef void shut(self, Event *e, Thread *t, Desc *d) noexcept nogil
    cdef void reset(self, Event *e, Thread *t, Desc *d) noexcept nogil
    cdef void closed(self, Event *e, Thread *t, Desc *d) noexcept nogil
    cdef void unknown(self, Event *e, bint sending, uint64_t moved) noexcept nogil

# cython: language_level=3
"""What the state machine tells of the network, for whoever records it; this base listens to nothing.

`moved` counts the bytes that the call moved, `stored` those at `bytes` (the first of them); `pair` is the event's own
SOCKTUPLE or NULL; `in_kernel` says that the bytes went from a file to the socket without passing the process.
"""

cdef class NetSink:
    cdef void listed(self, Desc *d) noexcept nogil:
        pass

    cdef void connected(self, Event *e, Thread *t, Desc *d, bint pending) noexcept nogil:
        pass

    cdef void accepted(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        pass

    cdef void paired(self, Event *e, Thread *t, Desc *first, Desc *second) noexcept nogil:
        pass

    cdef void data(self, Event *e, Thread *t, Desc *d, bint sending, uint64_t moved, const uint8_t *bytes,
                   uint32_t stored, const uint8_t *pair, uint32_t pair_size, bint in_kernel) noexcept nogil:
        pass

    cdef void shut(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        pass

    cdef void reset(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        pass

    cdef void closed(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        pass

    cdef void unknown(self, Event *e, bint sending, uint64_t moved) noexcept nogil:
        pass

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from syswire.convert.scap.event cimport Event, TypeInfo
from syswire.convert.scap.sink cimport NetSink
from syswire.convert.scap.tables cimport Desc, Process, Tables, Thread

cdef class Arguments(Tables):
    cdef TypeInfo types[454]
    cdef NetSink sink
    cdef object identities
    cdef object failure            # an exception raised by a Python callback, to be raised again outside nogil
    cdef readonly uint64_t dropped_events
    cdef bint stopped
    cdef uint32_t shown             # thread version of the last applied event
    cdef int64_t shown_fd
    cdef Thread *current           # thread of the last applied event, for listings
    cdef Desc *touched             # descriptor of the last applied event, for listings
    cdef uint8_t addresses[64][33]  # interfaces: family, address, netmask
    cdef int address_count
    cdef bint matched              # the exit at hand has its enter
    cdef int64_t early[64]         # threads that ended before their parent's clone returned
    cdef int early_next
    cdef Desc *leaving             # closed by the last event: freed before the next

    cdef void settle(self) noexcept nogil
    cdef const uint8_t *arg(self, Event *e, Thread *t, int which, uint32_t *size) noexcept nogil
    cdef int64_t number(self, Event *e, Thread *t, int which, int64_t absent) noexcept nogil
    cdef void keep_enter(self, Event *e, TypeInfo *info, Thread *t) noexcept nogil
    cdef void install(self, Event *e, Thread *t, int64_t fd, Desc *d, bint cloexec) noexcept nogil
    cdef void release(self, Event *e, Thread *t, Desc *d) noexcept nogil

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.capture.events cimport Counts, Events
from syswire.capture.reorder cimport Entry
from syswire.capture.ring cimport Ring

cdef class Drain(Events):
    cdef Ring ring              # None: records come by inject() only
    cdef uint64_t horizon
    cdef bint busy

    cdef int enter(self) except -1

# The sink of one parser.

from libc.stdint cimport int64_t, uint64_t

from syswire.convert.annotate_spool cimport Spool

cdef class Voice:
    cdef Spool spool
    cdef list begins          # own ordinals from which on
    cdef list shifts          # so many were handed out by others before
    cdef int64_t shift        # the last of those

    cdef int count(self, uint64_t ordinal) except -1

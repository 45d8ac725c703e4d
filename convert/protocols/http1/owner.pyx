# cython: language_level=3, auto_pickle=False, boundscheck=True
"""What the messages of one direction ask and tell the one that pairs them (http1.pyx); see http1_owner.pxd."""

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.bodies cimport NO_BODY, Body
from syswire.convert.protocols.http1.heads cimport HeadText
from syswire.convert.protocols.http1.kept cimport Kept
from syswire.convert.protocols.http1.scan cimport Head


cdef class Owner:
    """One that is told nothing: what it does is for those that come of it to say."""

    cdef int weird(self, str name, object span) except -1:
        return 0

    cdef int begin_request(self) except -1:
        return 0

    cdef Kept request_head(self, Head head, HeadText text, bint complete, int* kind, uint64_t* length):
        kind[0], length[0] = NO_BODY, 0
        return None

    cdef int response_head(self, Head head, HeadText text, bint complete, uint64_t* length) except -1:
        length[0] = 0
        return NO_BODY

    cdef int request_over(self, Body body, object span, bint known, Head trailers) except -1:
        return 0

    cdef int response_over(self, Body body, object span, bint known, Head trailers) except -1:
        return 0

    cdef int stray(self, HeadText text) except -1:
        return 0

    cdef int lost(self, bint to_server) except -1:
        return 0

    cdef bint next_is_due(self) except -1:
        return False

    cdef bint simple_is_due(self) except -1:
        return False

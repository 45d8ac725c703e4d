# What the messages of one direction ask and tell the one that pairs them.

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.bodies cimport Body
from syswire.convert.protocols.http1.heads cimport HeadText
from syswire.convert.protocols.http1.kept cimport Kept
from syswire.convert.protocols.http1.scan cimport Head

cdef class Owner:
    cdef object content  # of the body that follows a head it was told of (http_content.py); None: its bytes alone
    cdef Kept kept       # where the bytes of a response's body go, after response_head; None: nowhere

    # Something odd.
    cdef int weird(self, str name, object span) except -1
    # A request line was seen; its head may be long in coming.
    cdef int begin_request(self) except -1
    # A head, whole or cut. For a whole one: kind and length of the body, and where to keep it, if at all.
    cdef Kept request_head(self, Head head, HeadText text, bint complete, int* kind, uint64_t* length)
    cdef int response_head(self, Head head, HeadText text, bint complete, uint64_t* length) except -1
    # The message has passed; `known`: its head was whole and it is known where its body ends.
    cdef int request_over(self, Body body, object span, bint known, Head trailers) except -1
    cdef int response_over(self, Body body, object span, bint known, Head trailers) except -1
    # Bytes after a request that announced no body, and not the beginning of another.
    cdef int stray(self, HeadText text) except -1
    # A message was lost from its first byte on.
    cdef int lost(self, bint to_server) except -1
    # Whether a request waits for a response of its own.
    cdef bint next_is_due(self) except -1
    # Whether the next request without a response has no version (HTTP/0.9): its answer has no head.
    cdef bint simple_is_due(self) except -1

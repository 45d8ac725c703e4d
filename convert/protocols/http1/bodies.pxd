# Bodies of HTTP/1 messages as they pass, for compiled callers.

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.chunks cimport Dechunker
from syswire.convert.protocols.http1.kept cimport Kept
from syswire.convert.protocols.http1.scan cimport Head

cdef enum:
    NO_BODY = 0
    LENGTH = 1
    CHUNKED = 2
    UNTIL_CLOSE = 3

cdef class Body:
    cdef readonly int kind
    cdef uint64_t remaining
    cdef Dechunker dechunker
    cdef object hash
    cdef readonly Kept kept
    cdef readonly object content  # what is in it (http_content.py), None where that is its bytes alone
    cdef readonly uint64_t length
    cdef public bint intact
    cdef readonly bint done
    cdef readonly bint lost

    cdef list oddities(self)
    cdef object sha256(self)
    cdef int _take(self, object data, Py_ssize_t size) except -1
    cdef Py_ssize_t feed(self, bytes data, Py_ssize_t pos, uint64_t offset, object place) except -1
    cdef int _feed_chunked(self, bytes data, Py_ssize_t* pos, uint64_t offset, object place) except -1
    cdef uint64_t gap(self, uint64_t length) except? 0
    cdef void _lose(self) noexcept

cdef Body body_of(int kind, uint64_t length, Kept kept, object content)
cdef int framing(Head head, bint request, uint64_t* length, list odd) except -1
cdef bint may_be_form(Head head) except -1
cdef object content_of(object sink, bint to_server, Head head, bint objects, bint judged)
cdef int complete(object message, Body body, object span, bint known, Head trailers) except -1

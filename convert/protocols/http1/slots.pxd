# Exchanges of HTTP/1 in the making, for compiled callers.

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.bodies cimport Body
from syswire.convert.protocols.http1.heads cimport HeadText
from syswire.convert.protocols.http1.kept cimport Kept
from syswire.convert.protocols.http1.messages cimport Half
from syswire.convert.protocols.http1.scan cimport Head

cdef class Slot:
    cdef uint64_t server_at     # what the server had sent when the request began
    cdef object request
    cdef object response
    cdef str method             # the request's
    cdef int status             # the response's
    cdef bint request_over
    cdef bint response_over
    cdef bint answered          # a response belongs here, or was lost
    cdef bint turning           # its response decides which protocol follows
    cdef object secrets         # a sequence
    cdef uint64_t cost
    cdef uint64_t ordinal       # once handed out
    cdef Head head              # these three while the request passes
    cdef HeadText text
    cdef Kept kept

cdef object completed(object message, Body body, object span, bint known, Head trailers, Half half)
cdef bint may_hold_secrets(Slot slot) except -1
cdef bint accepted(Slot slot) noexcept
cdef bint ends_connection(object response) except -1
cdef tuple upgrade(Slot slot)
cdef bint looks_like_request(list held) except -1

# Which protocol a conversation speaks.

from libc.stdint cimport uint64_t

cdef class Opening:
    cdef readonly bytes client
    cdef readonly bytes server
    cdef readonly int client_port
    cdef readonly int server_port
    cdef readonly str path
    cdef readonly str transport
    cdef readonly bint first_to_server
    cdef readonly bint over
    cdef bint[2] cut          # bytes were lost in a direction: what follows is not its opening

    cdef int add(self, bint to_server, bytes data) except -1
    cdef int begin(self, bint to_server) except -1

cdef class Recogniser:
    cdef object sink
    cdef object parser        # None until a protocol is recognised
    cdef Opening opening
    cdef list candidates      # probes that have not said no, with their protocols; None between two attempts
    cdef list held            # what came since the attempt began, for the parser
    cdef uint64_t held_bytes
    cdef list call            # pieces of the call that is passing, not judged yet
    cdef uint64_t call_bytes
    cdef bint call_to_server
    cdef int attempts
    cdef int hellos           # attempts that a hello of TLS began
    cdef bint streamed

    cdef int take(self, bint to_server, bytes data, uint64_t offset, object place, bint boundary) except -1
    cdef int lose(self, bint to_server, uint64_t length, uint64_t offset, object place) except -1
    cdef int end(self, bint ended) except -1
    cdef bint may_matter(self, bytes data) except -1
    cdef int settle(self) except -1
    cdef int judge(self) except -1
    cdef int give_up(self) except -1

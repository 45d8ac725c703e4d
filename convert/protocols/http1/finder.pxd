# Secrets of the exchanges of one HTTP/1 conversation, for compiled callers.

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.bodies cimport Body
from syswire.convert.protocols.http1.heads cimport HeadText
from syswire.convert.protocols.http1.owner cimport Owner
from syswire.convert.protocols.http1.scan cimport Head
from syswire.convert.protocols.http1.slots cimport Slot

cdef class Finder(Owner):
    cdef object sink
    cdef bint objects        # bodies are handed on as objects
    cdef uint64_t cost       # bytes that wait, about
    cdef object remembered   # of challenges and cookies (memory.py), once there were any
    cdef str last_cookies    # the client's last Cookie header

    cdef int _find(self, Slot slot, Body body, object content) except -1
    cdef int _hear(self, Slot slot, Head head, HeadText text) except -1
    cdef object _memory(self)
    cdef int _find_cookies(self, Slot slot) except -1
    cdef int _add_secrets(self, Slot slot, object secrets) except -1
    cdef int _charge(self, Slot slot, object secrets) except -1
    cdef int _expect_verdict(self, Slot slot, Head head) except -1
    cdef int _judge(self, Slot slot, Body body, object content) except -1
    cdef int _hand_out_secrets(self, Slot slot, object secrets) except -1

# One direction of an HTTP/1 conversation, for compiled callers.

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1_bodies cimport Body
from syswire.convert.protocols.http1_owner cimport Owner
from syswire.convert.protocols.http1_scan cimport Head

cdef class Half:
    cdef readonly bint to_server
    cdef Owner owner
    cdef int state
    cdef bint strict
    cdef bint fresh        # nothing of this direction was understood yet
    cdef bint tunnel       # what follows an accepted CONNECT, of which nothing was seen yet
    cdef bytearray buffer
    cdef readonly uint64_t at  # where in the stream what was given ends
    cdef uint64_t offset   # where the message begins
    cdef object place
    cdef list places       # of the head that is being read, by position
    cdef Body body
    cdef uint64_t peek_offset
    cdef object peek_place
    cdef readonly uint64_t searched  # bytes in which the end of a head was looked for

    cdef bint seeking(self) noexcept
    cdef int become_opaque(self) except -1
    cdef int become_tunnel(self) except -1
    cdef int data(self, bytes data, uint64_t offset, object place, bint boundary) except -1
    cdef int gap(self, uint64_t length, uint64_t offset, object place) except -1
    cdef int close(self, bint ended) except -1
    cdef int weird(self, str name, uint64_t length=*) except -1

    cdef int _boundary(self, uint64_t offset, object place) except -1
    cdef bint _endless(self) noexcept
    cdef Py_ssize_t _search(self, object data, Py_ssize_t resume, Py_ssize_t limit) except -2
    cdef Py_ssize_t _head(self, bytes data, Py_ssize_t pos, uint64_t offset, object place) except -1
    cdef bint _accept(self, bytes line) except -1
    cdef bint _may_be_odd(self) except -1
    cdef bint _accept_cut(self) except -1
    cdef int _head_over(self, bytes raw, bint complete, uint64_t end) except -1
    cdef int _cut_head(self, str name) except -1
    cdef int _skip(self, bytes line) except -1
    cdef int _seek(self) except -1
    cdef int _body_over(self, Body body, uint64_t end, object place) except -1
    cdef Py_ssize_t _trailers(self, bytes data, Py_ssize_t pos, uint64_t offset) except -1
    cdef int _end_in_trailers(self, uint64_t end, str name) except -1
    cdef Py_ssize_t _peek(self, bytes data, Py_ssize_t pos, uint64_t offset, object place) except -1
    cdef int _unpeek(self) except -1
    cdef int _message_over(self, uint64_t end, bint known, Head trailers=*) except -1
    cdef int _gap_at_start(self, uint64_t length, uint64_t offset, object place) except -1

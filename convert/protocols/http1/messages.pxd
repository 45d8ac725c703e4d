# One direction of an HTTP/1 conversation, for compiled callers.

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.bodies cimport Body
from syswire.convert.protocols.http1.lines cimport Lines
from syswire.convert.protocols.http1.scan cimport Head

cdef class Half(Lines):
    cdef bint pause        # what follows is not to be read yet
    cdef readonly uint64_t at  # where in the stream what was given ends
    cdef Body body
    cdef uint64_t peek_offset
    cdef object peek_place
    cdef readonly uint64_t searched  # bytes in which the end of a head was looked for

    cdef bint seeking(self) noexcept
    cdef int become_opaque(self) except -1
    cdef bint in_step(self) noexcept
    cdef int answered(self) except -1
    cdef Py_ssize_t data(self, bytes data, uint64_t offset, object place, bint boundary) except -1
    cdef int gap(self, uint64_t length, uint64_t offset, object place) except -1
    cdef int close(self, bint ended) except -1

    cdef int _boundary(self, uint64_t offset, object place) except -1
    cdef bint _endless(self) noexcept
    cdef Py_ssize_t _search(self, object data, Py_ssize_t resume, Py_ssize_t limit) except -2
    cdef Py_ssize_t _head(self, bytes data, Py_ssize_t pos, uint64_t offset, object place) except -1
    cdef int _head_over(self, bytes raw, bint complete, uint64_t end) except -1
    cdef int _cut_head(self, str name) except -1
    cdef int _body_over(self, Body body, uint64_t end, object place) except -1
    cdef Py_ssize_t _trailers(self, bytes data, Py_ssize_t pos, uint64_t offset) except -1
    cdef int _end_in_trailers(self, uint64_t end, str name) except -1
    cdef Py_ssize_t _peek(self, bytes data, Py_ssize_t pos, uint64_t offset, object place) except -1
    cdef int _unpeek(self) except -1
    cdef int _message_over(self, uint64_t end, bint known, Head trailers=*) except -1
    cdef int _gap_at_start(self, uint64_t length, uint64_t offset, object place) except -1

# Chunked framing as http1_chunks.pyi describes it, for compiled callers.

from libc.stdint cimport uint64_t

cdef class Dechunker:
    cdef int state
    cdef uint64_t remaining
    cdef int digits
    cdef int line
    cdef bint after_cr
    cdef readonly bint bare_lf
    cdef readonly bint blank
    cdef readonly list ranges

    cdef bint is_done(self) noexcept
    cdef bint is_bad(self) noexcept
    cpdef bint skip(self, uint64_t length) except -1
    cdef object take(self, bytes data, Py_ssize_t* position, bint note_ranges)
    cdef void _size_byte(self, unsigned char c) noexcept nogil
    cdef void _next_chunk(self) noexcept nogil

# Bytes of a body that are kept for a second look, for compiled callers.

from libc.stdint cimport uint64_t

cdef class Kept:
    cdef readonly list runs
    cdef list marks
    cdef Py_ssize_t mark_count
    cdef Py_ssize_t room
    cdef bint is_cut
    cdef readonly bint begins_cut
    cdef readonly bint full
    cdef uint64_t next_offset
    cdef object next_place

    cpdef object add(self, object data, uint64_t offset, object place)
    cpdef object cut(self)
    cpdef object span(self, Py_ssize_t run, Py_ssize_t begin, Py_ssize_t end)

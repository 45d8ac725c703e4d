# A head's bytes with the way back to the stream, for compiled callers.

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.scan cimport Head

cdef class HeadText:
    cdef readonly bytes raw
    cdef readonly uint64_t offset
    cdef list places

    cpdef object span(self, Py_ssize_t begin, Py_ssize_t end)

cdef HeadText head_text(bytes raw, uint64_t offset, list places)
cdef list oddities(Head head, bytes raw)
cdef object authority(str method, str target)

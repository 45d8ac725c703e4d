from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint64_t

from syswire.convert.star.judging cimport Judging
from syswire.convert.trace.rows cimport Fd, Thread

ctypedef struct Near:     # a thread looked up lately
    int64_t tid
    void *thread          # borrowed from the trace's table, which only Python changes

cdef class Replaying(Judging):
    cdef Near near[256]
    cdef dict threads
    cdef uint64_t skipped
    cdef uint64_t previous
    cdef bint has_previous
    cdef bint started
    cdef bint python_settles
    cdef readonly uint64_t last_counted
    cdef int64_t fds      # descriptors in all tables
    cdef int64_t fds_told
    cdef dict leaving_table
    cdef Fd leaving
    cdef void forget(self)
    cdef Thread lookup(self, int64_t tid)
    cdef dict table_of(self, Thread thread)
    cdef Fd fd_of(self, dict fds, object number)
    cdef int settle(self) except -1
    cdef int tell(self) except -1
    cdef int passed(self) noexcept
    cdef int delegate(self) except -1

cdef inline Fd fd_at(dict fds, object number):
    cdef PyObject *found = PyDict_GetItemWithError(fds, number)
    return None if found == NULL else <Fd>found

cdef inline Thread known_thread(Replaying walk, int64_t tid):
    """The thread, if it was looked up lately."""
    cdef Near *near = &walk.near[tid & 255]
    return <Thread>near.thread if near.thread != NULL and near.tid == tid else None

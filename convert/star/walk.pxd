from libc.stdint cimport int64_t

from syswire.convert.star.judging cimport Row
from syswire.convert.star.replaying cimport Replaying
from syswire.convert.trace.rows cimport Fd, Thread

cdef class StarWalker(Replaying):
    cdef bint untouched(self, Row *row, Thread thread, dict fds) except -1
    cdef bint told(self, int place, int64_t *value) noexcept
    cdef int handle(self) except -1
    cdef bint enter(self, Row *row, Thread thread, dict fds) except -1
    cdef bint leave(self, Row *row, Thread thread, dict fds) except -1
    cdef bint opened(self, Row *row, Thread thread, dict fds, int64_t res) except -1
    cdef bint accepted(self, Row *row, Thread thread, dict fds, int64_t res) except -1
    cdef bint installed(self, Row *row, Thread thread, dict fds, Fd fd) except -1
    cdef void end_call(self, Thread thread, bint matched)

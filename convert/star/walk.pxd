from libc.stdint cimport int8_t, int16_t, int64_t, uint8_t, uint32_t, uint64_t

from syswire.convert.trace.raw cimport RawWalker
from syswire.convert.trace.rows cimport Fd, Thread

ctypedef struct Row:      # one event type, see codes.py
    uint8_t action
    uint8_t has_exit
    uint8_t uses_fd
    uint8_t on_fd
    uint8_t enter_fd
    uint8_t datagram
    uint8_t has_fd
    int8_t res
    int8_t name
    int8_t flags
    int8_t dev
    int8_t ino
    int8_t enter_name
    int8_t enter_flags
    int16_t outcome       # of the event type
    uint8_t generic
    int8_t tuple
    uint8_t alone
    uint8_t ready

ctypedef struct Near:     # a thread looked up lately
    int64_t tid
    void *thread          # borrowed from the trace's table, which only Python changes

cdef class StarWalker(RawWalker):
    cdef Row codes[454]
    cdef Near near[256]
    cdef object trace, replay, table, visit, verdicts, keys, sums
    cdef dict threads
    cdef dict file_outcomes
    cdef dict file_keys
    cdef dict far
    cdef list code_keys
    cdef list order
    cdef uint8_t *judged
    cdef uint64_t epoch
    cdef uint64_t skipped
    cdef uint64_t previous
    cdef bint has_previous
    cdef bint started
    cdef bint python_settles
    cdef bint counting    # the sum counts events, it does not add up what they return
    cdef readonly uint64_t last_counted
    cdef int nobody
    cdef int none
    cdef int absent
    cdef bint named_outcomes
    cdef bint named_keys
    cdef bint by_kind
    cdef bint one_part
    cdef bint keyed_by_fd
    cdef bint keyed_by_code
    cdef int64_t fds      # descriptors in all tables
    cdef int64_t fds_told
    cdef dict leaving_table
    cdef Fd leaving

    cdef int prepare(self, uint32_t code) except -1
    cdef void forget(self)
    cdef Thread lookup(self, int64_t tid)
    cdef dict table_of(self, Thread thread)
    cdef Fd fd_of(self, dict fds, object number)
    cdef int settle(self) except -1
    cdef int tell(self) except -1
    cdef bint untouched(self, Row *row, Thread thread, dict fds) except -1
    cdef bint told(self, int place, int64_t *value) noexcept
    cdef int handle(self) except -1
    cdef int passed(self) noexcept
    cdef int verdict(self, Row *row, Thread thread, Fd fd) except -1
    cdef int thread_outcome(self, Thread thread) except -1
    cdef int fd_outcome(self, Thread thread, Fd fd) except -1
    cdef bint dealt(self, Row *row, Thread thread, Fd fd) except -1
    cdef bint add(self, Row *row, Thread thread, Fd fd) except -1
    cdef object thread_key(self, Thread thread)
    cdef object fd_key(self, Thread thread, Fd fd)
    cdef bint enter(self, Row *row, Thread thread, dict fds) except -1
    cdef bint leave(self, Row *row, Thread thread, dict fds) except -1
    cdef bint opened(self, Row *row, Thread thread, dict fds, int64_t res) except -1
    cdef bint accepted(self, Row *row, Thread thread, dict fds, int64_t res) except -1
    cdef bint installed(self, Row *row, Thread thread, dict fds, Fd fd) except -1
    cdef void end_call(self, Thread thread, bint matched)
    cdef int delegate(self) except -1

from libc.stdint cimport int8_t, int16_t, uint8_t, uint32_t, uint64_t

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

cdef class Judging(RawWalker):
    cdef Row codes[454]
    cdef object trace, replay, table, visit, verdicts, keys, sums, add_to
    cdef dict file_outcomes
    cdef dict file_keys
    cdef dict far
    cdef list code_keys
    cdef list order
    cdef uint8_t *judged
    cdef uint64_t epoch
    cdef bint counting    # the sum counts events, it does not add up what they return
    cdef int nobody
    cdef int none
    cdef int absent
    cdef bint named_outcomes
    cdef bint named_keys
    cdef bint by_kind
    cdef bint one_part
    cdef bint keyed_by_fd
    cdef bint keyed_by_code
    cdef int prepare(self, uint32_t code) except -1
    cdef int verdict(self, Row *row, Thread thread, Fd fd) except -1
    cdef int thread_outcome(self, Thread thread) except -1
    cdef int fd_outcome(self, Thread thread, Fd fd) except -1
    cdef bint dealt(self, Row *row, Thread thread, Fd fd) except -1
    cdef bint add(self, Row *row, Thread thread, Fd fd) except -1
    cdef object thread_key(self, Thread thread)
    cdef object fd_key(self, Thread thread, Fd fd)

cdef enum:
    SIDE = 64             # outcomes of threads and of descriptors in the array of verdicts
    DEPTH = 16            # those of event types

cdef inline bint unwanted(Judging walk, Row *row, Thread thread, Fd fd) noexcept:
    """Whether it is known already that events of these rows are not wanted."""
    cdef int of_fd = walk.none if not row.has_fd else walk.absent if fd is None else fd.outcome
    cdef int of_thread = thread.outcome
    if thread.epoch != walk.epoch or of_fd < 0 or of_fd >= SIDE or of_thread >= SIDE or row.outcome >= DEPTH:
        return False
    return walk.judged[(of_thread * SIDE + of_fd) * DEPTH + row.outcome] == 0

# cython: language_level=3, boundscheck=True
"""What the walk shares with the plain replay: the tables of threads and descriptors, and the events handed to it."""

from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject
from libc.stdint cimport int64_t, uint64_t
from libc.string cimport memset

from syswire.convert.star.judging cimport Judging
from syswire.convert.trace.raw cimport RawWalker
from syswire.convert.trace.rows cimport Fd, Thread

from ..trace.threads import EFFORT, EFFORT_EACH
from . import codes

cdef enum:
    STATE_ONLY = 1


cdef class Replaying(Judging):
    def begin(self, replay, before):
        """Go on with this replay; `before` is the walker that came so far, None at the first event."""
        cdef RawWalker other
        self.replay, self.table, self.threads = replay, replay.table, self.trace.threads
        self.started = replay.started
        self.has_previous = replay.previous_ts is not None
        self.previous = replay.previous_ts or 0
        self.fds = self.fds_told = self.table.fds
        self.leaving = None
        self.skipped, self.python_settles = 0, True
        self.epoch += 1
        self.forget()
        if before is not None:
            other = before
            self.events, self.numbered, self.trailers = other.events, other.numbered, other.trailers
            self.damaged_events, self.first_damaged = other.damaged_events, other.first_damaged
            self.unknown_types, self.first_unknown = other.unknown_types, other.first_unknown
            self.first_damaged_event, self.swapped = other.first_damaged_event, other.swapped

    def finish(self):
        """Let go what the last event ended, and tell the replay where things stand."""
        self.settle()
        self.tell()

    cdef int passed(self) noexcept:
        """The event was dealt with."""
        self.skipped += 1
        self.previous, self.has_previous = self.current.ts, True
        if not self.current.flags & STATE_ONLY:
            self.last_counted = self.current.ts
        return 0

    cdef void forget(self):
        memset(self.near, 0, sizeof(self.near))

    cdef Thread lookup(self, int64_t tid):
        cdef Near *near = &self.near[tid & 255]
        cdef PyObject *found
        if near.thread != NULL and near.tid == tid:
            return <Thread>near.thread
        found = PyDict_GetItemWithError(self.threads, tid)
        if found == NULL:
            return None
        near.tid, near.thread = tid, <void *>found
        return <Thread>found

    cdef dict table_of(self, Thread thread):
        """The descriptors of a thread; None where Python has to find out."""
        cdef PyObject *main
        if thread.flags == 0 or not thread.flags & 1 or thread.tid == thread.pid:
            return thread.own_fds
        main = PyDict_GetItemWithError(self.threads, thread.pid)
        return None if main == NULL else (<Thread>main).own_fds

    cdef Fd fd_of(self, dict fds, object number):
        return None if number == -1 else fd_at(fds, number)

    cdef int settle(self) except -1:
        """Let go what the event before ended."""
        if self.leaving is not None:
            if fd_at(self.leaving_table, self.leaving.num) is self.leaving:
                del self.leaving_table[self.leaving.num]
                self.fds -= 1
            self.leaving = self.leaving_table = None
        if self.python_settles:
            self.tell()
            self.replay.settle()
            self.fds = self.fds_told = self.table.fds
            self.python_settles = False
            self.forget()
        return 0

    cdef int tell(self) except -1:
        """Tell the replay what changed since it was last asked."""
        self.table.fds += self.fds - self.fds_told
        self.fds_told = self.fds
        if self.skipped:
            self.table.effort = min(EFFORT, self.table.effort + EFFORT_EACH * self.skipped)
            self.skipped = 0
        self.replay.previous_ts = self.previous if self.has_previous else None
        return 0

    cdef int delegate(self) except -1:
        """The event goes to the plain replay and, if it is one that counts, to `visit`. 1: it is enough."""
        cdef uint64_t ts = self.current.ts
        cdef bint counts = not self.current.flags & STATE_ONLY
        cdef Fd fd
        self.tell()
        event = self.replay.apply(self.row())
        self.started, self.python_settles = self.replay.started, True
        self.previous, self.has_previous = ts, self.started
        self.fds = self.fds_told = self.table.fds
        self.forget()
        if event.info.name in codes.CHANGES_THREADS:
            self.epoch += 1
        fd = event.fd
        if fd is not None:
            fd.outcome, fd.key = -1, None
        if not counts or event.consumed:
            return 0
        self.last_counted = ts
        return 1 if self.visit(event) else 0

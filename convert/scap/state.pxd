from libc.stdint cimport int64_t

from syswire.convert.scap.event cimport Event, TypeInfo
from syswire.convert.scap.sockets cimport Sockets
from syswire.convert.scap.tables cimport Desc, Process, Thread

cdef class State(Sockets):
    cdef void apply(self, Event *e) noexcept nogil
    cdef void skip(self) noexcept nogil
    cdef void dispatch(self, Event *e) noexcept nogil
    cdef void duplicate(self, Event *e, Thread *t, int64_t old, int64_t new, bint cloexec) noexcept nogil
    cdef void pipe(self, Event *e, Thread *t) noexcept nogil
    cdef void open(self, Event *e, Thread *t) noexcept nogil
    cdef void chdir(self, Event *e, Thread *t) noexcept nogil
    cdef bint ended_early(self, int64_t tid) noexcept nogil
    cdef bytes directory(self, Event *e, Thread *t)
    cdef void clone(self, Event *e, Thread *t) noexcept nogil
    cdef void make_child(self, Event *e, Thread *parent, int64_t tid, bint from_parent, bint shares) noexcept nogil
    cdef void execve(self, Event *e, Thread *t) noexcept nogil
    cdef void exit_thread(self, Event *e, Thread *t) noexcept nogil
    cdef void close_range(self, Event *e, Thread *t, int64_t first, int64_t last) noexcept nogil
    cdef void close_numbers(self, Event *e, Thread *t, Process *process, int64_t first, int64_t last,
                            bint only_cloexec) noexcept nogil
    cdef void tell(self, Event *e, Thread *t, int operation) noexcept nogil

# cython: language_level=3, boundscheck=True
"""What a filter and a sum say of an event by its rows: asked once of each row, then looked up."""

from libc.stdint cimport int64_t, uint8_t, uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from syswire.convert.scap.event cimport TYPES, Event, u64
from syswire.convert.trace.raw cimport RawWalker
from syswire.convert.trace.rows cimport Fd, Thread

from . import codes

cdef enum:
    NO = 0
    YES = 1
    OPEN = 2
    NOT_ASKED = 3
    STATE_ONLY = 1
    MOST_NAMES = 65536

cdef str FILE = "file", DIRECTORY = "directory"


cdef class Judging(RawWalker):
    def __cinit__(self):
        self.judged = <uint8_t *>malloc(SIDE * SIDE * DEPTH)
        if self.judged == NULL:
            raise MemoryError
        memset(self.judged, NOT_ASKED, SIDE * SIDE * DEPTH)

    def __dealloc__(self):
        free(self.judged)

    def __init__(self, trace, verdicts, visit, keys, sums):
        RawWalker.__init__(self)
        self.trace, self.verdicts, self.visit, self.keys, self.sums = trace, verdicts, visit, keys, sums
        self.file_outcomes, self.file_keys, self.far, self.code_keys = {}, {}, {}, [None] * TYPES
        self.none, self.absent, self.named_outcomes = verdicts.none, verdicts.absent, verdicts.named
        self.by_kind, self.nobody = verdicts.by_kind, verdicts.nobody
        self.epoch = 1
        if keys is not None:
            self.order, self.named_keys = keys.order, keys.named
            self.keyed_by_fd = any([kind == "D" for kind, _ in keys.order])
            self.keyed_by_code = any([kind == "C" for kind, _ in keys.order])
            self.one_part = len({kind for kind, _ in keys.order}) == 1
            self.add_to = sums.add
            self.counting = sums.value_name == "evt.count"

    cdef int prepare(self, uint32_t code) except -1:
        """Look up an event type that was not met before."""
        row = codes.Code(self.trace, code)
        self.codes[code] = Row(
            row.action, row.has_exit, row.uses_fd, row.on_fd, row.enter_fd, row.datagram, row.has_fd, row.res,
            row.name, row.flags, row.dev, row.ino, row.enter_name, row.enter_flags, self.verdicts.code(code),
            row.generic, row.tuple, row.alone, True,
        )
        return 0

    cdef bint dealt(self, Row *row, Thread thread, Fd fd) except -1:
        """Whether nobody need see the event: it is not wanted, or it was added to the sum."""
        cdef int found
        if self.current.flags & STATE_ONLY:
            return True
        found = self.verdict(row, thread, fd)
        if found == NO:
            return True
        return found == YES and self.sums is not None and self.add(row, thread, fd)

    cdef int verdict(self, Row *row, Thread thread, Fd fd) except -1:
        cdef int of_thread = self.thread_outcome(thread)
        cdef int of_fd = self.none if not row.has_fd else self.absent if fd is None else self.fd_outcome(thread, fd)
        cdef int place
        if of_thread < SIDE and of_fd < SIDE and row.outcome < DEPTH:
            place = (of_thread * SIDE + of_fd) * DEPTH + row.outcome
            if self.judged[place] == NOT_ASKED:
                self.judged[place] = self.verdicts.verdict(of_thread, of_fd, row.outcome)
            return self.judged[place]
        key = of_thread << 32 | of_fd << 16 | row.outcome
        found = self.far.get(key)
        if found is None:
            if len(self.far) >= MOST_NAMES:
                self.far.clear()
            found = self.far[key] = self.verdicts.verdict(of_thread, of_fd, row.outcome)
        return found

    cdef int thread_outcome(self, Thread thread) except -1:
        if thread is None:
            return self.nobody
        if thread.epoch != self.epoch:
            thread.epoch, thread.key = self.epoch, None
            thread.outcome = self.verdicts.thread(thread)
        return thread.outcome

    cdef int fd_outcome(self, Thread thread, Fd fd) except -1:
        if fd.outcome >= 0:
            return fd.outcome
        if fd.kind is FILE or fd.kind is DIRECTORY:
            key = (fd.kind, fd.name) if self.named_outcomes else fd.kind
        elif self.by_kind:
            key = (fd.kind, fd.l4, fd.role)
        else:
            fd.outcome = self.verdicts.descriptor(thread, fd)
            return fd.outcome
        found = self.file_outcomes.get(key)
        if found is None:
            if len(self.file_outcomes) >= MOST_NAMES:
                self.file_outcomes.clear()
            found = self.file_outcomes[key] = self.verdicts.descriptor(thread, fd)
        fd.outcome = found
        return found

    cdef bint add(self, Row *row, Thread thread, Fd fd) except -1:
        """Add the event to the sum, where it has a value and a key. False: that is for Python to say."""
        cdef Event *e = &self.current
        cdef uint32_t size
        cdef int64_t value = 1
        if thread is None or row.generic and (self.keyed_by_code or not self.counting):
            return False
        if not self.counting:
            if row.res < 0 or row.res >= <int>e.nparams:
                return True
            size = e.off[row.res + 1] - e.off[row.res]
            if size == 0:
                return True
            if size != 8:
                return False
            value = <int64_t>u64(e.data + e.off[row.res])
            if value <= 0:
                return True
        of_thread = self.thread_key(thread)
        if self.keyed_by_fd:
            if not row.has_fd:
                return True
            if fd is None:
                return False
            of_fd = self.fd_key(thread, fd)
            if of_fd is False:
                return True
        else:
            of_fd = ()
        if of_thread is False:
            return True
        if self.keyed_by_fd and self.one_part:
            self.add_to(of_fd, value)
            return True
        if self.keyed_by_code and self.code_keys[e.type] is None:
            self.code_keys[e.type] = self.keys.code(e.type) or False
        parts = {"P": of_thread, "D": of_fd, "C": self.code_keys[e.type]}
        self.add_to(tuple([parts[kind][place] for kind, place in self.order]), value)
        return True

    cdef object thread_key(self, Thread thread):
        if thread.key is None:  # thread_outcome, asked before, made sure that it is of this epoch
            found = self.keys.thread(thread)
            thread.key = False if found is None else found
        return thread.key

    cdef object fd_key(self, Thread thread, Fd fd):
        if fd.key is not None:
            return fd.key
        name = (fd.kind, fd.name) if self.named_keys else fd.kind
        is_file = fd.kind is FILE or fd.kind is DIRECTORY
        found = self.file_keys.get(name) if is_file else None
        if found is None:
            found = self.keys.descriptor(thread, fd)
            found = False if found is None else found
            if is_file:
                if len(self.file_keys) >= MOST_NAMES:
                    self.file_keys.clear()
                self.file_keys[name] = found
        fd.key = found
        return found

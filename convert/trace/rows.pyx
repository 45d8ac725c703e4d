# cython: language_level=3, boundscheck=True
"""Threads and descriptors: the rows that events refer to. Python objects with their hot parts in C, so that the
compiled walk of the star and the plain replay work on one and the same state.

An enter that the star passed over is kept as bytes; `last_enter` makes an Event of it when somebody asks.
"""

from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

cimport cython

TYPECHARS = {
    "unknown": "o", "file": "f", "directory": "d", "ipv4": "4", "ipv6": "6", "ipv4_bound": "4", "ipv6_bound": "6",
    "fifo": "p", "unix": "u", "event": "e", "unsupported": "X", "signalfd": "s", "eventpoll": "l", "inotify": "i",
    "timerfd": "t", "netlink": "n", "bpf": "b", "userfaultfd": "u", "io_uring": "r", "memfd": "m", "pidfd": "P",
}


@cython.no_gc  # holds texts and numbers only
@cython.freelist(256)
cdef class Fd:
    def __cinit__(self):
        self.old_name = ""
        self.source = self.dest = 0
        self.outcome = -1

    def __init__(self, num, kind, name="", ino=None):
        self.num, self.kind, self.name, self.ino = num, kind, name, ino

    @property
    def typechar(self):
        return TYPECHARS.get(self.kind, "o")

    @property
    def is_bound(self):
        return self.kind in ("ipv4_bound", "ipv6_bound")

    @property
    def is_tuple(self):
        return self.kind in ("ipv4", "ipv6")

    @property
    def is_ip(self):
        return self.kind in ("ipv4", "ipv6", "ipv4_bound", "ipv6_bound")

    @property
    def is_file(self):
        return self.kind in ("file", "directory")

    def copy(self, num):
        cdef Fd new = Fd.__new__(Fd)
        new.num, new.kind, new.name, new.ino = num, self.kind, self.name, self.ino
        new.raw_name, new.old_name, new.role, new.l4 = self.raw_name, self.old_name, self.role, self.l4
        new.sip, new.dip, new.sport, new.dport = self.sip, self.dip, self.sport, self.dport
        new.source, new.dest, new.dev, new.mount = self.source, self.dest, self.dev, self.mount
        new.openflags, new.pid, new.created = self.openflags, self.pid, self.created
        new.name_changed, new.connected, new.failed = self.name_changed, self.connected, self.failed
        new.pipe, new.upper_layer, new.lower_layer = self.pipe, self.upper_layer, self.lower_layer
        new.from_list, new.closing, new.cloexec = self.from_list, self.closing, self.cloexec
        return new


cdef class Thread:
    def __cinit__(self):
        self.last_type = -1
        self.outcome = -1

    def __dealloc__(self):
        free(self.kept)

    def __init__(self, trace, tid, pid):
        self.trace, self.tid, self.pid, self.main_tid = trace, tid, pid, pid
        self.args, self.env, self.cgroups, self.own_fds = [], [], [], {}
        self.own_cwd = ""
        self.flags = self.category = self.children = self.last_fd = self.last_access = 0

    @property
    def last_enter(self):
        if self.keeping:
            self.enter, self.keeping = self.made(), False
        return self.enter

    @last_enter.setter
    def last_enter(self, event):
        self.keeping, self.enter = False, event

    @property
    def last_latency(self):
        if self.timed:  # as numbers of Python: what a file says may be further apart than C can tell
            self.latency, self.timed = <object>self.left_ts - <object>self.entered_ts, False
        return self.latency

    @last_latency.setter
    def last_latency(self, value):
        self.timed, self.latency = False, value

    @property
    def main(self):
        return self if self.tid == self.pid else self.trace.find(self.pid)

    @property
    def is_main(self):
        return self.tid == self.pid

    @property
    def fds(self):
        if self.flags & 1 and self.tid != self.pid:
            main = self.trace.main_of(self)
            return main.own_fds if main is not None else self.own_fds
        return self.own_fds

    @property
    def cwd(self):
        if self.tid == self.pid:
            return self.own_cwd
        main = self.trace.find(self.pid)
        return main.own_cwd if main is not None else ""

    def parent(self):
        return None if self.ptid is None else self.trace.find(self.ptid)

    cdef bint keep(self, RawEvent *e, uint64_t previous) noexcept nogil:
        """Keep an enter. False: there is no memory."""
        cdef uint32_t head = (e.nparams + 1) * 4
        cdef uint32_t size = e.off[e.nparams]
        cdef char *room
        if head + size > self.kept_room:
            room = <char *>realloc(self.kept, head + size + 64)
            if room == NULL:
                return False
            self.kept, self.kept_room = room, head + size + 64
        memcpy(self.kept, e.off, head)
        memcpy(self.kept + head, e.data, size)
        self.kept_params, self.kept_ts, self.kept_previous = e.nparams, e.ts, previous
        self.kept_ordinal, self.kept_offset, self.kept_num = e.ordinal, e.block, e.evt_num
        self.kept_flags, self.kept_code, self.kept_cpu = e.flags, e.type, e.cpu
        return True

    cdef object made(self):
        """The enter that was kept, as an Event."""
        cdef uint32_t *off = <uint32_t *>self.kept
        cdef char *data = self.kept + (self.kept_params + 1) * 4
        cdef uint32_t i
        params = tuple([data[off[i]:off[i + 1]] for i in range(self.kept_params)])
        return self.trace.enter_of(
            self, self.kept_code, self.kept_ts, params, self.kept_num, self.kept_ordinal, self.kept_cpu,
            self.kept_flags, self.kept_offset, self.kept_previous)

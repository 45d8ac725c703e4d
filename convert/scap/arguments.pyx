# cython: language_level=3
"""What applying any event needs: its arguments, wherever they stand, and descriptors put in and taken out.

Exit-only files carry all arguments in the exit; older ones have some in the enter, kept for each thread until its exit
comes. Arguments are asked for by meaning (ARG_*), semantics.py says where they stand.
"""

from libc.stdlib cimport realloc
from libc.string cimport memcpy

from syswire.convert.scap.event cimport *
from syswire.convert.scap.tables cimport *

from .event_table import EVENTS, LARGE_PAYLOAD
from .semantics import type_rows

cdef enum:
    KEEP = 640              # bytes of an enter's parameters that are kept at most (a path of an address fits)


cdef class Arguments(Tables):
    def __init__(self, NetSink sink, identities):
        """`identities` answers cloned, executed, changed, exited, described (see identity.py); None: the state is not
        followed, and the walk is told no more of the event types than what it needs to check their blocks.
        """
        cdef int code, i
        self.sink, self.identities = sink, identities
        if len(EVENTS) != TYPES:
            raise AssertionError("the event table and event.pxd disagree")
        if identities is None:
            for code, row in enumerate(EVENTS):
                self.types[code].nparams, self.types[code].wide = len(row[4]), code in LARGE_PAYLOAD
            return
        for code, row in enumerate(type_rows()):
            info = &self.types[code]
            (info.operation, info.enter, info.nparams, info.wide, info.known, info.uses_fd, info.keep,
             info.detail, info.idle) = row[:9]
            for i in range(ARGS):
                info.place[i] = row[9 + i]

    # -- arguments

    cdef const uint8_t *arg(self, Event *e, Thread *t, int which, uint32_t *size) noexcept nogil:
        """The argument's bytes from the exit, else from the enter that was kept; NULL where neither has it."""
        cdef int place = self.types[e.type].place[which]
        cdef uint32_t count, begin
        if 0 <= place < <int>e.nparams:
            size[0] = e.off[place + 1] - e.off[place]
            return e.data + e.off[place] if size[0] else NULL
        if self.matched and t.kept_size and e.type > 0:
            place = self.types[e.type - 1].place[which]
            count = u16(t.kept)
            if 0 <= place < <int>count:
                begin = u32(t.kept + 2 + 4 * place)
                size[0] = u32(t.kept + 6 + 4 * place) - begin
                return t.kept + 6 + 4 * count + begin if size[0] else NULL
        size[0] = 0
        return NULL

    cdef int64_t number(self, Event *e, Thread *t, int which, int64_t absent) noexcept nogil:
        cdef uint32_t size = 0
        cdef const uint8_t *p = self.arg(e, t, which, &size)
        if p != NULL:
            return integer(p, size)
        if which == ARG_FD and self.matched:
            return t.enter_fd
        return absent

    cdef void keep_enter(self, Event *e, TypeInfo *info, Thread *t) noexcept nogil:
        cdef uint32_t count = e.nparams, size, need
        cdef uint8_t *room
        cdef int place = info.place[ARG_FD]
        t.entered, t.enter_type, t.enter_ts, t.enter_fd, t.kept_size = 1, e.type, e.ts, -1, 0
        if 0 <= place < <int>count:
            t.enter_fd = integer(e.data + e.off[place], e.off[place + 1] - e.off[place])
        if info.uses_fd:
            t.last_fd = t.enter_fd
        if not info.keep:
            return
        size = e.off[count]
        need = 6 + 4 * count + size
        if need > KEEP:
            return
        if t.kept_room < need:
            room = <uint8_t *>realloc(t.kept, need)
            if room == NULL:
                self.exhausted = True
                return
            t.kept, t.kept_room = room, need
        memcpy(t.kept, &count, 2)
        memcpy(t.kept + 2, &e.off[0], 4 * (count + 1))
        memcpy(t.kept + 6 + 4 * count, e.data, size)
        t.kept_size = need

    # -- descriptors

    cdef void settle(self) noexcept nogil:
        """Free what the last event closed; until then its row can still be shown."""
        if self.leaving != NULL:
            self.free_desc(self.leaving)
            self.leaving = NULL

    cdef void release(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        """A number stopped leading to `d`: when it was the last one the description is closed."""
        if d == NULL or d.refs:
            return
        if d.conv:
            self.sink.closed(e, t, d)
        if self.leaving == NULL:
            self.leaving = d
        else:
            self.free_desc(d)

    cdef void install(self, Event *e, Thread *t, int64_t fd, Desc *d, bint cloexec) noexcept nogil:
        """Let a number lead to a new description (NULL: one that is not known); what it led to before is closed, its
        close was not recorded."""
        self.release(e, t, self.take(t.process, fd))
        t.last_fd = fd
        if d == NULL:
            return
        if not self.put(t.process, fd, d, cloexec):
            if d.refs == 0:
                self.free_desc(d)
            return
        if d.owner == 0:
            d.owner = t.version
        self.touched = d

# cython: language_level=3, auto_pickle=False, boundscheck=True
"""Secrets in what programs write to files and pipes: the events are replayed by the same state machine as at first.

So the thread versions have the same numbers, and a descriptor has its path. What goes over sockets is in conversations.
A secret may be cut by the border of two writes: the end of the last one is kept for as many open files as fit a table.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from syswire.convert.scap.event cimport *
from syswire.convert.scap.state cimport State
from syswire.convert.scap.tables cimport *
from syswire.convert.spread.patterns cimport Patterns

from .spellings import LONGEST

cdef enum:
    TAILS = 512
    TAIL = 512        # LONGEST
    KIND_UNSUPPORTED = 10
    KIND_MEMFD = 20
    MOST_CALLS = 1 << 20

assert TAIL == LONGEST

ctypedef struct Tail:
    uint64_t serial
    uint32_t size
    unsigned char data[TAIL]


cdef class WriteScan(State):
    """The state machine that looks."""

    cdef Patterns patterns
    cdef object taker
    cdef uint64_t base
    cdef Tail tails[TAILS]
    cdef unsigned char joined[2 * TAIL]
    cdef int calls

    def __init__(self, sink, identities, Patterns patterns not None, uint64_t base, taker):
        State.__init__(self, sink, identities)
        self.patterns, self.base, self.taker = patterns, base, taker

    def __cinit__(self):
        cdef int i
        for i in range(TAILS):
            self.tails[i].serial = self.tails[i].size = 0
        self.calls = 0

    cdef void io(self, Event *e, TypeInfo *info, Thread *t) noexcept nogil:
        cdef int64_t res
        cdef uint32_t stored = 0, pair = 0
        cdef const uint8_t *data
        cdef Desc *d
        if info.operation == OP_SEND:
            res = self.number(e, t, ARG_RES, -1)
            if res > 0:
                d = self.desc(t.process, self.number(e, t, ARG_FD, -1))
                data = self.arg(e, t, ARG_DATA, &stored)
                if stored > <uint64_t>res:
                    stored = <uint32_t>res
                if data != NULL and self.wanted(d) and (d != NULL or self.arg(e, t, ARG_TUPLE, &pair) == NULL):
                    self.written(e, t, d, data, stored, <uint64_t>res)
        State.io(self, e, info, t)

    cdef bint wanted(self, Desc *d) noexcept nogil:
        return (d == NULL or d.kind == KIND_UNKNOWN or d.kind == KIND_FILE or d.kind == KIND_FIFO
                or d.kind == KIND_FILE_V2 or d.kind == KIND_UNSUPPORTED or d.kind == KIND_MEMFD)

    cdef void written(self, Event *e, Thread *t, Desc *d, const uint8_t *data, uint32_t stored,
                      uint64_t moved) noexcept nogil:
        cdef Tail *tail = NULL
        cdef uint32_t head, keep, rest
        if d != NULL:
            tail = &self.tails[d.serial % TAILS]
            if tail.serial != d.serial:
                tail.serial, tail.size = d.serial, 0
            if tail.size:
                head = stored if stored < TAIL else TAIL
                memcpy(self.joined, tail.data, tail.size)
                memcpy(self.joined + tail.size, data, head)
                if self.patterns.any(self.joined, tail.size + head):
                    self.hit(e, t, d, self.joined, tail.size + head, tail.size)
        if self.patterns.any(data, stored):
            self.hit(e, t, d, data, stored, 0)
        if tail == NULL:
            return
        if stored < moved:
            tail.size = 0
        elif stored >= TAIL:
            memcpy(tail.data, data + stored - TAIL, TAIL)
            tail.size = TAIL
        else:
            keep = TAIL - stored if tail.size > TAIL - stored else tail.size
            rest = tail.size - keep
            memcpy(self.joined, tail.data + rest, keep)
            memcpy(tail.data, self.joined, keep)
            memcpy(tail.data + keep, data, stored)
            tail.size = keep + stored

    cdef void hit(self, Event *e, Thread *t, Desc *d, const uint8_t *text, uint32_t size,
                  uint32_t border) noexcept nogil:
        """A secret is in the text; where there is a border, only what lies across it counts."""
        cdef uint64_t place
        with gil:
            try:
                place = self.base + (d.serial if d != NULL else 0)
                path = None if d == NULL or d.name == NULL else d.name[:d.name_len]
                kind = 0 if d == NULL else int(d.kind)
                serial = 0 if d == NULL else int(d.serial)
                for begin, pattern in self.patterns.hits(text, size, place):
                    length = self.patterns.index.patterns[<size_t>pattern].length
                    if border and not begin < border < begin + length:
                        continue
                    if self.patterns.last[<size_t>pattern] == place or self.calls >= MOST_CALLS:
                        continue
                    self.calls += 1
                    at = (e.ordinal, e.evt_num, e.block, e.ts)
                    if self.taker(pattern, kind, path, serial, t.version, length, at):
                        self.patterns.last[<size_t>pattern] = place
            except BaseException as error:
                if self.failure is None:
                    self.failure, self.stopped = error, True

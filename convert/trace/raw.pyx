# cython: language_level=3
"""Events of a scap file as they are recorded: blocks in a buffer to tuples, each event checked once (scap/walk.pyx).

No state machine runs here: the tables of the walk that this builds on stay empty.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.convert.scap.event cimport TYPES, Event, u16, u32, u64
from syswire.convert.scap.walk cimport Walker

from ..scap.event_table import EVENTS, PT_FDLIST
from ..scap.sink import NetSink
from ..scap.state import State

cdef enum:
    MAX_BLOCK = 1 << 26

NEED, BLOCK, DAMAGE, FULL = range(4)
POLLS = {
    code: [index for index, param in enumerate(row[4]) if param[1] == PT_FDLIST]
    for code, row in enumerate(EVENTS)
    if any(param[1] == PT_FDLIST for param in row[4])
}


cdef inline uint32_t turned(uint32_t v, bint swapped) noexcept nogil:
    if swapped:
        return (v >> 24) | ((v >> 8) & 0xff00) | ((v << 8) & 0xff0000) | (v << 24)
    return v


cdef class RawWalker(Walker):
    def __init__(self):
        Walker.__init__(self, State(NetSink(), None))

    def take(self, uint8_t[::1] buffer, Py_ssize_t begin, Py_ssize_t end, uint64_t base, list out, Py_ssize_t most):
        """Append the events of buffer[begin:end] to `out`, at most `most`; (status, position, detail), see the stub."""
        cdef uint8_t *p = &buffer[0] if end > begin else NULL
        cdef Py_ssize_t at = begin, count = 0
        cdef uint32_t kind, size
        while True:
            if end - at < 8:
                return NEED, at, 8
            kind, size = turned(u32(p + at), self.swapped), turned(u32(p + at + 4), self.swapped)
            if kind == 0x0A0D0D0A:
                return BLOCK, at, kind
            if size < 12 or size & 3 or size > MAX_BLOCK:
                return DAMAGE, at, size
            if end - at < size:
                return NEED, at, size
            if kind not in (0x216, 0x204, 0x217, 0x221, 0x222, 0x208, 0x8010ABCD):
                return BLOCK, at, kind
            if count == most:
                return FULL, at, 0
            if self.framed(p + at, kind, size, base + <uint64_t>(at - begin)):
                out.append(self.row())
                count += 1
            at += size

    cdef bint framed(self, uint8_t *block, uint32_t kind, uint32_t size, uint64_t offset) noexcept nogil:
        """Fill in `current`. False: it cannot be decoded or its type is not known (both are counted)."""
        cdef uint32_t head = 14 if kind == 0x208 or kind == 0x217 or kind == 0x222 else 10
        cdef bint counted = kind == 0x216 or kind == 0x217 or kind == 0x221 or kind == 0x222
        cdef uint32_t fixed = 26 if counted else 22
        cdef Event *e = &self.current
        self.events += 1
        if u32(block + size - 4) != turned(size, self.swapped):
            self.trailers += 1
        if size < head + fixed + 4:
            self.damaged(offset)
            return False
        if self.swapped:
            self.turn_head(block, head, counted)
        e.cpu = u16(block + 8)
        e.flags = u32(block + 10) if head == 14 else 0
        e.ts, e.type = u64(block + head), u16(block + head + 20)
        e.tid = <long long>u64(block + head + 8)
        e.ordinal, e.block, e.evt_num = self.events, offset, 0
        if e.type < 336:
            self.numbered += 1
            e.evt_num = self.numbered
        if e.type >= TYPES:
            if self.unknown_types == 0:
                self.first_unknown = offset
            self.unknown_types += 1
            return False
        if not self.check(block, head, fixed, size, counted, offset):
            self.damaged(offset)
            return False
        return True

    cdef object row(self):
        """The current event as a tuple."""
        cdef Event *e = &self.current
        cdef uint32_t i
        params = tuple([(<char *>e.data)[e.off[i]:e.off[i + 1]] for i in range(e.nparams)])
        if self.swapped and e.type in POLLS:
            params = turned_polls(e.type, params)
        return e.ordinal, e.evt_num, e.ts, e.tid, e.type, e.cpu, e.flags, e.block, params

    cdef void turn_head(self, uint8_t *block, uint32_t head, bint counted) noexcept nogil:
        turn(block + 8, 2)
        if head == 14:
            turn(block + 10, 4)
        turn(block + head, 8)
        turn(block + head + 8, 8)
        turn(block + head + 16, 4)
        turn(block + head + 20, 2)
        if counted:
            turn(block + head + 22, 4)


def turned_polls(code, params):
    """Lists of polled descriptors (a count of 2 bytes, then 8 and 2 of each) in the other byte order."""
    turned_params = list(params)
    for index in POLLS[code]:
        if index < len(params):
            old = params[index]
            parts = [old[:2]]
            for at in range(2, len(old), 10):
                parts += [old[at:at + 8], old[at + 8:at + 10]]
            turned_params[index] = b"".join([part[::-1] for part in parts])
    return tuple(turned_params)


cdef void turn(uint8_t *p, uint32_t size) noexcept nogil:
    cdef uint32_t i
    cdef uint8_t byte
    for i in range(size // 2):
        byte = p[i]
        p[i] = p[size - 1 - i]
        p[size - 1 - i] = byte

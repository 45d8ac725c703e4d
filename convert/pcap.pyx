# cython: language_level=3
"""Turns a pcapng into classic pcap files, one for each link type, for tools that read nothing else.

What pcap has no place for (comments, names, interfaces, secrets) stays behind.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy

from syswire.convert.packets.buffer cimport STEP_END, STEP_FRAME, STEP_NEED
from syswire.convert.packets.pcapng cimport PcapngReader
from syswire.convert.packets.record cimport Record

import struct

cdef enum:
    LINK_TYPES = 1 << 16
    FULL_BYTES = 1 << 20
    FIRST_ROOM = (1 << 20) + (1 << 19)
    RECORD_HEADER = 16
    LEAST_SNAPLEN = 262144

cdef uint64_t LAST_SECOND = <uint64_t>0xFFFFFFFF


cdef class Survey:
    """What stands in a pcapng, by link type."""

    cdef uint8_t *seen        # 1: it has frames; 2: of an interface that tells time finer than microseconds
    cdef uint32_t longest

    def __cinit__(self):
        self.seen = <uint8_t *>calloc(LINK_TYPES, 1)
        if self.seen == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.seen)

    cdef int take(self, PcapngReader reader) except -1:
        cdef Record r
        cdef int state
        while True:
            with nogil:
                while True:
                    state = reader.step(&r)
                    if state != STEP_FRAME:
                        break
                    self.seen[r.linktype] |= 3 if finer(reader.tsresol) else 1
                    if r.captured > self.longest:
                        self.longest = r.captured
            if state == STEP_NEED:
                reader.fill()
            elif state == STEP_END:
                return 0


cdef inline bint finer(uint8_t resolution) noexcept nogil:
    return resolution & 0x7F >= 20 if resolution & 0x80 else resolution > 6


cdef Survey survey(str path):
    cdef Survey found = Survey()
    with open(path, "rb", buffering=0) as file:
        found.take(PcapngReader(file.readinto))
    return found


def link_types(str path not None):
    """The link types of the frames in a pcapng, ascending."""
    cdef Survey found = survey(path)
    return [kind for kind in range(LINK_TYPES) if found.seen[kind]]


cdef class Records:
    """Builds pcap records in a buffer."""

    cdef uint8_t *buffer
    cdef uint64_t room
    cdef uint64_t used
    cdef uint64_t unit        # ns
    cdef uint64_t frames

    def __cinit__(self):
        self.room = FIRST_ROOM
        self.buffer = <uint8_t *>malloc(FIRST_ROOM)
        if self.buffer == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.buffer)

    cdef int put(self, const Record *r) noexcept nogil:
        cdef uint64_t needed = self.used + RECORD_HEADER + r.captured, seconds = r.time // 1000000000
        cdef uint32_t head[4]
        cdef uint8_t *larger
        if needed > self.room:
            larger = <uint8_t *>realloc(self.buffer, needed)
            if larger == NULL:
                return -1
            self.buffer, self.room = larger, needed
        if seconds > LAST_SECOND:
            seconds = LAST_SECOND
        head[0], head[1] = <uint32_t>seconds, <uint32_t>(r.time % 1000000000 // self.unit)
        head[2], head[3] = r.captured, r.original
        memcpy(self.buffer + self.used, head, RECORD_HEADER)
        memcpy(self.buffer + self.used + RECORD_HEADER, r.data, r.captured)
        self.used = needed
        self.frames += 1
        return 0

    cdef int run(self, PcapngReader reader, uint32_t linktype) noexcept nogil:
        # STEP_END, STEP_NEED; STEP_FRAME: the buffer is full; -2: memory ran out.
        cdef Record r
        cdef int state
        while self.used < FULL_BYTES:
            state = reader.step(&r)
            if state != STEP_FRAME:
                return state
            if r.linktype == linktype and self.put(&r) < 0:
                return -2
        return STEP_FRAME


def write_pcap(str path not None, linktype, out):
    """Write the frames of one link type to `out` as a pcap; return how many there are."""
    cdef Records records = Records()
    cdef Survey found = survey(path)
    cdef PcapngReader reader
    cdef uint32_t kind = linktype
    cdef int state
    if kind >= LINK_TYPES:
        raise ValueError("no link type")
    fine = found.seen[kind] & 2
    records.unit = 1 if fine else 1000
    snaplen = max(found.longest, <uint32_t>LEAST_SNAPLEN)
    out.write(struct.pack("<IHHiIII", 0xA1B23C4D if fine else 0xA1B2C3D4, 2, 4, 0, 0, snaplen, kind))
    with open(path, "rb", buffering=0) as file:
        reader = PcapngReader(file.readinto)
        while True:
            with nogil:
                state = records.run(reader, kind)
            if state == STEP_NEED:
                reader.fill()
                continue
            if state == -2:
                raise MemoryError
            out.write(<bytes>records.buffer[:records.used])
            records.used = 0
            if state == STEP_END:
                return records.frames

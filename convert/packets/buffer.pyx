# cython: language_level=3
"""The buffer that capture files are read through, and what their readers have in common.

A reader takes records out of one buffer that is used again and again. It holds a record only when all its bytes are
there, so no check is needed behind that; the buffer grows beyond its first size only as bytes of a longer record
come in, never because a length says so.
"""

import os

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memmove, memset

from syswire.convert.packets.record cimport Record

from typing import NamedTuple

cdef enum:
    FIRST_ROOM = 1 << 20

cdef uint32_t MOST_FRAMES = <uint32_t>0xFFFFFFFE

CAUSE_NAMES = (
    "unknown_block", "block_trailer_differs", "damaged_packet", "damaged_options", "snaplen", "damaged_block",
)

REASONS = {
    DAMAGE_CUT: "cut: a record of {} bytes is not there to its end",
    DAMAGE_HEADER_CUT: "cut: it ends inside the head of a record",
    DAMAGE_LONG_RECORD: "damaged: a packet of {} bytes cannot be",
    DAMAGE_BLOCK_LENGTH: "damaged: a block of {} bytes cannot be",
    DAMAGE_BYTE_ORDER: "damaged: a section without a byte order",
    DAMAGE_VERSION: "a section of format version {}, which is not known",
    DAMAGE_NO_SECTION: "damaged: it does not begin with a section",
    DAMAGE_MANY_FRAMES: "more than {} frames",
    DAMAGE_SECOND_FILE: "another capture file follows, with the same head of {} bytes",
}


class Loss(NamedTuple):
    """What one cause took."""

    number: int
    bytes: int
    offset: int
    time: int
    source_frame: int


class Frame(NamedTuple):
    """A frame as Python sees it."""

    frame: int
    source_frame: int
    time: int
    interface: int
    linktype: int
    data: bytes
    original: int
    offset: int
    position: int


cdef class FrameReader:
    format = ""

    def __cinit__(self):
        memset(self.tallies, 0, sizeof(self.tallies))
        self.room = FIRST_ROOM
        self.buffer = <uint8_t *>malloc(FIRST_ROOM)
        if self.buffer == NULL:
            raise MemoryError

    def __init__(self, readinto, int spool_fd=-1):
        self.readinto = readinto
        self.spool = spool_fd

    def __dealloc__(self):
        free(self.buffer)

    cpdef bint fill(self) except -1:
        cdef uint64_t held = self.end - self.begin, larger
        cdef uint8_t *buffer
        cdef Py_ssize_t got, put
        if self.ended:
            return False
        if held == 0 or self.room - self.begin < self.need or self.end == self.room:
            memmove(self.buffer, self.buffer + self.begin, held)
            self.base += self.begin
            self.begin, self.end = 0, held
        if held == self.room:
            larger = (self.need + FIRST_ROOM - 1) // FIRST_ROOM * FIRST_ROOM
            if larger > self.room * 2 or larger <= self.room:
                larger = self.room * 2
            buffer = <uint8_t *>realloc(self.buffer, larger)
            if buffer == NULL:
                raise MemoryError
            self.buffer, self.room = buffer, larger
        view = <uint8_t[:self.room - self.end]>(self.buffer + self.end)
        got = self.readinto(memoryview(view))
        if got < 0 or <uint64_t>got > self.room - self.end:
            raise ValueError(f"readinto returned {got}")
        if got == 0:
            self.ended = True
            return False
        if self.spool >= 0:
            data = memoryview(view)[:got]
            while data:
                put = os.write(self.spool, data)
                data = data[put:]
        self.end += <uint64_t>got
        return True

    cdef int step(self, Record *r) noexcept nogil:
        return STEP_END

    cdef int wait(self, uint64_t need) noexcept nogil:
        # What is to be returned where the record at `begin` has `need` bytes and not all of them are there.
        cdef uint64_t held = self.end - self.begin
        self.need = need
        if not self.ended:
            return STEP_NEED
        if held == 0:
            return STEP_END
        return self.stop(DAMAGE_CUT, self.base + self.begin, need)

    cdef int stop(self, int code, uint64_t offset, uint64_t size) noexcept nogil:
        # Reading ends here for good: nothing is left in the buffer, and nothing more is asked for.
        self.damage_code, self.damage_offset, self.damaged_size = code, offset, size
        self.base += self.end
        self.begin = self.end = 0
        self.ended = True
        return STEP_END

    cdef void count(self, int cause, uint64_t missing, uint64_t offset, uint64_t time,
                    uint32_t source_frame) noexcept nogil:
        cdef Tally *tally = &self.tallies[cause]
        if tally.count == 0:
            tally.offset, tally.time, tally.source_frame = offset, time, source_frame
        tally.count += 1
        tally.bytes += missing

    cdef int found(self, Record *r, uint64_t offset, const uint8_t *data) noexcept nogil:
        # A frame whose time, lengths, interface and link type are filled in: number it. `source_frame` is its own.
        if self.frame >= MOST_FRAMES or self.source_frame >= MOST_FRAMES:
            return self.stop(DAMAGE_MANY_FRAMES, offset, MOST_FRAMES)
        self.frame += 1
        r.frame, r.source_frame = self.frame, self.source_frame
        r.offset, r.data = offset, data
        r.position = self.base + <uint64_t>(data - self.buffer)
        if r.captured > self.longest:
            self.longest = r.captured
        if r.original > r.captured:
            self.count(SNAPLEN, r.original - r.captured, offset, r.time, self.source_frame)
        elif r.original < r.captured:
            r.original = r.captured
        if r.time:
            if self.first_time == 0 or r.time < self.first_time:
                self.first_time = r.time
            if r.time > self.last_time:
                self.last_time = r.time
        return STEP_FRAME

    @property
    def bytes_read(self):
        return self.base + self.end

    @property
    def offset(self):
        return self.base + self.begin

    @property
    def damage(self):
        if self.damage_code == DAMAGE_NONE:
            return None
        return REASONS[self.damage_code].format(self.damaged_size), self.damage_offset

    def losses(self):
        """What could not be used or is not there, by cause; see buffer.pyi."""
        cdef int cause
        cdef Tally *tally
        found = {}
        for cause in range(CAUSES):
            tally = &self.tallies[cause]
            if tally.count:
                found[CAUSE_NAMES[cause]] = Loss(
                    tally.count, tally.bytes, tally.offset, tally.time, tally.source_frame
                )
        return found

    @property
    def interfaces(self):
        return []

    def frames(self):
        """Yield the frames one by one; for tests and small uses."""
        cdef Record r
        cdef int state
        while True:
            state = self.step(&r)
            if state == STEP_NEED:
                self.fill()
            elif state == STEP_FRAME:
                yield Frame(r.frame, r.source_frame, r.time, r.interface, r.linktype, <bytes>r.data[:r.captured],
                            r.original, r.offset, r.position)
            elif state == STEP_END:
                return

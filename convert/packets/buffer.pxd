# The buffer that capture files are read through, and what their readers have in common.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

from syswire.convert.packets.record cimport Record

cdef extern from *:
    uint64_t swap64 "__builtin_bswap64"(uint64_t value) noexcept nogil
    uint32_t swap32 "__builtin_bswap32"(uint32_t value) noexcept nogil
    uint16_t swap16 "__builtin_bswap16"(uint16_t value) noexcept nogil

cdef enum:                # what step() tells
    STEP_END = -1         # nothing more is read: the input ended, or `damage` says why not all of it was read
    STEP_NEED = 0         # call fill(), then step() again
    STEP_FRAME = 1        # the record is filled in
    STEP_BLOCK = 2        # only where blocks were asked for: one that is no frame, see pcapng.pxd

cdef enum:
    LONGEST_BLOCK = 1 << 24   # of a pcapng, as Wireshark's

cdef enum:                # causes of loss, indexes of `tallies`
    UNKNOWN_BLOCK = 0
    TRAILER_DIFFERS = 1
    DAMAGED_PACKET = 2
    DAMAGED_OPTIONS = 3
    SNAPLEN = 4
    DAMAGED_BLOCK = 5
    CAUSES = 6

cdef enum:                # why reading ended before the end of the input
    DAMAGE_NONE = 0
    DAMAGE_CUT = 1        # the record at `damage_offset` claims `damaged_size` bytes
    DAMAGE_HEADER_CUT = 2
    DAMAGE_LONG_RECORD = 3
    DAMAGE_BLOCK_LENGTH = 4
    DAMAGE_BYTE_ORDER = 5
    DAMAGE_VERSION = 6
    DAMAGE_NO_SECTION = 7
    DAMAGE_MANY_FRAMES = 8
    DAMAGE_SECOND_FILE = 9

ctypedef struct Tally:
    uint64_t count
    uint64_t bytes
    uint64_t offset       # of the first
    uint64_t time         # of the first, 0 = not known
    uint32_t source_frame # of the first, 0 = it is no frame


cdef inline uint16_t load16(const uint8_t *at, bint swapped) noexcept nogil:
    cdef uint16_t value
    memcpy(&value, at, 2)
    return swap16(value) if swapped else value


cdef inline uint32_t load32(const uint8_t *at, bint swapped) noexcept nogil:
    cdef uint32_t value
    memcpy(&value, at, 4)
    return swap32(value) if swapped else value


cdef inline uint64_t load64(const uint8_t *at, bint swapped) noexcept nogil:
    cdef uint64_t value
    memcpy(&value, at, 8)
    return swap64(value) if swapped else value


cdef inline uint32_t longest_frame(uint32_t linktype) noexcept nogil:
    # The most captured bytes of a frame: what Wireshark accepts, and no more than a pcapng block can hold.
    if (linktype == 186 or linktype == 189 or linktype == 220 or linktype == 249 or linktype == 266     # USB
            or linktype == 231 or linktype == 279):                                                     # D-Bus, EBHSCR
        return LONGEST_BLOCK - 64
    return 262144


cdef class FrameReader:
    cdef object readinto
    cdef int spool
    cdef uint8_t *buffer
    cdef uint64_t room        # bytes that `buffer` has
    cdef uint64_t begin       # what lies before was taken
    cdef uint64_t end         # what lies behind was not read yet
    cdef uint64_t base        # offset of buffer[0] in the input
    cdef uint64_t need        # bytes from `begin` that the next step needs
    cdef bint ended           # the input has no more bytes
    cdef bint swapped         # the file's byte order is not this machine's
    cdef Tally tallies[6]
    cdef int damage_code
    cdef uint64_t damage_offset
    cdef uint64_t damaged_size
    cdef readonly uint32_t frame
    cdef readonly uint32_t source_frame
    cdef readonly uint64_t first_time
    cdef readonly uint64_t last_time
    cdef readonly uint32_t longest

    cdef int step(self, Record *r) noexcept nogil
    cdef int wait(self, uint64_t need) noexcept nogil
    cdef int stop(self, int code, uint64_t offset, uint64_t size) noexcept nogil
    cdef void count(self, int cause, uint64_t missing, uint64_t offset, uint64_t time,
                    uint32_t source_frame) noexcept nogil
    cdef int found(self, Record *r, uint64_t offset, const uint8_t *data) noexcept nogil
    cpdef bint fill(self) except -1

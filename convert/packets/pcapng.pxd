from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from syswire.convert.packets.buffer cimport FrameReader
from syswire.convert.packets.record cimport Record

cdef enum:
    BLOCK_SECTION = 0x0A0D0D0A
    BLOCK_INTERFACE = 1
    BLOCK_OLD_PACKET = 2
    BLOCK_SIMPLE_PACKET = 3
    BLOCK_NAMES = 4
    BLOCK_STATISTICS = 5
    BLOCK_PACKET = 6
    BLOCK_SECRETS = 10

ctypedef struct Interface:    # of the current section
    int64_t seconds           # to be added to time stamps
    uint32_t snaplen
    uint16_t linktype
    uint8_t tsresol
    uint8_t damaged           # 1: the block is too short to say what it is of

ctypedef struct Note:         # an interface of any section, for `interfaces`
    uint32_t snaplen
    uint32_t length           # of its options
    uint64_t at               # where they are in `noted`
    uint16_t linktype
    uint8_t tsresol
    bint swapped


cdef class PcapngReader(FrameReader):
    cdef bint sectioned           # the first section header was read
    cdef bint blocks              # step() also returns STEP_BLOCK for blocks that a copy of the file keeps
    cdef const uint8_t *block     # the last block that step() took, whole, valid until the next step
    cdef uint32_t kind            # its type
    cdef uint32_t size            # its length
    cdef uint32_t options         # where its options begin; 0 = it has no place for any
    cdef bint broken              # they are not sound
    cdef uint8_t tsresol          # of the last frame's interface
    cdef Interface *known
    cdef uint32_t known_room
    cdef uint32_t known_count     # interfaces of the section
    cdef uint32_t earlier         # interfaces of the sections before
    cdef Note *notes
    cdef uint32_t notes_room
    cdef uint32_t notes_count
    cdef uint8_t *noted
    cdef uint64_t noted_room
    cdef uint64_t noted_bytes
    cdef bint exhausted           # memory ran out
    cdef readonly uint32_t sections

    cdef int next_block(self) noexcept nogil
    cdef int section(self, const uint8_t *at, uint32_t size, uint64_t offset) noexcept nogil
    cdef bint interface(self) noexcept nogil
    cdef bint other(self) noexcept nogil
    cdef void note(self, const Interface *entry) noexcept nogil
    cdef bint packet(self, Record *r, uint64_t offset) noexcept nogil
    cdef object described(self, uint32_t index)

# cython: language_level=3
"""Reader of pcap files: microseconds or nanoseconds, either byte order, the modified and the IXIA variants.

The format is that of draft-ietf-opsawg-pcap; the variants are those that Wireshark tells by their magic alone. What
the file header says of version and snaplen is not judged: both are often wrong and change nothing.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from syswire.convert.packets.buffer cimport *
from syswire.convert.packets.record cimport Record

from .interface import SourceInterface

cdef enum:
    FILE_HEADER = 24
    IXIA_EXTRA = 4
    RECORD_HEADER = 16
    MODIFIED_HEADER = 24

cdef uint32_t MICROSECONDS = <uint32_t>0xA1B2C3D4
cdef uint32_t NANOSECONDS = <uint32_t>0xA1B23C4D
cdef uint32_t MODIFIED = <uint32_t>0xA1B2CD34
cdef uint32_t IXIA_NANOSECONDS = 0x1C0001AC
cdef uint32_t IXIA_MICROSECONDS = 0x1C0001AB


cdef inline bint known_magic(uint32_t magic) noexcept nogil:
    return (magic == MICROSECONDS or magic == NANOSECONDS or magic == MODIFIED or magic == IXIA_NANOSECONDS
            or magic == IXIA_MICROSECONDS)


def is_pcap(bytes head not None):
    """Whether a file that begins with these bytes (4 suffice) is a pcap."""
    cdef const uint8_t *at = head
    return len(head) >= 4 and (known_magic(load32(at, False)) or known_magic(load32(at, True)))


cdef class PcapReader(FrameReader):
    format = "pcap"

    @property
    def interfaces(self):
        if not self.opened:
            return []
        return [SourceInterface(self.linktype, self.snaplen, 9 if self.nanoseconds else 6)]

    cdef int open_file(self) noexcept nogil:
        # STEP_FRAME: done; else what step has to return.
        cdef const uint8_t *at = self.buffer + self.begin
        cdef uint32_t magic, size = FILE_HEADER
        if self.end - self.begin < FILE_HEADER:
            return self.wait(FILE_HEADER)
        self.swapped = not known_magic(load32(at, False))
        magic = load32(at, self.swapped)
        if not known_magic(magic):
            return self.stop(DAMAGE_BYTE_ORDER, self.base + self.begin, 0)
        if magic == IXIA_NANOSECONDS or magic == IXIA_MICROSECONDS:
            size += IXIA_EXTRA
            if self.end - self.begin < size:
                return self.wait(size)
        self.nanoseconds = magic == NANOSECONDS or magic == IXIA_NANOSECONDS
        self.head = MODIFIED_HEADER if magic == MODIFIED else RECORD_HEADER
        self.snaplen = load32(at + 16, self.swapped)
        self.linktype = <uint16_t>load32(at + 20, self.swapped)     # above: length of a frame check sequence
        self.limit = longest_frame(self.linktype)
        memcpy(self.magic, at, sizeof(self.magic))
        self.begin += size
        self.opened = True
        return STEP_FRAME

    cdef int step(self, Record *r) noexcept nogil:
        cdef const uint8_t *at
        cdef uint64_t offset
        cdef uint32_t captured
        cdef int state
        if not self.opened:
            state = self.open_file()
            if state != STEP_FRAME:
                return state
        if self.end - self.begin < self.head:
            return self.wait(self.head)
        at = self.buffer + self.begin
        offset = self.base + self.begin
        captured = load32(at + 8, self.swapped)
        if captured > self.limit:
            return self.stop(DAMAGE_LONG_RECORD, offset, captured)
        if self.end - self.begin - self.head < captured:
            return self.wait(<uint64_t>self.head + captured)
        if captured == 0 and memcmp(at, self.magic, sizeof(self.magic)) == 0:
            # Files put one behind the other: read on, its header would be an empty frame of the year 2055.
            return self.stop(DAMAGE_SECOND_FILE, offset, FILE_HEADER)
        r.time = <uint64_t>load32(at, self.swapped) * 1000000000
        r.time += <uint64_t>load32(at + 4, self.swapped) * (1 if self.nanoseconds else 1000)
        r.captured = captured
        r.original = load32(at + 12, self.swapped)
        r.interface, r.linktype = 0, self.linktype
        self.begin += self.head + captured
        self.source_frame += 1
        return self.found(r, offset, at + self.head)

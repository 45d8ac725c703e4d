from libc.stdint cimport uint8_t, uint16_t, uint32_t

from syswire.convert.packets.buffer cimport FrameReader


cdef class PcapReader(FrameReader):
    cdef bint opened              # the file header was read
    cdef uint8_t magic[16]        # how the file header begins
    cdef bint nanoseconds
    cdef uint32_t head            # bytes of a record header
    cdef uint32_t limit           # the most captured bytes of a frame
    cdef readonly uint32_t snaplen
    cdef readonly uint16_t linktype

    cdef int open_file(self) noexcept nogil

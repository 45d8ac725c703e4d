from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.convert.packets.buffer cimport FrameReader
from syswire.convert.packets.pcapng cimport PcapngReader
from syswire.convert.packets.record cimport Record
from syswire.convert.spool.files cimport RowCursor


cdef class Copier:
    cdef FrameReader reader
    cdef PcapngReader blocks      # the same, None for a pcap
    cdef bint plain               # it is a pcap
    cdef bytes header             # section header and interface of a copy of a pcap
    cdef bytes section_options    # of the first section, in this machine's byte order
    cdef const uint8_t *section_at
    cdef uint32_t section_bytes
    cdef readonly bint begun      # the first section was written
    cdef bint held                # `record` waits for its options
    cdef Record record
    cdef RowCursor flows
    cdef RowCursor convs
    cdef uint64_t flow            # index of the next flow
    cdef uint64_t flow_frame      # its first frame
    cdef uint8_t *buffer
    cdef uint64_t room
    cdef uint64_t used
    cdef char stream[64]          # the comment on a conversation's first frame, as an option
    cdef uint32_t stream_bytes
    cdef uint32_t resolution      # nanoseconds of a unit of time in a copy of a pcap

    cdef int run(self, uint64_t stop) noexcept nogil
    cdef int next_flow(self) noexcept nogil
    cdef int find_stream(self) noexcept nogil
    cdef int reserve(self, uint64_t more) noexcept nogil
    cdef void put(self, const void *data, uint64_t length) noexcept nogil
    cdef void put_options(self, const uint8_t *options, uint32_t length, bint swapped) noexcept nogil
    cdef int put_block(self, const uint8_t *options, uint32_t length) noexcept nogil
    cdef int put_simple(self, const uint8_t *options, uint32_t length) noexcept nogil
    cdef int put_frame(self, const uint8_t *options, uint32_t length) noexcept nogil
    cdef int put_packet(self, uint32_t interface, uint64_t stamp, const uint8_t *options, uint32_t length,
                        bint swapped) noexcept nogil
    cdef int put_other(self) noexcept nogil

# Which tcp.stream Wireshark counts a segment to, as long as it has the same tuple.

from libc.stdint cimport uint8_t, uint32_t

ctypedef struct Shark:
    uint32_t stream       # number of the current one
    uint32_t base[2]      # first sequence number of each half
    uint8_t based[2]      # whether that is known

cdef bint shark_restarts(Shark *shark, int half, uint8_t flags, uint32_t seq, uint32_t ack) noexcept nogil

# Sequence numbers of one half of a TCP conversation, unwrapped to 64 bits as they come.

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

cdef enum:
    HALF_PLACED = 1       # `next` is set: numbers can be placed
    HALF_SYN = 2          # its SYN was seen
    HALF_FIN = 4          # its FIN was seen
    HALF_ACKED = 8        # the other end acknowledged something

ctypedef struct Half:     # the low 32 bits of each `rel` are the sequence number
    uint64_t next         # rel behind the farthest byte that is plausible: the reference for placing others
    uint64_t low          # rel of the first byte seen; 0 = none
    uint64_t top          # rel behind the last byte seen; 0 = none
    uint64_t fin          # rel of the FIN
    uint64_t first_ack    # rel of the first and the highest acknowledgement by the other end
    uint64_t acked
    uint64_t rows
    uint32_t isn          # number of the SYN
    uint32_t stray        # number behind the last segment that was too far off to be placed
    uint8_t strays        # how many of those followed each other without a hole
    uint8_t flags

cdef uint64_t place(Half *half, uint32_t seq) noexcept nogil
cdef uint64_t place_data(Half *half, uint32_t seq, uint32_t length) noexcept nogil
cdef bint begins_here(const Half *half, uint32_t isn) noexcept nogil
cdef uint64_t known_end(const Half *half) noexcept nogil

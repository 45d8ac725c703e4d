# cython: language_level=3
"""Which tcp.stream Wireshark counts a segment to: measured against tshark 4.0 on every capture of the tests.

A tuple's first segment begins a stream. So does a SYN whose number is not the one that its sender began with; a SYN of
a half of which nothing is known goes on in the stream.
"""

from libc.string cimport memset

from syswire.convert.packets.packet cimport TCP_ACK, TCP_SYN


cdef bint shark_restarts(Shark *shark, int half, uint8_t flags, uint32_t seq, uint32_t ack) noexcept nogil:
    """Take one segment in; whether a new stream begins with it (its number is the caller's to set)."""
    cdef bint fresh = False
    if flags & (TCP_SYN | TCP_ACK) == TCP_SYN and shark.based[half] and seq != shark.base[half]:
        memset(shark, 0, sizeof(Shark))
        fresh = True
    elif flags & (TCP_SYN | TCP_ACK) == TCP_SYN | TCP_ACK and shark.based[half]:
        shark.base[half] = seq
    if not shark.based[half]:
        shark.based[half], shark.base[half] = True, seq if flags & TCP_SYN else seq - 1
    if not shark.based[1 - half] and flags & TCP_ACK:
        shark.based[1 - half], shark.base[1 - half] = True, ack - 1
    return fresh

# A TCP segment or UDP datagram as decoded from a frame, or from the fragments that it came in.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    TCP_FIN = 0x01
    TCP_SYN = 0x02
    TCP_RST = 0x04
    TCP_PSH = 0x08
    TCP_ACK = 0x10

ctypedef struct Part:         # a run of a payload that stands in one place of the file
    uint64_t position         # in the payload file
    uint32_t offset           # of its first byte in the payload
    uint32_t length

cdef enum:
    MOST_OUTER = 8

ctypedef struct Outer:        # the addresses of an IP header that is not the innermost, as Packet has those
    uint8_t source[16]
    uint8_t target[16]
    uint8_t family

ctypedef struct Packet:
    uint8_t source[16]        # IPv4 in the first four bytes, the rest zero
    uint8_t target[16]
    uint16_t source_port
    uint16_t target_port
    uint32_t seq              # TCP, host order
    uint32_t ack
    uint8_t family            # 4 or 6; 0 for a login of PPP, whose link `source` and `target` name alike
    uint8_t protocol          # 6 TCP, 17 UDP (and logins of PPP)
    uint8_t tcp_flags         # as in the header
    const uint8_t *payload    # `stored` bytes in one run, valid until the next step
    uint32_t stored           # payload bytes captured
    uint32_t length           # payload bytes that the IP header claims; `stored` where it claims fewer
    uint32_t parts            # in how many places of the file the stored bytes stand; 1 for all but fragments
    const Part *part          # where, in order, without holes
    uint32_t outers           # IP headers around the innermost one, as far as there is room: a tunnel's
    const Outer *outer        # from the outside in

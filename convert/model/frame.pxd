# A frame of the pcapng before it is written: what the compiled stages hand to the writer.
# The Python view of the same layout is frame.py; a test holds the two equal.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    FRAME_TO_SERVER = 1   # flags: sent by the client
    FRAME_FIRST = 2       # flags: the first frame of its conversation
    FRAME_STREAM = 4      # flags: a TCP frame with which a new tcp.stream begins
    FRAME_JOINS = 8       # flags: the first frame of a conversation that goes on in an earlier one's tcp.stream

cdef enum:
    MAX_TCP_PAYLOAD = 65495   # 65,535 less 20 and 20: the most for one IPv4 segment, and safe for IPv6
    MAX_UDP_PAYLOAD = 65507
    NO_FRAME = 0xFFFFFFFF     # a piece that no frame stands for

ctypedef struct Frame:    # 64 bytes
    uint64_t time         # ns since the epoch
    uint64_t payload      # position of the first piece's bytes in the payload file
    uint64_t piece        # row of the first of its known pieces
    uint32_t row          # its own row in the file as first written
    uint32_t conv
    uint32_t seq          # TCP: as in the header
    uint32_t ack
    uint32_t thread       # thread version, 0 = not known
    uint32_t known        # payload bytes that the frame holds
    uint32_t length       # payload bytes that it stands for
    uint32_t pieces       # how many pieces, one after the other, hold the known bytes
    uint32_t leader       # FRAME_JOINS: the conversation in whose tcp.stream it goes on
    uint16_t ip_id
    uint8_t tcp_flags     # as in the header
    uint8_t flags         # FRAME_*

# Fixed-size rows of a packet source: what the reader of packets hands to reassembly through spool files.
# The Python view of the same layouts is segments.py; a test holds the two equal.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    SEGMENT_START = 1     # Segment.flags: the stored bytes begin with an HTTP/1 start line
    SEGMENT_ACKS = 2      # Segment.flags: `ack` is known
    SEGMENT_CONTINUES = 4 # Segment.flags: the rest of the payload of the row before (a datagram that came in fragments)

cdef enum:
    FLOW_SYN_0 = 1        # Flow.flags: a SYN of half 0 was seen: its stream begins at base[0], what is missing is a gap
    FLOW_SYN_1 = 2

ctypedef struct Segment:  # 72 bytes: the payload of one TCP segment or UDP datagram (none of length 0 but of UDP)
    uint64_t rel          # TCP: sequence number of the first byte, unwrapped to 64 bits; UDP: the frame's number
    uint64_t ack          # TCP: what its sender had received, in the other half's `rel`
    uint64_t time         # ns since the epoch, 0 = not known
    uint64_t block        # offset of the record in the decompressed input
    uint64_t payload      # position of the stored bytes in the payload file
    uint32_t half         # conversation id << 1 | half: 0 and 1 are the two directions, by sender
    uint32_t frame        # number in the pcapng, from 1
    uint32_t source_frame
    uint32_t length       # bytes of the payload
    uint32_t stored       # how many of them, the first ones, are captured
    uint32_t flags        # SEGMENT_*
    uint32_t reserved[2]

cdef enum:
    TUNNEL_ROOM = 8

ctypedef struct Tunnel:   # 272 bytes: the IP headers around the first packet of a conversation, from the outside in
    uint32_t conv
    uint32_t outers
    uint8_t family[TUNNEL_ROOM]              # 4 or 6
    uint8_t addresses[TUNNEL_ROOM][2][16]    # source, target

ctypedef struct Flow:     # 80 bytes, at (conversation id - 1) * 80: what Conv has no place for
    uint64_t rows[2]      # segment rows of each half
    uint64_t base[2]      # TCP: `rel` of the stream's first byte; bytes before it are not the stream's. 0: not known
    uint64_t end[2]       # TCP: `rel` behind the last byte that was sent, by FIN or acknowledgement. 0: not known
    uint32_t id
    uint32_t first_frame
    uint32_t last_frame
    uint32_t tcp_stream   # Wireshark's number, 0xFFFFFFFF for UDP
    uint8_t client        # which half is the client
    uint8_t flags         # FLOW_*
    uint16_t reserved
    uint32_t joined       # 1: it was opened again only because it had been evicted, without a SYN
    uint64_t frames       # how many

# Fixed-size rows that the compiled stages hand to each other through spool files.
# The Python view of the same layouts is rows.py; a test holds the two equal.
# Little endian, naturally aligned, no padding but where named.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

cdef enum:
    CHUNK_DATA = 0        # bytes moved (a send or a receive that returned >= 0 bytes; length 0 for an empty datagram)
    CHUNK_CONNECT = 1     # connect returned 0 or EINPROGRESS (flag CHUNK_PENDING then)
    CHUNK_ACCEPT = 2
    CHUNK_CLOSE = 3       # the last descriptor of this end was closed
    CHUNK_SHUTDOWN = 4    # shutdown of the sending half
    CHUNK_RESET = 5       # this end was told ECONNRESET
    CHUNK_EOF = 6         # a receive on a stream socket returned 0: the other end had finished sending

cdef enum:
    UNIX_STREAM = 1       # Conv.protocol, beside 6 TCP, 17 UDP and 254 logins of PPP
    UNIX_DATAGRAM = 2

cdef enum:
    GAP_NONE = 0
    GAP_SNAPLEN = 1       # the recorder stored only the first bytes of the call
    GAP_DROP = 2          # the recorder said that it dropped events here
    GAP_SENDFILE = 3      # the bytes went from a file to the socket inside the kernel
    GAP_NOT_CAPTURED = 4  # known to have moved, never recorded

cdef enum:
    CHUNK_PENDING = 1     # flags: the connect had only begun (EINPROGRESS)
    CHUNK_ENTERED = 2     # flags: `time` is a recorded enter time
    CHUNK_REQUEST = 4     # flags: the stored bytes begin with an HTTP request line
    CHUNK_RESPONSE = 8    # flags: the stored bytes begin with "HTTP/1."

ctypedef struct Chunk:    # 72 bytes: what one end of a conversation did in one event
    uint64_t time         # ns since the epoch: of a send its enter where recorded, else its exit; of all else the exit
    uint64_t exit_time    # ns: as the event block says
    uint64_t event        # ordinal of the event block in the file, from 1
    uint64_t block        # offset of the block in the decompressed input
    uint64_t payload      # position of the stored bytes in the payload file
    uint64_t length       # bytes truly moved
    uint32_t evt_num      # sysdig 0.29.3's number, 0 = it gives none
    uint32_t conv         # conversation id, from 1
    uint32_t thread       # thread version id, from 1; 0 = not known
    uint32_t stored       # bytes stored, the first of `length`
    uint8_t kind          # CHUNK_*
    uint8_t to_server     # 1: the bytes flow from client to server
    uint8_t end           # the end that did it: 0 client, 1 server
    uint8_t reason        # GAP_*: why stored < length
    uint32_t flags

ctypedef struct Conv:     # 96 bytes: a conversation, written when it ends, at (id - 1) * 96
    uint64_t opened       # ns, 0 = not seen
    uint64_t closed       # ns, 0 = not seen
    uint64_t client_ptr   # unix sockets: kernel addresses, 0 = not known
    uint64_t server_ptr
    uint8_t client_ip[16] # IPv4 in the first four bytes
    uint8_t server_ip[16]
    uint32_t id
    uint32_t client_owner # thread version that held the descriptor by the tables, 0 = none known
    uint32_t server_owner
    uint32_t path         # unix sockets: index in the path table, 0 = no path
    uint32_t container    # index in the container table, 0 = the host
    uint16_t client_port
    uint16_t server_port
    uint8_t protocol      # 6 TCP, 17 UDP, 1 unix stream, 2 unix datagram, 254 PPP
    uint8_t family        # 4, 6, 1 (unix), 0 (PPP)
    uint8_t ends          # bit 0: the client end was seen, bit 1: the server end
    uint8_t preexisting   # 1: it was open before the capture began
    uint32_t reserved

ctypedef struct Piece:    # 80 bytes: a run of one direction, bytes known or not, in the order of the conversation
    uint64_t time         # ns, as dated (causal)
    uint64_t recorded     # ns, the event's own time
    uint64_t event        # of packets: the number of the frame in the source
    uint64_t block
    uint64_t payload      # position of the bytes in the payload file (known pieces)
    uint64_t stream_offset
    uint32_t frame        # index of its frame in the frames file (before sorting)
    uint32_t frame_offset # where in the frame's payload the piece begins
    uint32_t evt_num
    uint32_t conv
    uint32_t thread
    uint32_t length       # bytes of the stream that it covers
    uint8_t known         # 1: the bytes are known
    uint8_t to_server
    uint8_t reason        # GAP_* of an unknown piece
    uint8_t flags         # PIECE_*
    uint32_t reserved

cdef enum:
    PIECE_BOUNDARY = 1    # a system call's bytes begin here
    PIECE_IN_FRAME = 2    # its frame holds the bytes (not so for orphan bytes that are written headers-only)
    PIECE_FILLED = 4      # the bytes come from the other end's view
    PIECE_JOINS = 8       # known bytes right behind those of the piece before: may be handed on together with them

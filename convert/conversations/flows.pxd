# Conversations of a packet capture: the table of live ones, with what is known of both halves.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.convert.conversations.live cimport Key, Live, LiveTable
from syswire.convert.conversations.sequence cimport Half
from syswire.convert.conversations.wireshark cimport Shark
from syswire.convert.model.segments cimport Segment
from syswire.convert.packets.packet cimport Packet
from syswire.convert.packets.record cimport Record
from syswire.convert.spool.files cimport RowWriter

cdef enum:
    SURE_SENDER = 1       # Track.sureness: who is the client, by who spoke first,
    SURE_PORT = 2         # by a port that servers have,
    SURE_MESSAGE = 3      # by a message that only one side sends,
    SURE_SYN = 4          # by the handshake

ctypedef struct Track:
    Half half[2]
    Shark shark
    uint64_t frames
    uint32_t first_frame
    uint32_t last_frame
    uint32_t tcp_stream
    uint8_t client        # half
    uint8_t sureness      # SURE_*
    uint8_t joined

ctypedef struct Stray:
    uint64_t count
    uint64_t bytes
    uint64_t block        # of the first
    uint64_t time
    uint32_t source_frame
    uint32_t frame

cdef class PacketFlows(LiveTable):
    cdef Track *tracks
    cdef uint32_t track_room
    cdef int convs_fd, flows_fd
    cdef RowWriter segments, tunnels
    cdef bint tunnelled       # where tunnels are to be written
    cdef Live *latest
    cdef uint64_t latest_serial
    cdef readonly uint32_t last_id
    cdef readonly bint failed
    cdef uint32_t next_stream
    cdef Stray strays, probes

    cdef int take(self, const Record *r, const Packet *p) noexcept nogil
    cdef int mention(self, const Record *r, const Packet *p) noexcept nogil
    cdef void around(self, const Packet *p) noexcept nogil
    cdef Live *enter(self, Key *key, const Record *r) noexcept nogil
    cdef void begin(self, Live *live, Track *track, const Record *r, const Packet *p, int half) noexcept nogil
    cdef void number(self, Track *track, const Packet *p, int half, bint first) noexcept nogil
    cdef Live *find_flow(self, Key *key) noexcept nogil
    cdef Track *track_of(self, const Live *live) noexcept nogil
    cdef int tcp(self, Live *live, Track *track, const Record *r, const Packet *p, int half) noexcept nogil
    cdef bint over(self, Track *track, const Packet *p, int half) noexcept nogil
    cdef int put(self, const Live *live, Track *track, const Record *r, const Packet *p, int half, uint64_t rel,
                 uint64_t ack, uint32_t flags) noexcept nogil

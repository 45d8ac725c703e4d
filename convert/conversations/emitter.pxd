# The way out of the rebuilding stage: pieces and frames of one conversation after the other.

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from syswire.convert.model.rows cimport Chunk, Conv, Piece
from syswire.convert.spool.files cimport PayloadWindow, RowWriter

cdef enum:
    TCP_FIN = 0x01
    TCP_SYN = 0x02
    TCP_RST = 0x04
    TCP_PSH = 0x08
    TCP_ACK = 0x10


cdef class Emitter:
    cdef RowWriter pieces
    cdef RowWriter frames
    cdef PayloadWindow payload
    cdef uint64_t budget            # headers-only gap frames that may still be written
    cdef readonly uint64_t refused  # gap frames beyond the budget
    cdef uint64_t unseen            # gaps that no event tells of
    cdef uint64_t unseen_bytes
    cdef uint32_t heir, heir_next[2]    # what the next conversation goes on with, if it does not open; 0 = nothing
    # The conversation at hand.
    cdef uint32_t conv, leader, most
    cdef bint tcp, opens
    cdef uint32_t isn[2]            # by to_server of what the end sends
    cdef uint64_t position[2]       # sequence numbers used, the SYN's included
    cdef uint64_t unacked[2]        # bytes since the other end last sent a frame
    cdef uint64_t gap_end[2]
    cdef uint64_t gaps, missing, first_frame, frame_count
    cdef uint64_t time              # of the latest event
    cdef uint64_t shifted           # events dated elsewhere than recorded
    # Known bytes that wait for what follows them.
    cdef Piece *pending
    cdef uint32_t count, bytes

    cdef int open(self, int pieces_fd, int frames_fd, int payload_fd, uint64_t payload_size,
                  uint64_t budget) except -1
    cdef int finish(self) except -1
    cdef void begin(self, const Conv *conv, bint tcp, bint opens) noexcept nogil
    cdef uint64_t date(self, uint64_t recorded, uint64_t wanted) noexcept nogil
    cdef int known(self, Piece *piece, bint orphan) noexcept nogil
    cdef int unknown(self, Piece *piece) noexcept nogil
    cdef int control(self, int to_server, uint8_t tcp_flags, uint64_t time, uint32_t thread) noexcept nogil
    cdef int flush(self) noexcept nogil
    cdef int has_line(self, uint32_t begin, uint32_t end) noexcept nogil
    cdef int put_frame(self, uint32_t begin, uint32_t end, uint32_t known, uint32_t length) noexcept nogil
    cdef int put_row(self, int to_server, uint64_t time, uint32_t thread, uint32_t length, uint8_t tcp_flags,
                     const Piece *first, uint32_t pieces, uint32_t known) noexcept nogil


cdef enum:
    PIECE_LOOSE = 1     # `reserved` of a pending piece: it goes on after a gap, in a message whose end is not known


cdef inline void describe(Piece *piece, const Chunk *chunk, uint64_t offset, uint64_t time,
                          uint8_t flags) noexcept nogil:
    # A piece of what `chunk` moved, at `offset` of its stream; its bytes and length are the caller's.
    memset(piece, 0, sizeof(Piece))
    piece.time, piece.recorded = time, chunk.exit_time
    piece.event, piece.block, piece.evt_num = chunk.event, chunk.block, chunk.evt_num
    piece.conv, piece.thread, piece.to_server = chunk.conv, chunk.thread, chunk.to_server
    piece.stream_offset, piece.flags = offset, flags

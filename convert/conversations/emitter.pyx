# cython: language_level=3
"""Pieces and frames of a conversation, in its order: how bytes and gaps become segments.

The rules are those under which Wireshark reads the result without a warning and pairs every request with its
response: the sequence has no hole, a gap that follows known bytes directly is in one packet with them (captured
length below the original length), any other gap is a segment of headers only. So known bytes wait until it is
clear what follows them; where nothing is missing each system call has its own segments.

Calls return -1 with errno set when a file cannot be written.
"""

from libc cimport errno as system
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memset

from syswire.convert.model.frame cimport (
    FRAME_FIRST, FRAME_JOINS, FRAME_STREAM, FRAME_TO_SERVER, Frame, MAX_TCP_PAYLOAD, MAX_UDP_PAYLOAD, NO_FRAME,
)
from syswire.convert.model.rows cimport GAP_NOT_CAPTURED, PIECE_BOUNDARY, PIECE_IN_FRAME, Conv, Piece
from syswire.convert.spool.files cimport (
    PayloadWindow, payload_at, raise_errno, window_close, window_open, writer_close, writer_flush, writer_open,
    writer_put,
)

cdef enum:
    PENDING_ROOM = 4096
    BUFFERED_ROWS = 4096
    UNACKED_MOST = 1 << 28      # well below the window of 65,535 << 14

cdef uint64_t MERGE_NS = 10000000000   # calls further apart are not put into one packet


cdef inline uint64_t mixed(uint64_t value) noexcept nogil:
    # The finalizer of splitmix64: every bit of the input reaches every bit of the output.
    value ^= value >> 30
    value *= <uint64_t>0xBF58476D1CE4E5B9
    value ^= value >> 27
    value *= <uint64_t>0x94D049BB133111EB
    return value ^ (value >> 31)


cdef uint64_t flow_hash(const Conv *conv) noexcept nogil:
    cdef uint64_t state = <uint64_t>0x9E3779B97F4A7C15 + conv.id
    cdef int i
    for i in range(16):
        state = mixed(state ^ (<uint64_t>conv.client_ip[i] << 8 | conv.server_ip[i]))
    return mixed(state ^ (<uint64_t>conv.client_port << 32 | <uint64_t>conv.server_port << 16 | conv.protocol))


cdef inline bint parted(const Piece *pending, const Piece *piece) noexcept nogil:
    # Whether `piece` cannot share a packet with what is pending.
    if pending.to_server != piece.to_server:
        return True
    return piece.flags & PIECE_BOUNDARY and piece.time - pending.time > MERGE_NS


cdef class Emitter:
    def __cinit__(self):
        self.pieces.buffer = NULL
        self.frames.buffer = NULL
        self.pending = NULL
        memset(&self.payload, 0, sizeof(PayloadWindow))

    def __dealloc__(self):
        writer_close(&self.pieces)
        writer_close(&self.frames)
        window_close(&self.payload)
        free(self.pending)

    cdef int open(self, int pieces_fd, int frames_fd, int payload_fd, uint64_t payload_size,
                  uint64_t budget) except -1:
        self.budget = budget
        self.refused = self.heir = self.unseen = self.unseen_bytes = 0
        self.pending = <Piece *>malloc(PENDING_ROOM * sizeof(Piece))
        if (self.pending == NULL or writer_open(&self.pieces, pieces_fd, sizeof(Piece), BUFFERED_ROWS) < 0
                or writer_open(&self.frames, frames_fd, sizeof(Frame), BUFFERED_ROWS) < 0
                or window_open(&self.payload, payload_fd, payload_size) < 0):
            raise MemoryError
        return 0

    cdef int finish(self) except -1:
        if writer_flush(&self.pieces) < 0 or writer_flush(&self.frames) < 0:
            raise_errno()
        return 0

    cdef void begin(self, const Conv *conv, bint tcp, bint opens) noexcept nogil:
        """Start a conversation; `opens` where its first frame is a SYN.

        Without one Wireshark takes it for a part of the one that had its ends before: it goes on with its numbers.
        """
        cdef uint64_t seed = flow_hash(conv)
        self.conv, self.tcp, self.opens, self.leader = conv.id, tcp, opens, conv.id
        self.most = MAX_TCP_PAYLOAD if tcp else MAX_UDP_PAYLOAD
        self.isn[0], self.isn[1] = <uint32_t>(seed >> 32), <uint32_t>seed
        if tcp and self.heir and not opens:
            self.leader = self.heir
            self.isn[0], self.isn[1] = self.heir_next[0] - 1, self.heir_next[1] - 1
        self.position[0] = self.position[1] = 0 if opens else 1
        self.unacked[0] = self.unacked[1] = 0
        self.gap_end[0] = self.gap_end[1] = <uint64_t>-1
        self.gaps = self.missing = self.frame_count = 0
        self.first_frame = self.frames.rows
        self.count = self.bytes = 0
        self.time = self.shifted = 0

    cdef uint64_t date(self, uint64_t recorded, uint64_t wanted) noexcept nogil:
        """The time of what comes next: as wanted, but never before what is there. Counts a shift."""
        if wanted > self.time:
            self.time = wanted
        if self.time != recorded:
            self.shifted += 1
        return self.time

    cdef int put_row(self, int to_server, uint64_t time, uint32_t thread, uint32_t length, uint8_t tcp_flags,
                     const Piece *first, uint32_t pieces, uint32_t known) noexcept nogil:
        cdef Frame frame
        if self.frames.rows >= NO_FRAME:
            system.errno = system.EFBIG
            return -1
        memset(&frame, 0, sizeof(Frame))
        frame.time, frame.thread, frame.conv = time, thread, self.conv
        frame.row = <uint32_t>self.frames.rows
        frame.known, frame.length, frame.pieces = known, length, pieces
        frame.piece = self.pieces.rows
        if pieces:
            frame.payload = first.payload
        frame.ip_id = <uint16_t>self.frame_count
        frame.flags = FRAME_TO_SERVER if to_server else 0
        if self.frame_count == 0:
            frame.flags |= FRAME_FIRST
            if self.tcp:
                frame.flags |= FRAME_STREAM if self.leader == self.conv else FRAME_JOINS
                frame.leader = self.leader
        if self.tcp:
            frame.tcp_flags = tcp_flags
            frame.seq = <uint32_t>(self.isn[to_server] + self.position[to_server])
            if tcp_flags & TCP_RST and self.position[to_server] == 0:
                frame.seq = 0   # an end that never spoke refuses
            if tcp_flags & TCP_ACK:
                frame.ack = <uint32_t>(self.isn[1 - to_server] + self.position[1 - to_server])
            self.position[to_server] += length + (1 if tcp_flags & (TCP_SYN | TCP_FIN) else 0)
            self.unacked[to_server] += length
            self.unacked[1 - to_server] = 0
        self.frame_count += 1
        if writer_put(&self.frames, &frame) < 0:
            return -1
        if self.tcp and self.unacked[to_server] > UNACKED_MOST:
            # A long one-way stream: an acknowledgement keeps it inside the window and the sequence space.
            return self.put_row(1 - to_server, time, 0, 0, TCP_ACK, NULL, 0, 0)
        return 0

    cdef int has_line(self, uint32_t begin, uint32_t end) noexcept nogil:
        """Whether there is a line end in the bytes of some pending pieces; -1 on an I/O error."""
        cdef uint32_t i
        cdef const char *data
        for i in range(begin, end):
            data = payload_at(&self.payload, self.pending[i].payload, self.pending[i].length)
            if data == NULL:
                return -1
            if memchr(data, c"\n", self.pending[i].length) != NULL:
                return 1
        return 0

    cdef int put_frame(self, uint32_t begin, uint32_t end, uint32_t known, uint32_t length) noexcept nogil:
        """One segment of the pending pieces from `begin` to `end`."""
        cdef uint32_t i, part, offset = 0, held = known, pieces = end - begin, row = <uint32_t>self.frames.rows
        cdef Piece *piece = &self.pending[begin]
        cdef int line
        if known == length and known and piece.reserved & PIECE_LOOSE:
            # A whole segment without a line end, where Wireshark looks for the first line of a message: it would wait
            # for more and take the next message with it. It does not wait for a segment that was cut.
            line = self.has_line(begin, end)
            if line < 0:
                return -1
            if line == 0:
                held = known - 1
                if self.pending[end - 1].length == 1:
                    pieces -= 1
        if self.put_row(piece.to_server, piece.time, piece.thread, length, TCP_PSH | TCP_ACK, piece, pieces, held) < 0:
            return -1
        for i in range(begin, end):
            piece = &self.pending[i]
            piece.frame, piece.frame_offset, piece.reserved = row, offset, 0
            part = piece.length if piece.length <= held - offset else held - offset
            if part or piece.length == 0:
                length = piece.length
                piece.length = part
                piece.flags |= PIECE_IN_FRAME
                if writer_put(&self.pieces, piece) < 0:
                    return -1
                piece.length = length
            offset += part
            if part < piece.length:
                piece.length -= part
                piece.payload += part
                piece.stream_offset += part
                piece.frame_offset += part
                piece.flags &= <uint8_t>~(PIECE_IN_FRAME | (PIECE_BOUNDARY if part else 0))
                if writer_put(&self.pieces, piece) < 0:
                    return -1
        return 0

    cdef int flush(self) noexcept nogil:
        """Write what is pending, a segment for each system call."""
        cdef uint32_t begin = 0, end, known, count = self.count
        self.count = self.bytes = 0
        while begin < count:
            known = self.pending[begin].length
            end = begin + 1
            while end < count and not self.pending[end].flags & PIECE_BOUNDARY:
                known += self.pending[end].length
                end += 1
            if self.put_frame(begin, end, known, known) < 0:
                return -1
            begin = end
        return 0

    cdef int known(self, Piece *piece, bint orphan) noexcept nogil:
        """Take known bytes; those of an `orphan` are written as segments of headers only. `piece` is used up."""
        cdef Piece *part
        cdef uint32_t row
        if self.count and (orphan or parted(self.pending, piece) or (
                piece.flags & PIECE_BOUNDARY and piece.length > self.most - self.bytes)):
            if self.flush() < 0:
                return -1
        while True:
            if self.bytes == self.most or self.count == PENDING_ROOM:
                if self.flush() < 0:
                    return -1
            part = &self.pending[self.count]
            part[0] = piece[0]
            if part.length > self.most - self.bytes:
                part.length = self.most - self.bytes
            piece.length -= part.length
            piece.stream_offset += part.length
            piece.payload += part.length
            piece.flags &= <uint8_t>~PIECE_BOUNDARY
            if orphan:
                row = <uint32_t>self.frames.rows
                if self.put_row(part.to_server, part.time, part.thread, part.length, TCP_PSH | TCP_ACK, NULL, 0, 0) < 0:
                    return -1
                part.frame, part.frame_offset, part.reserved = row, 0, 0
                if writer_put(&self.pieces, part) < 0:
                    return -1
            else:
                self.count += 1
                self.bytes += part.length
            if piece.length == 0:
                return 0

    cdef int unknown(self, Piece *piece) noexcept nogil:
        """Take a gap of at least one byte."""
        cdef uint64_t rest = piece.length
        cdef uint32_t room, take
        if self.gap_end[piece.to_server] != piece.stream_offset:
            self.gaps += 1
        self.gap_end[piece.to_server] = piece.stream_offset + piece.length
        self.missing += piece.length
        if piece.reason == GAP_NOT_CAPTURED:
            self.unseen += 1
            self.unseen_bytes += piece.length
        piece.frame, piece.frame_offset = NO_FRAME, 0
        if self.count and (parted(self.pending, piece) or self.bytes == self.most):
            if self.flush() < 0:
                return -1
        if self.count:
            room = self.most - self.bytes
            take = piece.length if piece.length < room else room
            piece.frame, piece.frame_offset = <uint32_t>self.frames.rows, self.bytes
            rest -= take
            if self.put_frame(0, self.count, self.bytes, self.bytes + take) < 0:
                return -1
            self.count = self.bytes = 0
        elif self.budget:
            piece.frame = <uint32_t>self.frames.rows
        if writer_put(&self.pieces, piece) < 0:
            return -1
        while rest:
            take = self.most if rest > self.most else <uint32_t>rest
            if self.budget == 0:
                # The sequence jumps: better a warning in Wireshark than a file without end.
                self.refused += (rest + self.most - 1) // self.most
                self.position[piece.to_server] += rest
                break
            self.budget -= 1
            if self.put_row(piece.to_server, piece.time, piece.thread, take, TCP_PSH | TCP_ACK, NULL, 0, 0) < 0:
                return -1
            rest -= take
        return 0

    cdef int control(self, int to_server, uint8_t tcp_flags, uint64_t time, uint32_t thread) noexcept nogil:
        """A segment without payload."""
        if self.flush() < 0:
            return -1
        return self.put_row(to_server, time, thread, 0, tcp_flags, NULL, 0, 0)

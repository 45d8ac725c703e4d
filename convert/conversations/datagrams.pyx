# cython: language_level=3
"""Both ends of a datagram conversation (UDP, unix datagram), merged by order and length, never by content.

A datagram is a frame. Where the lengths read are, one after the other, the lengths written, each read is the write of
the same number, and fills what that one's snaplen cut. Otherwise datagrams were lost or one end was not seen all the
time: then a read belongs to the oldest datagram of its length that was sent and not yet read, and nothing is filled;
a read without such a datagram is a frame of its own.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.convert.conversations.emitter cimport Emitter, describe
from syswire.convert.conversations.views cimport READ, WRITTEN, Survey, View, Views, may_be_returning
from syswire.convert.model.rows cimport (
    CHUNK_DATA, Chunk, Conv, GAP_NONE, GAP_SNAPLEN, PIECE_BOUNDARY, PIECE_FILLED, Piece,
)


cdef class DatagramMerger:
    def __cinit__(self, Views views not None, Emitter out not None):
        self.views = views
        self.out = out

    cdef int run(self, const Conv *conv) noexcept nogil:
        """The conversation that `views` has surveyed."""
        cdef Survey *survey = &self.views.survey
        cdef uint64_t index
        cdef Chunk chunk
        cdef int way
        self.out.begin(conv, False, False)
        if self.views.rewind() < 0:
            return -1
        for way in range(2):
            self.placed[way] = self.sent[way] = self.met[way] = 0
            self.oldest[way] = self.waiting[way] = 0
            self.aligned[way] = False
            if survey.calls[READ][way] and survey.calls[WRITTEN][way]:
                if self.views.aligned(way, &self.aligned[way]) < 0:
                    return -1
        if self.views.rewind() < 0:
            return -1
        for index in range(survey.begin, survey.end):
            if self.views.chunk_at(index, &chunk) < 0:
                return -1
            way = self.views.earlier_write(index, chunk.time)
            while way >= 0:
                if self.place_write(way, <uint64_t>-1) < 0:
                    return -1
                way = self.views.earlier_write(index, chunk.time)
            if chunk.kind != CHUNK_DATA:
                continue
            way = chunk.to_server
            if chunk.end == way:
                if self.meet_read(index, &chunk) < 0:
                    return -1
            elif self.views.views[WRITTEN][way].index == index:
                if self.place_write(way, <uint64_t>-1) < 0:
                    return -1
        return self.out.flush()

    cdef int place(self, const Chunk *chunk, const Chunk *other, uint64_t time) noexcept nogil:
        """A datagram; `other` is the other end's view of it, or NULL."""
        cdef Piece piece
        cdef int way = chunk.to_server
        cdef uint64_t done = chunk.stored
        cdef uint8_t flags = PIECE_BOUNDARY
        if chunk.stored or chunk.length == 0:
            describe(&piece, chunk, self.placed[way], time, flags)
            piece.payload, piece.length, piece.known = chunk.payload, chunk.stored, 1
            if self.out.known(&piece, False) < 0:
                return -1
            flags = 0
        if other != NULL and other.stored > done:
            describe(&piece, other, self.placed[way] + done, time, flags | PIECE_FILLED)
            piece.payload, piece.length, piece.known = other.payload + done, <uint32_t>(other.stored - done), 1
            done = other.stored
            if self.out.known(&piece, False) < 0:
                return -1
            flags = 0
        if done < chunk.length:
            describe(&piece, chunk, self.placed[way] + done, time, flags)
            piece.length = <uint32_t>(chunk.length - done)
            piece.reason = chunk.reason if chunk.reason != GAP_NONE else GAP_SNAPLEN
            if self.out.unknown(&piece) < 0:
                return -1
        self.placed[way] += chunk.length
        return self.out.flush()

    cdef int place_write(self, int to_server, uint64_t latest) noexcept nogil:
        """The next write of a direction, dated `latest` at most."""
        cdef Chunk chunk = self.views.views[WRITTEN][to_server].chunk
        cdef View *read = &self.views.views[READ][to_server]
        cdef uint64_t time = self.out.date(chunk.time, chunk.time if chunk.time < latest else latest)
        cdef uint32_t slot
        self.sent[to_server] += 1
        if self.aligned[to_server]:
            if self.place(&chunk, &read.chunk if read.there else NULL, time) < 0:
                return -1
            if read.there and self.views.advance(READ, to_server) < 0:
                return -1
        else:
            if self.place(&chunk, NULL, time) < 0:
                return -1
            if self.waiting[to_server] == RING:
                self.oldest[to_server] = (self.oldest[to_server] + 1) % RING
                self.waiting[to_server] -= 1
            slot = (self.oldest[to_server] + self.waiting[to_server]) % RING
            self.lengths[to_server][slot] = chunk.length
            self.waiting[to_server] += 1
        return self.views.advance(WRITTEN, to_server)

    cdef bint was_sent(self, int to_server, uint64_t length) noexcept nogil:
        """Take the oldest waiting datagram of this length, and forget those before it as lost."""
        cdef uint32_t i
        for i in range(self.waiting[to_server]):
            if self.lengths[to_server][(self.oldest[to_server] + i) % RING] == length:
                self.oldest[to_server] = (self.oldest[to_server] + i + 1) % RING
                self.waiting[to_server] -= i + 1
                return True
        return False

    cdef int meet_read(self, uint64_t index, const Chunk *chunk) noexcept nogil:
        cdef int way = chunk.to_server
        cdef View *write = &self.views.views[WRITTEN][way]
        self.met[way] += 1
        if self.aligned[way]:
            while self.sent[way] < self.met[way] and write.there:
                if self.place_write(way, chunk.time) < 0:
                    return -1
            return 0
        if self.was_sent(way, chunk.length):
            return 0
        if write.there and write.chunk.length == chunk.length and may_be_returning(write, index, chunk.exit_time):
            if self.place_write(way, chunk.time) < 0:
                return -1
            self.was_sent(way, chunk.length)
            return 0
        return self.place(chunk, NULL, self.out.date(chunk.time, chunk.time))

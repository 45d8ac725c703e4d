# cython: language_level=3
"""Both ends of a byte stream (TCP, unix stream), merged by stream offset alone.

The writer's view gives the segments, the reader's view fills what the writer's snaplen cut, and where the writer was
not seen the reader's view stands alone. The walk follows the order of the events in the file, in which a thread's
calls are always in their true order; only a write can have taken effect before its place there, since it is recorded
when it returns. So a write is moved forward
 - to its recorded enter, when something else comes between its enter and its return, and
 - to the first read that covers its bytes, when the reader was quicker than the writer's return.
A read of bytes that no such write explains proves that writes are missing in the capture: its bytes are placed from
the reader's view, and the two views agree again.

Bytes in flight when the capture began are placed before the first write (Views.in_flight).
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memset

from syswire.convert.conversations.emitter cimport TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, Emitter, PIECE_LOOSE, describe
from syswire.convert.conversations.views cimport READ, WRITTEN, Survey, View, Views, may_be_returning
from syswire.convert.model.rows cimport (
    CHUNK_CLOSE, CHUNK_CONNECT, CHUNK_DATA, CHUNK_EOF, CHUNK_PENDING, CHUNK_REQUEST, CHUNK_RESET, CHUNK_RESPONSE,
    CHUNK_SHUTDOWN, Chunk, Conv, GAP_NONE, GAP_NOT_CAPTURED, GAP_SNAPLEN, PIECE_BOUNDARY, PIECE_FILLED, Piece,
)


cdef inline uint64_t least(uint64_t a, uint64_t b) noexcept nogil:
    return a if a < b else b


cdef class StreamMerger:
    def __cinit__(self, Views views not None, Emitter out not None):
        self.views = views
        self.out = out

    cdef int run(self, const Conv *conv) noexcept nogil:
        """The conversation that `views` has surveyed."""
        cdef uint64_t index
        cdef Chunk chunk
        cdef Survey *survey = &self.views.survey
        if self.prepare(conv) < 0:
            return -1
        for index in range(survey.begin, survey.end):
            if self.views.chunk_at(index, &chunk) < 0 or self.step(index, &chunk) < 0:
                return -1
        return self.out.flush()

    cdef int prepare(self, const Conv *conv) noexcept nogil:
        cdef Survey *survey = &self.views.survey
        cdef int way
        cdef bint moved = False
        self.opens = survey.connected or survey.connecting or survey.accepted
        self.out.begin(conv, True, self.opens)
        if self.views.rewind() < 0:
            return -1
        for way in range(2):
            self.placed[way] = self.taken[way] = self.flight[way] = self.orphan[way] = 0
            self.wanted[way] = self.finished[way] = self.refused[way] = False
            self.messages[way] = (survey.mark[WRITTEN][way] & survey.mark[READ][way]) != <uint64_t>-1
            self.broken[way] = False
            moved = moved or survey.bytes[WRITTEN][way] > 0 or survey.bytes[READ][way] > 0
            if not conv.preexisting:
                continue
            if survey.calls[READ][way] and survey.calls[WRITTEN][way]:
                if self.views.in_flight(way, &self.flight[way]) < 0:
                    return -1
            if survey.mark[READ][way] < self.flight[way]:
                self.orphan[way] = survey.mark[READ][way]
            elif survey.mark[WRITTEN][way] != <uint64_t>-1:
                self.orphan[way] = self.flight[way] + survey.mark[WRITTEN][way]
            elif survey.mark[READ][way] != <uint64_t>-1:
                self.orphan[way] = survey.mark[READ][way]
        self.full = survey.connected or survey.accepted or (survey.connecting and (moved or survey.ended))
        self.established = not self.opens
        self.dead = self.closed = False
        self.first_closer = -1
        return self.views.rewind() if conv.preexisting else 0

    cdef int step(self, uint64_t index, const Chunk *chunk) noexcept nogil:
        """One row of the walk."""
        cdef int way = self.views.earlier_write(index, chunk.time)
        cdef uint64_t time = chunk.time if way < 0 else self.views.views[WRITTEN][way].chunk.time
        if not self.established and self.open_up(index, chunk, time) < 0:
            return -1
        while way >= 0:
            if self.place_write(way, <uint64_t>-1) < 0:
                return -1
            way = self.views.earlier_write(index, chunk.time)
        if chunk.kind == CHUNK_DATA:
            if chunk.length == 0:
                return 0
            if chunk.end == chunk.to_server:
                if self.meet_read(index, chunk) < 0:
                    return -1
            elif self.views.views[WRITTEN][chunk.to_server].index == index:
                if self.place_write(chunk.to_server, <uint64_t>-1) < 0:
                    return -1
        else:
            self.note_close(chunk)
        if self.wanted[0] or self.wanted[1] or self.refused[0] or self.refused[1]:
            return self.close_down(index, chunk)
        return 0

    cdef int open_up(self, uint64_t index, const Chunk *chunk, uint64_t time) noexcept nogil:
        """SYN at the first row; SYN/ACK and ACK there too, or after a connect that had only begun."""
        cdef bint begun = chunk.kind == CHUNK_CONNECT and chunk.flags & CHUNK_PENDING
        if index == self.views.survey.begin:
            time = self.out.date(time, time)
            if self.out.control(1, TCP_SYN, time, chunk.thread) < 0:
                return -1
        if self.full and not begun:
            self.established = True
            if time > self.out.time:
                self.out.time = time
            time = self.out.time
            if self.out.control(0, TCP_SYN | TCP_ACK, time, chunk.thread) < 0:
                return -1
            return self.out.control(1, TCP_ACK, time, chunk.thread)
        return 0

    cdef void note_message(self, const Chunk *chunk) noexcept nogil:
        """Where a message begins, the one before it in this direction is over, gap or not.

        Where a request begins, so is what the other end sent: what it sends next is the response's beginning, even if
        that comes in pieces too small to be recognised.
        """
        cdef int way = chunk.to_server
        if chunk.flags & (CHUNK_REQUEST | CHUNK_RESPONSE):
            self.broken[way] = False
        if chunk.flags & CHUNK_REQUEST:
            self.broken[1 - way] = False
            self.orphan[1 - way] = least(self.orphan[1 - way], self.placed[1 - way])

    cdef int place_known(self, const Chunk *chunk, uint64_t skip, uint64_t length, uint64_t time,
                         uint8_t flags) noexcept nogil:
        """Bytes of `chunk` from `skip` on, at the end of what is placed."""
        cdef Piece piece
        cdef int way = chunk.to_server
        cdef uint64_t part
        while length:
            part = length
            if self.placed[way] < self.orphan[way]:
                part = least(length, self.orphan[way] - self.placed[way])
            describe(&piece, chunk, self.placed[way], time, flags)
            piece.payload, piece.length, piece.known = chunk.payload + skip, <uint32_t>part, 1
            piece.reserved = PIECE_LOOSE if self.broken[way] else 0
            if self.out.known(&piece, self.placed[way] < self.orphan[way]) < 0:
                return -1
            self.placed[way] += part
            skip += part
            length -= part
            flags &= <uint8_t>~PIECE_BOUNDARY
        return 0

    cdef int place_gap(self, const Chunk *chunk, uint64_t length, uint64_t time, uint8_t flags) noexcept nogil:
        """Bytes of `chunk` that nobody recorded, at the end of what is placed."""
        cdef Piece piece
        if length == 0:
            return 0
        describe(&piece, chunk, self.placed[chunk.to_server], time, flags)
        piece.length = <uint32_t>length
        piece.reason = chunk.reason if chunk.reason != GAP_NONE else GAP_SNAPLEN
        self.broken[chunk.to_server] = self.messages[chunk.to_server]
        self.placed[chunk.to_server] += length
        return self.out.unknown(&piece)

    cdef int place_write(self, int to_server, uint64_t latest) noexcept nogil:
        """The next write of a direction, dated `latest` at most."""
        cdef Chunk chunk = self.views.views[WRITTEN][to_server].chunk
        cdef uint8_t flags = PIECE_BOUNDARY
        cdef uint64_t time = least(chunk.time, latest)
        if self.placed[to_server] < self.flight[to_server]:
            if self.place_reads(to_server, self.flight[to_server], time) < 0:
                return -1
        time = self.out.date(chunk.time, time)
        self.note_message(&chunk)
        if chunk.stored:
            if self.place_known(&chunk, 0, chunk.stored, time, flags) < 0:
                return -1
            flags = 0
        if chunk.length > chunk.stored:
            if self.fill(&chunk, self.placed[to_server] + (chunk.length - chunk.stored), time, flags) < 0:
                return -1
        return self.views.advance(WRITTEN, to_server)

    cdef int fill(self, const Chunk *write, uint64_t upto, uint64_t time, uint8_t flags) noexcept nogil:
        """What the writer's view lacks up to `upto`, out of the reader's view as far as that has it."""
        cdef int way = write.to_server
        cdef View *read = &self.views.views[READ][way]
        cdef uint64_t at = self.placed[way], stop, skip
        while at < upto:
            while read.there and read.offset + read.chunk.length <= at:
                if self.views.advance(READ, way) < 0:
                    return -1
            if not read.there:
                break
            stop = least(upto, read.offset + read.chunk.length)
            skip = at - read.offset
            if skip < read.chunk.stored:
                if self.placed[way] < at:
                    if self.place_gap(write, at - self.placed[way], time, flags) < 0:
                        return -1
                    flags = 0
                at = least(stop, read.offset + read.chunk.stored)
                if self.place_known(&read.chunk, skip, at - self.placed[way], time, flags | PIECE_FILLED) < 0:
                    return -1
                flags = 0
            at = stop
        return self.place_gap(write, upto - self.placed[way], time, flags)

    cdef int place_reads(self, int to_server, uint64_t upto, uint64_t latest) noexcept nogil:
        """The stream up to `upto` from the reader's view alone, dated `latest` at most."""
        cdef View *read = &self.views.views[READ][to_server]
        cdef uint64_t skip, stop, part, time
        cdef uint8_t flags
        cdef Chunk gap
        while self.placed[to_server] < upto:
            while read.there and read.offset + read.chunk.length <= self.placed[to_server]:
                if self.views.advance(READ, to_server) < 0:
                    return -1
            if not read.there:
                memset(&gap, 0, sizeof(Chunk))
                gap.conv, gap.to_server, gap.reason = self.out.conv, <uint8_t>to_server, GAP_NOT_CAPTURED
                return self.place_gap(&gap, least(upto - self.placed[to_server], 0x7FFFFFFF), self.out.time, 0)
            skip = self.placed[to_server] - read.offset
            stop = least(upto, read.offset + read.chunk.length) - read.offset
            time = least(latest, read.chunk.time)
            if skip == 0:
                flags = PIECE_BOUNDARY
                time = self.out.date(read.chunk.time, time)
                self.note_message(&read.chunk)
            else:
                flags = 0
                time = self.out.time if self.out.time > time else time
                self.out.time = time
            if skip < read.chunk.stored:
                part = least(stop, read.chunk.stored) - skip
                if self.place_known(&read.chunk, skip, part, time, flags) < 0:
                    return -1
                skip += part
                flags = 0
            if self.place_gap(&read.chunk, stop - skip, time, flags) < 0:
                return -1
        return 0

    cdef int meet_read(self, uint64_t index, const Chunk *chunk) noexcept nogil:
        """A read: all that it covers has its place before it."""
        cdef int way = chunk.to_server
        cdef View *write = &self.views.views[WRITTEN][way]
        self.taken[way] += chunk.length
        if self.placed[way] < self.flight[way]:
            if self.place_reads(way, least(self.taken[way], self.flight[way]), chunk.time) < 0:
                return -1
        while self.placed[way] < self.taken[way] and write.there and may_be_returning(write, index, chunk.exit_time):
            if self.place_write(way, chunk.time) < 0:
                return -1
        if self.placed[way] < self.taken[way]:
            return self.place_reads(way, self.taken[way], chunk.time)
        return 0

    cdef void note_close(self, const Chunk *chunk) noexcept nogil:
        """Who has finished sending, by what this row says."""
        cdef int end = chunk.end
        if chunk.kind == CHUNK_RESET:
            self.refused[1 - end] = True
            return
        if chunk.kind == CHUNK_EOF:
            end = 1 - end
        elif chunk.kind != CHUNK_CLOSE and chunk.kind != CHUNK_SHUTDOWN:
            return
        if self.first_closer < 0:
            self.first_closer = end
        self.wanted[end] = True
        if chunk.kind == CHUNK_CLOSE and not self.views.survey.seen[1 - end]:
            self.wanted[1 - end] = True   # nobody will tell when the other end closed

    cdef int close_down(self, uint64_t index, const Chunk *chunk) noexcept nogil:
        """FIN, FIN, ACK or RST, each once all the data of its direction is placed."""
        cdef Survey *survey = &self.views.survey
        cdef int turn, end, way
        cdef uint64_t time
        if self.closed or self.dead:
            return 0
        for turn in range(2):
            end = turn if self.first_closer < 0 else (self.first_closer if turn == 0 else 1 - self.first_closer)
            way = 1 - end
            if self.views.views[WRITTEN][way].there or self.placed[way] < self.flight[way] or (
                    survey.bytes[READ][way] > self.placed[way] and index + 1 < survey.last[READ][way]):
                continue
            if not (self.refused[end] or (self.wanted[end] and not self.finished[end] and self.established)):
                continue
            time = self.out.date(chunk.time, chunk.time)
            if self.refused[end]:
                self.dead = True
                return self.out.control(way, TCP_RST | TCP_ACK, time, chunk.thread)
            self.finished[end] = True
            if self.out.control(way, TCP_FIN | TCP_ACK, time, chunk.thread) < 0:
                return -1
        if self.finished[0] and self.finished[1]:
            self.closed = True
            return self.out.control(1 - self.first_closer, TCP_ACK, self.out.time, chunk.thread)
        return 0

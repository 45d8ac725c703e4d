# cython: language_level=3
"""The chunk rows of one conversation, seen as four streams: what each end wrote and what each end read.

A conversation may have gigabytes and millions of rows, so nothing of it is held but a buffer of rows for each
stream; all walks go forward only. Small conversations share one buffer.

Calls return -1 with errno set when the rows cannot be read.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from syswire.convert.model.rows cimport (
    CHUNK_ACCEPT, CHUNK_CONNECT, CHUNK_DATA, CHUNK_ENTERED, CHUNK_EOF, CHUNK_PENDING, CHUNK_REQUEST, CHUNK_RESPONSE,
    Chunk,
)
from syswire.convert.spool.files cimport (
    RowCursor, cursor_close, cursor_forget, cursor_open, cursor_row, cursor_share,
)

cdef enum:
    MAIN_ROWS = 4096
    VIEW_ROWS = 512
    LONGEST_CALL = 0x7FFFFFFF   # Linux moves at most this less a page in one call

cdef uint64_t CLOCK_SLACK = 10000000   # ns by which the clocks of two CPUs may differ in the capture


cdef bint may_be_returning(const View *write, uint64_t read_index, uint64_t read_time) noexcept nogil:
    """Whether a write that is recorded after a read can have put bytes there before.

    It can if it was entered by then, and if its thread did nothing else between the two.
    """
    if write.before > read_index:
        return False
    return not write.chunk.flags & CHUNK_ENTERED or write.chunk.time <= read_time + CLOCK_SLACK


cdef void list_thread(ThreadList *threads, uint32_t thread) noexcept nogil:
    cdef uint32_t slot = thread * <uint32_t>2654435761 >> 21
    if thread == 0 or thread == threads.last:
        return
    while threads.slots[slot]:
        if threads.ids[threads.slots[slot] - 1] == thread:
            threads.last = thread
            return
        slot = (slot + 1) % LIST_SLOTS
    if threads.count < MOST_THREADS:
        threads.ids[threads.count] = thread
        threads.count += 1
        threads.slots[slot] = <uint16_t>threads.count
        threads.last = thread


cdef void clear_threads(ThreadList *threads) noexcept nogil:
    if threads.count:
        memset(threads.slots, 0, sizeof(threads.slots))
    threads.count = threads.last = 0


cdef inline void hold(const Chunk *row, Chunk *chunk) noexcept nogil:
    memcpy(chunk, row, sizeof(Chunk))
    if chunk.length > LONGEST_CALL:
        chunk.length = LONGEST_CALL
    if chunk.stored > chunk.length:
        chunk.stored = <uint32_t>chunk.length
    chunk.to_server = chunk.to_server != 0
    chunk.end = chunk.end != 0


cdef inline int take(RowCursor *rows, uint64_t index, Chunk *chunk) noexcept nogil:
    cdef const char *row = cursor_row(rows, index)
    if row == NULL:
        return -1
    hold(<const Chunk *>row, chunk)
    return 0


cdef class Views:
    def __cinit__(self):
        cdef int side, way
        self.rows.own = NULL
        for side in range(2):
            for way in range(2):
                self.views[side][way].rows.own = NULL
            memset(&self.working[side], 0, sizeof(ThreadList))
            memset(&self.handling[side], 0, sizeof(ThreadList))

    def __dealloc__(self):
        cdef int side, way
        cursor_close(&self.rows)
        for side in range(2):
            for way in range(2):
                cursor_close(&self.views[side][way].rows)

    cdef int open(self, int fd, uint64_t rows) except -1:
        cdef int side, way
        self.fd = fd
        if cursor_open(&self.rows, fd, sizeof(Chunk), MAIN_ROWS, rows) < 0:
            raise MemoryError
        for side in range(2):
            for way in range(2):
                if cursor_open(&self.views[side][way].rows, fd, sizeof(Chunk), VIEW_ROWS, rows) < 0:
                    raise MemoryError
        return 0

    cdef int chunk_at(self, uint64_t index, Chunk *chunk) noexcept nogil:
        """A row, with what it says held within what is possible."""
        return take(&self.rows, index, chunk)

    cdef int look(self, uint64_t begin, uint32_t conv, bint datagrams) noexcept nogil:
        """Survey the conversation whose rows begin at `begin`; survey.end == begin where it has none."""
        cdef Survey *survey = &self.survey
        cdef Chunk chunk
        cdef uint64_t index = begin
        cdef int side, way, end
        memset(survey, 0, sizeof(Survey))
        survey.begin = begin
        self.datagrams = datagrams
        for way in range(2):
            clear_threads(&self.working[way])
            clear_threads(&self.handling[way])
            survey.mark[WRITTEN][way] = survey.mark[READ][way] = <uint64_t>-1
        while index < self.rows.end:
            if take(&self.rows, index, &chunk) < 0:
                return -1
            if chunk.conv != conv:
                break
            index += 1
            end, way = chunk.end, chunk.to_server
            survey.seen[end] = True
            if chunk.kind == CHUNK_DATA:
                list_thread(&self.working[end], chunk.thread)
                if chunk.length == 0 and not datagrams:
                    continue
                side = WRITTEN if end != way else READ
                if chunk.flags & (CHUNK_REQUEST | CHUNK_RESPONSE) and survey.mark[side][way] == <uint64_t>-1:
                    survey.mark[side][way] = survey.bytes[side][way]
                if (<Chunk *>cursor_row(&self.rows, index - 1)).length > LONGEST_CALL:
                    self.overlong += 1
                survey.calls[side][way] += 1
                survey.bytes[side][way] += chunk.length
                survey.last[side][way] = index
            elif chunk.kind == CHUNK_EOF:
                list_thread(&self.working[end], chunk.thread)
                survey.ended = True
            elif chunk.kind == CHUNK_CONNECT:
                list_thread(&self.handling[end], chunk.thread)
                if chunk.flags & CHUNK_PENDING:
                    survey.connecting = True
                else:
                    survey.connected = True
            elif chunk.kind == CHUNK_ACCEPT:
                list_thread(&self.handling[end], chunk.thread)
                survey.accepted = True
        survey.end = index
        return 0

    cdef int rewind(self) noexcept nogil:
        """Set the four views to their first chunks."""
        cdef int side, way
        cdef View *view
        cdef bint whole = (self.rows.held and self.rows.start <= self.survey.begin
                           and self.survey.end <= self.rows.start + self.rows.held)
        for side in range(2):
            for way in range(2):
                view = &self.views[side][way]
                if whole:
                    cursor_share(&view.rows, &self.rows)
                else:
                    cursor_forget(&view.rows)
                view.there = False
                view.offset = view.before = 0
                view.index = view.next = self.survey.begin
                if self.survey.calls[side][way] == 0:
                    view.next = self.survey.end
                    continue
                if side == WRITTEN:
                    memset(view.slots, 0, sizeof(view.slots))
                if self.advance(side, way) < 0:
                    return -1
        return 0

    cdef int advance(self, int side, int to_server) noexcept nogil:
        """Go to the next chunk of a view."""
        cdef View *view = &self.views[side][to_server]
        cdef uint8_t end = 1 - to_server if side == WRITTEN else to_server
        cdef const Chunk *row
        cdef ThreadSlot *slot
        if view.there:
            view.offset += view.chunk.length
        view.there = False
        while view.next < self.survey.last[side][to_server]:
            row = <const Chunk *>cursor_row(&view.rows, view.next)
            if row == NULL:
                return -1
            view.next += 1
            if side == WRITTEN:
                slot = &view.slots[row.thread % THREAD_SLOTS]
                view.before = slot.before if slot.thread == row.thread and row.thread else 0
                slot.thread, slot.before = row.thread, view.next
            if (row.kind == CHUNK_DATA and (row.to_server != 0) == (to_server != 0) and (row.end != 0) == (end != 0)
                    and (row.length or self.datagrams)):
                view.index = view.next - 1
                view.there = True
                hold(row, &view.chunk)
                return 0
        view.index = self.survey.end
        return 0

    cdef int earlier_write(self, uint64_t index, uint64_t time) noexcept nogil:
        """The direction of the next write that was entered before `time`, though recorded after row `index`; or -1."""
        cdef int way, found = -1
        cdef View *write
        for way in range(2):
            write = &self.views[WRITTEN][way]
            if (write.there and write.index > index and write.chunk.flags & CHUNK_ENTERED and write.chunk.time < time
                    and write.before <= index):
                time = write.chunk.time
                found = way
        return found

    cdef int in_flight(self, int to_server, uint64_t *bytes) noexcept nogil:
        """Bytes that were on their way when the capture began: what was read beyond all that was written.

        The least number that explains every read, counting as written the one write that may still be returning.
        """
        cdef View *write = &self.views[WRITTEN][to_server]
        cdef View *read = &self.views[READ][to_server]
        cdef uint64_t written, taken, most = 0
        while read.there:
            while write.there and write.index < read.index:
                if self.advance(WRITTEN, to_server) < 0:
                    return -1
            written = write.offset
            if write.there and may_be_returning(write, read.index, read.chunk.exit_time):
                written += write.chunk.length
            taken = read.offset + read.chunk.length
            if taken > written and taken - written > most:
                most = taken - written
            if self.advance(READ, to_server) < 0:
                return -1
        bytes[0] = most
        return 0

    cdef int aligned(self, int to_server, bint *result) noexcept nogil:
        """Whether the datagrams read are, one after the other, as long as the datagrams written."""
        cdef View *write = &self.views[WRITTEN][to_server]
        cdef View *read = &self.views[READ][to_server]
        while read.there and write.there and read.chunk.length == write.chunk.length:
            if self.advance(WRITTEN, to_server) < 0 or self.advance(READ, to_server) < 0:
                return -1
        result[0] = not read.there
        return 0

# cython: language_level=3
"""Reads back what the rebuilding stage wrote: conversations in the order of their ids, each as a run of pieces."""

import os

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from syswire.convert.conversations.both_ends cimport Totals
from syswire.convert.conversations.totals import ConversationTotals
from syswire.convert.model.rows cimport PIECE_JOINS, Piece
from syswire.convert.model.rows import PIECE, Piece as PieceRow
from syswire.convert.spool.files cimport (
    RowCursor, cursor_close, cursor_open, cursor_row, payload_at, raise_errno, window_close, window_open,
)

cdef enum:
    PIECE_ROWS = 512
    TOTALS_ROWS = 64
    THREAD_ROWS = 256
    NUMBER_ROWS = 2048
    NUMBER_ROWS_BEFORE = 256  # who asks for one frame mostly asks for its neighbours next
    RUN_BYTES = 1 << 16   # more than any piece has
    RUN_PIECES = 512      # so that looking for the piece of an offset stays cheap, whatever the pieces' lengths
    NO_FRAME = 0xFFFFFFFF


cdef inline bint _joins(const Piece *piece, const Piece *before) noexcept nogil:
    """Whether the bytes of a piece are those right behind the piece before: its flag, unless the rows belie it."""
    return (piece.flags & PIECE_JOINS and piece.known and before.known and piece.to_server == before.to_server
            and piece.conv == before.conv and piece.stream_offset == before.stream_offset + before.length)


cdef class ConversationReader:
    """Totals, pieces and bytes of every conversation; see reader.pyi."""

    def __cinit__(self):
        memset(&self.totals, 0, sizeof(RowCursor))
        memset(&self.pieces, 0, sizeof(RowCursor))
        memset(&self.threads, 0, sizeof(RowCursor))
        memset(&self.numbers, 0, sizeof(RowCursor))
        memset(&self.payload, 0, sizeof(PayloadWindow))
        self.run = <char *>malloc(RUN_BYTES)
        if self.run == NULL:
            raise MemoryError

    def __init__(self, totals, threads, pieces, payload_fd, numbers=None):
        cdef int fd = payload_fd
        self.files = []
        self.rows(&self.totals, totals, sizeof(Totals), TOTALS_ROWS)
        self.rows(&self.threads, threads, sizeof(uint32_t), THREAD_ROWS)
        self.rows(&self.pieces, pieces, sizeof(Piece), PIECE_ROWS)
        if numbers is not None:
            self.rows(&self.numbers, numbers, sizeof(uint32_t), NUMBER_ROWS)
            self.numbered = True
        if window_open(&self.payload, fd, os.fstat(fd).st_size) < 0:
            raise MemoryError
        self.conversations = self.totals.end

    def __dealloc__(self):
        cursor_close(&self.totals)
        cursor_close(&self.pieces)
        cursor_close(&self.threads)
        cursor_close(&self.numbers)
        window_close(&self.payload)
        free(self.run)

    cdef int rows(self, RowCursor *cursor, object path, uint32_t size, uint32_t room) except -1:
        cdef int fd
        file = open(path, "rb", buffering=0)
        self.files.append(file)
        fd = file.fileno()
        if cursor_open(cursor, fd, size, room, os.fstat(fd).st_size // size) < 0:
            raise MemoryError
        return 0

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.close()

    def close(self):
        """Close the files; the payload's descriptor is the caller's."""
        for file in self.files:
            file.close()

    def __iter__(self):
        cdef uint64_t index
        for index in range(self.conversations):
            yield self.conversation(index + 1)

    def conversation(self, conv):
        """The totals of one conversation, by its id."""
        cdef const Totals *row
        cdef Totals totals
        cdef uint64_t index = conv - 1
        if conv < 1 or index >= self.totals.end:
            raise IndexError(f"no conversation {conv}")
        row = <const Totals *>cursor_row(&self.totals, index)
        if row == NULL:
            raise_errno()
        totals = row[0]
        first = totals.first_frame if totals.frames else -1
        return ConversationTotals(
            totals.conv, totals.bytes_to_server, totals.bytes_to_client, totals.gaps, totals.missing_bytes,
            first, first + totals.frames - 1 if totals.frames else -1,
            totals.pieces_begin, totals.pieces_end, totals.shifted,
            self.thread_ids(totals.threads_begin, totals.client_threads),
            self.thread_ids(totals.threads_begin + totals.client_threads, totals.server_threads),
        )

    cdef tuple thread_ids(self, uint64_t begin, uint32_t count):
        cdef const char *row
        cdef uint32_t i
        found = []
        for i in range(count):
            row = cursor_row(&self.threads, begin + i)
            if row == NULL:
                raise_errno()
            found.append((<const uint32_t *>row)[0])
        return tuple(found)

    cdef int check_rows(self, uint64_t last) except -1:
        if last > self.pieces.end:
            raise IndexError(f"there are {self.pieces.end} pieces")
        return 0

    def runs(self, begin, end):
        """Yield the pieces of rows `begin` to `end` with their bytes, joined where they may be; see reader.pyi."""
        cdef uint64_t index = begin, last = end, first
        cdef uint32_t length
        cdef Piece piece
        self.check_rows(last)
        while index < last:
            first = index
            held = self.next_run(&index, last, &piece, &length)
            yield first, piece.to_server, piece.stream_offset, length, held, piece.flags, piece.reason, piece.time

    cdef const char *next_view(self, uint64_t *index, uint64_t last, Piece *first, uint32_t *length) except? NULL:
        cdef const char *data
        cdef const Piece *row = <const Piece *>cursor_row(&self.pieces, index[0])
        if row == NULL:
            raise_errno()
        first[0] = row[0]
        index[0] += 1
        length[0] = first.length
        if not first.known:
            return NULL
        data = payload_at(&self.payload, first.payload, first.length)
        if data == NULL:
            raise_errno()
        if index[0] < last and first.length < RUN_BYTES:
            data = self.join(first, data, index, last, length)
            if data == NULL:
                raise_errno()
        return data

    cdef object next_run(self, uint64_t *index, uint64_t last, Piece *first, uint32_t *length):
        cdef const char *data = self.next_view(index, last, first, length)
        return None if data == NULL else PyBytes_FromStringAndSize(data, length[0])

    cdef const char *join(
        self, const Piece *first, const char *data, uint64_t *index, uint64_t last, uint32_t *length
    ) noexcept nogil:
        """Take the pieces from row `index` on that join the first, whose bytes are `data`: the bytes of all of them.

        NULL on an I/O error. `index` becomes the first row that was not taken, `length` counts all bytes.
        """
        cdef Piece before = first[0]
        cdef const Piece *row
        cdef uint64_t limit = last if last - index[0] < RUN_PIECES else index[0] + RUN_PIECES - 1
        cdef bint copied = False
        while index[0] < limit:
            row = <const Piece *>cursor_row(&self.pieces, index[0])
            if row == NULL:
                return NULL
            if not _joins(row, &before) or row.length > RUN_BYTES - length[0]:
                break
            if not copied:
                memcpy(self.run, data, length[0])
                copied = True
            before = row[0]
            data = payload_at(&self.payload, before.payload, before.length)
            if data == NULL:
                return NULL
            memcpy(self.run + length[0], data, before.length)
            length[0] += before.length
            index[0] += 1
        return self.run if copied else data

    cdef int find_piece(self, uint64_t index, uint64_t offset, Piece *found) except -1:
        cdef uint64_t limit
        cdef const Piece *row
        if index >= self.pieces.end:
            raise IndexError(f"there are {self.pieces.end} pieces")
        row = <const Piece *>cursor_row(&self.pieces, index)
        if row == NULL:
            raise_errno()
        found[0] = row[0]
        limit = self.pieces.end if self.pieces.end - index < RUN_PIECES else index + RUN_PIECES
        index += 1
        while index < limit and offset >= found.stream_offset + found.length:
            row = <const Piece *>cursor_row(&self.pieces, index)
            if row == NULL:
                raise_errno()
            if not _joins(row, found):
                break
            found[0] = row[0]
            index += 1
        return 0

    def piece(self, index, offset=None):
        """One piece, by its row, or that of those joined to it which holds a stream offset."""
        cdef Piece piece
        cdef uint64_t place = index
        cdef const char *row
        if offset is not None:
            self.find_piece(place, offset, &piece)
            row = <const char *>&piece
        else:
            self.check_rows(place + 1)
            row = cursor_row(&self.pieces, place)
            if row == NULL:
                raise_errno()
        return PieceRow._make(PIECE.unpack(row[:sizeof(Piece)]))

    cdef uint64_t number_of(self, uint32_t row) except? 0:
        cdef const char *found
        if row == NO_FRAME:
            return 0
        if not self.numbered:
            return <uint64_t>row + 1
        if row >= self.numbers.end:
            raise IndexError(f"there are {self.numbers.end} frames")
        if row < self.numbers.start or row >= self.numbers.start + self.numbers.held:
            if cursor_row(&self.numbers, row - NUMBER_ROWS_BEFORE if row > NUMBER_ROWS_BEFORE else 0) == NULL:
                raise_errno()
        found = cursor_row(&self.numbers, row)
        if found == NULL:
            raise_errno()
        return (<const uint32_t *>found)[0]

    def frame_number(self, row):
        """The number of a frame in the pcapng, from 1, by its row; 0 where a piece has none."""
        return self.number_of(row)

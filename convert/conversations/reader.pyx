# cython: language_level=3
"""Reads back what the rebuilding stage wrote: conversations in the order of their ids, each as a run of pieces."""

import os

from cpython.bytes cimport PyBytes_FromStringAndSize
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from syswire.convert.conversations.both_ends cimport Totals
from syswire.convert.conversations.totals import ConversationTotals
from syswire.convert.model.rows cimport Piece
from syswire.convert.model.rows import PIECE, Piece as PieceRow
from syswire.convert.spool.files cimport (
    PayloadWindow, RowCursor, cursor_close, cursor_open, cursor_row, payload_at, raise_errno, read_whole,
    window_close, window_open,
)

cdef enum:
    PIECE_ROWS = 512
    TOTALS_ROWS = 64
    THREAD_ROWS = 256
    NUMBER_ROWS = 1
    NO_FRAME = 0xFFFFFFFF


cdef class ConversationReader:
    """Totals, pieces and bytes of every conversation; see reader.pyi."""

    cdef list files
    cdef RowCursor totals, pieces, threads, numbers
    cdef PayloadWindow payload
    cdef readonly uint64_t conversations

    def __cinit__(self):
        memset(&self.totals, 0, sizeof(RowCursor))
        memset(&self.pieces, 0, sizeof(RowCursor))
        memset(&self.threads, 0, sizeof(RowCursor))
        memset(&self.numbers, 0, sizeof(RowCursor))
        memset(&self.payload, 0, sizeof(PayloadWindow))

    def __init__(self, totals, threads, pieces, payload_fd, numbers=None):
        cdef int fd = payload_fd
        self.files = []
        self.rows(&self.totals, totals, sizeof(Totals), TOTALS_ROWS)
        self.rows(&self.threads, threads, sizeof(uint32_t), THREAD_ROWS)
        self.rows(&self.pieces, pieces, sizeof(Piece), PIECE_ROWS)
        if numbers is not None:
            self.rows(&self.numbers, numbers, sizeof(uint32_t), NUMBER_ROWS)
        if window_open(&self.payload, fd, os.fstat(fd).st_size) < 0:
            raise MemoryError
        self.conversations = self.totals.end

    def __dealloc__(self):
        cursor_close(&self.totals)
        cursor_close(&self.pieces)
        cursor_close(&self.threads)
        cursor_close(&self.numbers)
        window_close(&self.payload)

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

    def runs(self, begin, end):
        """Yield the pieces of rows `begin` to `end` with their bytes; see reader.pyi."""
        cdef uint64_t index, last = end
        cdef const Piece *row
        cdef Piece piece
        cdef const char *data
        if last > self.pieces.end:
            raise IndexError(f"there are {self.pieces.end} pieces")
        for index in range(<uint64_t>begin, last):
            row = <const Piece *>cursor_row(&self.pieces, index)
            if row == NULL:
                raise_errno()
            piece = row[0]
            held = None
            if piece.known:
                data = payload_at(&self.payload, piece.payload, piece.length)
                if data == NULL:
                    raise_errno()
                held = PyBytes_FromStringAndSize(data, piece.length)
            yield index, piece.to_server, piece.stream_offset, piece.length, held, piece.flags, piece.reason, piece.time

    def piece(self, index):
        """One piece, by its row."""
        cdef uint64_t place = index
        cdef const char *row
        if place >= self.pieces.end:
            raise IndexError(f"there are {self.pieces.end} pieces")
        row = cursor_row(&self.pieces, place)
        if row == NULL:
            raise_errno()
        return PieceRow._make(PIECE.unpack(row[:sizeof(Piece)]))

    def frame_number(self, row):
        """The number of a frame in the pcapng, from 1, by its row; 0 where a piece has none."""
        cdef uint64_t place = row
        cdef uint32_t number
        if place == NO_FRAME:
            return 0
        if place >= self.numbers.end:
            raise IndexError(f"there are {self.numbers.end} frames")
        # Read by itself: calls jump about.
        if read_whole(self.numbers.fd, <char *>&number, 4, place * 4) < 0:
            raise_errno()
        return number

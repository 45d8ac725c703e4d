# cython: language_level=3, auto_pickle=False, boundscheck=True
"""Secrets in conversations: each direction is searched in windows that overlap by the longest spelling."""

from bisect import bisect_right

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

from syswire.convert.conversations.reader cimport ConversationReader
from syswire.convert.model.rows cimport Piece
from syswire.convert.spread.patterns cimport Patterns

cdef enum:
    WINDOW = 1 << 18
    MOST_CALLS = 4096  # of the taker for one conversation

ctypedef struct Window:  # consecutive known bytes of one direction, from stream offset `begin`
    uint64_t begin
    size_t size
    size_t room
    char *data


cdef int _append(Window *window, const char *data, size_t size) except -1:
    cdef void *grown
    if window.size + size > window.room:
        grown = realloc(window.data, 2 * (window.size + size))
        if grown == NULL:
            raise MemoryError
        window.data, window.room = <char *>grown, 2 * (window.size + size)
    memcpy(window.data + window.size, data, size)
    window.size += size
    return 0


cdef class StreamScan:
    """The search over one capture's conversations."""

    cdef ConversationReader reader
    cdef Patterns patterns
    cdef Window[2] windows
    cdef list offsets     # by direction: where the pieces in the window begin, and
    cdef list rows        # their rows
    cdef uint64_t place
    cdef int calls

    cdef uint64_t base

    def __init__(self, ConversationReader reader not None, Patterns patterns not None, uint64_t base):
        self.reader, self.patterns, self.base = reader, patterns, base

    def __cinit__(self):
        cdef int direction
        for direction in range(2):
            self.windows[direction].data = NULL
            self.windows[direction].begin = self.windows[direction].size = self.windows[direction].room = 0

    def __dealloc__(self):
        free(self.windows[0].data)
        free(self.windows[1].data)

    def search(self, uint64_t number, taker):
        """Look through one conversation."""
        cdef Piece piece
        cdef Window *window
        cdef uint64_t begin, end, row
        cdef uint32_t length
        cdef int direction
        cdef const char *data
        totals = self.reader.conversation(number)
        begin, end = totals.pieces_begin, totals.pieces_end
        self.reader.check_rows(end)
        self.place, self.calls = self.base + number, 0
        self.offsets, self.rows = [[], []], [[], []]
        for direction in range(2):
            self.windows[direction].begin = self.windows[direction].size = 0
        while begin < end:
            row = begin
            data = self.reader.next_view(&begin, end, &piece, &length)
            direction = piece.to_server == 1
            window = &self.windows[direction]
            if data == NULL or piece.stream_offset != window.begin + window.size:
                self.look(direction, taker)
                window.begin = piece.stream_offset + (length if data == NULL else 0)
                window.size = 0
                self.offsets[direction].clear()
                self.rows[direction].clear()
            if data != NULL:
                self.offsets[direction].append(piece.stream_offset)
                self.rows[direction].append(row)
                _append(window, data, length)
                if window.size >= WINDOW:
                    self.look(direction, taker)
                    self.keep_end(direction)
        for direction in range(2):
            self.look(direction, taker)

    cdef int keep_end(self, int direction) except -1:
        """A secret may begin at the window's end that ends in the next one."""
        cdef Window *window = &self.windows[direction]
        cdef size_t kept = self.patterns.index.longest
        cdef list offsets = self.offsets[direction]
        cdef Py_ssize_t before
        if window.size <= kept:
            return 0
        window.begin += window.size - kept
        memmove(window.data, window.data + window.size - kept, kept)
        window.size = kept
        before = bisect_right(offsets, window.begin) - 1  # the piece that holds the first byte stays
        if before > 0:
            del offsets[:before]
            del self.rows[direction][:before]
        return 0

    cdef int look(self, int direction, object taker) except -1:
        cdef Window *window = &self.windows[direction]
        cdef const unsigned char *text = <const unsigned char *>window.data
        cdef bint seen
        cdef Piece piece
        cdef uint64_t offset
        if window.size == 0 or self.calls >= MOST_CALLS:
            return 0
        with nogil:
            seen = self.patterns.any(text, <Py_ssize_t>window.size)
        if not seen:
            return 0
        for at, pattern in self.patterns.hits(text, <Py_ssize_t>window.size, self.place):
            if self.patterns.last[<size_t>pattern] == self.place or self.calls >= MOST_CALLS:
                continue
            self.calls += 1
            offset = window.begin + <uint64_t>at
            row = self.rows[direction][bisect_right(self.offsets[direction], offset) - 1]
            length = self.patterns.index.patterns[<size_t>pattern].length
            if taker(pattern, direction, offset, length, self.reader.piece(row, offset)):
                self.patterns.last[<size_t>pattern] = self.place
        return 0

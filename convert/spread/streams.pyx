# cython: language_level=3, auto_pickle=False, boundscheck=True
"""Secrets in conversations: each run of bytes is searched where it lies, and what lies across the border of two."""

from libc.stdint cimport int32_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from syswire.convert.conversations.reader cimport ConversationReader
from syswire.convert.model.rows cimport Piece
from syswire.convert.spread.patterns cimport Patterns

from .spellings import LONGEST

cdef enum:
    TAIL = 512         # LONGEST
    MOST_CALLS = 4096  # of the taker for one conversation

assert TAIL == LONGEST

ctypedef struct Tail:  # the last bytes of one direction, if what follows joins them
    uint64_t end       # stream offset behind them
    uint32_t size
    unsigned char data[TAIL]
    uint64_t rows[TAIL]  # of the piece that each of them is in


cdef class StreamScan:
    """The search over one capture's conversations."""

    cdef ConversationReader reader
    cdef Patterns patterns
    cdef Tail tails[2]
    cdef unsigned char joined[2 * TAIL]
    cdef uint64_t base, place
    cdef int calls

    def __init__(self, ConversationReader reader not None, Patterns patterns not None, uint64_t base):
        self.reader, self.patterns, self.base = reader, patterns, base

    def search(self, uint64_t number, taker):
        """Look through one conversation."""
        cdef Piece piece
        cdef uint64_t begin, end, row
        cdef uint32_t length
        cdef int direction
        cdef const char *data
        totals = self.reader.conversation(number)
        begin, end = totals.pieces_begin, totals.pieces_end
        self.reader.check_rows(end)
        self.place, self.calls = self.base + number, 0
        self.tails[0].size = self.tails[1].size = 0
        while begin < end:
            row = begin
            data = self.reader.next_view(&begin, end, &piece, &length)
            direction = piece.to_server == 1
            if data == NULL:
                self.tails[direction].size = 0
            else:
                self.run(direction, <const unsigned char *>data, length, piece.stream_offset, row, taker)

    cdef int run(self, int direction, const unsigned char *data, uint32_t length, uint64_t offset, uint64_t row,
                 object taker) except -1:
        cdef Tail *tail = &self.tails[direction]
        cdef uint32_t head = length if length < TAIL else TAIL
        cdef uint32_t border, keep, i
        cdef bint seen
        if tail.size and tail.end != offset:
            tail.size = 0
        if tail.size:
            border = tail.size
            memcpy(self.joined, tail.data, border)
            memcpy(self.joined + border, data, head)
            if self.patterns.any(self.joined, border + head):
                self.hits(direction, self.joined, border + head, border, offset - border, row, taker)
        with nogil:
            seen = self.patterns.any(data, length)
        if seen:
            self.hits(direction, data, length, 0, offset, row, taker)
        keep = tail.size if tail.size < TAIL - head else TAIL - head
        if keep and head:
            memmove(tail.data, tail.data + tail.size - keep, keep)
            memmove(tail.rows, tail.rows + (tail.size - keep), keep * sizeof(uint64_t))
        memcpy(tail.data + keep, data + length - head, head)
        for i in range(keep, keep + head):
            tail.rows[i] = row
        tail.size, tail.end = keep + head, offset + length
        return 0

    cdef int hits(self, int direction, const unsigned char *text, uint32_t size, uint32_t border, uint64_t offset,
                  uint64_t row, object taker) except -1:
        """A pattern is in the text, which begins at `offset`; where there is a border, only what lies across it counts.
        """
        cdef uint64_t found
        cdef uint32_t at, length
        cdef int32_t pattern
        cdef const Tail *tail = &self.tails[direction]
        for begin, number in self.patterns.hits(text, size, self.place):
            at, pattern = begin, number
            length = self.patterns.index.patterns[pattern].length
            if border and not at < border < at + length:
                continue
            if self.patterns.last[pattern] == self.place or self.calls >= MOST_CALLS:
                continue
            self.calls += 1
            found = tail.rows[at] if border else row
            if taker(pattern, direction, offset + at, length, self.reader.piece(found, offset + at)):
                self.patterns.last[pattern] = self.place
        return 0

# cython: language_level=3, boundscheck=True
"""Chunked framing of HTTP/1 bodies (RFC 9112, 7.1), in one pass and without looking back."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from cpython.memoryview cimport PyMemoryView_FromObject
from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy

cdef enum:
    SIZE = 0
    EXTENSION = 1
    DATA = 2
    DATA_END = 3
    DATA_LF = 4
    DONE = 5
    BAD = 6
    LONGEST_SIZE_LINE = 4096


cdef class Dechunker:
    """Chunked framing (RFC 9112, 7.1), fed in any cuts, up to the line of the last chunk; trailers are not its own."""

    def __init__(self):
        self.ranges = []

    @property
    def done(self):
        return self.state == DONE

    @property
    def bad(self):
        return self.state == BAD

    cdef bint is_done(self) noexcept:
        return self.state == DONE

    cdef bint is_bad(self) noexcept:
        return self.state == BAD

    cpdef bint skip(self, uint64_t length) except -1:
        """Pass over lost bytes: True if all of them lie in the data of the present chunk."""
        if self.state != DATA or length > self.remaining:
            self.state = BAD
            return False
        self.remaining -= length
        if self.remaining == 0:
            self.state = DATA_END
        return True

    cdef void _size_byte(self, unsigned char c) noexcept nogil:
        """One byte of the line that gives a chunk's size."""
        cdef int digit = -1
        self.line += 1
        if c == 10:
            if self.digits == 0:
                self.state = BAD
                return
            if not self.after_cr:
                self.bare_lf = True
            self.state = DATA if self.remaining else DONE
        elif self.line > LONGEST_SIZE_LINE:
            self.state = BAD
        elif self.state == EXTENSION:
            pass
        elif self.digits == 0 and (c == 32 or c == 9):
            self.blank = True
        elif 48 <= c <= 57:
            digit = c - 48
        elif 97 <= (c | 32) <= 102:
            digit = (c | 32) - 87
        elif self.digits and (c == 59 or c == 32 or c == 9 or c == 13):
            self.state = EXTENSION
        else:
            self.state = BAD
        if digit >= 0:
            self.digits += 1
            if self.remaining >> 58:
                self.state = BAD
            else:
                self.remaining = self.remaining << 4 | <uint64_t> digit
        self.after_cr = c == 13

    def feed(self, bytes data, Py_ssize_t pos, bint note_ranges):
        """Take bytes from `pos`: (where the framing's next byte is, body bytes); `ranges` lists where those stood.

        Body bytes are a view of `data` where they are in one run. Stops at the end of the last chunk's line, or at
        the first byte that is not chunked framing (`bad`).
        """
        body = self.take(data, &pos, note_ranges)
        return pos, body

    cdef object take(self, bytes data, Py_ssize_t* position, bint note_ranges):
        """As feed; `position` is moved on."""
        cdef Py_ssize_t pos = position[0]
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data)
        cdef const unsigned char* text = <const unsigned char*> PyBytes_AS_STRING(data)
        cdef Py_ssize_t first = -1, first_end = -1, step, filled = 0
        cdef char* out = NULL
        if pos < 0:
            raise ValueError("negative position")
        if note_ranges:
            self.ranges = []
        try:
            while pos < size and self.state < DONE:
                if self.state == DATA:
                    step = size - pos
                    if <uint64_t> step >= self.remaining:
                        step = <Py_ssize_t> self.remaining
                        self.state = DATA_END
                    self.remaining -= <uint64_t> step
                    if note_ranges:
                        self.ranges.append((pos, step))
                    if first < 0:
                        first, first_end = pos, pos + step
                    else:
                        if out == NULL:
                            out = <char*> malloc(size - first)
                            if out == NULL:
                                raise MemoryError()
                            filled = first_end - first
                            memcpy(out, text + first, filled)
                        memcpy(out + filled, text + pos, step)
                        filled += step
                    pos += step
                elif self.state == DATA_END:
                    if text[pos] == 13:
                        self.state = DATA_LF
                    elif text[pos] == 10:
                        self.bare_lf = True
                        self._next_chunk()
                    else:
                        self.state = BAD
                        break
                    pos += 1
                elif self.state == DATA_LF:
                    if text[pos] != 10:
                        self.state = BAD
                        break
                    self._next_chunk()
                    pos += 1
                else:
                    self._size_byte(text[pos])
                    if self.state == BAD:
                        break
                    pos += 1
            position[0] = pos
            if first < 0:
                return b""
            if out != NULL:
                return PyBytes_FromStringAndSize(out, filled)
            return PyMemoryView_FromObject(data)[first:first_end]
        finally:
            free(out)

    cdef void _next_chunk(self) noexcept nogil:
        self.state = SIZE
        self.remaining = 0
        self.digits = 0
        self.line = 0

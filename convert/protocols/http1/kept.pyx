# cython: language_level=3, boundscheck=True
"""Bytes of a body that are kept for a second look, with the way back to where they stand in the stream."""

from libc.stdint cimport uint64_t

from syswire.convert.model.span import Span

KEPT_BYTES = 1 << 20
KEPT_MARKS = 1 << 14

cdef enum:
    MOST_BYTES = 1 << 20
    MOST_MARKS = 1 << 14


cdef tuple _mark(list marks, Py_ssize_t position):
    """The last mark (position in the run, stream offset, place) that stands no later."""
    cdef Py_ssize_t low = 1, high = len(marks), middle
    while low < high:
        middle = (low + high) >> 1
        if <Py_ssize_t> marks[middle][0] <= position:
            low = middle + 1
        else:
            high = middle
    return marks[low - 1]


cdef class Kept:
    """A body's bytes; see http1_kept.pyi. Each run has marks, one wherever the stream does not simply go on."""

    def __cinit__(self):
        self.runs = []
        self.marks = []
        self.room = MOST_BYTES
        self.is_cut = True

    @property
    def ends_cut(self):
        return self.full or self.is_cut

    cpdef object add(self, object data, uint64_t offset, object place):
        """Body bytes that stand in one piece at `offset` of the stream."""
        cdef bytearray run
        cdef Py_ssize_t size = len(data)
        if self.full or size == 0:
            return
        if size > self.room:
            data = data[:self.room]
            size = self.room
            self.full = True
        if self.is_cut:
            self.runs.append(bytearray())
            self.marks.append([])
        run = self.runs[len(self.runs) - 1]
        if self.is_cut or self.next_place is not place or self.next_offset != offset:
            self.is_cut = False
            if self.mark_count == MOST_MARKS:
                self.full = True
                return
            self.marks[len(self.marks) - 1].append((len(run), offset, place))
            self.mark_count += 1
        run += data
        self.next_offset, self.next_place = offset + <uint64_t> size, place
        self.room -= size

    cpdef object cut(self):
        """Bytes are lost here."""
        self.is_cut = True
        if not self.runs:
            self.begins_cut = True

    cpdef object span(self, Py_ssize_t run, Py_ssize_t begin, Py_ssize_t end):
        """Where the bytes [begin, end) of a run, at least one, stand in the stream."""
        cdef list marks = self.marks[run]
        cdef tuple first = _mark(marks, begin), last = _mark(marks, end - 1)
        cdef uint64_t offset = <uint64_t> first[1] + <uint64_t> (begin - <Py_ssize_t> first[0])
        return Span(first[2], offset, <uint64_t> last[1] + <uint64_t> (end - <Py_ssize_t> last[0]) - offset)

# cython: language_level=3, auto_pickle=False, boundscheck=True
"""Bytes of the payload file that are written otherwise than they were read."""

from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy


cdef class Patches:
    def __cinit__(self):
        self.begins = self.ends = self.places = NULL

    def __init__(self, patches):
        cdef list known = [(position, new) for position, new in patches if new]
        cdef uint64_t i, behind = 0, place = 0, count = len(known)
        self.held = b"".join([new for _, new in known])
        self.data = <const uint8_t *><char *>self.held
        self.begins = <uint64_t *>malloc((count + 1) * sizeof(uint64_t))
        self.ends = <uint64_t *>malloc((count + 1) * sizeof(uint64_t))
        self.places = <uint64_t *>malloc((count + 1) * sizeof(uint64_t))
        if self.begins == NULL or self.ends == NULL or self.places == NULL:
            raise MemoryError
        for i in range(count):
            position, new = known[i]
            if position < behind:
                raise ValueError("patches overlap, or are out of order")
            behind = position + len(new)
            self.begins[i], self.ends[i], self.places[i] = position, behind, place
            place += len(new)
        self.count, self.size = count, place

    def __dealloc__(self):
        free(self.begins)
        free(self.ends)
        free(self.places)

    cdef void apply(self, uint8_t *target, uint64_t position, uint64_t length) noexcept nogil:
        """Change `length` bytes that stand at `position` of the payload file."""
        cdef uint64_t low = 0, high = self.count, middle, begin, end, stop = position + length
        while low < high:       # the first that ends behind `position`
            middle = (low + high) // 2
            if self.ends[middle] <= position:
                low = middle + 1
            else:
                high = middle
        while low < self.count and self.begins[low] < stop:
            begin = self.begins[low] if self.begins[low] > position else position
            end = self.ends[low] if self.ends[low] < stop else stop
            memcpy(target + (begin - position), self.data + self.places[low] + (begin - self.begins[low]), end - begin)
            low += 1

    def to(self, unsigned char[::1] data not None, uint64_t position):
        """Change what was read from `position` on."""
        if data.shape[0]:
            self.apply(&data[0], position, data.shape[0])

# cython: language_level=3, auto_pickle=False, boundscheck=True
"""The spellings of all secrets that are followed, in one index.

Whether any occurs is asked without Python; only then is each looked at. A place is what a hit counts once in: a
conversation, an open file. A pattern that was found in a place is marked, and passed over from then on.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, uint64_t
from libc.stdlib cimport calloc, free

from syswire.convert.secret_index cimport SecretIndex

from .spellings import spellings


cdef class Patterns:
    """The spellings of some secrets."""

    def __init__(self, secrets):
        cdef int32_t before
        self.index, self.spelled = SecretIndex(), []
        for number, secret in enumerate(secrets):
            for name, spelled in spellings(secret):
                before = self.index.pattern_count
                if self.index.add(spelled) and self.index.pattern_count > before:
                    self.spelled.append((number, name))
        free(self.last)
        self.last = <uint64_t *>calloc(len(self.spelled) + 1, sizeof(uint64_t))
        if self.last == NULL:
            raise MemoryError

    def __cinit__(self):
        self.last = NULL

    def __dealloc__(self):
        free(self.last)

    @property
    def longest(self):
        return self.index.longest

    cdef bint any(self, const unsigned char *text, Py_ssize_t size) noexcept nogil:
        return self.index.finds(text, size)

    cdef list hits(self, const unsigned char *text, Py_ssize_t size, uint64_t place):
        cdef Py_ssize_t at = 0
        cdef int32_t id = -1
        cdef list found = []
        while True:
            at = self.index._next(text, at, size, &id)
            if at < 0:
                return found
            if place == 0 or self.last[id] != place:
                found.append((at, id))
            at += 1

    def found(self, bytes data):
        """(offset, pattern) of every occurrence."""
        return self.hits(<const unsigned char *>PyBytes_AS_STRING(data), PyBytes_GET_SIZE(data), 0)

    def length(self, int32_t pattern):
        """Bytes of a pattern."""
        if not 0 <= pattern < self.index.pattern_count:
            raise IndexError(pattern)
        return self.index.patterns[pattern].length

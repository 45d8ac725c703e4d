# cython: language_level=3
"""The search for secrets behind layers of escapes: percent signs and those of JSON strings, in any mixture."""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from libc.stdlib cimport free

from syswire.convert.escapes cimport around
from syswire.convert.secret_index cimport SecretIndex

cdef enum:
    PERCENT = 0  # as in escapes.pyx
    JSON = 1
    DEEPEST = 3

cdef Py_ssize_t[4] GROWTH = [1, 6, 36, 216]  # the most bytes that one byte takes behind so many layers


cdef int occurs(SecretIndex index, const unsigned char* text, Py_ssize_t size, int depth) noexcept nogil:
    cdef unsigned char* undone
    cdef Py_ssize_t length
    cdef int kind, seen
    if index.pattern_count == 0:
        return 0
    if index.finds(text, size):
        return 1
    if depth == 0:
        return 0
    for kind in range(PERCENT, JSON + 1):
        undone = NULL
        length = around(kind, text, size, index.longest * GROWTH[depth], &undone)
        seen = -1 if length < 0 else occurs(index, undone, length, depth - 1) if length else 0
        free(undone)
        if seen:
            return seen
    return 0


def found(SecretIndex index not None, data, int depth):
    cdef Py_buffer view
    cdef int seen
    if not 0 <= depth <= DEEPEST:
        raise ValueError("so many layers are not undone")
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        with nogil:
            seen = occurs(index, <const unsigned char*> view.buf, view.len, depth)
    finally:
        PyBuffer_Release(&view)
    if seen < 0:
        raise MemoryError
    return seen == 1


def reach(SecretIndex index not None, int depth):
    if not 0 <= depth <= DEEPEST:
        raise ValueError("so many layers are not undone")
    return index.longest * GROWTH[depth]

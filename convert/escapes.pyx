# cython: language_level=3
"""Undo escapes without looking at what they stand in: %XX of URLs and forms, and those of JSON strings.

Bytes that are no whole escape stay as they are; nothing is refused.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t
from libc.stdlib cimport free, malloc
from libc.string cimport memchr, memcpy

PERCENT = 0
JSON = 1


cdef inline int _hex(unsigned char c) noexcept nogil:
    if 48 <= c <= 57:
        return c - 48
    c |= 32
    if 97 <= c <= 102:
        return c - 87
    return -1


cdef inline int _four(const unsigned char* text) noexcept nogil:
    """The value of four hex digits, or -1."""
    cdef int a = _hex(text[0]), b = _hex(text[1]), c = _hex(text[2]), d = _hex(text[3])
    if a < 0 or b < 0 or c < 0 or d < 0:
        return -1
    return a << 12 | b << 8 | c << 4 | d


cdef int _percent(const unsigned char* text, Py_ssize_t size, unsigned char* out, int* made) noexcept nogil:
    """Undo one %XX: bytes taken, 0 if there is none here."""
    cdef int high, low
    if size < 3 or text[0] != 37:
        return 0
    high = _hex(text[1])
    low = _hex(text[2])
    if high < 0 or low < 0:
        return 0
    out[0] = <unsigned char> (high << 4 | low)
    made[0] = 1
    return 3


cdef int _json(const unsigned char* text, Py_ssize_t size, unsigned char* out, int* made) noexcept nogil:
    r"""Undo one escape of a JSON string, \uXXXX into UTF-8: bytes taken, 0 if there is none here."""
    cdef int code, low, taken = 6
    cdef unsigned char c
    if size < 2 or text[0] != 92:
        return 0
    c = text[1]
    made[0] = 1
    if c == 34 or c == 92 or c == 47:
        out[0] = c
    elif c == 98:
        out[0] = 8
    elif c == 102:
        out[0] = 12
    elif c == 110:
        out[0] = 10
    elif c == 114:
        out[0] = 13
    elif c == 116:
        out[0] = 9
    elif c == 117 and size >= 6:
        code = _four(text + 2)
        if code < 0:
            return 0
        if 0xD800 <= code < 0xDC00 and size >= 12 and text[6] == 92 and text[7] == 117:
            low = _four(text + 8)
            if 0xDC00 <= low < 0xE000:
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
                taken = 12
        if code < 0x80:
            out[0] = <unsigned char> code
        elif code < 0x800:
            out[0] = <unsigned char> (0xC0 | code >> 6)
            out[1] = <unsigned char> (0x80 | code & 63)
            made[0] = 2
        elif code < 0x10000:
            out[0] = <unsigned char> (0xE0 | code >> 12)
            out[1] = <unsigned char> (0x80 | code >> 6 & 63)
            out[2] = <unsigned char> (0x80 | code & 63)
            made[0] = 3
        else:
            out[0] = <unsigned char> (0xF0 | code >> 18)
            out[1] = <unsigned char> (0x80 | code >> 12 & 63)
            out[2] = <unsigned char> (0x80 | code >> 6 & 63)
            out[3] = <unsigned char> (0x80 | code & 63)
            made[0] = 4
        return taken
    else:
        return 0
    return 2


cdef inline int _undo(int kind, const unsigned char* text, Py_ssize_t size, unsigned char* out,
                      int* made) noexcept nogil:
    if kind == 0:
        return _percent(text, size, out, made)
    return _json(text, size, out, made)


def unescape(bytes data, int kind, bytes origins_of_data=None):
    cdef Py_ssize_t size = PyBytes_GET_SIZE(data), at = 0, filled = 0
    cdef const unsigned char* text = <const unsigned char*> PyBytes_AS_STRING(data)
    cdef unsigned char* out = NULL
    cdef uint32_t* origins = NULL
    cdef const uint32_t* outer = NULL
    cdef int taken, made = 0, i
    if size >= <Py_ssize_t> 1 << 31:
        raise ValueError("too long")
    if origins_of_data is not None:
        if PyBytes_GET_SIZE(origins_of_data) != (size + 1) * <Py_ssize_t> sizeof(uint32_t):
            raise ValueError("as many origins as bytes, and one for the end")
        outer = <const uint32_t*> PyBytes_AS_STRING(origins_of_data)
    try:
        out = <unsigned char*> malloc(size + 4)
        origins = <uint32_t*> malloc((size + 5) * sizeof(uint32_t))
        if out == NULL or origins == NULL:
            raise MemoryError()
        with nogil:
            while at < size:
                taken = _undo(kind, text + at, size - at, out + filled, &made)
                if taken == 0:
                    out[filled] = text[at]
                    taken = made = 1
                for i in range(made):
                    origins[filled + i] = outer[at] if outer != NULL else <uint32_t> at
                filled += made
                at += taken
            origins[filled] = outer[size] if outer != NULL else <uint32_t> size
        return (
            PyBytes_FromStringAndSize(<char*> out, filled),
            PyBytes_FromStringAndSize(<char*> origins, (filled + 1) * sizeof(uint32_t)),
        )
    finally:
        free(out)
        free(origins)


def around_escapes(data, int kind, Py_ssize_t reach):
    cdef Py_buffer view
    cdef const unsigned char* text
    cdef unsigned char* out = NULL
    cdef Py_ssize_t filled = 0
    if reach < 0:
        raise ValueError("negative reach")
    PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
    try:
        text = <const unsigned char*> view.buf
        with nogil:
            filled = around(kind, text, view.len, reach, &out)
        if filled < 0:
            raise MemoryError()
        return PyBytes_FromStringAndSize(<char*> out, filled) if filled else b""
    finally:
        free(out)
        PyBuffer_Release(&view)


cdef Py_ssize_t around(int kind, const unsigned char* text, Py_ssize_t size, Py_ssize_t reach,
                       unsigned char** target) noexcept nogil:
    """Bytes written to a buffer that is made when it is needed; -1 without memory.

    They are no more than `size`: a separator stands for at least one byte that is left out.
    """
    cdef const unsigned char* found
    cdef unsigned char* out = NULL
    cdef unsigned char first[4]
    cdef unsigned char mark = 37 if kind == 0 else 92
    cdef Py_ssize_t at = 0, copied = 0, filled = 0, begin
    cdef int taken, made = 0
    while at < size:
        found = <const unsigned char*> memchr(text + at, mark, size - at)
        if found == NULL:
            break
        at = found - text
        taken = _undo(kind, text + at, size - at, first, &made)
        if taken == 0:
            at += 1
            continue
        begin = copied
        if out == NULL:
            out = <unsigned char*> malloc(size + 4)
            target[0] = out
            if out == NULL:
                return -1
            if at > reach:
                begin = at - reach
        elif at - copied > 2 * reach:
            memcpy(out + filled, text + copied, reach)
            filled += reach
            out[filled] = 0
            filled += 1
            begin = at - reach
        memcpy(out + filled, text + begin, at - begin)
        filled += at - begin
        memcpy(out + filled, first, made)
        filled += made
        at += taken
        copied = at
    if out != NULL:
        begin = size - copied if size - copied < reach else reach
        memcpy(out + filled, text + copied, begin)
        filled += begin
    return filled

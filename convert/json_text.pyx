# cython: language_level=3, auto_pickle=False, boundscheck=True
"""JSON put together byte by byte: records whose fields are known need no dictionary on the way."""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport int64_t, uint8_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, strlen

cdef extern from "Python.h":
    const char *PyUnicode_AsUTF8AndSize(object text, Py_ssize_t *size) except NULL

cdef enum:
    FIRST_ROOM = 1 << 12
    BILLION = 1_000_000_000

cdef const char *HEX = "0123456789abcdef"


cdef inline bint _plain(uint64_t eight) noexcept nogil:
    """Whether none of eight bytes has to be escaped: a control character, a quotation mark, a backslash."""
    cdef uint64_t ones = 0x0101010101010101ULL, tops = 0x8080808080808080ULL
    cdef uint64_t quotes = eight ^ 0x2222222222222222ULL, slashes = eight ^ 0x5C5C5C5C5C5C5C5CULL
    return (((eight - 0x2020202020202020ULL) & ~eight) | ((quotes - ones) & ~quotes)
            | ((slashes - ones) & ~slashes)) & tops == 0


cdef size_t _escape(const uint8_t *text, size_t size, char *out) noexcept nogil:
    """The text as it stands within quotation marks; `out` has room for six times as much. Returns how much it is."""
    cdef size_t at = 0, filled = 0
    cdef uint64_t eight
    cdef uint8_t c
    while at < size:
        if size - at >= 8:
            memcpy(&eight, text + at, 8)
            if _plain(eight):
                memcpy(out + filled, &eight, 8)
                at += 8
                filled += 8
                continue
        c = text[at]
        at += 1
        if c >= 32 and c != 34 and c != 92:
            out[filled] = <char>c
            filled += 1
            continue
        out[filled] = 92
        filled += 1
        if c == 34 or c == 92:
            out[filled] = <char>c
        elif c == 8:
            out[filled] = 98
        elif c == 9:
            out[filled] = 116
        elif c == 10:
            out[filled] = 110
        elif c == 12:
            out[filled] = 102
        elif c == 13:
            out[filled] = 114
        else:
            memcpy(out + filled, b"u00", 3)
            out[filled + 3] = HEX[c >> 4]
            out[filled + 4] = HEX[c & 15]
            filled += 4
        filled += 1
    return filled


cdef inline void _two(char *out, uint64_t value) noexcept nogil:
    out[0] = <char>(48 + value // 10)
    out[1] = <char>(48 + value % 10)


cdef void _stamp(char *out, uint64_t second) noexcept nogil:
    """YYYY-MM-DDTHH:MM:SS of a second since 1970, in the Gregorian calendar."""
    cdef int64_t days = <int64_t>(second // 86400) + 719468  # since 0000-03-01: a leap day ends its year
    cdef int64_t era = days // 146097, day = days % 146097
    cdef int64_t year = (day - day // 1460 + day // 36524 - day // 146096) // 365
    cdef int64_t month
    second %= 86400
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5 - 1
    year += era * 400
    month += 3 if month < 10 else -9
    if month <= 2:
        year += 1
    _two(out, <uint64_t>(year // 100))
    _two(out + 2, <uint64_t>(year % 100))
    out[4] = out[7] = 45
    _two(out + 5, <uint64_t>month)
    _two(out + 8, <uint64_t>day)
    out[10] = 84
    _two(out + 11, second // 3600)
    _two(out + 14, second // 60 % 60)
    _two(out + 17, second % 60)
    out[13] = out[16] = 58


cdef class JsonText:
    """JSON text that grows; what it spells, msgspec would spell the same."""

    def __cinit__(self):
        self.second = <uint64_t>-1

    def __dealloc__(self):
        free(self.data)

    cdef int reserve(self, size_t more) except -1:
        """Room for so many bytes more."""
        cdef size_t wanted = self.size + more, room
        cdef void *grown
        if wanted > self.room:
            room = FIRST_ROOM if self.room == 0 else 2 * self.room
            if room < wanted:
                room = wanted
            grown = realloc(self.data, room)
            if grown == NULL:
                raise MemoryError
            self.data, self.room = <char *>grown, room
        return 0

    cdef int raw(self, const char *text, size_t size) except -1:
        """Text that is JSON already."""
        self.reserve(size)
        memcpy(self.data + self.size, text, size)
        self.size += size
        return 0

    cdef int put(self, const char *text) except -1:
        """A literal."""
        return self.raw(text, strlen(text))

    cdef int add(self, bytes text) except -1:
        """Encoded elsewhere."""
        return self.raw(PyBytes_AS_STRING(text), <size_t>PyBytes_GET_SIZE(text))

    cdef int string(self, str text) except -1:
        """A string, in quotation marks, or null for None."""
        cdef Py_ssize_t size
        cdef const char *data
        if text is None:
            return self.put(b"null")
        data = PyUnicode_AsUTF8AndSize(text, &size)
        self.reserve(6 * <size_t>size + 2)
        self.data[self.size] = 34
        self.size += 1
        self.size += _escape(<const uint8_t *>data, <size_t>size, self.data + self.size)
        self.data[self.size] = 34
        self.size += 1
        return 0

    cdef int number(self, uint64_t value) except -1:
        cdef char[20] digits
        cdef int begin = 20
        while True:
            begin -= 1
            digits[begin] = <char>(48 + value % 10)
            value //= 10
            if value == 0:
                break
        return self.raw(digits + begin, 20 - begin)

    cdef int truth(self, bint value) except -1:
        return self.put(b"true" if value else b"false")

    cdef int time(self, uint64_t ns) except -1:
        """RFC 3339 in UTC with nine digits, in quotation marks; 64 bits end in the year 2554."""
        cdef uint64_t second, rest
        cdef char *out
        cdef int place
        second, rest = ns // BILLION, ns % BILLION
        if second != self.second:
            _stamp(self.stamp, second)
            self.second = second
        self.reserve(32)
        out = self.data + self.size
        out[0] = 34
        memcpy(out + 1, self.stamp, 19)
        out[20] = 46
        for place in range(29, 20, -1):
            out[place] = <char>(48 + rest % 10)
            rest //= 10
        out[30] = 90
        out[31] = 34
        self.size += 32
        return 0

    cdef int value(self, object value) except -1:
        """A string, a number that is not negative, a truth, or None."""
        if value is None:
            return self.put(b"null")
        if type(value) is str:
            return self.string(value)
        if type(value) is bool:
            return self.truth(value)
        if type(value) is int:
            return self.number(value)
        raise TypeError(type(value))

    cdef int pairs(self, list headers) except -1:
        """[[name, value], ...]"""
        cdef bint first = True
        cdef object name, value
        self.put(b"[")
        for pair in headers:
            name, value = pair
            self.put(b"[" if first else b",[")
            first = False
            self.string(name)
            self.put(b",")
            self.string(value)
            self.put(b"]")
        return self.put(b"]")

    cdef bytes line(self):
        """All that was written; the text begins anew."""
        cdef bytes done = PyBytes_FromStringAndSize(self.data, <Py_ssize_t>self.size)
        self.size = 0
        return done

    def encode(self, value):
        """One value by itself."""
        if type(value) is list:
            self.pairs(value)
        else:
            self.value(value)
        return self.line()

    def moment(self, uint64_t ns):
        """A time by itself."""
        self.time(ns)
        return self.line()

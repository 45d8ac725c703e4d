# JSON put together byte by byte, for compiled code that writes the same records over and over.

from libc.stdint cimport uint64_t

cdef class JsonText:
    cdef char *data
    cdef size_t size            # bytes written
    cdef size_t room
    cdef uint64_t second        # whose text `stamp` holds
    cdef char[19] stamp

    cdef int reserve(self, size_t more) except -1
    cdef int raw(self, const char *text, size_t size) except -1
    cdef int put(self, const char *text) except -1
    cdef int add(self, bytes text) except -1
    cdef int string(self, str text) except -1
    cdef int number(self, uint64_t value) except -1
    cdef int truth(self, bint value) except -1
    cdef int time(self, uint64_t ns) except -1
    cdef int value(self, object value) except -1
    cdef int pairs(self, list headers) except -1
    cdef bytes line(self)

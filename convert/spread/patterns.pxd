# The spellings of all secrets that are followed, for compiled callers; patterns.pyx says how they are searched.

from libc.stdint cimport int32_t, uint64_t

from syswire.convert.secret_index cimport SecretIndex

cdef class Patterns:
    cdef SecretIndex index
    cdef readonly list spelled   # (number of the secret, spelling) of each pattern
    cdef uint64_t *last          # by pattern: the place in which it was found last

    # Whether any pattern occurs.
    cdef bint any(self, const unsigned char *text, Py_ssize_t size) noexcept nogil
    # [(offset, pattern)] of all patterns in the text that were not marked as found in this place.
    cdef list hits(self, const unsigned char *text, Py_ssize_t size, uint64_t place)

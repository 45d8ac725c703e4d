# Search for many byte strings at once, for compiled callers; secret_index.pyx says how it works.

from libc.stdint cimport int32_t, uint8_t, uint32_t, uint64_t

ctypedef struct Bucket:
    uint32_t gram
    int32_t count      # 0: the slot is free
    int32_t room
    int32_t* ids       # patterns in lexicographic order
    int32_t* parents   # by place in the order: the place of the longest other pattern that begins this one, or -1
    bint stale         # parents are to be worked out again

ctypedef struct Pattern:
    uint64_t at        # in the arena
    int32_t length
    uint8_t before     # characters beside a match that tell of the secret too
    uint8_t after

cdef class SecretIndex:
    cdef Pattern* patterns
    cdef int32_t pattern_count
    cdef int32_t pattern_room
    cdef unsigned char* arena
    cdef uint64_t arena_used
    cdef uint64_t arena_room
    cdef Bucket* buckets
    cdef int bucket_bits
    cdef int32_t bucket_count
    cdef uint8_t* bitmap
    cdef int bits
    cdef readonly int longest

    cdef const unsigned char* _text(self, int32_t id) noexcept nogil
    cdef Bucket* _slot(self, uint32_t gram) noexcept nogil
    cdef int _grow_buckets(self) except -1
    cdef void _mark(self, const unsigned char* text, Py_ssize_t length) noexcept nogil
    cdef bint _passes(self, const unsigned char* text, Py_ssize_t size) noexcept nogil
    cdef int _grow_bitmap(self) except -1
    cdef int _store(self, const unsigned char* text, Py_ssize_t length) except -1
    cdef int32_t _predecessor(self, Bucket* bucket, const unsigned char* text, Py_ssize_t size) noexcept nogil
    cdef void _chain(self, Bucket* bucket) noexcept nogil
    cdef int32_t _match(self, const unsigned char* text, Py_ssize_t size) noexcept nogil
    cdef Py_ssize_t _next(
        self, const unsigned char* text, Py_ssize_t begin, Py_ssize_t size, int32_t* id
    ) noexcept nogil
    cdef bint _anchored(self, const unsigned char* text, Py_ssize_t at, Py_ssize_t size) noexcept nogil
    # Whether any pattern occurs.
    cdef bint finds(self, const unsigned char* text, Py_ssize_t size) noexcept nogil

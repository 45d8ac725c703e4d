from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

# Called for each record that is whole; a result other than 0 leaves it in the ring and ends the round.
ctypedef int (*Handler)(void *context, const uint8_t *data, uint32_t size) noexcept nogil

cdef class Ring:
    cdef uint8_t *consumer      # page that holds how far was read; ours to write
    cdef uint8_t *producer      # page that holds how far was written, then the data twice in a row
    cdef uint64_t room          # bytes of data, a power of two
    cdef size_t page
    cdef int fd
    cdef bint damaged

    cdef int64_t consume(self, Handler handler, void *context, uint64_t most) noexcept nogil
    cdef int wait(self, int timeout_ms) noexcept nogil

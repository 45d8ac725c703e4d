# Conversations read back, for compiled callers; reader.pyi says what each is.

from libc.stdint cimport uint32_t, uint64_t

from syswire.convert.model.rows cimport Piece
from syswire.convert.spool.files cimport PayloadWindow, RowCursor

cdef class ConversationReader:
    cdef list files
    cdef RowCursor totals, pieces, threads, numbers
    cdef bint numbered
    cdef PayloadWindow payload
    cdef char *run  # RUN_BYTES: joined pieces
    cdef readonly uint64_t conversations

    cdef int rows(self, RowCursor *cursor, object path, uint32_t size, uint32_t room) except -1
    cdef tuple thread_ids(self, uint64_t begin, uint32_t count)
    cdef int check_rows(self, uint64_t last) except -1
    # The bytes of the run that begins at row `index`, valid until the next call, NULL where they are missing; `index`
    # becomes the row behind it.
    cdef const char *next_view(self, uint64_t *index, uint64_t last, Piece *first, uint32_t *length) except? NULL
    # The same as an object, None where they are missing.
    cdef object next_run(self, uint64_t *index, uint64_t last, Piece *first, uint32_t *length)
    cdef const char *join(
        self, const Piece *first, const char *data, uint64_t *index, uint64_t last, uint32_t *length
    ) noexcept nogil
    # The piece of row `index`, or that of those joined to it which holds the byte at `offset`.
    cdef int find_piece(self, uint64_t index, uint64_t offset, Piece *found) except -1
    # The number of a frame by its row, 0 for none.
    cdef uint64_t number_of(self, uint32_t row) except? 0

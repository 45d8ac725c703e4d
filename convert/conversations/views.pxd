# The way into the rebuilding stage: the chunk rows of one conversation, seen as four streams.

from libc.stdint cimport uint16_t, uint32_t, uint64_t

from syswire.convert.model.rows cimport Chunk
from syswire.convert.spool.files cimport RowCursor

cdef enum:
    WRITTEN = 0             # the view of the end that sent
    READ = 1                # the view of the end that received
    THREAD_SLOTS = 64
    MOST_THREADS = 1000
    LIST_SLOTS = 2048

ctypedef struct ThreadSlot:
    uint32_t thread
    uint64_t before         # 1 + index of the thread's last row

ctypedef struct View:       # the data chunks of one direction as one end saw them, one at a time
    RowCursor rows
    bint there              # there is a chunk
    uint64_t index          # of the chunk's row
    uint64_t before         # 1 + index of the last earlier row by the chunk's thread; 0 = none known
    uint64_t offset         # where in its view's stream the chunk begins
    uint64_t next           # row to look at next
    Chunk chunk
    ThreadSlot slots[THREAD_SLOTS]

ctypedef struct ThreadList: # thread versions in the order in which they were seen
    uint32_t count
    uint32_t last
    uint32_t ids[MOST_THREADS]
    uint16_t slots[LIST_SLOTS]

ctypedef struct Survey:     # what has to be known of a conversation before its first byte is placed
    uint64_t begin, end     # its rows
    uint64_t calls[2][2]    # by view and to_server: data chunks
    uint64_t bytes[2][2]
    uint64_t last[2][2]     # 1 + index of the last one
    uint64_t mark[2][2]     # stream offset, in its view, of the first chunk that begins a message; -1 = none
    bint connected, connecting, accepted, ended
    bint seen[2]            # by end: it did anything


cdef class Views:
    cdef int fd
    cdef bint datagrams
    cdef RowCursor rows     # the main walk
    cdef View views[2][2]   # by view and to_server
    cdef Survey survey
    cdef ThreadList working[2]      # by end: those that moved bytes
    cdef ThreadList handling[2]     # by end: those that connected or accepted
    cdef readonly uint64_t overlong # chunks whose length no system call can have had

    cdef int open(self, int fd, uint64_t rows) except -1
    cdef int look(self, uint64_t begin, uint32_t conv, bint datagrams) noexcept nogil
    cdef int chunk_at(self, uint64_t index, Chunk *chunk) noexcept nogil
    cdef int rewind(self) noexcept nogil
    cdef int advance(self, int side, int to_server) noexcept nogil
    cdef int earlier_write(self, uint64_t index, uint64_t time) noexcept nogil
    cdef int in_flight(self, int to_server, uint64_t *bytes) noexcept nogil
    cdef int aligned(self, int to_server, bint *result) noexcept nogil

cdef bint may_be_returning(const View *write, uint64_t read_index, uint64_t read_time) noexcept nogil

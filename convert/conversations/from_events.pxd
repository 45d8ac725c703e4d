from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from syswire.convert.conversations.live cimport Conversations, Key, Live
from syswire.convert.conversations.losses cimport Loss
from syswire.convert.model.rows cimport Chunk
from syswire.convert.scap.event cimport Event
from syswire.convert.scap.sink cimport NetSink
from syswire.convert.scap.tables cimport Desc, Thread

cdef class Recorder(NetSink):
    cdef Conversations convs
    cdef int chunks_fd
    cdef int spool_fd              # -1: the capture itself is the payload file
    cdef Chunk *rows
    cdef uint32_t filled
    cdef uint8_t *spool
    cdef uint32_t spool_filled
    cdef uint64_t spool_at
    cdef readonly uint64_t chunk_count
    cdef Loss cut
    cdef Loss unaddressed
    cdef Loss in_kernel
    cdef object paths              # dict: unix path -> index
    cdef readonly list path_list
    cdef readonly uint64_t refused  # paths that found no room

    cdef Live *attach(self, Event *e, Thread *t, Desc *d, bint sending) noexcept nogil
    cdef Live *attach_datagram(self, Event *e, Thread *t, Desc *d, Key *key, Live *live, bint sending) noexcept nogil
    cdef Live *open(self, Event *e, Thread *t, Desc *d, Key *key, uint8_t end, bint fresh) noexcept nogil
    cdef void make_key(self, Desc *d, Key *key) noexcept nogil
    cdef void hold(self, Live *live, Desc *d, uint8_t end) noexcept nogil
    cdef void fill(self, Live *live, Desc *d) noexcept nogil
    cdef Chunk *row(self, Event *e, Thread *t, Live *live, Desc *d, uint8_t kind, uint8_t to_server,
                    uint32_t flags) noexcept nogil
    cdef void flush_rows(self) noexcept nogil
    cdef void flush_spool(self) noexcept nogil
    cdef uint64_t store(self, const uint8_t *bytes, uint32_t size) noexcept nogil
    cdef uint32_t path_index(self, Desc *d) noexcept nogil
    cdef Live *live_of(self, Desc *d) noexcept nogil

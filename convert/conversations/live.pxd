# Conversations that are still open (or may still be joined by their other end).

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from syswire.convert.model.rows cimport Conv
from syswire.convert.scap.tables cimport Desc

ctypedef struct Key:      # 56 bytes, compared and hashed whole
    uint8_t client_ip[16] # unix: the two kernel addresses, smaller first
    uint8_t server_ip[16]
    uint64_t unique       # tells apart what no address does, else 0
    uint16_t client_port
    uint16_t server_port
    uint8_t protocol
    uint8_t family
    uint8_t zero[10]

ctypedef struct Live:
    Key key
    Conv conv             # conv.id == 0: nothing happened on it yet
    uint64_t last         # ns of the last event
    uint64_t serial
    uint32_t newer        # neighbours in order of use, slot + 1
    uint32_t older
    uint32_t holders[2]   # open descriptions by end
    uint8_t used

cdef class LiveTable:
    cdef Live *slots
    cdef uint32_t room
    cdef uint32_t next_slot
    cdef uint32_t free_slot
    cdef uint32_t *index
    cdef uint32_t mask
    cdef uint32_t count
    cdef uint32_t newest
    cdef uint32_t oldest
    cdef uint64_t seed
    cdef uint64_t serial
    cdef readonly bint exhausted
    cdef readonly uint64_t evicted

    cdef Live *find(self, Key *key) noexcept nogil
    cdef Live *insert(self, Key *key) noexcept nogil
    cdef void remove(self, Live *live) noexcept nogil
    cdef void touch(self, Live *live) noexcept nogil
    cdef void _unlink(self, uint32_t slot) noexcept nogil
    cdef void _link(self, uint32_t slot) noexcept nogil
    cdef uint32_t _home(self, Key *key) noexcept nogil
    cdef bint _grow(self) noexcept nogil
    cdef void retire(self, Live *live) noexcept nogil
    cdef void make_room(self) noexcept nogil

cdef class Conversations(LiveTable):
    cdef int convs_fd
    cdef readonly uint32_t last_id
    cdef bint failed
    cdef void flush_all(self) noexcept nogil

# IP datagrams put together from their fragments.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from syswire.convert.packets.packet cimport Packet, Part
from syswire.convert.packets.record cimport Record
from syswire.convert.packets.tally cimport Tally
from syswire.convert.packets.view cimport Ip, View

cdef enum:
    PAGE_BYTES = 1024
    MOST_PAGES = 64             # of a datagram: 65,535 bytes

ctypedef struct Page:
    uint16_t owner[PAGE_BYTES]  # which source each byte came from, 0 = none yet
    uint8_t data[PAGE_BYTES]

ctypedef struct TrainKey:       # compared and hashed whole
    uint8_t source[16]
    uint8_t target[16]
    uint32_t id
    uint8_t family
    uint8_t protocol            # IPv4 only: its numbers are counted by protocol
    uint16_t zero

ctypedef struct Train:
    TrainKey key
    Page *pages[MOST_PAGES]
    uint64_t *sources           # by owner - 1: the place in the payload file that byte 0 of the datagram would have
    uint32_t used               # of `sources`
    uint32_t room
    uint32_t total              # bytes of the datagram, 0 = its last fragment was not seen
    uint32_t filled             # bytes that are there; below `total` once that is known
    uint32_t highest            # end of the highest fragment so far
    uint32_t fragments
    uint64_t bytes              # of the fragments, overlaps and all
    Record first                # where it began
    uint8_t begun               # 1: the fragment at place 0 was seen
    uint8_t next_header         # what it begins with
    uint32_t chained            # next in the same bucket, index + 1
    uint32_t newer              # neighbours in order of use, index + 1
    uint32_t older

cdef class Trains:
    cdef Train *trains
    cdef uint32_t *buckets
    cdef uint64_t seed
    cdef uint32_t newest
    cdef uint32_t oldest
    cdef uint32_t unused        # index + 1 of the first free train, chained
    cdef Page *free_pages
    cdef uint32_t pages
    cdef uint32_t sources
    cdef Tally incomplete
    cdef Tally conflicts
    cdef uint8_t *whole         # the datagram that was completed last
    cdef Part *parts            # where its bytes stand, in order
    cdef uint32_t part_count
    cdef uint32_t part_room

    cdef int add(self, View *v, Packet *p, Ip *ip, const Record *r) noexcept nogil
    cdef int _take(self, Train *train, const View *v, uint32_t place, uint32_t size, const Record *r) noexcept nogil
    cdef int _take_run(self, Train *train, const uint8_t *data, uint32_t place, uint32_t size, uint64_t position,
                       uint32_t *clashes) noexcept nogil
    cdef int _assemble(self, const Train *train) noexcept nogil
    cdef Part *_next_part(self) noexcept nogil
    cdef uint32_t _bucket(self, const TrainKey *key) noexcept nogil
    cdef Train *_find(self, const TrainKey *key, const Record *r) noexcept nogil
    cdef Train *_begin(self, const TrainKey *key, const Record *r) noexcept nogil
    cdef void _link(self, uint32_t slot) noexcept nogil
    cdef void _unlink(self, uint32_t slot) noexcept nogil
    cdef void _drop(self, Train *train, bint lost) noexcept nogil
    cdef Page *_page(self) noexcept nogil
    cdef int _source(self, Train *train, uint64_t base) noexcept nogil
    cdef void finish(self) noexcept nogil

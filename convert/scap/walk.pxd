from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from syswire.convert.scap.event cimport Event
from syswire.convert.scap.state cimport State
from syswire.convert.scap.tables cimport Desc

ctypedef struct ListRow:  # struct "<QQqQqIIIHH": one event of a listing
    uint64_t ordinal
    uint64_t ts
    int64_t tid
    uint64_t block
    int64_t fd            # -1 = none
    uint32_t evt_num
    uint32_t thread       # thread version
    uint32_t desc         # descriptor version, 0 = none
    uint16_t type
    uint16_t cpu

cdef class Walker:
    cdef State state
    cdef public bint swapped
    cdef bint listing
    cdef Event current
    cdef list widths
    cdef const uint8_t *width_of[454]
    cdef ListRow *rows
    cdef uint32_t filled
    cdef uint32_t versions
    cdef readonly dict snapshots
    cdef readonly uint64_t events
    cdef readonly uint32_t numbered
    cdef readonly uint64_t first_ts
    cdef readonly uint64_t last_ts
    cdef readonly uint64_t damaged_events
    cdef readonly uint64_t first_damaged
    cdef readonly uint64_t first_damaged_event
    cdef readonly uint64_t unknown_types
    cdef readonly uint64_t first_unknown
    cdef readonly uint64_t trailers

    cdef void event(self, uint8_t *block, uint32_t kind, uint32_t size, uint64_t offset) noexcept nogil
    cdef bint check(self, uint8_t *block, uint32_t head, uint32_t fixed, uint32_t size, bint counted,
                    uint64_t offset) noexcept nogil
    cdef uint32_t infer(self, uint8_t *lens, uint32_t have, uint32_t width, uint32_t most) noexcept nogil
    cdef void damaged(self, uint64_t offset) noexcept nogil
    cdef void list_row(self, Event *e) noexcept nogil
    cdef void snapshot(self, Desc *d) noexcept nogil

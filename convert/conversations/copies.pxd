# The segments that a sweep over one half of a conversation stands in, the one captured first at the top: a binary heap
# in which what has ended stays until it comes up. It is bounded whatever comes: a segment that ends no later than one
# captured before it never wins a byte, and of those that may there are no more than a segment has bytes.
#
# Everything is inline. Failures come back as -1 with errno set.

from libc cimport errno as system
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memmove

from syswire.convert.model.segments cimport Segment

cdef enum:
    LONGEST = 65535           # bytes that a segment may claim: no IP packet holds more
    FEWEST_COPIES = 16
    MOST_COPIES = 1 << 17     # twice what may be left after those that never win are thrown out

ctypedef struct Copy:
    uint64_t end              # `rel` behind its bytes, the captured ones or the claimed ones
    uint64_t index            # of its row
    Segment row

ctypedef struct Copies:
    Copy *items
    uint32_t count
    uint32_t room


cdef inline void tame(Segment *row) noexcept nogil:
    # Hold what a row claims to what a packet can hold.
    if row.length > LONGEST:
        row.length = LONGEST
    if row.stored > row.length:
        row.stored = row.length


cdef inline bint captured_before(const Copy *a, const Copy *b) noexcept nogil:
    if a.row.frame != b.row.frame:
        return a.row.frame < b.row.frame
    return a.index < b.index


cdef inline void copies_lift(Copies *copies, uint32_t place) noexcept nogil:
    cdef Copy moved = copies.items[place]
    cdef uint32_t parent
    while place:
        parent = (place - 1) >> 1
        if not captured_before(&moved, &copies.items[parent]):
            break
        copies.items[place] = copies.items[parent]
        place = parent
    copies.items[place] = moved


cdef inline void copies_pop(Copies *copies) noexcept nogil:
    # Take the top away.
    cdef Copy moved
    cdef uint32_t child, place = 0
    copies.count -= 1
    if copies.count == 0:
        return
    moved = copies.items[copies.count]
    while True:
        child = place * 2 + 1
        if child >= copies.count:
            break
        if child + 1 < copies.count and captured_before(&copies.items[child + 1], &copies.items[child]):
            child += 1
        if not captured_before(&copies.items[child], &moved):
            break
        copies.items[place] = copies.items[child]
        place = child
    copies.items[place] = moved


cdef inline void copies_thin(Copies *copies) noexcept nogil:
    # Throw out what ends no later than something captured before it. What is taken off the top fills the room that
    # becomes free at the end, so that it lies there latest first; a sorted array is a heap.
    cdef uint64_t end = 0
    cdef uint32_t i, kept = 0, held = copies.count
    cdef Copy top
    while copies.count:
        top = copies.items[0]
        copies_pop(copies)
        copies.items[copies.count] = top
    i = held
    while i:
        i -= 1
        if copies.items[i].end > end:
            end = copies.items[i].end
            kept += 1
            copies.items[held - kept] = copies.items[i]
    memmove(copies.items, copies.items + (held - kept), kept * sizeof(Copy))
    copies.count = kept
    # They lie latest first now.
    for i in range(kept // 2):
        top = copies.items[i]
        copies.items[i] = copies.items[kept - 1 - i]
        copies.items[kept - 1 - i] = top


cdef inline int copies_push(Copies *copies, const Copy *copy) noexcept nogil:
    cdef Copy *items
    cdef uint32_t room
    if copies.count and copies.items[0].end >= copy.end and captured_before(&copies.items[0], copy):
        return 0
    if copies.count == copies.room:
        if copies.room == MOST_COPIES:
            copies_thin(copies)
        else:
            room = copies.room * 2 if copies.room else FEWEST_COPIES
            items = <Copy *>realloc(copies.items, room * sizeof(Copy))
            if items == NULL:
                return -1
            copies.items, copies.room = items, room
    if copies.count == copies.room:
        system.errno = system.EOVERFLOW   # not with segments held to LONGEST
        return -1
    copies.items[copies.count] = copy[0]
    copies.count += 1
    copies_lift(copies, copies.count - 1)
    return 0


cdef inline void copies_end(Copies *copies, uint64_t at) noexcept nogil:
    # Leave at the top one that reaches beyond `at`.
    while copies.count and copies.items[0].end <= at:
        copies_pop(copies)


cdef inline void copies_free(Copies *copies) noexcept nogil:
    free(copies.items)
    copies.items = NULL
    copies.count = copies.room = 0

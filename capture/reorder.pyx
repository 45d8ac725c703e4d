# cython: language_level=3
"""Blocks of events wait here until their time is settled, and leave in the order of time.

Blocks are built in place, in chunks of a mebibyte; a chunk is used again when all its blocks have left. Their places
are kept in an array in order. Nearly all blocks arrive in order or a few places away from it and are placed at once;
the others wait apart, are sorted when blocks are asked for, and merged: nothing is quadratic in what arrives.

Invariant: entries[head:tail] is sorted by (ts, order), and `held` is at most `bound` but for the last chunk.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort, realloc
from libc.string cimport memcpy, memmove

cdef enum:
    CHUNK = 1 << 20             # bytes of blocks in a chunk; the largest block is a sixteenth of it
    NEAR = 64                   # places that a block may be moved forward at once
    SPARE = 64                  # chunks that are kept for later: memory that is new costs a fault a page


cdef inline bint before(const Entry *one, const Entry *other) noexcept nogil:
    return one.ts < other.ts or (one.ts == other.ts and one.order < other.order)


cdef int compare(const void *one, const void *other) noexcept nogil:
    return -1 if before(<const Entry *>one, <const Entry *>other) else 1


cdef inline uint8_t *bytes_of(Chunk *chunk) noexcept nogil:
    return <uint8_t *>chunk + sizeof(Chunk)


cdef class Reorder:
    def __cinit__(self, *arguments, **named):
        self.bound = 128 << 20

    def __dealloc__(self):
        cdef size_t i
        cdef Chunk *chunk
        for i in range(self.head, self.tail):
            self.leave(self.entries[i].chunk)
        for i in range(self.stray_count):
            self.leave(self.strays[i].chunk)
        free(self.current)
        while self.spare != NULL:
            chunk = self.spare
            self.spare = chunk.next
            free(chunk)
        free(self.entries)
        free(self.strays)

    cdef void leave(self, Chunk *chunk) noexcept nogil:
        """A block of the chunk is gone; with the last one the chunk is free, unless blocks still go into it."""
        chunk.live -= 1
        if chunk.live or chunk == self.current:
            return
        self.held -= CHUNK
        if self.spared >= SPARE:
            free(chunk)
            return
        chunk.next, self.spare = self.spare, chunk
        self.spared += 1

    cdef uint8_t *room(self, uint32_t size) noexcept nogil:
        """Room for a block of at most `size` bytes, NULL where the machine has no memory or `size` is too large."""
        cdef Chunk *chunk = self.current
        if size > CHUNK:
            return NULL
        if chunk != NULL and CHUNK - chunk.used >= size:
            return bytes_of(chunk) + chunk.used
        if chunk != NULL and chunk.live == 0:
            chunk.used = 0
            return bytes_of(chunk)
        chunk = self.spare
        if chunk != NULL:
            self.spare = chunk.next
            self.spared -= 1
        else:
            chunk = <Chunk *>malloc(sizeof(Chunk) + CHUNK)
            if chunk == NULL:
                self.exhausted = True
                return NULL
        chunk.next, chunk.used, chunk.live = NULL, 0, 0
        self.current = chunk
        self.held += CHUNK
        return bytes_of(chunk)

    cdef bint full(self) noexcept nogil:
        """No further block should come before some have left."""
        return self.held > self.bound

    cdef bint place(self, uint64_t ts, const uint8_t *block, uint32_t size) noexcept nogil:
        """Take in the block that was built in the room given last. False where there is no memory."""
        cdef Entry entry
        cdef Entry *entries
        cdef size_t at, last
        if self.tail == self.capacity and not self.grow():
            return False
        entry.ts, entry.order, entry.block, entry.size, entry.chunk = ts, self.arrivals, block, size, self.current
        entries, at = self.entries, self.tail
        last = at - NEAR if at - self.head > NEAR else self.head
        while at > last and entries[at - 1].ts > ts:
            at -= 1
        if at == last and at > self.head and entries[at - 1].ts > ts:
            if not self.stray(&entry):
                return False
        else:
            if at < self.tail:
                memmove(&entries[at + 1], &entries[at], (self.tail - at) * sizeof(Entry))
            entries[at] = entry
            self.tail += 1
        self.arrivals += 1
        self.late += ts < self.handed
        self.pending_bytes += size
        self.current.used += size
        self.current.live += 1
        return True

    cdef bint grow(self) noexcept nogil:
        """Make place for one more entry behind the last."""
        cdef size_t count = self.tail - self.head, wanted
        cdef Entry *larger
        if self.head > count:
            memcpy(self.entries, &self.entries[self.head], count * sizeof(Entry))
            self.head, self.tail = 0, count
            return True
        wanted = 2 * self.capacity if self.capacity else 4096
        larger = <Entry *>realloc(self.entries, wanted * sizeof(Entry))
        if larger == NULL:
            self.exhausted = True
            return False
        self.entries, self.capacity = larger, wanted
        return True

    cdef bint stray(self, const Entry *entry) noexcept nogil:
        cdef size_t wanted
        cdef Entry *larger
        if self.stray_count == self.stray_capacity:
            wanted = 2 * self.stray_capacity if self.stray_capacity else 256
            larger = <Entry *>realloc(self.strays, wanted * sizeof(Entry))
            if larger == NULL:
                self.exhausted = True
                return False
            self.strays, self.stray_capacity = larger, wanted
        self.strays[self.stray_count] = entry[0]
        self.stray_count += 1
        return True

    cdef void settle(self) noexcept nogil:
        """Merge what waits apart into the order, from behind. Without memory for it all stays as it is."""
        cdef size_t left = self.stray_count, to
        cdef Entry *entries
        if left == 0:
            return
        while self.capacity - self.tail < left:
            if not self.grow():
                return
        qsort(self.strays, left, sizeof(Entry), compare)
        entries, to = self.entries, self.tail + left
        while left:
            if to - left > self.head and before(&self.strays[left - 1], &entries[to - left - 1]):
                entries[to - 1] = entries[to - left - 1]
            else:
                left -= 1
                entries[to - 1] = self.strays[left]
            to -= 1
        self.tail += self.stray_count
        self.stray_count = 0

    cdef bytes release(self, uint64_t limit):
        """The blocks up to the time `limit`, and the oldest beyond it where too many wait, in the order of time."""
        cdef size_t count = 0, i, size = 0, settled
        # Chunks come free whole: two of them may be in use for little.
        cdef uint64_t keep = self.bound // 2 - min(self.bound // 2, <uint64_t>(2 * CHUNK))
        cdef char *out
        cdef Entry *entries
        cdef const uint8_t *run = NULL
        cdef size_t length = 0
        cdef bint crowded = self.full()
        self.settle()
        entries = self.entries + self.head
        while self.head + count < self.tail and entries[count].ts <= limit:
            size += entries[count].size
            count += 1
        settled = count
        while crowded and self.head + count < self.tail and self.pending_bytes - size > keep:
            size += entries[count].size
            count += 1
        cdef bytes blocks = PyBytes_FromStringAndSize(NULL, size)
        out = PyBytes_AS_STRING(blocks)
        with nogil:
            for i in range(count):
                if length and entries[i].block != run + length:
                    memcpy(out, run, length)
                    out += length
                    length = 0
                if length == 0:
                    run = entries[i].block
                length += entries[i].size  # what was built in order lies in order: copied in one
            if length:
                memcpy(out, run, length)
            for i in range(count):
                self.leave(entries[i].chunk)
            if count and entries[count - 1].ts > self.handed:
                self.handed = entries[count - 1].ts
            self.head += count
            self.pending_bytes -= size
            self.hurried += count - settled
            if self.head == self.tail:
                self.head = self.tail = 0
        return blocks

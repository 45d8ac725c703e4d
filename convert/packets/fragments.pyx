# cython: language_level=3
"""IP datagrams put together from their fragments (RFC 791, RFC 8200, and RFC 5722 for what overlaps).

The first copy of a byte wins. A datagram is whole in the frame that closes its last hole. The table is bounded in
datagrams, bytes and pieces; what was used least recently leaves it first, and what leaves it unfinished is counted.
Every fragment costs time by its own length, and a datagram that completes by its: nothing is searched or sorted.
"""

import os

from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcmp, memcpy, memset

from syswire.convert.packets.network cimport next_header
from syswire.convert.packets.tally cimport tally_add, tally_tuple
from syswire.convert.packets.view cimport KIND_HELD, KIND_LOST, KIND_MALFORMED

cdef enum:
    MOST_TRAINS = 1024
    BUCKETS = 2048
    PAGES_IN_ALL = 5461         # 16 MiB
    MOST_SOURCES = 65536
    LONGEST_DATAGRAM = 65535
    MOST_KEPT_ROOM = 64         # sources that a train keeps room for when it is free again

cdef uint64_t LONGEST_WAIT = 60_000_000_000     # ns between the first and the last fragment of one datagram


cdef class Trains:
    def __cinit__(self):
        cdef uint32_t i
        self.seed = <uint64_t>int.from_bytes(os.urandom(8), "little")
        self.trains = <Train *>calloc(MOST_TRAINS, sizeof(Train))
        self.buckets = <uint32_t *>calloc(BUCKETS, sizeof(uint32_t))
        self.whole = <uint8_t *>malloc(MOST_PAGES * PAGE_BYTES)
        if self.trains == NULL or self.buckets == NULL or self.whole == NULL:
            raise MemoryError
        for i in range(MOST_TRAINS):
            self.trains[i].chained = i + 2 if i + 1 < MOST_TRAINS else 0
        self.unused = 1

    def __dealloc__(self):
        cdef Page *page
        cdef uint32_t i, k
        if self.trains != NULL:
            for i in range(MOST_TRAINS):
                free(self.trains[i].sources)
                for k in range(MOST_PAGES):
                    free(self.trains[i].pages[k])
        while self.free_pages != NULL:
            page = self.free_pages
            memcpy(&self.free_pages, page, sizeof(Page *))
            free(page)
        free(self.trains)
        free(self.buckets)
        free(self.whole)
        free(self.parts)

    def losses(self):
        """What was lost so far; see fragments.pyi."""
        told = {"fragment_incomplete": tally_tuple(&self.incomplete), "fragment_conflict": tally_tuple(&self.conflicts)}
        return {cause: tally for cause, tally in told.items() if tally[0]}

    cdef int add(self, View *v, Packet *p, Ip *ip, const Record *r) noexcept nogil:
        """Keep a fragment; where it completes its datagram, move the view there and return what that carries."""
        cdef TrainKey key
        cdef Train *train
        cdef uint32_t size = v.original, end
        if v.captured < size or v.lacking:
            if ip.place == 0:       # what a reader would make of it alone
                return next_header(v, p, ip)
            tally_add(&self.incomplete, r, 1, size)
            return KIND_LOST
        if ip.more:
            size &= ~<uint32_t>7    # places count in eights: what is beyond has none
        if size == 0 or size > LONGEST_DATAGRAM or ip.place + size > LONGEST_DATAGRAM:
            return KIND_MALFORMED
        memset(&key, 0, sizeof(key))
        memcpy(key.source, p.source, 16)
        memcpy(key.target, p.target, 16)
        key.id, key.family = ip.id, p.family
        if p.family == 4:
            key.protocol = ip.next_header
        train = self._find(&key, r)
        if train == NULL:
            train = self._begin(&key, r)
        end = ip.place + size
        train.fragments += 1
        train.bytes += v.original
        if ip.place == 0 and not train.begun:
            train.begun, train.next_header = 1, ip.next_header
        if not ip.more and train.total == 0:
            train.total = end
            if train.highest > end:
                train.filled = filled_below(train, end)
        if end > train.highest:
            train.highest = end
        if (self._take(train, v, ip.place, size, r) < 0
                or train.filled == train.total and self._assemble(train) < 0):
            self._drop(train, True)     # no memory
            return KIND_LOST
        if train.filled != train.total:
            return KIND_HELD
        v.data, v.offset, v.assembled = self.whole, 0, 1
        v.captured = v.original = train.total
        ip.next_header, ip.more, ip.place = train.next_header, 0, 0
        self._drop(train, False)
        return next_header(v, p, ip)

    cdef int _take(self, Train *train, const View *v, uint32_t place, uint32_t size, const Record *r) noexcept nogil:
        # Take the first `size` bytes of the view. They may have been put together from fragments themselves.
        cdef uint32_t within = size, clashes = 0, i, start, stop
        cdef const Part *part
        cdef int failed = 0
        if train.total and place + size > train.total:      # the datagram ends before
            within = train.total - place if place < train.total else 0
            clashes = size - within
        if not v.assembled:
            failed = self._take_run(train, v.data, place, within, r.position + v.offset, &clashes)
        else:
            for i in range(self.part_count):
                part = &self.parts[i]
                start = part.offset if part.offset > v.offset else v.offset
                stop = part.offset + part.length
                if stop > v.offset + within:
                    stop = v.offset + within
                if start < stop and failed == 0:
                    failed = self._take_run(train, v.data + (start - v.offset), place + (start - v.offset),
                                            stop - start, part.position + (start - part.offset), &clashes)
        if clashes:
            tally_add(&self.conflicts, r, 1, clashes)
        return failed

    cdef int _take_run(self, Train *train, const uint8_t *data, uint32_t place, uint32_t size, uint64_t position,
                       uint32_t *clashes) noexcept nogil:
        cdef uint32_t done = 0, at, length, i, owner, before = train.filled
        cdef Page *page
        if size == 0:
            return 0
        if self._source(train, position - place) < 0:
            return -1
        owner = train.used
        while done < size:
            at = (place + done) % PAGE_BYTES
            length = PAGE_BYTES - at
            if length > size - done:
                length = size - done
            page = train.pages[(place + done) // PAGE_BYTES]
            if page == NULL:
                page = train.pages[(place + done) // PAGE_BYTES] = self._page()
                if page == NULL:
                    return -1
            if owned(page.owner + at, length, 0) == length:
                memcpy(page.data + at, data + done, length)
                own(page.owner + at, length, <uint16_t>owner)
                train.filled += length
                done += length
                continue
            for i in range(length):
                if page.owner[at + i] == 0:
                    page.owner[at + i] = <uint16_t>owner
                    page.data[at + i] = data[done + i]
                    train.filled += 1
                elif page.data[at + i] != data[done + i]:
                    clashes[0] += 1
            done += length
        if train.filled == before:      # all of it was there
            train.used -= 1
            self.sources -= 1
        return 0

    cdef int _source(self, Train *train, uint64_t base) noexcept nogil:
        # Another place in the file that bytes of the datagram came from. Each kept one gave a byte, and the last of
        # 65,535 bytes leaves nothing for another to give, so the count fits the owners of a page.
        cdef uint64_t *larger
        cdef uint32_t room
        while self.sources >= MOST_SOURCES and &self.trains[self.oldest - 1] != train:
            self._drop(&self.trains[self.oldest - 1], True)
        if train.used == LONGEST_DATAGRAM:
            return -1
        if train.used == train.room:
            room = train.room * 2 if train.room else 16
            larger = <uint64_t *>realloc(train.sources, room * sizeof(uint64_t))
            if larger == NULL:
                return -1
            train.sources, train.room = larger, room
        train.sources[train.used] = base
        train.used += 1
        self.sources += 1
        return 0

    cdef Page *_page(self) noexcept nogil:
        # An empty page. The train that it is for was used last, so it is dropped last; and its pages alone are never
        # all there are.
        cdef Page *page
        while self.free_pages == NULL:
            if self.pages < PAGES_IN_ALL:
                page = <Page *>malloc(sizeof(Page))
                if page == NULL:
                    return NULL
                self.pages += 1
                memset(page.owner, 0, sizeof(page.owner))
                return page
            self._drop(&self.trains[self.oldest - 1], True)
        page = self.free_pages
        memcpy(&self.free_pages, page, sizeof(Page *))
        memset(page.owner, 0, sizeof(page.owner))
        return page

    cdef int _assemble(self, const Train *train) noexcept nogil:
        # Lay the datagram into `whole`, and where its bytes stand into `parts`.
        cdef uint32_t place = 0, i, size, length, owner, last = 0
        cdef const Page *page
        cdef Part *part = NULL
        self.part_count = 0
        while place < train.total:
            page = train.pages[place // PAGE_BYTES]
            length = train.total - place if train.total - place < PAGE_BYTES else PAGE_BYTES
            memcpy(self.whole + place, page.data, length)
            i = 0
            while i < length:
                owner = page.owner[i]
                if owner != last:
                    part = self._next_part()
                    if part == NULL:
                        return -1
                    part.offset, part.length = place + i, 0
                    part.position = train.sources[owner - 1] + part.offset
                    last = owner
                size = owned(page.owner + i, length - i, <uint16_t>owner)
                part.length += size
                i += size
            place += length
        return 0

    cdef Part *_next_part(self) noexcept nogil:
        cdef Part *larger
        cdef uint32_t room
        if self.part_count == self.part_room:
            room = self.part_room * 2 if self.part_room else 64
            larger = <Part *>realloc(self.parts, room * sizeof(Part))
            if larger == NULL:
                return NULL
            self.parts, self.part_room = larger, room
        self.part_count += 1
        return &self.parts[self.part_count - 1]

    # ---- the table ----

    cdef uint32_t _bucket(self, const TrainKey *key) noexcept nogil:
        cdef const uint64_t *words = <const uint64_t *>key
        cdef uint64_t x = self.seed
        cdef int i
        for i in range(5):
            x = (x ^ words[i]) * <uint64_t>0xff51afd7ed558ccd
            x ^= x >> 29
        return <uint32_t>(x ^ (x >> 32)) % BUCKETS

    cdef Train *_find(self, const TrainKey *key, const Record *r) noexcept nogil:
        # The train of this key, now the one used last. One that is too old is another datagram's.
        cdef uint32_t slot = self.buckets[self._bucket(key)]
        cdef Train *train
        cdef uint64_t age
        while slot:
            train = &self.trains[slot - 1]
            if memcmp(&train.key, key, sizeof(TrainKey)) == 0:
                age = r.time - train.first.time if r.time > train.first.time else train.first.time - r.time
                if r.time and train.first.time and age > LONGEST_WAIT:
                    self._drop(train, True)
                    return NULL
                self._unlink(slot)
                self._link(slot)
                return train
            slot = train.chained
        return NULL

    cdef Train *_begin(self, const TrainKey *key, const Record *r) noexcept nogil:
        cdef uint32_t bucket = self._bucket(key), slot, room
        cdef uint64_t *sources
        cdef Train *train
        if self.unused == 0:
            self._drop(&self.trains[self.oldest - 1], True)
        slot = self.unused
        train = &self.trains[slot - 1]
        self.unused = train.chained
        sources, room = train.sources, train.room
        memset(train, 0, sizeof(Train))
        train.sources, train.room = sources, room
        memcpy(&train.key, key, sizeof(TrainKey))
        memcpy(&train.first, r, sizeof(Record))
        train.chained = self.buckets[bucket]
        self.buckets[bucket] = slot
        self._link(slot)
        return train

    cdef void _link(self, uint32_t slot) noexcept nogil:
        cdef Train *train = &self.trains[slot - 1]
        train.newer, train.older = 0, self.newest
        if self.newest:
            self.trains[self.newest - 1].newer = slot
        else:
            self.oldest = slot
        self.newest = slot

    cdef void _unlink(self, uint32_t slot) noexcept nogil:
        cdef Train *train = &self.trains[slot - 1]
        if train.newer:
            self.trains[train.newer - 1].older = train.older
        else:
            self.newest = train.older
        if train.older:
            self.trains[train.older - 1].newer = train.newer
        else:
            self.oldest = train.newer

    cdef void _drop(self, Train *train, bint lost) noexcept nogil:
        cdef uint32_t slot = <uint32_t>(train - self.trains) + 1
        cdef uint32_t *link = &self.buckets[self._bucket(&train.key)]
        cdef uint32_t i
        if lost:
            tally_add(&self.incomplete, &train.first, train.fragments, train.bytes)
        while link[0] != slot:
            link = &self.trains[link[0] - 1].chained
        link[0] = train.chained
        self._unlink(slot)
        for i in range(MOST_PAGES):
            if train.pages[i] != NULL:
                memcpy(train.pages[i], &self.free_pages, sizeof(Page *))
                self.free_pages = train.pages[i]
                train.pages[i] = NULL
        self.sources -= train.used
        train.used = 0
        if train.room > MOST_KEPT_ROOM:
            free(train.sources)
            train.sources, train.room = NULL, 0
        train.chained = self.unused
        self.unused = slot

    cdef void finish(self) noexcept nogil:
        """Count what is still unfinished."""
        while self.oldest:
            self._drop(&self.trains[self.oldest - 1], True)


cdef uint32_t owned(const uint16_t *owners, uint32_t length, uint16_t owner) noexcept nogil:
    # How many in a row have this owner.
    cdef uint64_t four = owner * <uint64_t>0x0001000100010001, there
    cdef uint32_t i = 0
    while i + 4 <= length:
        memcpy(&there, owners + i, 8)
        if there != four:
            break
        i += 4
    while i < length and owners[i] == owner:
        i += 1
    return i


cdef void own(uint16_t *owners, uint32_t length, uint16_t owner) noexcept nogil:
    cdef uint64_t four = owner * <uint64_t>0x0001000100010001
    cdef uint32_t i = 0
    while i + 4 <= length:
        memcpy(owners + i, &four, 8)
        i += 4
    while i < length:
        owners[i] = owner
        i += 1


cdef uint32_t filled_below(const Train *train, uint32_t end) noexcept nogil:
    cdef uint32_t number = 0, i, length, count = 0
    cdef const Page *page
    while number * PAGE_BYTES < end:
        page = train.pages[number]
        if page != NULL:        # else there is nothing to look at: the cost is that of the fragments that came
            length = end - number * PAGE_BYTES
            for i in range(length if length < PAGE_BYTES else PAGE_BYTES):
                count += page.owner[i] != 0
        number += 1
    return count

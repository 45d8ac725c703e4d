# cython: language_level=3
"""A bounded table of conversations by their addresses, in order of use.

A closed conversation stays until its addresses are used again, since its other end may be seen late (a client can
write and close before the server accepts). Past MAX_LIVE the one that was idle longest is retired; those that somebody
still holds open get another round, and are counted when they have to go all the same.
"""

from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memset
from posix.unistd cimport pwrite

from syswire.convert.model.rows cimport Conv

import os

cdef enum:
    MAX_LIVE = 1 << 17
    ROUNDS = 16             # open conversations that are passed over to find one that nobody holds


cdef class LiveTable:
    def __cinit__(self):
        self.seed = <uint64_t>int.from_bytes(os.urandom(8), "little")
        self.mask = 4095
        self.index = <uint32_t *>calloc(4096, 4)
        if self.index == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.slots)
        free(self.index)

    cdef void retire(self, Live *live) noexcept nogil:
        """Called before a conversation leaves the table; whoever records overrides it."""
        pass

    cdef uint32_t _home(self, Key *key) noexcept nogil:
        cdef uint64_t *words = <uint64_t *>key
        cdef uint64_t x = self.seed
        cdef int i
        for i in range(7):
            x = (x ^ words[i]) * <uint64_t>0xff51afd7ed558ccd
            x ^= x >> 29
        return <uint32_t>(x ^ (x >> 32)) & self.mask

    cdef Live *find(self, Key *key) noexcept nogil:
        cdef uint32_t at = self._home(key)
        while self.index[at]:
            if memcmp(&self.slots[self.index[at] - 1].key, key, sizeof(Key)) == 0:
                return &self.slots[self.index[at] - 1]
            at = (at + 1) & self.mask
        return NULL

    cdef bint _grow(self) noexcept nogil:
        cdef uint32_t old = self.mask + 1
        cdef uint32_t *before = self.index
        cdef uint32_t *index = <uint32_t *>calloc(old * 2, 4)
        cdef uint32_t i, at
        if index == NULL:
            self.exhausted = True
            return False
        self.index, self.mask = index, old * 2 - 1
        for i in range(old):
            if before[i]:
                at = self._home(&self.slots[before[i] - 1].key)
                while index[at]:
                    at = (at + 1) & self.mask
                index[at] = before[i]
        free(before)
        return True

    cdef void make_room(self) noexcept nogil:
        """Retire one conversation; one that nothing happened on is made again when something does."""
        cdef Live *live
        cdef int _i
        for _i in range(ROUNDS):
            live = &self.slots[self.oldest - 1]
            if live.conv.id == 0 or live.holders[0] + live.holders[1] == 0:
                self.remove(live)
                return
            self.touch(live)
        self.evicted += 1
        self.remove(&self.slots[self.oldest - 1])

    cdef Live *insert(self, Key *key) noexcept nogil:
        """A new row for a key that is not in the table; rows move when the table grows, so keep no pointers across."""
        cdef Live *slots
        cdef uint32_t slot, at, room
        if self.count >= MAX_LIVE:
            self.make_room()
        if self.free_slot:
            slot = self.free_slot - 1
            self.free_slot = self.slots[slot].newer
        else:
            if self.next_slot == self.room:
                room = self.room * 2 if self.room else 1024
                slots = <Live *>realloc(self.slots, room * sizeof(Live))
                if slots == NULL:
                    self.exhausted = True
                    return NULL
                self.slots, self.room = slots, room
            slot = self.next_slot
            self.next_slot += 1
        if (self.count + 1) * 2 > self.mask and not self._grow():
            return NULL
        memset(&self.slots[slot], 0, sizeof(Live))
        self.slots[slot].key = key[0]
        self.serial += 1
        self.slots[slot].serial, self.slots[slot].used = self.serial, 1
        at = self._home(key)
        while self.index[at]:
            at = (at + 1) & self.mask
        self.index[at] = slot + 1
        self.count += 1
        self._link(slot)
        return &self.slots[slot]

    cdef void _link(self, uint32_t slot) noexcept nogil:
        self.slots[slot].older, self.slots[slot].newer = self.newest, 0
        if self.newest:
            self.slots[self.newest - 1].newer = slot + 1
        self.newest = slot + 1
        if self.oldest == 0:
            self.oldest = slot + 1

    cdef void _unlink(self, uint32_t slot) noexcept nogil:
        cdef Live *live = &self.slots[slot]
        if live.older:
            self.slots[live.older - 1].newer = live.newer
        else:
            self.oldest = live.newer
        if live.newer:
            self.slots[live.newer - 1].older = live.older
        else:
            self.newest = live.older

    cdef void touch(self, Live *live) noexcept nogil:
        cdef uint32_t slot = <uint32_t>(live - self.slots)
        if self.newest != slot + 1:
            self._unlink(slot)
            self._link(slot)

    cdef void remove(self, Live *live) noexcept nogil:
        cdef uint32_t slot = <uint32_t>(live - self.slots)
        cdef uint32_t at = self._home(&live.key), hole, home
        self.retire(live)
        while self.index[at] != slot + 1:
            at = (at + 1) & self.mask
        hole = at
        while True:  # close the hole so that later entries of the run stay reachable
            at = (at + 1) & self.mask
            if self.index[at] == 0:
                break
            home = self._home(&self.slots[self.index[at] - 1].key)
            if ((at - home) & self.mask) >= ((at - hole) & self.mask):
                self.index[hole] = self.index[at]
                hole = at
        self.index[hole] = 0
        self._unlink(slot)
        self.count -= 1
        live.used = live.conv.id = 0
        live.serial = 0
        live.newer = self.free_slot
        self.free_slot = slot + 1


cdef class Conversations(LiveTable):
    """The live table, writing each conversation that leaves it."""

    def __init__(self, int convs_fd):
        self.convs_fd = convs_fd

    cdef void retire(self, Live *live) noexcept nogil:
        cdef uint64_t at = (<uint64_t>live.conv.id - 1) * sizeof(Conv)
        if live.conv.id and pwrite(self.convs_fd, &live.conv, sizeof(Conv), at) != sizeof(Conv):
            self.failed = True

    cdef void flush_all(self) noexcept nogil:
        while self.oldest:
            self.remove(&self.slots[self.oldest - 1])

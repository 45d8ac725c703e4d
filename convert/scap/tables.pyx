# cython: language_level=3
"""Threads, their descriptors and working directories: plain tables in C memory, no Python object per entry.

A descriptor number leads to an open file description (`Desc`) that dup and fork share, as in the kernel: what one
holder does to the socket all holders see, and it is closed when its last number is. Tables are bounded; what finds no
room is refused and counted in `refused`. Hash seeds are random per run since thread ids come from input.
"""

from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy, memset

import os

cdef enum:
    BLOCK = 1024
    MAX_THREADS = 1 << 19
    MAX_DESCS = 1 << 21

cdef uint32_t DELETED = 0xFFFFFFFF
cdef uint64_t MAX_SLOT_BYTES = 1 << 28
cdef uint64_t FIRST_EFFORT = 1 << 26


cdef inline uint64_t mix(uint64_t x) noexcept nogil:
    x ^= x >> 33
    x *= <uint64_t>0xff51afd7ed558ccd
    x ^= x >> 33
    x *= <uint64_t>0xc4ceb9fe1a85ec53
    x ^= x >> 33
    return x


cdef class Tables:
    def __cinit__(self):
        self.effort = FIRST_EFFORT
        self.seed = <uint64_t>int.from_bytes(os.urandom(8), "little")
        self.thread_mask = 1023
        self.thread_index = <uint32_t *>calloc(1024, 4)
        self.threads = <Thread **>calloc(MAX_THREADS // BLOCK, sizeof(Thread *))
        self.descs = <Desc **>calloc(MAX_DESCS // BLOCK, sizeof(Desc *))
        if self.thread_index == NULL or self.threads == NULL or self.descs == NULL:
            raise MemoryError

    @property
    def names_refused(self):
        return self.texts.refused

    def __dealloc__(self):
        cdef uint32_t i, j
        cdef Thread *t
        if self.threads != NULL:
            for i in range(self.thread_next):
                t = &self.threads[i // BLOCK][i % BLOCK]
                if t.live:
                    self._release_process(t.process)
                free(t.kept)
            for i in range(self.thread_blocks):
                free(self.threads[i])
        if self.descs != NULL:
            for i in range(self.desc_blocks):
                for j in range(BLOCK):
                    free(self.descs[i][j].name)
                free(self.descs[i])
        free(self.threads)
        free(self.descs)
        free(self.thread_index)

    cdef void _release_process(self, Process *process) noexcept nogil:
        if process == NULL:
            return
        process.refs -= 1
        if process.refs == 0:
            self.slot_bytes -= (<uint64_t>process.mask + 1) * sizeof(FdSlot)
            self.texts.bytes -= process.cwd_len
            free(process.slots)
            free(process.cwd)
            free(process)

    # -- threads

    cdef Thread *thread_at(self, uint32_t index) noexcept nogil:
        return &self.threads[index // BLOCK][index % BLOCK]

    cdef Thread *find(self, int64_t tid) noexcept nogil:
        """The thread of this id, NULL where it is not known. Runs of events of one thread are the rule."""
        cdef uint32_t at, entry
        if self.recent != NULL and self.recent.live and self.recent.tid == tid:
            return self.recent
        at = <uint32_t>mix(<uint64_t>tid ^ self.seed) & self.thread_mask
        while True:
            entry = self.thread_index[at]
            if entry == 0:
                return NULL
            if self.thread_at(entry - 1).tid == tid:
                self.recent = self.thread_at(entry - 1)
                return self.recent
            at = (at + 1) & self.thread_mask

    cdef bint _grow_index(self) noexcept nogil:
        cdef uint32_t size = (self.thread_mask + 1) * 2
        cdef uint32_t *index = <uint32_t *>calloc(size, 4)
        cdef uint32_t i, at, entry
        if index == NULL:
            self.exhausted = True
            return False
        for i in range(self.thread_mask + 1):
            entry = self.thread_index[i]
            if entry:
                at = <uint32_t>mix(<uint64_t>self.thread_at(entry - 1).tid ^ self.seed) & (size - 1)
                while index[at]:
                    at = (at + 1) & (size - 1)
                index[at] = entry
        free(self.thread_index)
        self.thread_index = index
        self.thread_mask = size - 1
        return True

    cdef Thread *make(self, int64_t tid, int64_t pid) noexcept nogil:
        """A new thread row without a process; the caller has made sure that `tid` is not in the table."""
        cdef Thread *t
        cdef uint32_t index, at
        cdef uint8_t *kept
        cdef uint32_t room
        if self.thread_free:
            index = self.thread_free - 1
            t = self.thread_at(index)
            self.thread_free = t.version
        else:
            if self.thread_next >= MAX_THREADS:
                self.refused += 1
                return NULL
            if self.thread_next == self.thread_blocks * BLOCK:
                self.threads[self.thread_blocks] = <Thread *>calloc(BLOCK, sizeof(Thread))
                if self.threads[self.thread_blocks] == NULL:
                    self.exhausted = True
                    return NULL
                self.thread_blocks += 1
            index = self.thread_next
            self.thread_next += 1
            t = self.thread_at(index)
        if (self.thread_count + 1) * 2 > self.thread_mask and not self._grow_index():
            return NULL
        kept, room = t.kept, t.kept_room
        memset(t, 0, sizeof(Thread))
        t.kept, t.kept_room = kept, room
        t.tid, t.pid, t.live, t.enter_fd, t.last_fd = tid, pid, 1, -1, -1
        at = <uint32_t>mix(<uint64_t>tid ^ self.seed) & self.thread_mask
        while self.thread_index[at]:
            at = (at + 1) & self.thread_mask
        self.thread_index[at] = index + 1
        self.thread_count += 1
        return t

    cdef Thread *thread(self, int64_t tid) noexcept nogil:
        """The thread, made as a placeholder (no name, descriptors of its own) where it is not known."""
        cdef Thread *t = self.find(tid)
        if t == NULL:
            t = self.make(tid, tid)
            if t != NULL:
                t.process = self.new_process()
                if t.process == NULL:
                    self.drop_thread(t)
                    return NULL
        return t

    cdef void drop_thread(self, Thread *thread) noexcept nogil:
        """Take the thread out; its process goes when no other shares it (its descriptors first, by the caller)."""
        cdef uint32_t at = <uint32_t>mix(<uint64_t>thread.tid ^ self.seed) & self.thread_mask
        cdef uint32_t index, hole, home
        while self.thread_at(self.thread_index[at] - 1) != thread:
            at = (at + 1) & self.thread_mask
        index = self.thread_index[at] - 1
        hole = at
        while True:  # close the hole so that later entries of the run stay reachable
            at = (at + 1) & self.thread_mask
            if self.thread_index[at] == 0:
                break
            home = <uint32_t>mix(<uint64_t>self.thread_at(self.thread_index[at] - 1).tid ^ self.seed) & self.thread_mask
            if ((at - home) & self.thread_mask) >= ((at - hole) & self.thread_mask):
                self.thread_index[hole] = self.thread_index[at]
                hole = at
        self.thread_index[hole] = 0
        self.thread_count -= 1
        self._release_process(thread.process)
        thread.process = NULL
        thread.live = 0
        thread.version = self.thread_free
        self.thread_free = index + 1

    # -- processes and descriptors

    cdef bint afford(self, uint32_t slots) noexcept nogil:
        """Going through a whole table of descriptors is paid for by the events (`effort` grows with each), so that a
        small event that touches a large table cannot cost more than the file is long. False: not now."""
        if self.effort < slots:
            return False
        self.effort -= slots
        return True

    cdef Process *new_process(self) noexcept nogil:
        cdef Process *process = <Process *>calloc(1, sizeof(Process))
        if process == NULL:
            self.exhausted = True
            return NULL
        process.slots = <FdSlot *>calloc(8, sizeof(FdSlot))
        if process.slots == NULL:
            self.exhausted = True
            free(process)
            return NULL
        process.mask, process.refs = 7, 1
        self.slot_bytes += 8 * sizeof(FdSlot)
        return process

    cdef bint grow_slots(self, Process *process) noexcept nogil:
        """Make room for one more descriptor (also clears deleted slots)."""
        cdef uint32_t size = process.mask + 1
        cdef uint32_t i, at
        cdef FdSlot *slots
        if process.used * 2 >= size:
            size *= 2
        if self.slot_bytes + size * sizeof(FdSlot) > MAX_SLOT_BYTES:
            self.refused += 1
            return False
        slots = <FdSlot *>calloc(size, sizeof(FdSlot))
        if slots == NULL:
            self.exhausted = True
            return False
        for i in range(process.mask + 1):
            if process.slots[i].desc and process.slots[i].desc != DELETED:
                at = <uint32_t>mix(<uint64_t>process.slots[i].fd ^ self.seed) & (size - 1)
                while slots[at].desc:
                    at = (at + 1) & (size - 1)
                slots[at] = process.slots[i]
        self.slot_bytes += (<uint64_t>size - process.mask - 1) * sizeof(FdSlot)
        free(process.slots)
        process.slots, process.mask, process.filled = slots, size - 1, process.used
        return True

    cdef FdSlot *slot(self, Process *process, int64_t fd) noexcept nogil:
        cdef uint32_t at
        if process == NULL or fd < 0 or fd > 0x7fffffff:
            return NULL
        at = <uint32_t>mix(<uint64_t>fd ^ self.seed) & process.mask
        while process.slots[at].desc:
            if process.slots[at].fd == fd and process.slots[at].desc != DELETED:
                return &process.slots[at]
            at = (at + 1) & process.mask
        return NULL

    cdef Desc *desc_at(self, uint32_t index) noexcept nogil:
        return &self.descs[(index - 1) // BLOCK][(index - 1) % BLOCK]

    cdef Desc *desc(self, Process *process, int64_t fd) noexcept nogil:
        cdef FdSlot *slot = self.slot(process, fd)
        return NULL if slot == NULL else self.desc_at(slot.desc)

    cdef Desc *new_desc(self, uint8_t kind) noexcept nogil:
        cdef uint32_t index
        cdef Desc *desc
        if self.desc_free:
            index = self.desc_free
            desc = self.desc_at(index)
            self.desc_free = desc.owner
        else:
            if self.desc_next >= MAX_DESCS:
                self.refused += 1
                return NULL
            if self.desc_next == self.desc_blocks * BLOCK:
                self.descs[self.desc_blocks] = <Desc *>calloc(BLOCK, sizeof(Desc))
                if self.descs[self.desc_blocks] == NULL:
                    self.exhausted = True
                    return NULL
                self.desc_blocks += 1
            self.desc_next += 1
            index = self.desc_next
            desc = self.desc_at(index)
        memset(desc, 0, sizeof(Desc))
        self.serials += 1
        desc.index, desc.kind, desc.texts, desc.serial = index, kind, &self.texts, self.serials
        self.desc_count += 1
        return desc

    cdef void free_desc(self, Desc *desc) noexcept nogil:
        self.texts.bytes -= desc.name_len
        free(desc.name)
        desc.name, desc.name_len = NULL, 0
        desc.owner = self.desc_free
        self.desc_free = desc.index
        self.desc_count -= 1

    cdef bint put(self, Process *process, int64_t fd, Desc *desc, bint cloexec) noexcept nogil:
        """Let `fd` lead to `desc` (one more reference). The number must be free: `take` what was there first."""
        cdef uint32_t at
        if process == NULL or fd < 0 or fd > 0x7fffffff:
            return False
        if (process.filled + 1) * 4 > (process.mask + 1) * 3 and not self.grow_slots(process):
            return False
        at = <uint32_t>mix(<uint64_t>fd ^ self.seed) & process.mask
        while process.slots[at].desc and process.slots[at].desc != DELETED:
            at = (at + 1) & process.mask
        if process.slots[at].desc == 0:
            process.filled += 1
        process.slots[at].fd = <int32_t>fd
        process.slots[at].desc = desc.index
        process.slots[at].cloexec = 1 if cloexec else 0  # a bint in C is any number
        process.used += 1
        process.marked += process.slots[at].cloexec
        desc.refs += 1
        return True

    cdef Desc *take(self, Process *process, int64_t fd) noexcept nogil:
        """Take the number out; returns its description with one reference less (0: the caller frees it), or NULL."""
        cdef FdSlot *slot = self.slot(process, fd)
        return NULL if slot == NULL else self.leave(process, slot)

    cdef Desc *leave(self, Process *process, FdSlot *slot) noexcept nogil:
        """Take the number of a slot in use out, as `take` does."""
        cdef Desc *desc = self.desc_at(slot.desc)
        slot.desc = DELETED
        process.used -= 1
        process.marked -= slot.cloexec
        desc.refs -= 1
        return desc

    cdef bint copy_table(self, Process *source, Process *target) noexcept nogil:
        """Give `target` (which has no descriptors) the descriptors and working directory of `source`, as fork does."""
        cdef uint32_t i, size = source.mask + 1
        cdef FdSlot *slots
        if self.slot_bytes + size * sizeof(FdSlot) > MAX_SLOT_BYTES or not self.afford(size):
            self.refused += 1
            return False
        slots = <FdSlot *>malloc(size * sizeof(FdSlot))
        if slots == NULL:
            self.exhausted = True
            return False
        memcpy(slots, source.slots, size * sizeof(FdSlot))
        for i in range(size):
            if slots[i].desc and slots[i].desc != DELETED:
                self.desc_at(slots[i].desc).refs += 1
        self.slot_bytes += (<uint64_t>size - target.mask - 1) * sizeof(FdSlot)
        free(target.slots)
        target.slots, target.mask, target.used, target.filled = slots, source.mask, source.used, source.filled
        target.marked = source.marked
        return self.set_cwd(target, <const uint8_t *>source.cwd, source.cwd_len)

    cdef bint set_cwd(self, Process *process, const uint8_t *path, uint32_t size) noexcept nogil:
        cdef char *copy
        if not room_for(&self.texts, process.cwd_len, size):
            return False
        copy = <char *>malloc(size + 1)
        if copy == NULL:
            self.exhausted = True
            return False
        if size:
            memcpy(copy, path, size)
        free(process.cwd)
        process.cwd, process.cwd_len = copy, size
        return True

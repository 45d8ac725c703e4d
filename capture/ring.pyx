# cython: language_level=3
"""The reading side of a BPF ring buffer, compiled: no library beneath it, no Python object per record.

Layout (kernel/bpf/ringbuf.c): a page with the consumer's position, a page with the producer's, then the data, which the
kernel maps twice in a row so that no record is ever in two pieces. A record has an eight-byte header: u32 length with
the bits BUSY (being written) and DISCARD, u32 of the kernel's own. Records are padded to eight bytes.
"""

from libc.errno cimport EINTR, errno
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t

import mmap
import os

cdef extern from *:
    """
    #include <poll.h>
    #include <stdint.h>
    #include <sys/mman.h>

    static inline uint64_t position_acquire(const void *at) {
        return __atomic_load_n((const uint64_t *)at, __ATOMIC_ACQUIRE);
    }
    static inline uint32_t header_acquire(const void *at) {
        return __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
    }
    static inline void position_release(void *at, uint64_t to) {
        __atomic_store_n((uint64_t *)at, to, __ATOMIC_RELEASE);
    }
    static inline void *map_pages(int fd, size_t size, int writable, size_t from) {
        /* Populated: a page fault for each page of the ring costs more than reading what stands there. */
        int kind = MAP_SHARED | MAP_POPULATE, may = writable ? PROT_READ | PROT_WRITE : PROT_READ;
        void *at = mmap(NULL, size, may, kind, fd, (off_t)from);
        return at == MAP_FAILED ? NULL : at;
    }
    static inline void unmap_pages(void *at, size_t size) { if (at) munmap(at, size); }
    static inline int wait_readable(int fd, int timeout_ms) {
        struct pollfd one = {fd, POLLIN, 0};
        return poll(&one, 1, timeout_ms);
    }
    """
    uint64_t position_acquire(const void *at) noexcept nogil
    uint32_t header_acquire(const void *at) noexcept nogil
    void position_release(void *at, uint64_t to) noexcept nogil
    void *map_pages(int fd, size_t size, int writable, size_t begin) noexcept nogil
    void unmap_pages(void *at, size_t size) noexcept nogil
    int wait_readable(int fd, int timeout_ms) noexcept nogil

cdef enum:
    BUSY = 1 << 31
    DISCARD = 1 << 30
    HEADER = 8
    RINGBUF = 27            # BPF_MAP_TYPE_RINGBUF


def described_size(fd: int) -> int:
    """Bytes of data in the map behind `fd`, as the kernel describes it."""
    fields = {}
    with open(f"/proc/self/fdinfo/{fd}", encoding="ascii") as lines:
        for line in lines:
            name, _, text = line.partition(":")
            fields[name] = text.strip()
    if fields.get("map_type") != str(RINGBUF):
        raise ValueError("the descriptor is no BPF ring buffer")
    return int(fields["max_entries"])


cdef int gather(void *context, const uint8_t *data, uint32_t size) noexcept nogil:
    with gil:
        (<list>context).append(data[:size])
    return 0


cdef class Ring:
    def __cinit__(self, int fd, uint64_t size=0):
        if size == 0:
            size = described_size(fd)
        self.page = mmap.PAGESIZE
        if size < self.page or size & (size - 1) or size > 1 << 40:
            raise ValueError("a ring's size is a power of two, of whole pages")
        self.fd, self.room, self.damaged = fd, size, False
        self.consumer = <uint8_t *>map_pages(fd, self.page, True, 0)
        if self.consumer == NULL:
            raise OSError(errno, os.strerror(errno))
        self.producer = <uint8_t *>map_pages(fd, self.page + 2 * size, False, self.page)
        if self.producer == NULL:
            raise OSError(errno, os.strerror(errno))

    def __dealloc__(self):
        unmap_pages(self.consumer, self.page)
        if self.producer != NULL:
            unmap_pages(self.producer, self.page + 2 * self.room)

    cdef int64_t consume(self, Handler handler, void *context, uint64_t most) noexcept nogil:
        """Hand out records until there is none, `most` were, or the handler wants no more. Returns how many were."""
        cdef uint64_t at = position_acquire(self.consumer), written
        cdef uint64_t taken = 0, step
        cdef uint32_t header, size
        cdef const uint8_t *record
        while taken < most and not self.damaged:
            written = position_acquire(self.producer)
            if at >= written:
                break
            record = self.producer + self.page + (at & (self.room - 1))
            header = header_acquire(record)
            if header & <uint32_t>BUSY:
                break
            size = header & ~(<uint32_t>BUSY | <uint32_t>DISCARD)
            step = (<uint64_t>size + HEADER + 7) & ~<uint64_t>7
            if step > written - at or step > self.room or at & 7:
                self.damaged = True
                break
            if not header & <uint32_t>DISCARD:
                if handler(context, record + HEADER, size) != 0:
                    break
                taken += 1
            at += step
            position_release(self.consumer, at)
        return <int64_t>taken

    cdef int wait(self, int timeout_ms) noexcept nogil:
        """Wait until something can be read: 1, 0 after the time or a signal, -1 where waiting failed."""
        cdef int ready = wait_readable(self.fd, timeout_ms)
        return 0 if ready < 0 and errno == EINTR else ready

    def drain(self, uint64_t most=1 << 20):
        cdef list records = []
        self.consume(gather, <void *>records, most)
        if self.damaged:
            raise ValueError("the ring is damaged")
        return records

    @property
    def waiting(self):
        return position_acquire(self.producer) - position_acquire(self.consumer)

    @property
    def size(self):
        return self.room

    @property
    def broken(self):
        return bool(self.damaged)

# cython: language_level=3
"""Ring to blocks: the loop of a recording, with no Python in it for a record or an event."""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from syswire.capture.record cimport *

cdef extern from *:
    """
    #include <stddef.h>
    #include <stdint.h>
    #include <stdlib.h>
    #include <time.h>
    #ifdef __GLIBC__
    #include <malloc.h>
    #endif

    static inline uint64_t since_boot(void) {
        struct timespec now;
        clock_gettime(CLOCK_BOOTTIME, &now);
        return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    }

    /* What take() returns is megabytes that are soon freed. By itself glibc gives them back to the kernel each time and
       fetches them page by page for the next: a third of the processor time of a busy recording. */
    static inline void keep_memory(void) {
    #ifdef __GLIBC__
        mallopt(M_MMAP_THRESHOLD, 32 << 20);
        mallopt(M_TRIM_THRESHOLD, 64 << 20);
    #endif
    }
    """
    uint64_t since_boot() noexcept nogil
    void keep_memory() noexcept nogil

cdef enum:
    MOST_AT_ONCE = 1 << 16      # records for each poll
    LARGEST_VALUE = 65000

cdef uint64_t EVER = 0xffffffffffffffff


cdef int taken_in(void *context, const uint8_t *data, uint32_t size) noexcept nogil:
    """Take a record in, or leave it in the ring where too many events wait."""
    if (<Drain>context).full():
        return 1
    (<Drain>context).take_in(data, size)
    return 0


cdef class Drain(Events):
    def __init__(self, int ring_fd, int64_t clock_offset, uint32_t snaplen, uint64_t horizon_ns,
                 uint64_t memory=128 << 20, uint64_t ring_bytes=0):
        self.ring = Ring(ring_fd, ring_bytes) if ring_fd >= 0 else None
        self.offset = <uint64_t>clock_offset
        self.snaplen = min(snaplen, LARGEST_VALUE)
        self.horizon, self.bound = horizon_ns, memory
        if self.ring is not None:
            keep_memory()

    def poll(self, int timeout_ms):
        cdef int64_t taken = 0
        cdef Ring ring = self.ring
        if ring is None:
            return 0
        self.enter()
        try:
            with nogil:
                taken = ring.consume(taken_in, <void *>self, MOST_AT_ONCE)
                if taken == 0 and timeout_ms and not ring.damaged and not self.full():
                    if ring.wait(timeout_ms) > 0:
                        taken = ring.consume(taken_in, <void *>self, MOST_AT_ONCE)
        finally:
            self.busy = False
        if ring.damaged and not taken:
            raise ValueError("the ring is damaged")
        return taken

    def take(self, up_to_ns):
        cdef uint64_t limit = EVER, settled = since_boot() + self.offset - self.horizon
        if up_to_ns is not None:
            limit = min(max(int(up_to_ns), 0), <uint64_t>settled)
        self.enter()
        try:
            return self.release(limit)
        finally:
            self.busy = False

    def inject(self, bytes records not None):
        cdef const uint8_t *data = records
        cdef uint64_t at = 0, size = len(records)
        cdef uint32_t length
        self.enter()
        try:
            with nogil:
                while at < size and not self.full():
                    length = 0
                    if size - at >= 4:
                        memcpy(&length, data + at, 4)
                    if length == 0 or length & 7 or length > size - at:
                        length = <uint32_t>min(size - at, <uint64_t>0xfffffff8)  # where it ends is not known
                    self.take_in(data + at, length)
                    at += length
        finally:
            self.busy = False
        if at < size:
            raise BufferError("too many events wait")

    cdef int enter(self) except -1:
        if self.busy:
            raise RuntimeError("the drain is used by two threads")
        self.busy = True
        return 0

    @property
    def counts(self):
        cdef Counts n = self.counted
        told = dict(n)
        told["late"], told["hurried"] = self.late, self.hurried
        told["waiting"], told["waiting_bytes"] = self.tail - self.head + self.stray_count, self.pending_bytes
        return told

    @property
    def memory(self):
        return self.held + (self.capacity + self.stray_capacity) * sizeof(Entry)


cdef record R
cdef descriptor D
cdef identity P
LAYOUT = {
    "record": (
        sizeof(record), <char *>&R.ts - <char *>&R, <char *>&R.pid - <char *>&R, <char *>&R.ret - <char *>&R,
        <char *>&R.args - <char *>&R, <char *>&R.cpu - <char *>&R, <char *>&R.data_size - <char *>&R,
        <char *>&R.true_size - <char *>&R, <char *>&R.text_size - <char *>&R,
    ),
    "descriptor": (
        sizeof(descriptor), <char *>&D.inode - <char *>&D, <char *>&D.family - <char *>&D,
        <char *>&D.local_port - <char *>&D, <char *>&D.remote - <char *>&D, <char *>&D.unix_own - <char *>&D,
        <char *>&D.queue_max - <char *>&D,
    ),
    "pair": (sizeof(pair),),
    "identity": (
        sizeof(identity), <char *>&P.uid - <char *>&P, <char *>&P.cap_effective - <char *>&P,
        <char *>&P.vm_size - <char *>&P, <char *>&P.exe_inode - <char *>&P, <char *>&P.comm - <char *>&P,
        <char *>&P.arguments_cut - <char *>&P,
    ),
}

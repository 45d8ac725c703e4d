from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from syswire.capture.block cimport Block
from syswire.capture.record cimport View
from syswire.capture.reorder cimport Reorder

ctypedef struct Counts:
    uint64_t records            # taken, whatever became of them
    uint64_t enters             # of these: enters in records of their own
    uint64_t exits              # exits, each message one
    uint64_t calls              # the same without RECORD_MORE: each call once
    uint64_t children
    uint64_t deaths
    uint64_t malformed          # records that are not whole and consistent
    uint64_t unknown            # records of calls without a layout
    uint64_t unwritten          # events that could not be encoded, or for which there was no memory
    uint64_t events             # blocks made
    uint64_t block_bytes
    uint64_t alone              # exits whose enter nobody saw
    uint64_t moved_bytes        # that calls moved, payload stored or not
    uint64_t payload_bytes      # stored
    uint64_t truncated_events   # whose payload was cut, and by how much
    uint64_t truncated_bytes
    uint64_t length_only_events # of which only the number of bytes is ever recorded: sendfile, splice
    uint64_t length_only_bytes
    uint64_t faults             # records of which something could not be read
    uint64_t peeked_calls       # that left what they received where it was (MSG_PEEK, MSG_ERRQUEUE): generic events
    uint64_t peeked_bytes
    uint64_t rests              # records that stand for messages the probe could not visit

cdef class Events(Reorder):
    cdef Counts counted
    cdef uint64_t offset        # of the epoch's time from the record's
    cdef uint32_t snaplen

    cdef void take_in(self, const uint8_t *data, uint64_t size) noexcept nogil
    cdef void peek(self, View *v) noexcept nogil
    cdef void exit_event(self, View *v, uint16_t nr) noexcept nogil
    cdef uint32_t event(self, View *v, const void *layout, uint64_t ts, bint leaving) noexcept nogil
    cdef void operand(self, Block *b, View *v, uint8_t kind, uint8_t which, bint leaving) noexcept nogil

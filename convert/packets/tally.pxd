# What was lost by one cause: how often, how many bytes, and where it happened first. Inline: each module that cimports
# this has its own copy.

from libc.stdint cimport uint32_t, uint64_t

from syswire.convert.packets.record cimport Record

ctypedef struct Tally:
    uint64_t count
    uint64_t bytes
    uint64_t offset           # of the first: its record in the decompressed input
    uint64_t time             # ns since the epoch, 0 = not known
    uint32_t source_frame
    uint32_t frame


cdef inline void tally_add(Tally *tally, const Record *r, uint64_t count, uint64_t missing) noexcept nogil:
    # The first is the one with the lowest frame number: what is counted late may have come early.
    if tally.count == 0 or r.frame < tally.frame:
        tally.offset, tally.time, tally.source_frame, tally.frame = r.offset, r.time, r.source_frame, r.frame
    tally.count += count
    tally.bytes += missing


cdef inline tally_tuple(const Tally *tally):
    return tally.count, tally.bytes, tally.offset, tally.time, tally.source_frame, tally.frame

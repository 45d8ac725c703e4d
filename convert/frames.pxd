# Enhanced packet blocks built from frame rows, without Python objects.

from libc.stdint cimport uint8_t, uint32_t, uint64_t

from syswire.convert.model.frame cimport Frame
from syswire.convert.model.rows cimport Conv
from syswire.convert.redaction.patches cimport Patches
from syswire.convert.spool.files cimport PayloadWindow, RowCursor

ctypedef struct Identity:
    uint32_t pid, tid
    uint32_t block      # index of its process block
    uint32_t state      # 0: to be asked for, 1: known, 2: there is none


cdef class PacketBlocks:
    cdef RowCursor frames, pieces, convs
    cdef PayloadWindow payload
    cdef Patches patches    # what is written otherwise than it was read; None: nothing
    cdef bint patched
    cdef Conv *cache
    cdef Identity *identities
    cdef uint64_t identity_room
    cdef uint8_t *buffer
    cdef uint64_t used
    cdef readonly uint64_t index    # of the next frame
    cdef readonly uint32_t conv     # of the frame that `build` stopped at
    cdef readonly uint32_t thread
    cdef readonly bint first
    cdef uint32_t interfaces

    cdef int grow(self, uint64_t needed) except -1
    cdef const Conv *conv_row(self, uint32_t conv) noexcept nogil
    cdef int gather(self, const Frame *frame, uint8_t *target) noexcept nogil
    cdef int put_packet(self, const Frame *frame, const uint8_t *options, uint32_t length) noexcept nogil
    cdef int run(self, uint64_t stop) noexcept nogil

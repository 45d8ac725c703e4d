# cython: language_level=3
"""Losses that the recorder of conversations counts, and the start lines that it looks for in stored bytes."""

from libc.string cimport memcmp

from syswire.convert.model.rows cimport CHUNK_REQUEST, CHUNK_RESPONSE

cdef enum:
    LONGEST_CALL = 0x7ffff000  # bytes: no system call moves more


cdef loss_tuple(Loss *loss):
    return loss.count, loss.bytes, loss.event, loss.block, loss.ts, loss.evt_num


cdef void count_loss(Loss *loss, Event *e, uint64_t missing) noexcept nogil:
    if loss.count == 0:
        loss.event, loss.block, loss.ts, loss.evt_num = e.ordinal, e.block, e.ts, e.evt_num
    loss.count += 1
    loss.bytes += missing if missing < LONGEST_CALL else LONGEST_CALL


cdef uint32_t start_line(const uint8_t *bytes, uint32_t size) noexcept nogil:
    """Whether stored bytes begin with an HTTP/1 start line (a request's line end may be cut off: then not)."""
    cdef uint32_t i
    cdef uint32_t end = size if size < 8192 else 8192
    if size >= 8 and memcmp(bytes, b"HTTP/1.", 7) == 0:
        return CHUNK_RESPONSE
    i = 0
    while i < end and i < 24 and 65 <= bytes[i] <= 90:
        i += 1
    if i < 3 or i == end or bytes[i] != 32:
        return 0
    while i + 8 < end and bytes[i] != 10:
        if bytes[i] == 32 and memcmp(bytes + i + 1, b"HTTP/1.", 7) == 0:
            return CHUNK_REQUEST
        i += 1
    return 0

"""An event block (0x216, no flags field) put together in place, parameter by parameter, never past its room.

The number of parameters is fixed when the block is begun; what does not fit is not written and marks the block as
`failed`, so that no caller has to add up sizes to stay within memory. Layout: block type, total length, u16 cpu, i64
time, i64 tid, u32 length, u16 code, u32 parameters, u16 each length, the values, padding to 4, total length.
"""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

cdef enum:
    BLOCK_TYPE = 0x216
    BLOCK_HEAD = 36           # bytes before the lengths
    EVENT_HEAD = 26           # what the event's own length counts beside lengths and values
    LARGEST_VALUE = 65000     # of one parameter, as the recorders of libscap hold it
    LARGEST_BLOCK = 65536     # bytes between the two total lengths, beyond which sysdig 0.29.3 stops

ctypedef struct Block:
    uint8_t *base
    uint8_t *at               # where the next value goes
    uint8_t *length           # where its length goes
    uint8_t *values           # where the values begin, and the lengths end
    uint8_t *end              # of the room, the trailing length not counted
    bint failed


cdef inline void begin(Block *b, uint8_t *room, uint32_t size, uint64_t ts, int64_t tid, uint16_t cpu, uint16_t code,
                       uint32_t parameters) noexcept nogil:
    """Begin a block in `room`, which holds at least BLOCK_HEAD + 2 * parameters + 8 bytes."""
    cdef uint32_t type = BLOCK_TYPE
    memcpy(room, &type, 4)
    memcpy(room + 8, &cpu, 2)
    memcpy(room + 10, &ts, 8)
    memcpy(room + 18, &tid, 8)
    memcpy(room + 30, &code, 2)
    memcpy(room + 32, &parameters, 4)
    b.base = room
    b.length = room + BLOCK_HEAD
    b.values = b.at = b.length + 2 * parameters
    b.end = room + size - 8   # padding and trailer
    b.failed = False


cdef inline uint8_t *value(Block *b, uint32_t size) noexcept nogil:
    """Room for the next value, NULL where there is none."""
    cdef uint8_t *at = b.at
    cdef uint16_t length = <uint16_t>size
    if size > LARGEST_VALUE or size > <size_t>(b.end - at) or b.length >= b.values:
        b.failed = True
        return NULL
    memcpy(b.length, &length, 2)
    b.length += 2
    b.at = at + size
    return at


cdef inline void put(Block *b, const void *data, uint32_t size) noexcept nogil:
    """The next value, as it is."""
    cdef uint8_t *at = value(b, size)
    if at != NULL and size:
        memcpy(at, data, size)


cdef inline void put_8(Block *b, uint8_t number) noexcept nogil:
    put(b, &number, 1)


cdef inline void put_16(Block *b, uint16_t number) noexcept nogil:
    put(b, &number, 2)


cdef inline void put_32(Block *b, uint32_t number) noexcept nogil:
    put(b, &number, 4)


cdef inline void put_64(Block *b, uint64_t number) noexcept nogil:
    put(b, &number, 8)


cdef inline void put_text(Block *b, const uint8_t *text, uint32_t size) noexcept nogil:
    """Text up to its first NUL, and a NUL."""
    cdef uint32_t length = 0
    cdef uint8_t *at
    while length < size and text[length]:
        length += 1
    at = value(b, length + 1)
    if at != NULL:
        memcpy(at, text, length)
        at[length] = 0


cdef inline uint32_t finish(Block *b) noexcept nogil:
    """End the block. Returns its size, 0 where it is not whole: a value did not fit, one is missing, too large."""
    cdef uint32_t size = <uint32_t>(b.at - b.base)
    cdef uint32_t length = size - 10, padding = (4 - (size & 3)) & 3
    cdef uint32_t total = size + padding + 4
    if b.failed or b.length != b.values or total - 8 > LARGEST_BLOCK:
        return 0
    memset(b.at, 0, padding)
    memcpy(b.base + 4, &total, 4)
    memcpy(b.base + 26, &length, 4)
    memcpy(b.base + size + padding, &total, 4)
    return total

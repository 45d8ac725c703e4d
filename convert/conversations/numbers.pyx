# cython: language_level=3
"""Frame numbers and tcp.stream numbers, in the order in which Wireshark will count them."""

import mmap

from libc.stdint cimport uint32_t, uint64_t

from syswire.convert.model.frame cimport FRAME_JOINS, FRAME_STREAM, Frame
from syswire.convert.spool.files cimport RowCursor, cursor_close, cursor_open, cursor_row, raise_errno
from syswire.convert.spool.sort import sort_rows

cdef enum:
    BUFFERED = 1024
    NO_STREAM = 0xFFFFFFFF


cdef int number(RowCursor *rows, uint32_t[::1] numbers, uint32_t[::1] streams) noexcept nogil:
    cdef uint64_t index
    cdef uint32_t next_stream = 0
    cdef const Frame *frame
    for index in range(rows.end):
        frame = <const Frame *>cursor_row(rows, index)
        if frame == NULL:
            return -1
        numbers[frame.row] = <uint32_t>(index + 1)
        if frame.flags & FRAME_STREAM:
            streams[frame.conv - 1] = next_stream
            next_stream += 1
        elif frame.flags & FRAME_JOINS:
            streams[frame.conv - 1] = streams[frame.leader - 1]
    return 0


cdef class Mapped:
    """A file of u32 of a given count, filled with ones and mapped."""

    cdef object file
    cdef object map
    cdef uint32_t[::1] values

    def __init__(self, path, count):
        self.file = open(path, "w+b", buffering=0)
        remaining = count * 4
        ones = b"\xff" * min(remaining, 1 << 20)
        while remaining:
            remaining -= self.file.write(ones[:remaining])
        self.map = mmap.mmap(self.file.fileno(), count * 4) if count else None
        self.values = memoryview(self.map).cast("I") if count else memoryview(bytearray()).cast("I")

    def close(self):
        self.values = None
        if self.map is not None:
            self.map.close()
        self.file.close()


def number_frames(frames, sorted_out, numbers_out, tcp_streams_out, *, conversations, scratch, memory=8 << 20):
    """Sort frames by time and number them; see numbers.pyi."""
    cdef RowCursor rows
    cdef uint64_t count
    cdef int result
    cdef Mapped numbers, streams
    count = sort_rows(frames, sorted_out, sizeof(Frame), [(0, 8), (24, 4)], memory=memory, scratch=scratch)
    numbers = streams = None
    rows.own = NULL
    try:
        with open(sorted_out, "rb", buffering=0) as source:
            numbers = Mapped(numbers_out, count)
            streams = Mapped(tcp_streams_out, conversations)
            if cursor_open(&rows, source.fileno(), sizeof(Frame), BUFFERED, count) < 0:
                raise MemoryError
            with nogil:
                result = number(&rows, numbers.values, streams.values)
            if result < 0:
                raise_errno()
    finally:
        cursor_close(&rows)
        if numbers is not None:
            numbers.close()
        if streams is not None:
            streams.close()
    return count

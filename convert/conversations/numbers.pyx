# cython: language_level=3
"""Frame numbers and tcp.stream numbers, in the order in which Wireshark will count them."""

import mmap
import os

from libc.stdint cimport uint32_t, uint64_t

from syswire.convert.conversations.tuples cimport Key
from syswire.convert.conversations.tuples import find_predecessors
from syswire.convert.model.frame cimport FRAME_JOINS, FRAME_STREAM, Frame
from syswire.convert.model.segments cimport Flow
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


cdef int number_tuples(RowCursor *flows, RowCursor *keys, uint32_t[::1] streams) noexcept nogil:
    cdef uint64_t index
    cdef uint32_t joined = 0
    cdef const Flow *flow
    cdef const Key *key
    for index in range(flows.end):
        flow = <const Flow *>cursor_row(flows, index)
        key = <const Key *>cursor_row(keys, index)
        if flow == NULL or key == NULL:
            return -1
        if flow.tcp_stream == NO_STREAM:
            continue
        if flow.joined and key.before:
            streams[index] = streams[key.before - 1]
            joined += 1
        else:
            streams[index] = flow.tcp_stream - joined
    return 0


def number_streams(convs, flows, target, *, conversations, scratch):
    """Write the tcp.stream number of each conversation of a packet capture; see numbers.pyi."""
    cdef RowCursor flow_rows, key_rows
    cdef int result
    cdef Mapped streams = None
    keys = os.path.join(scratch, "predecessors")
    flow_rows.own = key_rows.own = NULL
    find_predecessors(convs, keys, scratch=scratch)
    try:
        with open(flows, "rb", buffering=0) as flow_file, open(keys, "rb", buffering=0) as key_file:
            streams = Mapped(target, conversations)
            if (cursor_open(&flow_rows, flow_file.fileno(), sizeof(Flow), BUFFERED, conversations) < 0
                    or cursor_open(&key_rows, key_file.fileno(), sizeof(Key), BUFFERED, conversations) < 0):
                raise MemoryError
            with nogil:
                result = number_tuples(&flow_rows, &key_rows, streams.values)
            if result < 0:
                raise_errno()
    finally:
        cursor_close(&flow_rows)
        cursor_close(&key_rows)
        if streams is not None:
            streams.close()
        os.unlink(keys)

# cython: language_level=3
"""From chunk rows to pieces, frames and totals, one conversation after the other.

The memory is the same for every input: a few buffers of rows, whatever the size of a conversation.
"""

import os
from contextlib import ExitStack
from typing import NamedTuple

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset

from syswire.convert.conversations.both_ends cimport Totals
from syswire.convert.conversations.datagrams cimport DatagramMerger
from syswire.convert.conversations.emitter cimport Emitter
from syswire.convert.conversations.stream cimport StreamMerger
from syswire.convert.conversations.tuples cimport Key, same_ends
from syswire.convert.conversations.tuples import find_predecessors
from syswire.convert.conversations.views cimport ThreadList, Views
from syswire.convert.model.rows cimport Chunk, Conv
from syswire.convert.spool.files cimport (
    RowCursor, RowWriter, cursor_close, cursor_open, cursor_row, raise_errno, read_whole, writer_close,
    writer_flush, writer_open, writer_put,
)

cdef enum:
    TCP = 6
    UDP = 17
    UNIX_DATAGRAM = 2
    BUFFERED = 1024
    BATCH = 1024        # conversations between two looks at signals


class Summary(NamedTuple):
    """What was made of all conversations; see both_ends.pyi."""

    conversations: int
    chunks: int
    pieces: int
    frames: int
    shifted: int
    gap_frames_not_written: int
    overlong: int
    not_captured: int
    not_captured_bytes: int


cdef class Rebuilder:
    cdef Views views
    cdef Emitter out
    cdef StreamMerger streams
    cdef DatagramMerger datagrams
    cdef RowCursor convs, keys
    cdef RowWriter totals, threads
    cdef uint64_t chunk         # row of the next conversation's first chunk
    cdef uint64_t shifted

    def __cinit__(self):
        self.convs.own = self.keys.own = NULL
        self.totals.buffer = NULL
        self.threads.buffer = NULL
        self.chunk = self.shifted = 0

    def __dealloc__(self):
        cursor_close(&self.convs)
        cursor_close(&self.keys)
        writer_close(&self.totals)
        writer_close(&self.threads)

    cdef int open(self, int chunks, uint64_t chunk_rows, int convs, uint64_t conv_rows, int pieces, int frames,
                  int totals, int threads, int keys, int payload, uint64_t payload_size, uint64_t budget) except -1:
        self.views = Views()
        self.views.open(chunks, chunk_rows)
        self.out = Emitter()
        self.out.open(pieces, frames, payload, payload_size, budget)
        self.streams = StreamMerger(self.views, self.out)
        self.datagrams = DatagramMerger(self.views, self.out)
        if (cursor_open(&self.convs, convs, sizeof(Conv), BUFFERED, conv_rows) < 0
                or cursor_open(&self.keys, keys, sizeof(Key), BUFFERED, conv_rows) < 0
                or writer_open(&self.totals, totals, sizeof(Totals), BUFFERED) < 0
                or writer_open(&self.threads, threads, sizeof(uint32_t), BUFFERED) < 0):
            raise MemoryError
        return 0

    cdef int put_threads(self, int end, uint32_t *count) noexcept nogil:
        # Those that moved bytes; where none did, those that set the connection up.
        cdef ThreadList *found = &self.views.working[end]
        cdef uint32_t i
        if found.count == 0:
            found = &self.views.handling[end]
        count[0] = found.count
        for i in range(found.count):
            if writer_put(&self.threads, &found.ids[i]) < 0:
                return -1
        return 0

    cdef int inherit(self, const Conv *conv) noexcept nogil:
        # What the conversation that had these ends before leaves to this one.
        cdef const Key *key = <const Key *>cursor_row(&self.keys, conv.id - 1)
        cdef uint64_t place
        cdef Totals before
        cdef Conv other
        cdef bint swapped
        self.out.heir = 0
        if key == NULL:
            return -1
        if key.before == 0:
            return 0
        place = key.before - 1
        if place >= self.totals.rows - self.totals.held:
            memcpy(&before, self.totals.buffer + (place - (self.totals.rows - self.totals.held)) * sizeof(Totals),
                   sizeof(Totals))
        elif read_whole(self.totals.fd, <char *>&before, sizeof(Totals), place * sizeof(Totals)) < 0:
            return -1
        if read_whole(self.convs.fd, <char *>&other, sizeof(Conv), place * sizeof(Conv)) < 0:
            return -1
        if same_ends(conv, &other, &swapped):
            self.out.heir = before.leader
            self.out.heir_next[swapped] = before.next_to_client
            self.out.heir_next[not swapped] = before.next_to_server
        return 0

    cdef int rebuild_one(self, uint64_t index) noexcept nogil:
        cdef Totals totals
        cdef Conv conv
        cdef const char *row = cursor_row(&self.convs, index)
        cdef bint datagrams
        cdef int result
        if row == NULL:
            return -1
        memcpy(&conv, row, sizeof(Conv))
        conv.id = <uint32_t>(index + 1)
        memset(&totals, 0, sizeof(Totals))
        totals.conv = conv.id
        totals.pieces_begin, totals.first_frame = self.out.pieces.rows, <uint32_t>self.out.frames.rows
        totals.threads_begin = self.threads.rows
        datagrams = conv.protocol == UDP or conv.protocol == UNIX_DATAGRAM
        if self.views.look(self.chunk, conv.id, datagrams) < 0:
            return -1
        if conv.protocol == TCP:
            if self.inherit(&conv) < 0:
                return -1
            totals.leader = self.out.heir
            totals.next_to_client, totals.next_to_server = self.out.heir_next[0], self.out.heir_next[1]
        else:
            self.out.heir = 0
        if self.views.survey.end > self.chunk:
            result = self.datagrams.run(&conv) if datagrams else self.streams.run(&conv)
            if result < 0:
                return -1
            self.chunk = self.views.survey.end
            if datagrams:
                totals.bytes_to_client, totals.bytes_to_server = self.datagrams.placed[0], self.datagrams.placed[1]
            else:
                totals.bytes_to_client, totals.bytes_to_server = self.streams.placed[0], self.streams.placed[1]
            if self.out.tcp and self.out.frame_count:
                totals.leader = self.out.leader
                totals.next_to_client = <uint32_t>(self.out.isn[0] + self.out.position[0])
                totals.next_to_server = <uint32_t>(self.out.isn[1] + self.out.position[1])
            totals.missing_bytes, totals.gaps = self.out.missing, self.out.gaps
            totals.frames = <uint32_t>self.out.frame_count
            totals.shifted = <uint32_t>self.out.shifted
            self.shifted += self.out.shifted
            if self.put_threads(0, &totals.client_threads) < 0 or self.put_threads(1, &totals.server_threads) < 0:
                return -1
        totals.pieces_end = self.out.pieces.rows
        return writer_put(&self.totals, &totals)

    cdef int run(self, uint64_t begin, uint64_t end) noexcept nogil:
        cdef uint64_t index
        for index in range(begin, end):
            if self.rebuild_one(index) < 0:
                return -1
        return 0

    cdef int finish(self) except -1:
        """Write what is still buffered."""
        self.out.finish()
        if writer_flush(&self.totals) < 0 or writer_flush(&self.threads) < 0:
            raise_errno()
        return 0


def rows_in(fd, size, name):
    """How many rows a file holds; ValueError where that is not a whole number."""
    length = os.fstat(fd).st_size
    if length % size:
        raise ValueError(f"{name}: its size is not a whole number of rows of {size} bytes")
    return length // size


def rebuild(chunks, convs, pieces, frames, totals, threads, *, payload_fd, scratch, gap_frames=2_000_000):
    """Rebuild every conversation; see both_ends.pyi."""
    cdef Rebuilder stage = Rebuilder()
    cdef uint64_t begin = 0, end, conv_rows, chunk_rows
    cdef int result
    keys = os.path.join(scratch, "predecessors")
    with ExitStack() as stack:
        inputs = [stack.enter_context(open(path, "rb", buffering=0)) for path in (chunks, convs)]
        chunk_rows = rows_in(inputs[0].fileno(), sizeof(Chunk), chunks)
        conv_rows = rows_in(inputs[1].fileno(), sizeof(Conv), convs)
        outputs = [stack.enter_context(open(path, "w+b", buffering=0)) for path in (pieces, frames, totals, threads)]
        stack.callback(remove, keys)
        find_predecessors(convs, keys, scratch=scratch)
        keys_file = stack.enter_context(open(keys, "rb", buffering=0))
        piece_fd, frame_fd, totals_fd, threads_fd = (file.fileno() for file in outputs)
        stage.open(inputs[0].fileno(), chunk_rows, inputs[1].fileno(), conv_rows, piece_fd, frame_fd, totals_fd,
                   threads_fd, keys_file.fileno(), payload_fd, os.fstat(payload_fd).st_size, gap_frames)
        while begin < conv_rows:
            end = begin + BATCH if begin + BATCH < conv_rows else conv_rows
            with nogil:
                result = stage.run(begin, end)
            if result < 0:
                raise_errno()
            begin = end
        stage.finish()
    if stage.chunk != chunk_rows:
        raise ValueError(f"{chunks}: row {stage.chunk} is out of order or belongs to no conversation")
    return Summary(conv_rows, chunk_rows, stage.out.pieces.rows, stage.out.frames.rows, stage.shifted,
                   stage.out.refused, stage.views.overlong, stage.out.unseen, stage.out.unseen_bytes)


def remove(path):
    """Remove a file that may not be there."""
    if os.path.exists(path):
        os.unlink(path)

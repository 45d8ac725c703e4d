# cython: language_level=3
"""From chunk rows to pieces, frames and totals, one conversation after the other.

The memory is the same for every input: a few buffers of rows, whatever the size of a conversation.
"""

import os
from typing import NamedTuple

from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memcpy, memset

from syswire.convert.conversations.both_ends cimport Totals
from syswire.convert.conversations.datagrams cimport DatagramMerger
from syswire.convert.conversations.emitter cimport Emitter
from syswire.convert.conversations.stream cimport StreamMerger
from syswire.convert.conversations.views cimport ThreadList, Views
from syswire.convert.model.rows cimport Chunk, Conv
from syswire.convert.spool.files cimport (
    RowCursor, RowWriter, cursor_close, cursor_open, cursor_row, raise_errno, writer_close, writer_flush,
    writer_open, writer_put,
)

cdef enum:
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


cdef class Rebuilder:
    cdef Views views
    cdef Emitter out
    cdef StreamMerger streams
    cdef DatagramMerger datagrams
    cdef RowCursor convs
    cdef RowWriter totals, threads
    cdef uint64_t chunk         # row of the next conversation's first chunk
    cdef uint64_t shifted

    def __cinit__(self):
        self.convs.own = NULL
        self.totals.buffer = NULL
        self.threads.buffer = NULL
        self.chunk = self.shifted = 0

    def __dealloc__(self):
        cursor_close(&self.convs)
        writer_close(&self.totals)
        writer_close(&self.threads)

    cdef int open(self, int chunks, uint64_t chunk_rows, int convs, uint64_t conv_rows, int pieces, int frames,
                  int totals, int threads, uint64_t budget) except -1:
        self.views = Views()
        self.views.open(chunks, chunk_rows)
        self.out = Emitter()
        self.out.open(pieces, frames, budget)
        self.streams = StreamMerger(self.views, self.out)
        self.datagrams = DatagramMerger(self.views, self.out)
        if (cursor_open(&self.convs, convs, sizeof(Conv), BUFFERED, conv_rows) < 0
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
        if self.views.survey.end > self.chunk:
            result = self.datagrams.run(&conv) if datagrams else self.streams.run(&conv)
            if result < 0:
                return -1
            self.chunk = self.views.survey.end
            if datagrams:
                totals.bytes_to_client, totals.bytes_to_server = self.datagrams.placed[0], self.datagrams.placed[1]
            else:
                totals.bytes_to_client, totals.bytes_to_server = self.streams.placed[0], self.streams.placed[1]
                totals.next_to_client = <uint32_t>(self.out.isn[0] + self.out.position[0])
                totals.next_to_server = <uint32_t>(self.out.isn[1] + self.out.position[1])
                totals.leader = self.out.leader if self.out.frame_count else 0
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


def rebuild(chunks, convs, pieces, frames, totals, threads, *, gap_frames=2_000_000):
    """Rebuild every conversation; see both_ends.pyi."""
    cdef Rebuilder stage = Rebuilder()
    cdef uint64_t begin = 0, end, conv_rows, chunk_rows
    cdef int result
    with open(chunks, "rb", buffering=0) as chunk_file, open(convs, "rb", buffering=0) as conv_file, \
            open(pieces, "wb", buffering=0) as piece_file, open(frames, "wb", buffering=0) as frame_file, \
            open(totals, "wb", buffering=0) as totals_file, open(threads, "wb", buffering=0) as threads_file:
        chunk_rows = rows_in(chunk_file.fileno(), sizeof(Chunk), chunks)
        conv_rows = rows_in(conv_file.fileno(), sizeof(Conv), convs)
        stage.open(chunk_file.fileno(), chunk_rows, conv_file.fileno(), conv_rows, piece_file.fileno(),
                   frame_file.fileno(), totals_file.fileno(), threads_file.fileno(), gap_frames)
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
                   stage.out.refused, stage.views.overlong)

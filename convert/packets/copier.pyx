# cython: language_level=3
"""Copies a capture file into a pcapng, frame by frame, with comments added.

Of a pcapng the blocks are kept as they are: what a reader would stumble over is mended (a trailer that differs,
options that are not sound), and blocks that this version does not know are left out, since some of them have frame
numbers of their own in Wireshark. The frames of a pcap become enhanced packet blocks.
"""

import os

from libc cimport errno as system
from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memset

from syswire.convert.model.rows cimport Conv
from syswire.convert.model.segments cimport Flow
from syswire.convert.packets.buffer cimport *
from syswire.convert.packets.options cimport Options, options_end, sound_option
from syswire.convert.packets.pcap cimport PcapReader
from syswire.convert.packets.pcapng cimport *
from syswire.convert.packets.record cimport Record
from syswire.convert.spool.files cimport cursor_close, cursor_open, cursor_row, raise_errno

cdef enum:
    FULL_BYTES = 1 << 20
    FIRST_ROOM = (1 << 20) + (1 << 19)
    FLOW_ROWS = 1024
    CONV_ROWS = 256
    TCP = 6
    UDP = 17
    MOST_OPTION_BYTES = 1 << 19       # frames.MOST_OPTION_BYTES
    EXTRA_BYTES = 256                 # heads, paddings, the stream's comment, the end of options
    NO_LINKTYPE = 65535

cdef uint64_t NO_FLOW = <uint64_t>0xFFFFFFFFFFFFFFFF


cdef inline void store16(uint8_t *at, uint32_t value, bint swapped) noexcept nogil:
    cdef uint16_t half = <uint16_t>value
    if swapped:
        half = swap16(half)
    memcpy(at, &half, 2)


cdef inline void store32(uint8_t *at, uint32_t value, bint swapped) noexcept nogil:
    if swapped:
        value = swap32(value)
    memcpy(at, &value, 4)


cdef class Copier:
    def __cinit__(self):
        memset(&self.flows, 0, sizeof(self.flows))
        memset(&self.convs, 0, sizeof(self.convs))
        self.room = FIRST_ROOM
        self.buffer = <uint8_t *>malloc(FIRST_ROOM)
        if self.buffer == NULL:
            raise MemoryError

    def __init__(self, FrameReader reader not None, flows_fd, convs_fd, bytes header not None,
                 bytes section_options not None, resolution):
        cdef int flows = flows_fd, convs = convs_fd
        if reader.frame:
            raise ValueError("the reader must not have begun")
        self.reader, self.header, self.section_options = reader, header, section_options
        self.blocks = reader if isinstance(reader, PcapngReader) else None
        self.section_at, self.section_bytes = <const uint8_t *>section_options, <uint32_t>len(section_options)
        self.plain = isinstance(reader, PcapReader)
        self.resolution = resolution
        if self.resolution == 0 or self.plain == (self.blocks is not None):
            raise ValueError("no resolution, or a reader of an unknown kind")
        if not self.plain:
            self.blocks.blocks = True
        if (cursor_open(&self.flows, flows, sizeof(Flow), FLOW_ROWS, os.fstat(flows).st_size // sizeof(Flow)) < 0
                or cursor_open(&self.convs, convs, sizeof(Conv), CONV_ROWS,
                               os.fstat(convs).st_size // sizeof(Conv)) < 0):
            raise MemoryError
        if self.next_flow() < 0:
            raise_errno()

    def __dealloc__(self):
        cursor_close(&self.flows)
        cursor_close(&self.convs)
        free(self.buffer)

    @property
    def frames(self):
        return self.reader.frame - self.held

    def view(self):
        """The bytes built since the last call."""
        cdef uint64_t used = self.used
        self.used = 0
        return <bytes>self.buffer[:used]

    def build(self, stop):
        """Copy up to the frame with the number `stop`; see copier.pyi."""
        cdef uint64_t last = stop
        cdef int result
        if not self.begun and self.plain:
            self.begun = True
            if self.reserve(len(self.header)) < 0:
                raise_errno()
            self.put(<const uint8_t *>self.header, len(self.header))
        if self.held:
            raise ValueError("call packet first")
        while True:
            with nogil:
                result = self.run(last)
            if result != STEP_NEED:
                break
            self.reader.fill()
        if result == -2:
            raise_errno()
        return 0 if result == STEP_END else result

    def packet(self, bytes options not None):
        """Copy the frame that `build` stopped at, with these options behind its own."""
        cdef uint32_t length = len(options)
        if len(options) > MOST_OPTION_BYTES or length % 4:
            raise ValueError("options too long, or not padded")
        if not self.held:
            raise ValueError("there is no frame: call build")
        self.held = False
        if self.put_frame(<const uint8_t *>options, length) < 0:
            raise_errno()

    cdef int run(self, uint64_t stop) noexcept nogil:
        # STEP_END, STEP_NEED; 1: the buffer is full; 2: at the frame `stop`; -2: errno tells.
        cdef int state
        while True:
            if self.used >= FULL_BYTES:
                return 1
            state = self.reader.step(&self.record)
            if state == STEP_BLOCK:
                if self.put_other() < 0:
                    return -2
            elif state == STEP_FRAME:
                if self.find_stream() < 0:
                    return -2
                if self.record.frame == stop:
                    self.held = True
                    return 2
                if self.put_frame(NULL, 0) < 0:
                    return -2
            else:
                return state

    # ---- the comment on a conversation's first frame ----

    cdef int next_flow(self) noexcept nogil:
        cdef const Flow *row
        self.flow_frame = NO_FLOW
        if self.flow < self.flows.end:
            row = <const Flow *>cursor_row(&self.flows, self.flow)
            if row == NULL:
                return -1
            self.flow_frame = row.first_frame
        return 0

    cdef int find_stream(self) noexcept nogil:
        cdef const Flow *flow
        cdef const Conv *conv
        cdef uint32_t length, conversation
        cdef int protocol
        self.stream_bytes = 0
        while self.flow_frame <= self.record.frame:
            if self.flow_frame == self.record.frame and self.stream_bytes == 0:
                flow = <const Flow *>cursor_row(&self.flows, self.flow)
                if flow == NULL:
                    return -1
                conversation = flow.id
                if conversation == 0 or conversation > self.convs.end:
                    system.errno = system.EINVAL
                    return -1
                conv = <const Conv *>cursor_row(&self.convs, conversation - 1)
                if conv == NULL:
                    return -1
                protocol = conv.protocol
                memset(self.stream, 0, sizeof(self.stream))
                length = snprintf(self.stream + 4, sizeof(self.stream) - 4, "syswire stream %u (%s)",
                                  <unsigned int>conversation,
                                  b"tcp" if protocol == TCP else b"udp" if protocol == UDP else b"ppp")
                store16(<uint8_t *>self.stream, 1, False)
                store16(<uint8_t *>self.stream + 2, length, False)
                self.stream_bytes = 4 + ((length + 3) & ~<uint32_t>3)
            self.flow += 1
            if self.next_flow() < 0:
                return -1
        return 0

    # ---- blocks out ----

    cdef int reserve(self, uint64_t more) noexcept nogil:
        # Room for `more` bytes; they are at most a block and the most options.
        cdef uint64_t room = self.used + more
        cdef uint8_t *larger
        if room > self.room:
            larger = <uint8_t *>realloc(self.buffer, room)
            if larger == NULL:
                system.errno = system.ENOMEM
                return -1
            self.buffer, self.room = larger, room
        return 0

    cdef void put(self, const void *data, uint64_t length) noexcept nogil:
        memcpy(self.buffer + self.used, data, length)
        self.used += length

    cdef void put_options(self, const uint8_t *options, uint32_t length, bint swapped) noexcept nogil:
        # Options of our own, made in this machine's order: into that of the section.
        cdef uint8_t *at = self.buffer + self.used
        cdef uint8_t *end = at + length
        cdef uint32_t size
        self.put(options, length)
        while swapped and end - at >= 4:
            size = load16(at + 2, False)
            store16(at, load16(at, False), True)
            store16(at + 2, size, True)
            at += 4 + ((size + 3) & ~<uint32_t>3)

    cdef int put_block(self, const uint8_t *options, uint32_t length) noexcept nogil:
        # The reader's block, its own sound options, the stream's comment and `options`.
        cdef const uint8_t *block = self.blocks.block
        cdef uint32_t begin = self.blocks.options, size = self.blocks.size, at, code, padded
        cdef uint64_t start = self.used
        cdef uint32_t ours = self.stream_bytes + length
        cdef bint swapped = self.blocks.swapped
        cdef Options own
        if size + ours + EXTRA_BYTES > LONGEST_BLOCK:
            ours = 0
        if self.reserve(<uint64_t>size + ours + EXTRA_BYTES) < 0:
            return -1
        if begin == 0 or (ours == 0 and not self.blocks.broken):
            self.put(block, size - 4)
        else:
            own = options_end(block, begin, size - 4, self.blocks.kind, swapped)
            self.put(block, begin)
            if not self.blocks.broken:
                self.put(block + begin, own.end - begin)
            else:
                at = begin
                while at < own.end:
                    code = load16(block + at, swapped)
                    padded = 4 + ((load16(block + at + 2, swapped) + <uint32_t>3) & ~<uint32_t>3)
                    if sound_option(block + at, code, load16(block + at + 2, swapped), self.blocks.kind, swapped):
                        self.put(block + at, padded)
                    at += padded
            if ours:
                self.put_options(<const uint8_t *>self.stream, self.stream_bytes, swapped)
                self.put_options(options, length, swapped)
            if self.used - start > begin:
                store32(self.buffer + self.used, 0, False)
                self.used += 4
        size = <uint32_t>(self.used - start) + 4
        store32(self.buffer + start + 4, size, swapped)
        store32(self.buffer + self.used, size, swapped)
        self.used += 4
        return 0

    cdef int put_packet(self, uint32_t interface, uint64_t stamp, const uint8_t *options, uint32_t length,
                        bint swapped) noexcept nogil:
        # An enhanced packet block of the record.
        cdef const Record *r = &self.record
        cdef uint32_t ours = self.stream_bytes + length, size
        cdef uint32_t pad = -r.captured & 3
        cdef uint8_t *block
        if r.captured + ours + EXTRA_BYTES > LONGEST_BLOCK:
            ours = 0
        if self.reserve(<uint64_t>r.captured + ours + EXTRA_BYTES) < 0:
            return -1
        block = self.buffer + self.used
        size = 32 + r.captured + pad + (ours + 4 if ours else 0)
        store32(block, BLOCK_PACKET, swapped)
        store32(block + 4, size, swapped)
        store32(block + 8, interface, swapped)
        store32(block + 12, <uint32_t>(stamp >> 32), swapped)
        store32(block + 16, <uint32_t>stamp, swapped)
        store32(block + 20, r.captured, swapped)
        store32(block + 24, r.original, swapped)
        self.used += 28
        self.put(r.data, r.captured)
        memset(self.buffer + self.used, 0, pad)
        self.used += pad
        if ours:
            self.put_options(<const uint8_t *>self.stream, self.stream_bytes, swapped)
            self.put_options(options, length, swapped)
            store32(self.buffer + self.used, 0, False)
            self.used += 4
        store32(self.buffer + self.used, size, swapped)
        self.used += 4
        return 0

    cdef int put_simple(self, const uint8_t *options, uint32_t length) noexcept nogil:
        # A simple packet block has no place for comments, and must have no byte to spare.
        cdef const Record *r = &self.record
        cdef uint32_t pad = -r.captured & 3
        cdef uint32_t size = 16 + r.captured + pad
        if self.stream_bytes + length:
            return self.put_packet(0, 0, options, length, self.blocks.swapped)
        if self.reserve(size) < 0:
            return -1
        self.put(self.blocks.block, 12)
        self.put(r.data, r.captured)
        memset(self.buffer + self.used, 0, pad)
        self.used += pad
        store32(self.buffer + self.used - size + 8, size, self.blocks.swapped)   # its place: 4 bytes behind the start
        store32(self.buffer + self.used, size, self.blocks.swapped)
        self.used += 4
        return 0

    cdef int put_frame(self, const uint8_t *options, uint32_t length) noexcept nogil:
        if self.plain:
            return self.put_packet(0, self.record.time // self.resolution, options, length, False)
        if self.blocks.kind == BLOCK_SIMPLE_PACKET:
            return self.put_simple(options, length)
        return self.put_block(options, length)

    cdef int put_other(self) noexcept nogil:
        # A block without a packet.
        cdef uint8_t *block
        cdef uint64_t start = self.used
        cdef int state
        self.stream_bytes = 0
        if self.blocks.kind == BLOCK_INTERFACE and self.blocks.options == 0:
            # Too short to tell anything: one in its place, so that those behind it keep their numbers.
            if self.reserve(EXTRA_BYTES) < 0:
                return -1
            block = self.buffer + start
            memset(block, 0, 20)
            store32(block, BLOCK_INTERFACE, self.blocks.swapped)
            store32(block + 4, 20, self.blocks.swapped)
            store16(block + 8, NO_LINKTYPE, self.blocks.swapped)
            store32(block + 16, 20, self.blocks.swapped)
            self.used += 20
            return 0
        if self.blocks.kind != BLOCK_SECTION or self.begun:
            state = self.put_block(NULL, 0)
        else:
            self.begun = True
            state = self.put_block(self.section_at, self.section_bytes)
        if state == 0 and self.blocks.kind == BLOCK_SECTION:
            block = self.buffer + start
            if load16(block + 14, self.blocks.swapped) != 2:
                store16(block + 14, 0, self.blocks.swapped)      # Wireshark reads 1.0 and 1.2
            memset(block + 16, 0xFF, 8)                     # length of the section: not told
        return state

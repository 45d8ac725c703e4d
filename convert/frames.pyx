# cython: language_level=3
"""Enhanced packet blocks (pcapng) built from frame rows: IP and TCP or UDP headers, payload, checksums.

Frames are taken in the order of the file; their payload is copied once, from a window of the payload file into the
output buffer, and summed there. Python is asked only where a frame has comments or a thread has not been seen yet.
"""

import os

from libc cimport errno as system
from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memcpy, memset

from syswire.convert.model.frame cimport FRAME_FIRST, FRAME_TO_SERVER, Frame
from syswire.convert.model.rows cimport Conv, Piece
from syswire.convert.redaction.patches cimport Patches
from syswire.convert.spool.files cimport (
    cursor_close, cursor_open, cursor_row, payload_at, raise_errno, window_close, window_open,
)

cdef enum:
    FRAME_ROWS = 1024
    PIECE_ROWS = 64
    CONV_ROWS = 8
    CACHED_CONVS = 4096
    FULL_BYTES = 1 << 20
    BUFFER_BYTES = (1 << 21)        # a full buffer, a packet, and its comments
    MOST_IDENTITIES = 1 << 20       # 16 MiB; thread versions beyond have their comments only
    TCP = 6
    UDP = 17
    UNIX_STREAM = 1
    UNIX_DATAGRAM = 2
    SYN = 2
    OPTION_PROCESS_THREAD = 8
    OPTION_DARWIN_PROCESS = 32769
    ENHANCED_PACKET = 6
    SYNTHETIC_SERVER_PORT = 61000   # model/synthetic.py
    SYNTHETIC_CLIENT_PORT = 61440

MOST_OPTION_BYTES = 1 << 19


cdef inline void put16(uint8_t *at, uint32_t value) noexcept nogil:
    at[0], at[1] = <uint8_t>(value >> 8), <uint8_t>value


cdef inline void put32(uint8_t *at, uint32_t value) noexcept nogil:
    put16(at, value >> 16)
    put16(at + 2, value & 0xFFFF)


cdef inline void set32(uint8_t *at, uint32_t value) noexcept nogil:
    memcpy(at, &value, 4)   # the file's own fields: little endian, as this machine


cdef uint64_t added(const uint8_t *data, uint64_t length, uint64_t total) noexcept nogil:
    # The sum of 16-bit words in this machine's order; the ones' complement sum does not mind.
    cdef uint64_t word, even = 0, odd = 0
    while length >= 8:
        memcpy(&word, data, 8)
        even += <uint32_t>word
        odd += word >> 32
        data += 8
        length -= 8
    word = 0
    memcpy(&word, data, length)
    even += <uint32_t>word
    odd += word >> 32
    total += <uint32_t>even + (even >> 32) + <uint32_t>odd + (odd >> 32)
    return total


cdef uint16_t folded(uint64_t total) noexcept nogil:
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return <uint16_t>~total


cdef class PacketBlocks:
    def __cinit__(self):
        memset(&self.frames, 0, sizeof(self.frames))
        memset(&self.pieces, 0, sizeof(self.pieces))
        memset(&self.convs, 0, sizeof(self.convs))
        memset(&self.payload, 0, sizeof(self.payload))
        self.cache = NULL
        self.identities = NULL
        self.buffer = NULL

    def __init__(self, frames_fd, pieces_fd, convs_fd, payload_fd, interfaces, Patches patches=None):
        cdef int frames = frames_fd, pieces = pieces_fd, convs = convs_fd, payload = payload_fd
        self.interfaces = interfaces
        self.patches, self.patched = patches, patches is not None
        self.buffer = <uint8_t *>malloc(BUFFER_BYTES)
        self.cache = <Conv *>calloc(CACHED_CONVS, sizeof(Conv))
        if (self.buffer == NULL or self.cache == NULL
                or cursor_open(&self.frames, frames, sizeof(Frame), FRAME_ROWS,
                               os.fstat(frames).st_size // sizeof(Frame)) < 0
                or cursor_open(&self.pieces, pieces, sizeof(Piece), PIECE_ROWS,
                               os.fstat(pieces).st_size // sizeof(Piece)) < 0
                or cursor_open(&self.convs, convs, sizeof(Conv), CONV_ROWS,
                               os.fstat(convs).st_size // sizeof(Conv)) < 0
                or window_open(&self.payload, payload, os.fstat(payload).st_size) < 0):
            raise MemoryError

    def __dealloc__(self):
        cursor_close(&self.frames)
        cursor_close(&self.pieces)
        cursor_close(&self.convs)
        window_close(&self.payload)
        free(self.cache)
        free(self.identities)
        free(self.buffer)

    cdef int grow(self, uint64_t needed) except -1:
        cdef uint64_t room = self.identity_room * 2 if self.identity_room else 256
        cdef Identity *larger
        while room < needed:
            room *= 2
        larger = <Identity *>realloc(self.identities, room * sizeof(Identity))
        if larger == NULL:
            raise MemoryError
        memset(larger + self.identity_room, 0, (room - self.identity_room) * sizeof(Identity))
        self.identities = larger
        self.identity_room = room
        return 0

    def know(self, thread, pid, tid, block):
        """Tell what process a thread version is, and the index of its process block; None if there is none."""
        cdef uint64_t place = thread
        if place >= MOST_IDENTITIES:
            raise ValueError("too many thread versions")
        if place >= self.identity_room:
            self.grow(place + 1)
        if block is None:
            self.identities[place].state = 2
        else:
            self.identities[place].pid, self.identities[place].tid = pid, tid
            self.identities[place].block = block
            self.identities[place].state = 1

    def view(self):
        """The bytes built since the last call, valid until the next one of `build` or `packet`."""
        cdef uint64_t used = self.used
        self.used = 0
        return <bytes>self.buffer[:used]

    def build(self, stop):
        """Build packets up to the frame with index `stop`; see frames.pyi."""
        cdef uint64_t last = stop
        cdef int result
        with nogil:
            result = self.run(last)
        if result < 0:
            raise_errno()
        return result

    def packet(self, bytes options):
        """Build the packet that `build` stopped at, with these options (encoded, padded) before its own."""
        cdef const Frame *frame
        cdef uint32_t length = len(options)
        if len(options) > MOST_OPTION_BYTES or length % 4:
            raise ValueError("options too long, or not padded")
        if self.index >= self.frames.end or self.used >= FULL_BYTES:
            raise ValueError("there is no frame, or no room: call build")
        frame = <const Frame *>cursor_row(&self.frames, self.index)
        if frame == NULL or self.put_packet(frame, <const uint8_t *>options, length) < 0:
            raise_errno()
        self.index += 1

    cdef int run(self, uint64_t stop) noexcept nogil:
        # 0: at the end; 1: the buffer is full; 2: a conversation's first frame; 3: an unknown thread; 4: at `stop`.
        cdef const Frame *frame
        while True:
            if self.used >= FULL_BYTES:
                return 1
            if self.index >= self.frames.end:
                return 0
            frame = <const Frame *>cursor_row(&self.frames, self.index)
            if frame == NULL:
                return -1
            self.conv, self.thread = frame.conv, frame.thread
            self.first = frame.flags & FRAME_FIRST != 0
            if frame.thread and frame.thread < MOST_IDENTITIES and (
                    frame.thread >= self.identity_room or self.identities[frame.thread].state == 0):
                return 3
            if self.index >= stop:
                return 4
            if frame.flags & FRAME_FIRST:
                return 2
            if self.put_packet(frame, NULL, 0) < 0:
                return -1
            self.index += 1

    cdef const Conv *conv_row(self, uint32_t conv) noexcept nogil:
        cdef Conv *slot = &self.cache[conv % CACHED_CONVS]
        cdef const char *row
        if slot.id != conv or conv == 0:
            if conv == 0 or conv > self.convs.end:
                system.errno = system.EINVAL
                return NULL
            row = cursor_row(&self.convs, conv - 1)
            if row == NULL:
                return NULL
            memcpy(slot, row, sizeof(Conv))
            slot.id = conv
        return slot

    cdef int gather(self, const Frame *frame, uint8_t *target) noexcept nogil:
        # The payload that the frame holds.
        cdef const char *data
        cdef const Piece *piece
        cdef uint32_t i, done = 0
        if frame.pieces == 1:
            data = payload_at(&self.payload, frame.payload, frame.known)
            if data == NULL:
                return -1
            memcpy(target, data, frame.known)
            if self.patched:
                self.patches.apply(target, frame.payload, frame.known)
            return 0
        for i in range(frame.pieces):
            piece = <const Piece *>cursor_row(&self.pieces, frame.piece + i)
            if piece == NULL:
                return -1
            if piece.length > frame.known - done:
                system.errno = system.EINVAL
                return -1
            data = payload_at(&self.payload, piece.payload, piece.length)
            if data == NULL:
                return -1
            memcpy(target + done, data, piece.length)
            if self.patched:
                self.patches.apply(target + done, piece.payload, piece.length)
            done += piece.length
        if done != frame.known:
            system.errno = system.EINVAL
            return -1
        return 0

    cdef int put_packet(self, const Frame *frame, const uint8_t *options, uint32_t length) noexcept nogil:
        cdef const Conv *conv = self.conv_row(frame.conv)
        cdef const Identity *identity = NULL
        cdef uint8_t *block = self.buffer + self.used
        cdef uint8_t *packet = block + 28
        cdef uint8_t *segment
        cdef uint8_t *at
        cdef uint32_t network, transport, captured, total, interface, pad
        cdef bint tcp, six
        if conv == NULL:
            return -1
        tcp = conv.protocol != UDP and conv.protocol != UNIX_DATAGRAM
        six = conv.family == 6 and (conv.protocol == TCP or conv.protocol == UDP)
        network = 40 if six else 20
        transport = (28 if frame.tcp_flags & SYN else 20) if tcp else 8
        segment = packet + network
        captured = network + transport + frame.known
        if frame.known > frame.length or frame.length > 65535 - 28:
            system.errno = system.EINVAL
            return -1
        if frame.known and self.gather(frame, segment + transport) < 0:
            return -1
        put_network(packet, segment, conv, frame, transport + frame.length, tcp, six)
        put_transport(packet, segment, conv, frame, transport, tcp, six)

        interface = conv.container if conv.container < self.interfaces - 1 else 0
        if conv.protocol == UNIX_STREAM or conv.protocol == UNIX_DATAGRAM:
            interface = self.interfaces - 1
        at = packet + captured
        pad = -captured & 3
        memset(at, 0, pad)
        at += pad
        if length:
            memcpy(at, options, length)
            at += length
        if frame.thread and frame.thread < self.identity_room and self.identities[frame.thread].state == 1:
            identity = &self.identities[frame.thread]
            set32(at, 8 << 16 | OPTION_PROCESS_THREAD)
            set32(at + 4, identity.pid)
            set32(at + 8, identity.tid)
            set32(at + 12, <uint32_t>4 << 16 | OPTION_DARWIN_PROCESS)
            set32(at + 16, identity.block)
            at += 20
        if length or identity != NULL:
            set32(at, 0)
            at += 4
        total = <uint32_t>(at - block) + 4
        set32(at, total)
        set32(block, ENHANCED_PACKET)
        set32(block + 4, total)
        set32(block + 8, interface)
        set32(block + 12, <uint32_t>(frame.time >> 32))
        set32(block + 16, <uint32_t>frame.time)
        set32(block + 20, captured)
        set32(block + 24, captured - frame.known + frame.length)
        self.used += total
        return 0


cdef void put_network(uint8_t *packet, uint8_t *segment, const Conv *conv, const Frame *frame, uint32_t length,
                      bint tcp, bint six) noexcept nogil:
    # The IP header, and the ports, which follow from the same ends.
    cdef const uint8_t *client = conv.client_ip
    cdef const uint8_t *server = conv.server_ip
    cdef uint8_t synthetic[8]
    cdef uint32_t client_port = conv.client_port, server_port = conv.server_port
    cdef bint to_server = frame.flags & FRAME_TO_SERVER
    cdef uint16_t check
    if conv.protocol == UNIX_STREAM or conv.protocol == UNIX_DATAGRAM:
        put32(synthetic, <uint32_t>241 << 24 | (frame.conv & 0xFFFFFF))
        put32(synthetic + 4, <uint32_t>240 << 24 | (conv.path & 0xFFFFFF))
        client, server = synthetic, synthetic + 4
        client_port, server_port = SYNTHETIC_CLIENT_PORT + (frame.conv >> 24), SYNTHETIC_SERVER_PORT
    if six:
        put32(packet, 0x60000000)
        put16(packet + 4, length)
        packet[6], packet[7] = TCP if tcp else UDP, 64
        memcpy(packet + 8, client if to_server else server, 16)
        memcpy(packet + 24, server if to_server else client, 16)
    else:
        put32(packet, <uint32_t>0x45000000 | (20 + length))
        put16(packet + 4, frame.ip_id)
        put16(packet + 6, 0x4000)       # do not fragment
        packet[8], packet[9] = 64, TCP if tcp else UDP
        packet[10] = packet[11] = 0
        memcpy(packet + 12, client if to_server else server, 4)
        memcpy(packet + 16, server if to_server else client, 4)
        check = folded(added(packet, 20, 0))
        memcpy(packet + 10, &check, 2)
    put16(segment, client_port if to_server else server_port)
    put16(segment + 2, server_port if to_server else client_port)


cdef void put_transport(const uint8_t *packet, uint8_t *segment, const Conv *conv, const Frame *frame,
                        uint32_t header, bint tcp, bint six) noexcept nogil:
    # The rest of the TCP or UDP header. The checksum of bytes that are not known cannot be: it is zero then,
    # and 0xFFFF for UDP over IPv6, where zero is not allowed.
    cdef uint8_t pseudo[4]
    cdef uint64_t total
    cdef uint16_t check = 0
    cdef uint32_t length = header + frame.length
    cdef uint8_t *place = segment + 16 if tcp else segment + 6
    if tcp:
        put32(segment + 4, frame.seq)
        put32(segment + 8, frame.ack)
        segment[12], segment[13] = <uint8_t>(header << 2), frame.tcp_flags
        put16(segment + 14, 0xFFFF)
        put32(segment + 16, 0)
        if header > 20:
            put32(segment + 20, <uint32_t>0x0204 << 16 | 65495)     # MSS
            put32(segment + 24, 0x0103030E)                         # no-operation, window scale 14
    else:
        put16(segment + 4, length)
        put16(segment + 6, 0)
    if frame.known == frame.length:
        pseudo[0], pseudo[1] = 0, TCP if tcp else UDP
        put16(pseudo + 2, length)
        total = added(pseudo, 4, 0)
        total = added(packet + 8, 32, total) if six else added(packet + 12, 8, total)
        check = folded(added(segment, header + frame.known, total))
        if check == 0 and not tcp:
            check = 0xFFFF
    elif six and not tcp:
        check = 0xFFFF
    memcpy(place, &check, 2)

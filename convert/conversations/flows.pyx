# cython: language_level=3
"""From TCP segments and UDP datagrams to conversations: who talks to whom, and a row for all that carries bytes.

One pass in the order of the capture; ids count from 1 in order of first appearance. A SYN with a new number begins a
new conversation of the same tuple, a repeated one does not, nor one that is captured behind the bytes that follow it;
UDP divides after 60 s of silence. Which half is the client is decided by the handshake, else by a message that only
one side sends, else by the ports, else by who spoke first. The numbers of Wireshark's streams are counted beside.
"""

import errno
import os

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy, memset
from posix.unistd cimport pwrite

from syswire.convert.conversations.losses cimport start_line
from syswire.convert.conversations.sequence cimport (
    HALF_ACKED, HALF_FIN, HALF_PLACED, HALF_SYN, Half, begins_here, known_end, place, place_data,
)
from syswire.convert.conversations.wireshark cimport Shark, shark_restarts
from syswire.convert.model.rows cimport CHUNK_REQUEST, Conv
from syswire.convert.model.segments cimport (
    FLOW_SYN_0, FLOW_SYN_1, Flow, SEGMENT_ACKS, SEGMENT_CONTINUES, SEGMENT_START, TUNNEL_ROOM, Tunnel,
)
from syswire.convert.packets.packet cimport TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN
from syswire.convert.spool.files cimport writer_close, writer_flush, writer_open, writer_put

cdef enum:
    TCP = 6
    UDP = 17
    PPP = 254               # Conv.protocol of a link's logins, which have no addresses
    NO_STREAM = 0xFFFFFFFF
    BUFFERED = 4096
    FEW = 64
    WELL_KNOWN = 1024       # ports below belong to servers (RFC 6335, 6)
    EPHEMERAL = 32768       # where Linux begins to give ports to clients
    LATE_ROUNDS = 4         # idle UDP conversations that leave for each new one

cdef uint64_t UDP_IDLE = 60000000000    # ns


cdef inline int half_of(const Packet *p, Key *key) noexcept nogil:
    """The key of a packet's conversation, and which of its two ends sent it: the smaller one is half 0."""
    cdef int order = memcmp(p.source, p.target, 16)
    cdef bint second = order > 0 or (order == 0 and p.source_port > p.target_port)
    memset(key, 0, sizeof(Key))
    memcpy(&key.server_ip[0] if second else &key.client_ip[0], p.source, 16)
    memcpy(&key.client_ip[0] if second else &key.server_ip[0], p.target, 16)
    key.client_port = p.target_port if second else p.source_port
    key.server_port = p.source_port if second else p.target_port
    key.protocol, key.family = p.protocol, p.family
    return second


cdef inline bint begins(const Packet *p) noexcept nogil:
    """Whether it is a SYN. One that ends the connection too is nobody's (RFC 9293, 3.5): its number means nothing."""
    return p.tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST) == TCP_SYN


cdef inline void stray(Stray *loss, const Record *r, uint32_t length) noexcept nogil:
    if loss.count == 0:
        loss.block, loss.time, loss.source_frame, loss.frame = r.offset, r.time, r.source_frame, r.frame
    loss.count += 1
    loss.bytes += length


cdef inline void judge(Track *track, int client, uint8_t sureness) noexcept nogil:
    if sureness > track.sureness:
        track.client, track.sureness = <uint8_t>client, sureness


cdef class PacketFlows(LiveTable):
    def __cinit__(self):
        self.segments.buffer = self.tunnels.buffer = NULL
        self.tracks = NULL
        self.latest = NULL

    def __init__(self, int convs_fd, int flows_fd, int segments_fd, int tunnels_fd=-1):
        self.convs_fd, self.flows_fd = convs_fd, flows_fd
        self.tunnelled = tunnels_fd >= 0
        if (writer_open(&self.segments, segments_fd, sizeof(Segment), BUFFERED) < 0
                or writer_open(&self.tunnels, tunnels_fd, sizeof(Tunnel), FEW) < 0):
            raise MemoryError

    def __dealloc__(self):
        writer_close(&self.segments)
        writer_close(&self.tunnels)
        free(self.tracks)

    cdef Track *track_of(self, const Live *live) noexcept nogil:
        return &self.tracks[live - self.slots]

    # -- which conversation

    cdef Live *find_flow(self, Key *key) noexcept nogil:
        if self.latest != NULL and self.latest.used and memcmp(&self.latest.key, key, sizeof(Key)) == 0:
            return self.latest
        return self.find(key)

    cdef Live *enter(self, Key *key, const Record *r) noexcept nogil:
        """A new row of the table, which is no conversation yet."""
        cdef Live *live
        cdef Track *tracks
        cdef int _i
        self.latest = NULL  # rows may move
        for _i in range(LATE_ROUNDS):
            if self.oldest == 0:
                break
            live = &self.slots[self.oldest - 1]
            if live.key.protocol != UDP or r.time <= live.last + UDP_IDLE:
                break
            self.remove(live)
        live = self.insert(key)
        if live == NULL:
            return NULL
        if self.track_room < self.room:
            tracks = <Track *>realloc(self.tracks, self.room * sizeof(Track))
            if tracks == NULL:
                self.exhausted = True
                return NULL
            self.tracks, self.track_room = tracks, self.room
        memset(self.track_of(live), 0, sizeof(Track))
        self.track_of(live).tcp_stream = NO_STREAM
        return live

    cdef void begin(self, Live *live, Track *track, const Record *r, const Packet *p, int half) noexcept nogil:
        """A conversation begins with this packet."""
        cdef bint sure
        self.last_id += 1
        live.conv.id = self.last_id
        live.conv.protocol, live.conv.family = live.key.protocol, live.key.family
        live.conv.preexisting = p.protocol == TCP
        live.holders[0] = 1     # open, until it is seen to end
        track.first_frame = r.frame
        if p.protocol == TCP:
            track.tcp_stream = track.shark.stream
        if p.outers and self.tunnelled:
            self.around(p)
        judge(track, half, SURE_SENDER)
        if p.family == 0:           # a login of PPP: its ports are made to tell the client
            judge(track, half if p.source_port > p.target_port else 1 - half, SURE_SYN)
        if p.source_port < WELL_KNOWN <= p.target_port or p.source_port < EPHEMERAL <= p.target_port:
            sure = p.protocol == TCP or p.source_port < WELL_KNOWN and p.target_port >= EPHEMERAL
            judge(track, 1 - half, SURE_PORT if sure else 0)

    cdef void around(self, const Packet *p) noexcept nogil:
        """The headers around the conversation that begins."""
        cdef Tunnel row
        cdef uint32_t i, count = p.outers if p.outers < TUNNEL_ROOM else TUNNEL_ROOM
        memset(&row, 0, sizeof(row))
        row.conv, row.outers = self.last_id, count
        for i in range(count):
            row.family[i] = p.outer[i].family
            memcpy(row.addresses[i][0], p.outer[i].source, 16)
            memcpy(row.addresses[i][1], p.outer[i].target, 16)
        if writer_put(&self.tunnels, &row) < 0:
            self.failed = True

    cdef void number(self, Track *track, const Packet *p, int half, bint first) noexcept nogil:
        """Count the stream that Wireshark begins with a segment, if it does; always with the `first` of a tuple."""
        if shark_restarts(&track.shark, half, p.tcp_flags, p.seq, p.ack) or first:
            track.shark.stream = self.next_stream
            self.next_stream += 1

    cdef int mention(self, const Record *r, const Packet *p) noexcept nogil:
        """A TCP header without a payload that could be used: Wireshark gives it a number, and it is nobody's words."""
        cdef Key key
        cdef int half = half_of(p, &key)
        cdef Live *live = self.find_flow(&key)
        cdef bint first = live == NULL
        if first:
            live = self.enter(&key, r)
            if live == NULL:
                return -1
        self.number(self.track_of(live), p, half, first)
        return 0

    cdef bint over(self, Track *track, const Packet *p, int half) noexcept nogil:
        """Whether a SYN (or SYN and ACK) tells that what was seen of its tuple before is another conversation."""
        cdef Half *mine = &track.half[half]
        cdef Half *other = &track.half[1 - half]
        if begins_here(mine, p.seq):
            return False
        # An answer to the same SYN with another number is no other connection.
        if p.tcp_flags & TCP_ACK and begins_here(other, p.ack - 1):
            return mine.rows and not other.flags & HALF_SYN
        return True

    cdef int take(self, const Record *r, const Packet *p) noexcept nogil:
        """One segment or datagram; -1 where memory or disk ended (exhausted, failed)."""
        cdef Key key
        cdef int half = half_of(p, &key)
        cdef Live *live = self.find_flow(&key)
        cdef Track *track
        cdef Shark shark
        cdef bint known = live != NULL, fresh = False
        if known and p.protocol == UDP and r.time > live.last + UDP_IDLE:
            self.latest = NULL
            self.remove(live)
            live = NULL
        elif known and p.protocol == TCP and begins(p) and self.over(self.track_of(live), p, half):
            shark = self.track_of(live).shark
            fresh = True
            self.latest = NULL
            self.remove(live)
            live = NULL
        if live == NULL:
            live = self.enter(&key, r)
            if live == NULL:
                return -1
            if fresh:
                self.track_of(live).shark = shark
        track = self.track_of(live)
        if p.protocol == TCP:
            self.number(track, p, half, not known)
        if live.conv.id == 0:
            self.begin(live, track, r, p, half)
            track.joined = p.protocol == TCP and not known
        self.latest = live
        track.last_frame = r.frame
        track.frames += 1
        live.last = r.time
        self.touch(live)
        if p.protocol == TCP:
            return self.tcp(live, track, r, p, half)
        if p.length == 0:
            return 0
        return self.put(live, track, r, p, half, r.frame, 0, 0)

    # -- what a segment says

    cdef int tcp(self, Live *live, Track *track, const Record *r, const Packet *p, int half) noexcept nogil:
        cdef Half *mine = &track.half[half]
        cdef Half *other = &track.half[1 - half]
        cdef uint32_t seq = p.seq, flags = 0
        cdef uint64_t rel, ack = 0
        if begins(p):
            judge(track, 1 - half if p.tcp_flags & TCP_ACK else half, SURE_SYN)
            # Of several numbers that were offered the one counts that the other end acknowledged.
            if not mine.flags & HALF_SYN or (mine.isn != seq and mine.rows == 0 and not mine.flags & HALF_ACKED):
                if not begins_here(mine, seq):
                    mine.flags &= ~(HALF_PLACED | HALF_ACKED)
                place(mine, seq)
                mine.flags |= HALF_SYN
                mine.isn = seq
            if live.conv.opened == 0:
                live.conv.opened = r.time
            live.conv.preexisting = 0
        if p.tcp_flags & TCP_SYN:
            seq += 1
        if p.tcp_flags & TCP_ACK and not p.tcp_flags & TCP_RST:
            ack = place(other, p.ack)
            if ack:
                flags |= SEGMENT_ACKS
                if not other.flags & HALF_ACKED:
                    other.first_ack = other.acked = ack
                    other.flags |= HALF_ACKED
                elif ack < other.first_ack:
                    other.first_ack = ack
                if ack > other.acked:
                    other.acked = ack
                if ack > other.next:
                    other.next = ack
        if p.tcp_flags & (TCP_FIN | TCP_RST):
            live.conv.closed = r.time
            live.holders[0] = 0
        if p.tcp_flags & TCP_FIN:
            rel = place(mine, seq + p.length)
            if rel and not mine.flags & HALF_FIN:
                mine.flags |= HALF_FIN
                mine.fin = rel
        if p.length == 0:
            return 0
        if p.length == 1 and not mine.rows and mine.flags & HALF_ACKED and not begins(p):
            rel = place(mine, seq)
            if rel and rel < mine.first_ack:    # a keep-alive (RFC 9293, 3.8.4): its byte was received long ago
                stray(&self.probes, r, 1)
                return 0
        rel = place_data(mine, seq, p.length)
        if rel == 0:
            stray(&self.strays, r, p.length)
            return 0
        return self.put(live, track, r, p, half, rel, ack, flags)

    cdef int put(self, const Live *live, Track *track, const Record *r, const Packet *p, int half, uint64_t rel,
                 uint64_t ack, uint32_t flags) noexcept nogil:
        """Rows for a payload: one for each place of the file that it stands in."""
        cdef Segment row
        cdef uint32_t i, done = 0, begins = start_line(p.payload, p.stored) if p.stored else 0
        memset(&row, 0, sizeof(Segment))
        row.time, row.block, row.ack = r.time, r.offset, ack
        row.half = live.conv.id << 1 | half
        row.frame, row.source_frame = r.frame, r.source_frame
        if begins:
            flags |= SEGMENT_START
            judge(track, half if begins == CHUNK_REQUEST else 1 - half, SURE_MESSAGE if p.protocol == TCP else 0)
        for i in range(p.parts):
            row.rel = rel + done if p.protocol == TCP else rel
            row.payload = p.part[i].position
            row.stored = p.part[i].length
            row.length = row.stored if i + 1 < p.parts else p.length - done
            row.flags = flags
            if writer_put(&self.segments, &row) < 0:
                self.failed = True
                return -1
            done += row.stored
            track.half[half].rows += 1
            flags = (flags & SEGMENT_ACKS) | SEGMENT_CONTINUES
        return 0

    # -- the end of a conversation

    cdef void retire(self, Live *live) noexcept nogil:
        """Write the conversation and what is known of its halves."""
        cdef Track *track = self.track_of(live)
        cdef Conv *conv = &live.conv
        cdef Flow flow
        cdef Half *half
        cdef Key *key = &live.key
        cdef uint64_t at = <uint64_t>conv.id - 1
        cdef bint swapped = track.client == 1
        cdef int i
        if conv.id == 0:
            return
        memcpy(conv.client_ip, &key.server_ip[0] if swapped else &key.client_ip[0], 16)
        memcpy(conv.server_ip, &key.client_ip[0] if swapped else &key.server_ip[0], 16)
        conv.client_port = key.server_port if swapped else key.client_port
        conv.server_port = key.client_port if swapped else key.server_port
        if conv.family == 0:
            conv.protocol, conv.client_port, conv.server_port = PPP, 0, 0
            memset(conv.client_ip, 0, 16)
            memset(conv.server_ip, 0, 16)
        memset(&flow, 0, sizeof(Flow))
        flow.id, flow.client, flow.joined, flow.frames = conv.id, track.client, track.joined, track.frames
        flow.first_frame, flow.last_frame, flow.tcp_stream = track.first_frame, track.last_frame, track.tcp_stream
        for i in range(2):
            half = &track.half[i]
            flow.rows[i] = half.rows
            if key.protocol == UDP:
                continue
            if half.flags & HALF_SYN:
                flow.flags |= FLOW_SYN_1 if i else FLOW_SYN_0
                # As `low` was placed, whose low 32 bits are the sequence number.
                flow.base[i] = half.next + <uint64_t><int64_t><int32_t>((half.isn + 1) - <uint32_t>half.next)
                if half.low:
                    flow.base[i] = half.low + <uint64_t><int64_t><int32_t>((half.isn + 1) - <uint32_t>half.low)
            elif half.rows == 0 and half.flags & HALF_ACKED:
                flow.base[i] = half.first_ack
            flow.end[i] = known_end(half)
        if (pwrite(self.convs_fd, conv, sizeof(Conv), at * sizeof(Conv)) != sizeof(Conv)
                or pwrite(self.flows_fd, &flow, sizeof(Flow), at * sizeof(Flow)) != sizeof(Flow)):
            self.failed = True

    def finish(self):
        """Write what is still held; see flows.pyi."""
        while self.oldest:
            self.remove(&self.slots[self.oldest - 1])
        if self.exhausted:
            raise MemoryError
        if writer_flush(&self.segments) < 0 or self.tunnelled and writer_flush(&self.tunnels) < 0 or self.failed:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def losses(self):
        """What belongs to no stream; see flows.pyi."""
        return {"out_of_window": told(&self.strays), "before_start": told(&self.probes)}


cdef tuple told(Stray *loss):
    return loss.count, loss.bytes, loss.block, loss.time, loss.source_frame, loss.frame

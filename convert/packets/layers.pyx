# cython: language_level=3
"""From a frame to the TCP segment or UDP datagram in it.

The link layer is found by a table (links.pyx); behind it, layers are taken off in a loop until a transport header is
reached or something that is not followed.
"""

import ipaddress
from collections import namedtuple

from libc.stdint cimport uint8_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcmp, memcpy, memset

from syswire.convert.packets.links cimport Link, link_of
from syswire.convert.packets.network cimport icmp, ipv4, ipv6
from syswire.convert.packets.packet cimport MOST_OUTER, Packet, Part
from syswire.convert.packets.point_to_point cimport from_client
from syswire.convert.packets.tally cimport tally_add, tally_tuple
from syswire.convert.packets.tunnels cimport carried
from syswire.convert.packets.udp_tunnels cimport tunnelled
from syswire.convert.packets.view cimport (
    KIND_ETHERNET, KIND_FRAGMENT, KIND_HELD, KIND_ICMP, KIND_IP, KIND_IPV4, KIND_IPV6, KIND_LOST, KIND_MALFORMED,
    KIND_OTHER, KIND_PPP_LOGIN, KIND_TCP, KIND_UDP, be16, be32, hold, skip,
)

cdef enum:
    MOST_LAYERS = 32            # headers of IP and of tunnels in one another, and datagrams put together
    TCP_HEADER = 20
    TCP_NEEDED = 16             # bytes of it that must be captured, as Wireshark needs them to number a stream
    UDP_HEADER = 8
    UDP = 17
    LOGIN_SERVER = 1            # "ports" of a login of PPP
    LOGIN_CLIENT = 2
    TCP_SUM = 16                # where the checksum stands in a header
    UDP_SUM = 6
    ICMP_SUM = 2

Decoded = namedtuple("Decoded", (
    "source", "target", "source_port", "target_port", "protocol", "tcp_flags", "seq", "ack", "payload", "length",
    "parts", "mentioned",
))


cdef inline void tcp_fields(const View *v, Packet *p) noexcept nogil:
    p.source_port = be16(v.data)
    p.target_port = be16(v.data + 2)
    p.seq = be32(v.data + 4)
    p.ack = be32(v.data + 8)
    p.tcp_flags = v.data[13]


cdef int tcp(View *v, Packet *p) noexcept nogil:
    """Read a TCP header and move the view to the payload; 0 where it contradicts itself or too little is captured."""
    cdef uint32_t header
    if v.captured < TCP_NEEDED:
        return 0
    tcp_fields(v, p)
    header = (v.data[12] >> 4) * 4
    if header < TCP_HEADER or header > v.original:
        return 0
    to_payload(v, header)
    return 1


cdef int udp(View *v, Packet *p) noexcept nogil:
    """The same of a UDP header. Its length may be 0 (a jumbogram, RFC 2675), and is held to that of the packet."""
    cdef uint32_t length
    if v.captured < UDP_HEADER:
        return 0
    length = be16(v.data + 4)
    if length:
        if length < UDP_HEADER:
            return 0
        if length < v.original:
            hold(v, length)
    p.source_port = be16(v.data)
    p.target_port = be16(v.data + 2)
    p.seq = p.ack = 0
    p.tcp_flags = 0
    to_payload(v, UDP_HEADER)
    return 1


cdef inline void to_payload(View *v, uint32_t header) noexcept nogil:
    # The header may be cut by the snaplen: then nothing of the payload is captured.
    cdef uint32_t missing = header - v.captured if v.captured < header else 0
    v.original -= missing
    skip(v, header - missing)


cdef uint64_t scattered(uint64_t value, const uint8_t *data) noexcept nogil:
    # 16 bytes more in a hash (Fowler, Noll, Vo).
    cdef int i
    for i in range(16):
        value = (value ^ data[i]) * <uint64_t>0x100000001B3
    return value


cdef void name_link(const View *v, Packet *p, bint addressed) noexcept nogil:
    # What both directions of a link have in common: the PPPoE session, the addresses of the tunnel that it is in.
    cdef uint64_t value = 0
    cdef bint swapped
    if addressed:
        swapped = memcmp(p.source, p.target, 16) > 0
        value = scattered(<uint64_t>0xCBF29CE484222325, &p.target[0] if swapped else &p.source[0])
        value = scattered(value, &p.source[0] if swapped else &p.target[0])
    memset(p.source, 0, 16)
    memcpy(p.source, &value, 8)
    memcpy(p.source + 8, &v.session, 4)
    memcpy(p.target, p.source, 16)


cdef class Layers:
    def __cinit__(self):
        self.logins = True
        self.trains = Trains()
        memset(&self.unknown_link_type, 0, sizeof(Tally))
        memset(&self.not_followed, 0, sizeof(Tally))
        memset(&self.malformed, 0, sizeof(Tally))
        memset(&self.short_frame, 0, sizeof(Tally))

    def __dealloc__(self):
        free(self.parts)

    cdef int decode(self, const Record *r, Packet *p) noexcept nogil:
        """DECODED: `p` is filled, valid until the record is not or the next call; PASSED: counted, or kept.

        MENTIONED, only where `mentions` is set: counted too, but Wireshark numbers a stream by it: a TCP header that
        contradicts itself, or one that an ICMP error quotes. The addresses, ports, seq, ack and flags are filled; there
        is no payload.
        """
        cdef Link link = link_of(r.linktype)
        cdef View v
        if link == NULL:
            return self._unknown(r)
        v.data, v.offset, v.captured, v.lacking, v.assembled = r.data, 0, r.captured, 0, 0
        v.session = 0
        v.original = r.original if r.original > r.captured else r.captured
        return self._network(r, &v, link(&v), p)

    cdef int _network(self, const Record *r, View *v, int kind, Packet *p) noexcept nogil:
        cdef Ip ip
        cdef int _depth
        cdef bint quoted = False, addressed = False, held
        cdef uint32_t header
        p.outers, p.outer = 0, &self.outer[0]
        self.sum_count = 0
        for _depth in range(MOST_LAYERS):
            if kind == KIND_UDP:
                header, held = v.offset, v.assembled
                kind = tunnelled(v)
                if kind != KIND_UDP and not held:
                    self._summed(header, UDP_SUM)
            if quoted and kind == KIND_UDP and not v.assembled:
                self._summed(v.offset, UDP_SUM)
            if quoted and (kind == KIND_FRAGMENT or kind == KIND_UDP or kind == KIND_MALFORMED):
                kind = KIND_OTHER       # what is quoted may be cut anywhere
            if kind == KIND_TCP and quoted:
                if not v.assembled:
                    self._summed(v.offset, TCP_SUM)
                return self._mention(r, v, p, &self.not_followed)
            if kind == KIND_TCP or kind == KIND_UDP:
                return self._transport(r, v, kind, p)
            if kind == KIND_IP:
                if v.captured == 0:
                    break
                kind = KIND_IPV6 if v.data[0] >> 4 == 6 else KIND_IPV4
            if kind == KIND_IPV4 or kind == KIND_IPV6:
                if addressed:
                    self._around(p)
                addressed = True
                kind = ipv4(v, p, &ip) if kind == KIND_IPV4 else ipv6(v, p, &ip)
            elif kind == KIND_FRAGMENT:
                kind = self.trains.add(v, p, &ip, r)
            elif kind == KIND_ICMP:
                if not v.assembled:
                    self._summed(v.offset, ICMP_SUM)
                kind = icmp(v, p)
                quoted = True
            elif kind == KIND_PPP_LOGIN and self.logins and not quoted:
                return self._login(r, v, p, addressed)
            elif kind == KIND_HELD or kind == KIND_LOST:    # its table counts
                return PASSED
            elif kind >= KIND_ETHERNET and kind != KIND_PPP_LOGIN:
                kind = carried(v, kind)
            elif kind == KIND_OTHER or kind == KIND_PPP_LOGIN:
                tally_add(&self.not_followed, r, 1, r.original)
                return PASSED
            else:
                break
        tally_add(&self.malformed, r, 1, r.original)
        return PASSED

    cdef void _around(self, Packet *p) noexcept nogil:
        # The addresses so far are those of a tunnel.
        if p.outers < MOST_OUTER:
            memcpy(self.outer[p.outers].source, p.source, 16)
            memcpy(self.outer[p.outers].target, p.target, 16)
            self.outer[p.outers].family = p.family
            p.outers += 1

    cdef int _login(self, const Record *r, const View *v, Packet *p, bint addressed) noexcept nogil:
        if addressed:
            self._around(p)
        name_link(v, p, addressed)
        p.family, p.protocol, p.seq, p.ack, p.tcp_flags = 0, UDP, 0, 0, 0
        p.source_port = LOGIN_CLIENT if from_client(v) else LOGIN_SERVER
        p.target_port = LOGIN_SERVER if from_client(v) else LOGIN_CLIENT
        return self._place(r, v, p)

    cdef int _mention(self, const Record *r, const View *v, Packet *p, Tally *cause) noexcept nogil:
        tally_add(cause, r, 1, r.original)
        if v.captured < TCP_NEEDED or not self.mentions:
            return PASSED
        tcp_fields(v, p)
        p.payload, p.stored, p.length, p.part, p.parts = v.data, 0, 0, &self.part, 0
        return MENTIONED

    cdef void _summed(self, uint32_t header, uint8_t place) noexcept nogil:
        if self.sum_count < MOST_SUMS:
            self.sums[self.sum_count], self.sum_places[self.sum_count] = header, place
            self.sum_count += 1

    cdef int _transport(self, const Record *r, View *v, int kind, Packet *p) noexcept nogil:
        if not v.assembled:
            self._summed(v.offset, TCP_SUM if kind == KIND_TCP else UDP_SUM)
        if kind == KIND_TCP and tcp(v, p) == 0:
            return self._mention(r, v, p, &self.malformed)
        if kind == KIND_UDP and udp(v, p) == 0:
            tally_add(&self.malformed, r, 1, r.original)
            return PASSED
        return self._place(r, v, p)

    cdef int _place(self, const Record *r, const View *v, Packet *p) noexcept nogil:
        if v.lacking:
            tally_add(&self.short_frame, r, 1, v.lacking)
        p.payload, p.stored, p.length = v.data, v.captured, v.original
        if v.assembled:
            return self._parts(r, v, p)
        self.part.position = r.position + v.offset
        self.part.offset, self.part.length = 0, v.captured
        p.part, p.parts = &self.part, 1
        return DECODED

    cdef int _parts(self, const Record *r, const View *v, Packet *p) noexcept nogil:
        # The places of the payload, out of those of the datagram.
        cdef const Part *part
        cdef Part *larger
        cdef uint32_t i, start, stop, count = 0
        if self.part_room <= self.trains.part_count:
            larger = <Part *>realloc(self.parts, (self.trains.part_count + 1) * sizeof(Part))
            if larger == NULL:
                tally_add(&self.trains.incomplete, r, 1, v.original)
                return PASSED
            self.parts, self.part_room = larger, self.trains.part_count + 1
        for i in range(self.trains.part_count):
            part = &self.trains.parts[i]
            start = part.offset if part.offset > v.offset else v.offset
            stop = part.offset + part.length
            if stop > v.offset + v.captured:
                stop = v.offset + v.captured
            if start < stop:
                self.parts[count].position = part.position + (start - part.offset)
                self.parts[count].offset = start - v.offset
                self.parts[count].length = stop - start
                count += 1
        if count == 0:      # no payload: a place of it nevertheless
            self.parts[0].position, self.parts[0].offset, self.parts[0].length = r.position, 0, 0
            count = 1
        p.part, p.parts = self.parts, count
        return DECODED

    cdef int _unknown(self, const Record *r) noexcept nogil:
        cdef uint32_t i
        tally_add(&self.unknown_link_type, r, 1, r.original)
        for i in range(self.unknown_count):
            if self.unknown[i].linktype == r.linktype:
                self.unknown[i].frames += 1
                return PASSED
        if self.unknown_count < MOST_UNKNOWN:
            self.unknown[self.unknown_count].linktype = r.linktype
            self.unknown[self.unknown_count].frames = 1
            self.unknown_count += 1
        return PASSED

    cdef void finish(self) noexcept nogil:
        """At the end of the input: count the fragments that are still waited for."""
        self.trains.finish()

    def close(self):
        """The same, from Python."""
        self.finish()

    @property
    def headers(self):
        return [(self.sums[i], self.sum_places[i]) for i in range(self.sum_count)]

    def losses(self):
        """What was lost so far; see layers.pyi."""
        told = {
            "unknown_link_type": tally_tuple(&self.unknown_link_type),
            "not_followed": tally_tuple(&self.not_followed),
            "malformed_packet": tally_tuple(&self.malformed),
            "short_frame": tally_tuple(&self.short_frame),
        }
        return {cause: tally for cause, tally in told.items() if tally[0]} | self.trains.losses()

    def unknown_links(self):
        """Frames by link type of those that are not decoded."""
        return {self.unknown[i].linktype: self.unknown[i].frames for i in range(self.unknown_count)}

    def decode_frame(self, linktype, bytes data, original=None, position=0, time=0, frame=1, source_frame=None,
                     offset=0):
        """Decode one frame; see layers.pyi."""
        cdef Record r
        cdef Packet p
        cdef const uint8_t *bytes_ = data
        memset(&r, 0, sizeof(r))
        r.data, r.captured, r.linktype = bytes_, len(data), linktype
        r.original = max(r.captured, original or 0)
        r.position, r.time, r.offset, r.frame = position, time, offset, frame
        r.source_frame = frame if source_frame is None else source_frame
        result = self.decode(&r, &p)
        if result == PASSED:
            return None
        size = 4 if p.family == 4 else 16
        parts = tuple((p.part[i].position, p.part[i].offset, p.part[i].length) for i in range(p.parts))
        return Decoded(
            str(ipaddress.ip_address(p.source[:size])), str(ipaddress.ip_address(p.target[:size])), p.source_port,
            p.target_port, p.protocol, p.tcp_flags, p.seq, p.ack, p.payload[:p.stored], p.length, parts,
            result == MENTIONED,
        )

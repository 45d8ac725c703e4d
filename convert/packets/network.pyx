# cython: language_level=3
"""IPv4 and IPv6: from an IP header to what it carries, extension headers passed over.

A packet ends where its own length says, not where the frame does: behind it stands what a link pads with. A length of
zero was left to the network card to fill in (segmentation offload): then the packet is the rest of the frame. Where a
packet claims more than the frame held on the wire, one of the two is wrong; the frame is believed, as Wireshark does,
and what is lacking is told. Checksums are not verified: with offload they are wrong in every capture of the sender.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.string cimport memcpy, memset

from syswire.convert.packets.view cimport (
    KIND_ETHERIP, KIND_FRAGMENT, KIND_GRE, KIND_ICMP, KIND_IPV4, KIND_IPV6, KIND_MALFORMED, KIND_MPLS, KIND_OTHER,
    KIND_TCP, KIND_UDP, be16, be32, hold, skip,
)

cdef enum:
    MOST_EXTENSIONS = 32
    LONGEST_FRAME = 1 << 19
    OPTION_END = 0
    OPTION_NONE = 1
    LOOSE_ROUTE = 131
    STRICT_ROUTE = 137
    HOP_BY_HOP = 0
    ICMP = 1
    IN_IPV4 = 4                 # RFC 2003
    TCP = 6
    UDP = 17
    IN_IPV6 = 41                # RFC 2473, RFC 4213
    ROUTING = 43
    FRAGMENT = 44
    GRE = 47
    AUTHENTICATION = 51
    ICMP_6 = 58
    DESTINATION = 60
    ETHERIP = 97
    MOBILITY = 135
    MPLS = 137                  # RFC 4023
    HOST_IDENTITY = 139
    SHIM6 = 140


cdef uint32_t rest(const View *v) noexcept nogil:
    # Of the frame, unless its length on the wire is more than any card takes: then of what is captured.
    return v.original if v.original <= LONGEST_FRAME else v.captured


cdef void within(View *v, uint32_t size) noexcept nogil:
    if size <= v.original:
        hold(v, size)
    elif size - v.original > v.lacking:     # of packets in one another each may lack the same
        v.lacking = size - v.original


cdef void source_route(const View *v, uint32_t header, Packet *p) noexcept nogil:
    # A packet that still has hops of a source route before it names its target there, as the last one.
    cdef uint32_t at = 20, kind, size
    while at + 1 < header:
        kind, size = v.data[at], v.data[at + 1]
        if kind == OPTION_END:
            return
        if kind == OPTION_NONE:
            size = 1
        elif size < 2 or at + size > header:
            return
        elif (kind == LOOSE_ROUTE or kind == STRICT_ROUTE) and size >= 7 and 4 <= v.data[at + 2] <= size - 3:
            memcpy(p.target, v.data + at + 3 + (size - 3) // 4 * 4 - 4, 4)
        at += size


cdef int ipv4(View *v, Packet *p, Ip *ip) noexcept nogil:
    cdef uint32_t header, total, fragment
    if v.captured < 20:
        return KIND_MALFORMED
    header = (v.data[0] & 15) * 4
    if v.data[0] >> 4 != 4 or header < 20 or header > v.captured:
        return KIND_MALFORMED
    total = be16(v.data + 2)
    if total == 0:
        total = rest(v)
    if total < header:
        return KIND_MALFORMED
    memset(p.source, 0, 16)
    memset(p.target, 0, 16)
    memcpy(p.source, v.data + 12, 4)
    memcpy(p.target, v.data + 16, 4)
    p.family = 4
    fragment = be16(v.data + 6)
    ip.id = be16(v.data + 4)
    ip.next_header = v.data[9]
    ip.more = fragment >> 13 & 1
    ip.place = (fragment & 0x1FFF) * 8
    if header > 20:
        source_route(v, header, p)
    within(v, total)
    skip(v, header)
    if ip.more or ip.place:
        return KIND_FRAGMENT
    return next_header(v, p, ip)


cdef int ipv6(View *v, Packet *p, Ip *ip) noexcept nogil:
    cdef uint32_t length
    if v.captured < 40 or v.data[0] >> 4 != 6:
        return KIND_MALFORMED
    length = be16(v.data + 4)
    memcpy(p.source, v.data + 8, 16)
    memcpy(p.target, v.data + 24, 16)
    p.family = 6
    ip.next_header = v.data[6]
    within(v, 40 + length if length else rest(v))
    skip(v, 40)
    return next_header(v, p, ip)


cdef void route(const View *v, Packet *p) noexcept nogil:
    # A packet that still has hops before it names its target in the routing header, where the reply will come from.
    # Types 0 (RFC 5095) and 2 (RFC 6275) list the last hop last, segment routing (4, RFC 8754) lists it first.
    cdef uint32_t size = v.data[1] * 8      # of what stands behind the first eight bytes
    if v.data[3] and size >= 16:
        if v.data[2] == 4:
            memcpy(p.target, v.data + 8, 16)
        elif (v.data[2] == 0 or v.data[2] == 2) and size % 16 == 0:
            memcpy(p.target, v.data + 8 + size - 16, 16)


cdef int tunnel(uint32_t protocol) noexcept nogil:
    # What a protocol that IP carries is, if it carries packets itself.
    if protocol == IN_IPV4:
        return KIND_IPV4
    if protocol == IN_IPV6:
        return KIND_IPV6
    if protocol == GRE:
        return KIND_GRE
    if protocol == ETHERIP:
        return KIND_ETHERIP
    return KIND_MPLS if protocol == MPLS else KIND_OTHER


cdef int next_header(View *v, Packet *p, Ip *ip) noexcept nogil:
    """Pass over extension headers from ip.next_header on, to a fragment or to what is carried."""
    cdef uint32_t kind, size, fragment
    cdef int _i
    for _i in range(MOST_EXTENSIONS + 1):
        kind = ip.next_header
        if kind == TCP or kind == UDP:
            p.protocol = <uint8_t>kind
            return KIND_TCP if kind == TCP else KIND_UDP
        if kind == (ICMP if p.family == 4 else ICMP_6):
            return KIND_ICMP
        if kind != AUTHENTICATION and (p.family == 4 or not (
                kind == HOP_BY_HOP or kind == DESTINATION or kind == ROUTING or kind == FRAGMENT or kind == MOBILITY
                or kind == HOST_IDENTITY or kind == SHIM6)):
            return tunnel(kind)
        if v.captured < 8:
            return KIND_MALFORMED
        if kind == FRAGMENT:
            size = 8
        elif kind == AUTHENTICATION:
            size = (v.data[1] + 2) * 4
        else:
            size = (v.data[1] + 1) * 8
        if size > v.captured:
            return KIND_MALFORMED
        if kind == ROUTING:
            route(v, p)
        ip.next_header = v.data[0]
        if kind == FRAGMENT:
            fragment = be16(v.data + 2)
            ip.id = be32(v.data + 4)
            ip.more = fragment & 1
            ip.place = fragment & 0xFFF8
            if ip.more or ip.place:
                skip(v, size)
                return KIND_FRAGMENT
        skip(v, size)
    return KIND_MALFORMED


cdef int icmp(View *v, const Packet *p) noexcept nogil:
    """Move to the packet that an error message quotes (RFC 792, RFC 4443).

    Not so for redirects: Wireshark reads no more of what they quote than the ports and the sequence number.
    """
    cdef uint32_t message
    if v.captured < 8:
        return KIND_MALFORMED
    message = v.data[0]
    skip(v, 8)
    if p.family == 6:
        return KIND_IPV6 if 1 <= message <= 4 else KIND_OTHER
    return KIND_IPV4 if message == 3 or message == 4 or message == 11 or message == 12 else KIND_OTHER

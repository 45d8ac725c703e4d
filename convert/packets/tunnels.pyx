# cython: language_level=3
"""Tunnels below UDP: from what encapsulates a packet to the packet.

GRE (RFC 2784, 2890; with source routes RFC 1701; for PPTP RFC 2637) and what Cisco puts in it: ERSPAN of three versions
(draft-foschiano-erspan-03) and WCCP; MPLS (RFC 3032), with pseudowires of Ethernet (RFC 4448); EtherIP (RFC 3378); the
network service header (RFC 8300). A tunnel takes one layer off and names what it found: nothing here calls itself.
"""

from libc.stdint cimport uint32_t

from syswire.convert.packets.ethernet cimport by_type, ethernet
from syswire.convert.packets.point_to_point cimport ppp, pppoe
from syswire.convert.packets.view cimport (
    KIND_ETHERIP, KIND_ETHERNET, KIND_GRE, KIND_IPV4, KIND_IPV6, KIND_MALFORMED, KIND_MPLS, KIND_NSH, KIND_OTHER,
    KIND_PPP, KIND_PPPOE, be16, be32, hold, skip,
)

cdef enum:
    GRE_CHECKSUM = 0x8000
    GRE_ROUTING = 0x4000
    GRE_KEY = 0x2000
    GRE_SEQUENCE = 0x1000
    GRE_ACKNOWLEDGEMENT = 0x0080    # version 1 alone
    GRE_VERSION = 7
    CARRIES_ERSPAN = 0x88BE         # types I and II
    CARRIES_ERSPAN_3 = 0x22EB
    CARRIES_WCCP = 0x883E
    MOST_ROUTES = 16
    LABEL_IPV4 = 0                  # explicit null
    LABEL_IPV6 = 2
    LAST_LABEL = 0x100              # the bottom of the stack
    NSH_IPV4 = 1
    NSH_IPV6 = 2
    NSH_ETHERNET = 3
    NSH_NSH = 4
    NSH_MPLS = 5


cdef int carried(View *v, int kind) noexcept nogil:
    """Take off a layer of one of the kinds from KIND_ETHERNET on; the kind of what it carries."""
    if kind == KIND_ETHERNET:
        return ethernet(v)
    if kind == KIND_PPP:
        return ppp(v)
    if kind == KIND_PPPOE:
        return pppoe(v)
    if kind == KIND_MPLS:
        return labels(v)
    if kind == KIND_GRE:
        return gre(v)
    if kind == KIND_ETHERIP:
        return ether_ip(v)
    if kind == KIND_NSH:
        return service(v)
    return KIND_OTHER


cdef int gre(View *v) noexcept nogil:
    cdef uint32_t flags, kind, header = 4, routes = 0
    if v.captured < 4:
        return KIND_MALFORMED
    flags, kind = be16(v.data), be16(v.data + 2)
    if flags & GRE_VERSION == 1:
        return gre_for_pptp(v, flags)
    if flags & GRE_VERSION:
        return KIND_OTHER
    if flags & (GRE_CHECKSUM | GRE_ROUTING):
        header += 4
    if flags & GRE_KEY:
        header += 4
    if flags & GRE_SEQUENCE:
        header += 4
    if flags & GRE_ROUTING:         # family (2), offset, length, and an empty one at the end
        while True:
            routes += 1
            if v.captured < header + 4 or routes > MOST_ROUTES:
                return KIND_MALFORMED
            header += 4
            if be16(v.data + header - 4) == 0 and v.data[header - 1] == 0:
                break
            header += v.data[header - 1]
    if v.captured < header:
        return KIND_MALFORMED
    skip(v, header)
    if kind == CARRIES_ERSPAN or kind == CARRIES_ERSPAN_3:
        return mirrored(v, kind, flags)
    if kind == CARRIES_WCCP:
        if v.captured < 4:
            return KIND_MALFORMED
        if v.data[0] >> 4 != 4:     # version 2: a header of four bytes
            skip(v, 4)
        return KIND_IPV4
    return by_type(v, kind, False)


cdef int gre_for_pptp(View *v, uint32_t flags) noexcept nogil:
    # Version 1 has a key always: the payload's length and the call. Without a number it only acknowledges.
    cdef uint32_t length, header = 8
    if v.captured < 8:
        return KIND_MALFORMED
    if not flags & GRE_SEQUENCE or not flags & GRE_KEY:
        return KIND_OTHER
    length = be16(v.data + 4)
    header += 4
    if flags & GRE_ACKNOWLEDGEMENT:
        header += 4
    if v.captured < header:
        return KIND_MALFORMED
    skip(v, header)
    if length < v.original:
        hold(v, length)
    return KIND_PPP


cdef int mirrored(View *v, uint32_t kind, uint32_t flags) noexcept nogil:
    # Type I has no header and no sequence number; II has eight bytes, III twelve, and eight more where the last bit
    # tells so.
    cdef uint32_t header = 8
    if kind == CARRIES_ERSPAN and not flags & GRE_SEQUENCE:
        return KIND_ETHERNET
    if v.captured < 8:
        return KIND_MALFORMED
    if v.data[0] >> 4 == 2:
        if v.captured < 12:
            return KIND_MALFORMED
        header = 20 if v.data[11] & 1 else 12
    elif v.data[0] >> 4 != 1:
        return KIND_OTHER
    if v.captured < header:
        return KIND_MALFORMED
    skip(v, header)
    return KIND_ETHERNET


cdef bint begins_frame(const View *v, uint32_t at) noexcept nogil:
    # Whether an Ethernet frame may stand there: what it carries begins as its type tells.
    cdef uint32_t kind
    if v.captured < at + 15:
        return False
    kind = be16(v.data + at + 12)
    if kind == 0x0800 or kind == 0x86DD:
        return v.data[at + 14] >> 4 == (4 if kind == 0x0800 else 6)
    return kind == 0x8100 or kind == 0x88A8 or kind == 0x8847 or kind == 0x8864


cdef bint begins_packet(const View *v, uint32_t version) noexcept nogil:
    # Whether an IP packet of this version may stand there: it has a length, and no more than there is.
    if v.captured < 20 or v.data[0] >> 4 != version:
        return False
    if version == 6:
        return 40 + be16(v.data + 4) <= v.original
    return v.data[0] & 15 >= 5 and 20 <= be16(v.data + 2) <= v.original


cdef int labels(View *v) noexcept nogil:
    # What stands behind the labels is not told, but for two of them: it is guessed by its first half-byte, as routers
    # do. A pseudowire may have a control word, whose first half-byte is 0 (RFC 4385), before its frame.
    cdef uint32_t entry
    while True:
        if v.captured < 4:
            return KIND_MALFORMED
        entry = be32(v.data)
        skip(v, 4)
        if entry & LAST_LABEL:
            break
    if v.captured == 0:
        return KIND_MALFORMED
    if entry >> 12 == LABEL_IPV4:
        return KIND_IPV4
    if entry >> 12 == LABEL_IPV6:
        return KIND_IPV6
    if begins_packet(v, 4):
        return KIND_IPV4
    if begins_packet(v, 6):
        return KIND_IPV6
    if v.data[0] >> 4 == 0 and begins_frame(v, 4):
        skip(v, 4)
        return KIND_ETHERNET
    if begins_frame(v, 0):
        return KIND_ETHERNET
    if v.data[0] >> 4 == 4:         # a packet that claims more than there is, or leaves its length open
        return KIND_IPV4
    return KIND_IPV6 if v.data[0] >> 4 == 6 else KIND_OTHER


cdef int ether_ip(View *v) noexcept nogil:
    if v.captured < 2:
        return KIND_MALFORMED
    if v.data[0] >> 4 != 3:
        return KIND_OTHER
    skip(v, 2)
    return KIND_ETHERNET


cdef int service(View *v) noexcept nogil:
    # Version, flags, time to live and length in words (2), kind of metadata, what follows, path (4), context.
    cdef uint32_t header, kind
    if v.captured < 8:
        return KIND_MALFORMED
    header, kind = (v.data[1] & 0x3F) * 4, v.data[3]
    if v.data[0] >> 6:
        return KIND_OTHER
    if header < 8 or header > v.captured:
        return KIND_MALFORMED
    skip(v, header)
    if kind == NSH_IPV4:
        return KIND_IPV4
    if kind == NSH_IPV6:
        return KIND_IPV6
    if kind == NSH_ETHERNET:
        return KIND_ETHERNET
    if kind == NSH_NSH:
        return KIND_NSH
    return KIND_MPLS if kind == NSH_MPLS else KIND_OTHER

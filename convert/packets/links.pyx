# cython: language_level=3
"""Link layers: from a frame to the IP packet in it. One function a link type, and a table of them."""

from libc.stdint cimport uint32_t

from syswire.convert.packets.ethernet cimport by_ethertype, by_llc, by_type, ethernet
from syswire.convert.packets.point_to_point cimport (
    cisco_hdlc, frame_relay, frame_relay_directed, ppp_directed, ppp_pppd, ppp_serial, pppoe,
)
from syswire.convert.packets.view cimport (
    KIND_IP, KIND_IPV4, KIND_IPV6, KIND_MALFORMED, KIND_OTHER, be16, be32, hold, le16, le32, skip,
)
from syswire.convert.packets.wireless cimport avs, prism, radiotap, wireless

cdef enum:
    LINK_TYPES = 512            # the table's size; no assigned number is beyond it
    ETHERTYPE_IPV4 = 0x0800
    ETHERTYPE_IPV6 = 0x86DD
    SLL_LLC = 0x0004            # protocol of a Linux cooked header: an 802.2 header follows
    PPI = 192
    PKTAP = 258
    NFLOG_PAYLOAD = 9           # NFULA_PAYLOAD
    INET = 2                    # address families of Linux
    INET_6 = 10

cdef Link table[LINK_TYPES]


cdef Link link_of(uint16_t linktype) noexcept nogil:
    return table[linktype] if linktype < LINK_TYPES else NULL


cdef int by_family(View *v) noexcept nogil:
    # BSD loopback: an address family in the order of the machine that captured. IPv6's number differs between systems:
    # 10 Linux, 24 NetBSD and OpenBSD, 28 FreeBSD, 30 Darwin. Some drivers put an Ethernet type there.
    cdef uint32_t family
    if v.captured < 4:
        return KIND_MALFORMED
    family = be32(v.data)
    if family > 0xFFFF:
        family = family >> 24 | (family >> 8 & 0xFF00) | (family << 8 & 0xFF0000) | family << 24
    skip(v, 4)
    if family == 2 or family == ETHERTYPE_IPV4:
        return KIND_IPV4
    if family == 10 or family == 24 or family == 28 or family == 30 or family == ETHERTYPE_IPV6:
        return KIND_IPV6
    return KIND_OTHER


cdef int raw(View *v) noexcept nogil:
    return KIND_IP


cdef int raw_ipv4(View *v) noexcept nogil:
    return KIND_IPV4


cdef int raw_ipv6(View *v) noexcept nogil:
    return KIND_IPV6


cdef int by_cooked(View *v, uint32_t kind) noexcept nogil:
    # The view is behind the header.
    if kind == SLL_LLC:
        return by_llc(v)
    return by_type(v, kind, False)


cdef int cooked(View *v) noexcept nogil:
    # Linux "any": packet type, hardware type, address length, address (8), protocol
    cdef uint32_t kind
    if v.captured < 16:
        return KIND_MALFORMED
    kind = be16(v.data + 14)
    skip(v, 16)
    return by_cooked(v, kind)


cdef int cooked_2(View *v) noexcept nogil:
    # protocol, reserved, interface (4), hardware type, packet type, address length, address (8)
    cdef uint32_t kind
    if v.captured < 20:
        return KIND_MALFORMED
    kind = be16(v.data)
    skip(v, 20)
    return by_cooked(v, kind)


cdef int fddi(View *v) noexcept nogil:
    # Frame control, target, source: frames of the upper layers have 01 as format.
    if v.captured < 13:
        return KIND_MALFORMED
    if v.data[0] & 0x30 != 0x10:
        return KIND_OTHER
    skip(v, 13)
    return by_llc(v)


cdef int token_ring(View *v) noexcept nogil:
    # Access control, frame control, target, source, and where the source says so the route.
    cdef uint32_t header = 14
    if v.captured < 16:
        return KIND_MALFORMED
    if v.data[1] & 0xC0 != 0x40:
        return KIND_OTHER
    if v.data[8] & 0x80:
        header += v.data[14] & 0x1F
    if v.captured < header:
        return KIND_MALFORMED
    skip(v, header)
    return by_llc(v)


cdef int firewire(View *v) noexcept nogil:
    # IP over IEEE 1394 as Apple gives it: target (8), source (8), an Ethernet type.
    if v.captured < 18:
        return KIND_MALFORMED
    skip(v, 16)
    return by_ethertype(v, False)


cdef int analyser(View *v) noexcept nogil:
    # netANALYZER: four bytes of its own, then Ethernet.
    if v.captured < 4:
        return KIND_MALFORMED
    skip(v, 4)
    return ethernet(v)


cdef int behind(View *v, uint32_t header) noexcept nogil:
    if v.captured < header:
        return KIND_MALFORMED
    skip(v, header)
    return KIND_IP


cdef int encapsulating(View *v) noexcept nogil:
    # OpenBSD's enc: address family, index of the association, flags.
    return behind(v, 12)


cdef int solaris(View *v) noexcept nogil:
    # IPNET: version, family, hook, length, three interfaces and zones.
    return behind(v, 24)


cdef int packet_filter(View *v) noexcept nogil:
    # PFLOG: the header's length without what pads it to four bytes, the address family.
    if v.captured < 4:
        return KIND_MALFORMED
    return behind(v, v.data[0] + 3 & ~<uint32_t>3) if v.data[0] >= 4 else KIND_MALFORMED


cdef uint32_t attribute(const View *v, uint32_t wanted, bint little, uint32_t *size) noexcept nogil:
    # Where the value of an attribute of NFLOG stands, and how long it is; 0 where the attributes do not add up to it.
    # The value alone may go beyond what was captured.
    cdef uint32_t at = 4, length, kind
    while at + 4 <= v.captured:
        length = le16(v.data + at) if little else be16(v.data + at)
        kind = (le16(v.data + at + 2) if little else be16(v.data + at + 2)) & 0x7FFF
        if length < 4 or length > v.original - at:
            return 0
        if kind == wanted:
            size[0] = length - 4
            return at + 4
        at += length + 3 & ~<uint32_t>3
    return 0


cdef int netfilter_log(View *v) noexcept nogil:
    # Family, version, resource, and attributes in the order of the machine that captured, which is not told.
    cdef uint32_t at, size = 0
    cdef int kind
    if v.captured < 4:
        return KIND_MALFORMED
    if v.data[1] or v.data[0] != INET and v.data[0] != INET_6:
        return KIND_OTHER
    kind = KIND_IPV4 if v.data[0] == INET else KIND_IPV6
    at = attribute(v, NFLOG_PAYLOAD, True, &size)
    if at == 0:
        at = attribute(v, NFLOG_PAYLOAD, False, &size)
    if at == 0:
        return KIND_MALFORMED
    skip(v, at)
    hold(v, size)
    return kind


cdef int by_inner_link(View *v, uint32_t header, uint32_t linktype) noexcept nogil:
    # Of a header that names the link type behind it. No such header names another.
    cdef Link link
    if header < 8 or header > v.captured:
        return KIND_MALFORMED
    if linktype >= LINK_TYPES or linktype == PPI or linktype == PKTAP:
        return KIND_OTHER
    link = table[linktype]
    if link == NULL:
        return KIND_OTHER
    skip(v, header)
    return link(v)


cdef int per_packet(View *v) noexcept nogil:
    # PPI: version, flags, length (2), link type (4).
    if v.captured < 8:
        return KIND_MALFORMED
    return by_inner_link(v, le16(v.data + 2), le32(v.data + 4))


cdef int tap(View *v) noexcept nogil:
    # Apple's PKTAP: length (4), kind of record (4), link type (4).
    if v.captured < 12:
        return KIND_MALFORMED
    return by_inner_link(v, le32(v.data), le32(v.data + 8))


table[0] = table[108] = by_family
table[1] = ethernet
table[6] = token_ring
table[9] = table[50] = ppp_serial
table[10] = fddi
table[12] = table[14] = table[101] = raw
table[51] = pppoe
table[100] = by_llc
table[104] = cisco_hdlc
table[105] = wireless
table[107] = frame_relay
table[109] = encapsulating
table[113] = cooked
table[117] = packet_filter
table[119] = prism
table[127] = radiotap
table[138] = firewire
table[163] = avs
table[166] = ppp_pppd
table[PPI] = per_packet
table[204] = ppp_directed
table[206] = frame_relay_directed
table[226] = solaris
table[228] = raw_ipv4
table[229] = raw_ipv6
table[239] = netfilter_log
table[240] = analyser
table[PKTAP] = tap
table[276] = cooked_2


def known_link_types():
    """The link types that are decoded, ascending."""
    return [number for number in range(LINK_TYPES) if table[number] != NULL]

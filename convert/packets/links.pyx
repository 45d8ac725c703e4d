# cython: language_level=3
"""Link layers: from a frame to the IP packet in it. One function a link type, and a table of them."""

from libc.stdint cimport uint32_t

from syswire.convert.packets.view cimport (
    KIND_IP, KIND_IPV4, KIND_IPV6, KIND_MALFORMED, KIND_OTHER, be16, be32, hold, skip,
)

cdef enum:
    LINK_TYPES = 512            # the table's size; no assigned number is beyond it
    MOST_TAGS = 16              # VLAN tags in a frame
    ETHERTYPE_IPV4 = 0x0800
    ETHERTYPE_IPV6 = 0x86DD
    ETHERTYPE_VLAN = 0x8100     # IEEE 802.1Q
    ETHERTYPE_SERVICE = 0x88A8  # IEEE 802.1ad
    ETHERTYPE_QINQ = 0x9100     # the same before it was standardised
    LONGEST_802_3 = 1500        # what is no greater is a length, not a type
    SAP_SNAP = 0xAA
    SAP_IP = 0x06
    UNNUMBERED = 0x03
    SLL_LLC = 0x0004            # protocol of a Linux cooked header: an 802.2 header follows

cdef Link table[LINK_TYPES]


cdef Link link_of(uint16_t linktype) noexcept nogil:
    return table[linktype] if linktype < LINK_TYPES else NULL


cdef int by_llc(View *v) noexcept nogil:
    # IEEE 802.2, and the sub-network access protocol of RFC 1042. The organisation 00-00-F8 tunnels such frames
    # through bridges (IEEE 802.1H).
    if v.captured < 3:
        return KIND_MALFORMED
    if v.data[0] == SAP_IP and v.data[2] == UNNUMBERED:
        skip(v, 3)
        return KIND_IPV4
    if v.data[0] != SAP_SNAP or v.data[2] != UNNUMBERED:
        return KIND_OTHER
    if v.captured < 8:
        return KIND_MALFORMED
    if v.data[3] or v.data[4] or v.data[5] and v.data[5] != 0xF8:
        return KIND_OTHER
    skip(v, 6)
    return by_ethertype(v, False)


cdef int by_ethertype(View *v, bint lengths) noexcept nogil:
    # The view is at an Ethernet type, or where `lengths` at the length of an IEEE 802.3 frame; VLAN tags may stand
    # before the one that counts.
    cdef uint32_t kind, tags = 0
    if v.captured < 2:
        return KIND_MALFORMED
    kind = be16(v.data)
    while kind == ETHERTYPE_VLAN or kind == ETHERTYPE_SERVICE or kind == ETHERTYPE_QINQ:
        tags += 1
        if v.captured < 6 or tags > MOST_TAGS:
            return KIND_MALFORMED
        skip(v, 4)
        kind = be16(v.data)
    skip(v, 2)
    if kind == ETHERTYPE_IPV4:
        return KIND_IPV4
    if kind == ETHERTYPE_IPV6:
        return KIND_IPV6
    if lengths and kind <= LONGEST_802_3:
        if kind < v.original:
            hold(v, kind)
        return by_llc(v)
    return KIND_OTHER


cdef int ethernet(View *v) noexcept nogil:
    if v.captured < 14:
        return KIND_MALFORMED
    skip(v, 12)
    return by_ethertype(v, True)


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


cdef int by_cooked(View *v, uint32_t protocol, uint32_t header) noexcept nogil:
    # `protocol` is the place of the protocol in the header.
    cdef uint32_t kind = be16(v.data + protocol)
    if kind == SLL_LLC:
        skip(v, header)
        return by_llc(v)
    if kind == ETHERTYPE_IPV4 or kind == ETHERTYPE_IPV6:
        skip(v, header)
        return KIND_IPV4 if kind == ETHERTYPE_IPV4 else KIND_IPV6
    if kind == ETHERTYPE_VLAN or kind == ETHERTYPE_SERVICE or kind == ETHERTYPE_QINQ:
        if v.captured < header + 4:
            return KIND_MALFORMED
        skip(v, header + 2)     # a tag: what it tags follows it as an Ethernet type
        return by_ethertype(v, False)
    return KIND_OTHER


cdef int cooked(View *v) noexcept nogil:
    # Linux "any": packet type, hardware type, address length, address (8), protocol
    return KIND_MALFORMED if v.captured < 16 else by_cooked(v, 14, 16)


cdef int cooked_2(View *v) noexcept nogil:
    # protocol, reserved, interface (4), hardware type, packet type, address length, address (8)
    return KIND_MALFORMED if v.captured < 20 else by_cooked(v, 0, 20)


table[0] = table[108] = by_family
table[1] = ethernet
table[12] = table[14] = table[101] = raw
table[113] = cooked
table[276] = cooked_2
table[228] = raw_ipv4
table[229] = raw_ipv6


def known_link_types():
    """The link types that are decoded, ascending."""
    return [number for number in range(LINK_TYPES) if table[number] != NULL]

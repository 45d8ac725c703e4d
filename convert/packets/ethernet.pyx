# cython: language_level=3
"""Ethernet and IEEE 802.2: from a frame, or from an Ethernet type, to what is carried.

Tags stand between the addresses and the type that counts, in any order and number up to a bound: VLANs (IEEE 802.1Q,
802.1ad), port extension (802.1BR and its forerunner VN-Tag), redundancy (IEC 62439-3), integrity without encryption
(802.1AE).
"""

from libc.stdint cimport uint32_t

from syswire.convert.packets.view cimport (
    KIND_ETHERNET, KIND_IPV4, KIND_IPV6, KIND_MALFORMED, KIND_MPLS, KIND_NSH, KIND_OTHER, KIND_PPP, KIND_PPPOE, View,
    be16, hold, skip,
)

cdef enum:
    MOST_TAGS = 16              # in a frame
    TYPE_IPV4 = 0x0800
    TYPE_BRIDGING = 0x6558      # an Ethernet frame (RFC 1701)
    TYPE_VLAN = 0x8100          # IEEE 802.1Q
    TYPE_IPV6 = 0x86DD
    TYPE_PPP = 0x880B
    TYPE_MPLS = 0x8847
    TYPE_MPLS_UPSTREAM = 0x8848
    TYPE_PPPOE = 0x8864         # a session; 0x8863 finds one and carries nothing
    TYPE_SERVICE = 0x88A8       # IEEE 802.1ad
    TYPE_MACSEC = 0x88E5        # IEEE 802.1AE
    TYPE_BACKBONE = 0x88E7      # IEEE 802.1ah
    TYPE_FABRIC_PATH = 0x8903
    TYPE_VN_TAG = 0x8926
    TYPE_REDUNDANCY = 0x892F    # HSR
    TYPE_EXTENSION = 0x893F     # IEEE 802.1BR
    TYPE_NSH = 0x894F           # RFC 8300
    TYPE_QINQ = 0x9100          # 802.1ad before it was standardised
    LONGEST_802_3 = 1500        # what is no greater is a length, not a type
    SAP_SNAP = 0xAA
    SAP_IP = 0x06
    UNNUMBERED = 0x03
    ENCRYPTED = 0x0C            # of 802.1AE: encryption, changed text
    CHANNEL = 0x20              # the same: the sender's channel is told


cdef int by_llc(View *v) noexcept nogil:
    """IEEE 802.2, and the sub-network access protocol of RFC 1042.

    The organisation 00-00-F8 tunnels such frames through bridges (IEEE 802.1H).
    """
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


cdef int of_ethertype(View *v, uint32_t kind) noexcept nogil:
    # What an Ethernet type that is no tag's tells of the bytes behind it.
    cdef uint32_t header
    if kind == TYPE_IPV4:
        return KIND_IPV4
    if kind == TYPE_IPV6:
        return KIND_IPV6
    if kind == TYPE_MPLS or kind == TYPE_MPLS_UPSTREAM:
        return KIND_MPLS
    if kind == TYPE_PPPOE:
        return KIND_PPPOE
    if kind == TYPE_BRIDGING:
        return KIND_ETHERNET
    if kind == TYPE_PPP:
        return KIND_PPP
    if kind == TYPE_NSH:
        return KIND_NSH
    if kind == TYPE_BACKBONE or kind == TYPE_FABRIC_PATH:     # a tag, and then a frame with its addresses
        header = 4 if kind == TYPE_BACKBONE else 2
        if v.captured < header:
            return KIND_MALFORMED
        skip(v, header)
        return KIND_ETHERNET
    return KIND_OTHER


cdef int by_type(View *v, uint32_t kind, bint lengths) noexcept nogil:
    """The view is behind an Ethernet type, or where `lengths` the length of an IEEE 802.3 frame: over tags to what
    they tag.
    """
    cdef uint32_t size, tags = 0    # from behind one type to behind the next
    while kind != TYPE_IPV4:
        if kind == TYPE_VLAN or kind == TYPE_SERVICE or kind == TYPE_QINQ:
            size = 4
        elif kind == TYPE_VN_TAG or kind == TYPE_REDUNDANCY:
            size = 6
        elif kind == TYPE_EXTENSION:
            size = 8
        elif kind == TYPE_MACSEC:
            if v.captured < 1:
                return KIND_MALFORMED
            if v.data[0] & ENCRYPTED:
                return KIND_OTHER
            size = 16 if v.data[0] & CHANNEL else 8
        else:
            break
        tags += 1
        if v.captured < size or tags > MOST_TAGS:
            return KIND_MALFORMED
        skip(v, size)
        kind = be16(v.data - 2)
    if lengths and kind <= LONGEST_802_3:
        if kind < v.original:
            hold(v, kind)
        return by_llc(v)
    return of_ethertype(v, kind)


cdef int by_ethertype(View *v, bint lengths) noexcept nogil:
    """The view is at an Ethernet type, or where `lengths` at the length of an IEEE 802.3 frame; tags may precede it."""
    cdef uint32_t kind
    if v.captured < 2:
        return KIND_MALFORMED
    kind = be16(v.data)
    skip(v, 2)
    return by_type(v, kind, lengths)


cdef int ethernet(View *v) noexcept nogil:
    """From the addresses of a frame on."""
    if v.captured < 14:
        return KIND_MALFORMED
    skip(v, 12)
    return by_ethertype(v, True)

# cython: language_level=3
"""PPP (RFC 1661, RFC 1662), PPPoE (RFC 2516), Cisco's HDLC and frame relay (RFC 2427)."""

from libc.stdint cimport uint32_t

from syswire.convert.packets.ethernet cimport by_ethertype
from syswire.convert.packets.view cimport (
    KIND_ETHERNET, KIND_IPV4, KIND_IPV6, KIND_MALFORMED, KIND_MPLS, KIND_OTHER, KIND_PPP_LOGIN, be16, hold, skip,
)

cdef enum:
    ALL_STATIONS = 0xFF         # the address of RFC 1662's framing
    UNNUMBERED = 0x03           # its control field, and that of frame relay
    CISCO_UNICAST = 0x0F        # the addresses of Cisco's HDLC
    CISCO_MULTICAST = 0x8F
    PPP_IPV4 = 0x0021
    PPP_BRIDGING = 0x0031       # RFC 3518
    PPP_IPV6 = 0x0057
    PPP_MPLS = 0x0281
    PPP_MPLS_UPSTREAM = 0x0283
    PPP_PAP = 0xC023            # RFC 1334
    PPP_CHAP = 0xC223           # RFC 1994
    PPP_EAP = 0xC227            # RFC 3748
    LOGIN_HEADER = 6            # the protocol's number (2), code, identifier, length (2)
    PAP_NAK = 3                 # the last of PAP's codes
    CHAP_FAILURE = 4            # of CHAP's, and of EAP's
    BRIDGED_ETHERNET = 1
    NLPID_SNAP = 0x80
    NLPID_IPV6 = 0x8E
    NLPID_IPV4 = 0xCC
    LONGEST_ADDRESS = 4         # of Q.922


cdef int login(View *v, uint32_t protocol) noexcept nogil:
    # From the protocol's number on, which is two bytes wide; a length behind the frame's end is none of it.
    cdef uint32_t length
    if v.captured < LOGIN_HEADER:
        return KIND_MALFORMED
    length = be16(v.data + 4)
    if v.data[2] == 0 or v.data[2] > (PAP_NAK if protocol == PPP_PAP else CHAP_FAILURE):
        return KIND_OTHER
    if length < 4 or length + 2 > v.original:
        return KIND_OTHER
    hold(v, length + 2)
    return KIND_PPP_LOGIN


cdef bint from_client(const View *v) noexcept nogil:
    """Whether a frame that authenticates comes from who is to be let in: its code tells."""
    return v.data[2] == (1 if be16(v.data) == PPP_PAP else 2)


cdef int ppp(View *v) noexcept nogil:
    """A PPP frame; address, control and the first byte of the protocol may be left out."""
    cdef uint32_t protocol
    if v.captured >= 2 and v.data[0] == ALL_STATIONS and v.data[1] == UNNUMBERED:
        skip(v, 2)
    if v.captured < 2:
        return KIND_MALFORMED
    protocol = v.data[0]
    if protocol & 1:
        skip(v, 1)
    else:
        protocol = be16(v.data)
        if protocol == PPP_PAP or protocol == PPP_CHAP or protocol == PPP_EAP:
            return login(v, protocol)
        skip(v, 2)
    if protocol == PPP_IPV4:
        return KIND_IPV4
    if protocol == PPP_IPV6:
        return KIND_IPV6
    if protocol == PPP_MPLS or protocol == PPP_MPLS_UPSTREAM:
        return KIND_MPLS
    if protocol == PPP_BRIDGING:
        if v.captured < 2:
            return KIND_MALFORMED
        if v.data[1] == BRIDGED_ETHERNET:
            skip(v, 2)
            return KIND_ETHERNET
    return KIND_OTHER


cdef int ppp_serial(View *v) noexcept nogil:
    """The link type PPP, which is used for Cisco's HDLC too."""
    if v.captured and (v.data[0] == CISCO_UNICAST or v.data[0] == CISCO_MULTICAST):
        return cisco_hdlc(v)
    return ppp(v)


cdef int ppp_directed(View *v) noexcept nogil:
    """PPP behind a byte that tells the direction."""
    if v.captured < 1:
        return KIND_MALFORMED
    skip(v, 1)
    return ppp_serial(v)


cdef int ppp_pppd(View *v) noexcept nogil:
    """PPP whose address is overwritten by the direction."""
    if v.captured < 2:
        return KIND_MALFORMED
    if v.data[1] == UNNUMBERED:
        skip(v, 2)
    return ppp(v)


cdef int pppoe(View *v) noexcept nogil:
    """Version and type, code, session (2), length (2), PPP."""
    cdef uint32_t length
    if v.captured < 6:
        return KIND_MALFORMED
    if v.data[0] != 0x11 or v.data[1]:
        return KIND_OTHER
    length = be16(v.data + 4)
    v.session = be16(v.data + 2)
    skip(v, 6)
    if length < v.original:
        hold(v, length)
    return ppp(v)


cdef int cisco_hdlc(View *v) noexcept nogil:
    """Address, zero, an Ethernet type."""
    if v.captured < 4:
        return KIND_MALFORMED
    skip(v, 2)
    return by_ethertype(v, False)


cdef int frame_relay(View *v) noexcept nogil:
    """An address of two to four bytes, then RFC 2427's header or, with Cisco, an Ethernet type."""
    cdef uint32_t size = 1, protocol
    while size <= v.captured and not v.data[size - 1] & 1:  # the last byte of the address has this bit
        size += 1
        if size > LONGEST_ADDRESS:
            return KIND_OTHER
    if v.captured < size + 3:
        return KIND_MALFORMED
    skip(v, size)
    if v.data[0] != UNNUMBERED:
        return by_ethertype(v, False)
    skip(v, 2 if v.data[1] == 0 else 1)     # a byte to align
    protocol = v.data[0]
    skip(v, 1)
    if protocol == NLPID_IPV4:
        return KIND_IPV4
    if protocol == NLPID_IPV6:
        return KIND_IPV6
    if protocol != NLPID_SNAP:
        return KIND_OTHER
    if v.captured < 5:
        return KIND_MALFORMED
    if v.data[0] == 0 and v.data[1] == 0 and v.data[2] == 0:
        skip(v, 3)
        return by_ethertype(v, False)
    if v.data[0] == 0 and v.data[1] == 0x80 and v.data[2] == 0xC2 and (be16(v.data + 3) | 6) == 7:
        skip(v, 5)              # bridged, with check sequence (1) or without (7)
        return KIND_ETHERNET
    return KIND_OTHER


cdef int frame_relay_directed(View *v) noexcept nogil:
    """Frame relay behind a byte that tells the direction."""
    if v.captured < 1:
        return KIND_MALFORMED
    skip(v, 1)
    return frame_relay(v)

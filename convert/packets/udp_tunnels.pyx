# cython: language_level=3
"""Tunnels in UDP, by the ports that are assigned to them.

VXLAN (RFC 7348) and its generic extension (draft-ietf-nvo3-vxlan-gpe), GENEVE (RFC 8926), GTP (3GPP TS 29.281 and, its
first version, 29.060), Teredo (RFC 4380), L2TP (RFC 2661), MPLS (RFC 7510), TZSP. What does not begin as one of them
stays a datagram of its own.
"""

from libc.stdint cimport uint32_t

from syswire.convert.packets.ethernet cimport by_type
from syswire.convert.packets.view cimport (
    KIND_ETHERNET, KIND_IPV4, KIND_IPV6, KIND_MALFORMED, KIND_MPLS, KIND_NSH, KIND_OTHER, KIND_PPP, KIND_UDP, be16,
    hold, skip,
)

cdef enum:
    UDP_HEADER = 8
    WELL_KNOWN = 1024           # ports below belong to other protocols (RFC 6335, 6)
    TYPE_IPV4 = 0x0800
    TYPE_IPV6 = 0x86DD
    PORT_L2TP = 1701
    PORT_GTP = 2152
    PORT_GTP_0 = 3386
    PORT_TEREDO = 3544
    PORT_VXLAN = 4789
    PORT_VXLAN_GPE = 4790
    PORT_GENEVE = 6081
    PORT_MPLS = 6635
    PORT_TZSP = 37008
    G_PDU = 255                 # the message of GTP that carries a packet
    MOST_GTP_EXTENSIONS = 32
    L2TP_CONTROL = 0x8000
    L2TP_LENGTH = 0x4000
    L2TP_SEQUENCE = 0x0800
    L2TP_OFFSET = 0x0200
    TZSP_END = 1
    TZSP_PADDING = 0


cdef int tunnelled(View *v) noexcept nogil:
    """From a UDP header to what is in the tunnel; KIND_UDP, and the view where it was, if there is none."""
    cdef View inner
    cdef uint32_t length
    cdef int kind
    if v.captured < UDP_HEADER:
        return KIND_UDP
    if not (assigned(be16(v.data + 2)) or assigned(be16(v.data))):
        return KIND_UDP
    inner = v[0]
    length = be16(v.data + 4)
    if length and length < UDP_HEADER:
        return KIND_UDP
    if length and length < inner.original:
        hold(&inner, length)
    skip(&inner, UDP_HEADER)
    kind = by_port(&inner, be16(v.data + 2))
    if kind == KIND_UDP:
        kind = by_port(&inner, be16(v.data))
    if kind == KIND_UDP or not evident(&inner, kind) and (be16(v.data) < WELL_KNOWN or be16(v.data + 2) < WELL_KNOWN):
        return KIND_UDP     # a tunnel's port can be that of a client, of DNS for one
    v[0] = inner
    return kind


cdef bint evident(const View *v, int kind) noexcept nogil:
    # Whether what was found begins as IP, or as a frame of it.
    cdef uint32_t at = 0, version
    if kind == KIND_ETHERNET:
        at = 14
    elif kind != KIND_IPV4 and kind != KIND_IPV6:
        return False
    if v.captured <= at:
        return False
    version = v.data[at] >> 4
    if kind == KIND_ETHERNET:
        return be16(v.data + 12) == (TYPE_IPV4 if version == 4 else TYPE_IPV6) and (version == 4 or version == 6)
    return version == (4 if kind == KIND_IPV4 else 6)


cdef inline bint assigned(uint32_t port) noexcept nogil:
    return (port == PORT_L2TP or port == PORT_GTP or port == PORT_GTP_0 or port == PORT_TEREDO or port == PORT_VXLAN
            or port == PORT_VXLAN_GPE or port == PORT_GENEVE or port == PORT_MPLS or port == PORT_TZSP)


cdef int by_port(View *v, uint32_t port) noexcept nogil:
    # Each moves the view only where it finds its tunnel.
    if port == PORT_VXLAN:
        return vxlan(v)
    if port == PORT_GENEVE:
        return geneve(v)
    if port == PORT_GTP:
        return gtp(v)
    if port == PORT_GTP_0:
        return gtp_0(v)
    if port == PORT_TEREDO:
        return teredo(v)
    if port == PORT_L2TP:
        return l2tp(v)
    if port == PORT_VXLAN_GPE:
        return vxlan_gpe(v)
    if port == PORT_MPLS:
        return labelled(v)
    return tzsp(v) if port == PORT_TZSP else KIND_UDP


cdef int vxlan(View *v) noexcept nogil:
    # Flags, of which one says that there is a network's number (3); reserved bytes.
    if v.captured < 8 or not v.data[0] & 8:
        return KIND_UDP
    skip(v, 8)
    return KIND_ETHERNET


cdef int vxlan_gpe(View *v) noexcept nogil:
    cdef uint32_t kind
    if v.captured < 8 or not v.data[0] & 8 or v.data[0] >> 4 & 3:
        return KIND_UDP
    # One that tells nothing carries Ethernet, as VXLAN does. The flag for it is often not set.
    kind = v.data[3] if v.data[3] else 3
    if kind > 5:
        return KIND_UDP
    skip(v, 8)
    if kind == 1:
        return KIND_IPV4
    if kind == 2:
        return KIND_IPV6
    if kind == 3:
        return KIND_ETHERNET
    return KIND_NSH if kind == 4 else KIND_MPLS


cdef int geneve(View *v) noexcept nogil:
    # Version and length of the options in words, flags, an Ethernet type, the network's number (3), reserved.
    cdef View inner
    cdef uint32_t header, kind
    cdef int followed
    if v.captured < 8 or v.data[0] >> 6:
        return KIND_UDP
    header, kind = 8 + (v.data[0] & 0x3F) * 4, be16(v.data + 2)
    if header > v.captured:
        return KIND_MALFORMED if header <= v.original else KIND_UDP
    inner = v[0]
    skip(&inner, header)
    followed = by_type(&inner, kind, False)
    if followed == KIND_OTHER:
        return KIND_UDP
    v[0] = inner
    return followed


cdef int labelled(const View *v) noexcept nogil:
    # A stack of labels, and IP behind it.
    cdef uint32_t at = 0, version
    while at + 4 < v.captured and not v.data[at + 2] & 1:
        at += 4
    if at + 4 >= v.captured:
        return KIND_UDP
    version = v.data[at + 4] >> 4
    return KIND_MPLS if version == 4 or version == 6 else KIND_UDP


cdef int by_version(View *v, uint32_t header) noexcept nogil:
    # What GTP carries is not told: IP by its version, or PPP, which is not followed.
    cdef uint32_t version
    if header >= v.captured:
        return KIND_UDP
    version = v.data[header] >> 4
    if version != 4 and version != 6:
        return KIND_UDP
    skip(v, header)
    return KIND_IPV4 if version == 4 else KIND_IPV6


cdef int gtp(View *v) noexcept nogil:
    # Version, type and flags, message, length (2), tunnel (4); with any of three flags sequence (2), N-PDU and the
    # first of the extension headers, each of which begins with its length in words and ends with the next one's type.
    cdef uint32_t header = 8, size, extensions = 0
    if v.captured < 8 or v.data[0] >> 4 != 3 or v.data[1] != G_PDU:
        return KIND_UDP
    if v.data[0] & 7:
        header = 12
        if v.captured < header:
            return KIND_UDP
        if v.data[0] & 4:
            while v.data[header - 1]:
                extensions += 1
                if header >= v.captured or extensions > MOST_GTP_EXTENSIONS:
                    return KIND_UDP
                size = v.data[header] * 4
                header += size
                if size == 0 or header > v.captured:
                    return KIND_UDP
    return by_version(v, header)


cdef int gtp_0(View *v) noexcept nogil:
    # Version 0 has a header of one length.
    if v.captured < 20 or v.data[0] >> 4 != 1 or v.data[1] != G_PDU:
        return KIND_UDP
    return by_version(v, 20)


cdef int teredo(View *v) noexcept nogil:
    # An authentication, an origin, both or none of them, and IPv6.
    cdef uint32_t header = 0
    if v.captured >= 4 and be16(v.data) == 1:
        header = 4 + v.data[2] + v.data[3] + 9
    if v.captured >= header + 2 and be16(v.data + header) == 0:
        header += 8
    if v.captured < header + 40 or v.data[header] >> 4 != 6:
        return KIND_UDP
    if header + 40 + be16(v.data + header + 4) > v.original:
        return KIND_UDP
    skip(v, header)
    return KIND_IPV6


cdef int l2tp(View *v) noexcept nogil:
    # Flags and version, length (2), tunnel (2), session (2), Ns (2), Nr (2), offset (2) and as many bytes; PPP.
    cdef uint32_t flags, header = 6
    if v.captured < 6:
        return KIND_UDP
    flags = be16(v.data)
    if flags & 15 != 2 or flags & L2TP_CONTROL:
        return KIND_UDP
    if flags & L2TP_LENGTH:
        header += 2
    if flags & L2TP_SEQUENCE:
        header += 4
    if flags & L2TP_OFFSET:
        if v.captured < header + 2:
            return KIND_UDP
        header += 2 + be16(v.data + header)
    if v.captured < header:
        return KIND_UDP
    skip(v, header)
    return KIND_PPP


cdef int tzsp(View *v) noexcept nogil:
    # Version, type, encapsulation (2), tagged fields; Ethernet is followed.
    cdef uint32_t at = 4
    if v.captured < 5 or v.data[0] != 1 or v.data[1] > 1 or be16(v.data + 2) != 1:
        return KIND_UDP
    while at < v.captured and v.data[at] != TZSP_END:
        if v.data[at] == TZSP_PADDING:
            at += 1
        elif at + 1 < v.captured:
            at += 2 + v.data[at + 1]
        else:
            return KIND_UDP
    if at >= v.captured:
        return KIND_UDP
    skip(v, at + 1)
    return KIND_ETHERNET

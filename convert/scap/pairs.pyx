# cython: language_level=3
"""Addresses in event parameters (SOCKADDR, SOCKTUPLE; facts: scap format, parameter encodings) to descriptor rows.

A SOCKTUPLE is family, source ip, source port, destination ip, destination port; ports in the byte order of the writer
(already little endian here), addresses in network order. Lengths are checked: hostile parameters change nothing.
"""

from libc.string cimport memcmp, memcpy, memset

from syswire.convert.scap.event cimport u16, u64
from syswire.convert.scap.names cimport set_name
from syswire.convert.scap.tables cimport KIND_IPV4, KIND_IPV4_BOUND, KIND_IPV6, KIND_IPV6_BOUND, KIND_UNIX, ROLE_SERVER

cdef enum:
    FAMILY_UNIX = 1
    FAMILY_IPV4 = 2
    FAMILY_IPV6 = 10

cdef uint8_t MAPPED[12]
MAPPED[:] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff]


cdef bint nowhere(const uint8_t *ip) noexcept nogil:
    """The address of a socket that was not bound (::)."""
    cdef int i
    for i in range(16):
        if ip[i]:
            return False
    return True


cdef void unmap(Desc *d) noexcept nogil:
    """An IPv4 connection through an IPv6 socket becomes what it is on the wire: IPv4."""
    cdef bint source = memcmp(d.sip, MAPPED, 12) == 0, dest = memcmp(d.dip, MAPPED, 12) == 0
    if d.kind == KIND_IPV6 and (source and (dest or nowhere(d.dip)) or dest and nowhere(d.sip)):
        memcpy(d.sip, &d.sip[12], 4)
        memcpy(d.dip, &d.dip[12], 4)
        memset(&d.sip[4], 0, 12)
        memset(&d.dip[4], 0, 12)
        d.kind = KIND_IPV4


cdef bint set_pair(Desc *d, const uint8_t *pair, uint32_t size, bint swapped) noexcept nogil:
    """Take over a SOCKTUPLE; `swapped` stores its destination as the client side. False: not an address pair."""
    cdef uint32_t width
    if pair == NULL or size < 1:
        return False
    if pair[0] == FAMILY_UNIX and size >= 17:
        d.kind = KIND_UNIX
        d.source = u64(pair + 9) if swapped else u64(pair + 1)
        d.dest = u64(pair + 1) if swapped else u64(pair + 9)
        if size > 18 or d.name == NULL:
            set_name(d, pair + 17, size - 17)
        d.has_tuple, d.named, d.version = 1, 1, 0
        return True
    if pair[0] == FAMILY_IPV4 and size >= 13:
        width = 4
    elif pair[0] == FAMILY_IPV6 and size >= 37:
        width = 16
    else:
        return False
    memset(d.sip, 0, 16)
    memset(d.dip, 0, 16)
    if swapped:
        memcpy(d.dip, pair + 1, width)
        d.dport = u16(pair + 1 + width)
        memcpy(d.sip, pair + 3 + width, width)
        d.sport = u16(pair + 3 + 2 * width)
    else:
        memcpy(d.sip, pair + 1, width)
        d.sport = u16(pair + 1 + width)
        memcpy(d.dip, pair + 3 + width, width)
        d.dport = u16(pair + 3 + 2 * width)
    d.kind = KIND_IPV4 if width == 4 else KIND_IPV6
    d.has_tuple, d.named, d.version = 1, 1, 0
    unmap(d)
    return True


cdef bint set_remote(Desc *d, const uint8_t *addr, uint32_t size) noexcept nogil:
    """The address that a connect was called with, where no pair was recorded; the own side stays unknown."""
    if addr == NULL or size < 1:
        return False
    if addr[0] == FAMILY_UNIX and size >= 2:
        d.version = 0
        return set_name(d, addr + 1, size - 1)
    if addr[0] == FAMILY_IPV4 and size >= 7:
        memset(d.dip, 0, 16)
        memcpy(d.dip, addr + 1, 4)
        d.dport, d.kind = u16(addr + 5), KIND_IPV4
    elif addr[0] == FAMILY_IPV6 and size >= 19:
        memcpy(d.dip, addr + 1, 16)
        d.dport, d.kind = u16(addr + 17), KIND_IPV6
    else:
        return False
    d.has_tuple, d.named, d.version = 1, 1, 0
    return True


cdef bint set_bound(Desc *d, const uint8_t *addr, uint32_t size) noexcept nogil:
    """The address that a socket was bound to; a port makes it a server's."""
    cdef uint16_t port
    if addr == NULL or size < 1:
        return False
    d.version = 0
    if addr[0] == FAMILY_UNIX and size >= 2:
        d.named = 1
        return set_name(d, addr + 1, size - 1)
    if addr[0] == FAMILY_IPV4 and size >= 7:
        port = u16(addr + 5)
        memset(d.dip, 0, 16)
        memcpy(d.dip, addr + 1, 4)
        if port:
            d.kind = KIND_IPV4_BOUND
    elif addr[0] == FAMILY_IPV6 and size >= 19:
        port = u16(addr + 17)
        memset(d.dip, 0, 16)
        if memcmp(addr + 1, MAPPED, 12) == 0:
            memcpy(d.dip, addr + 13, 4)
            d.kind = KIND_IPV4_BOUND if port else KIND_IPV4
        else:
            memcpy(d.dip, addr + 1, 16)
            if port:
                d.kind = KIND_IPV6_BOUND
    else:
        return False
    d.named = 1
    if port:
        d.dport, d.role = port, ROLE_SERVER
    return True


cdef uint16_t source_port(const uint8_t *pair, uint32_t size) noexcept nogil:
    """The source port of an internet SOCKTUPLE, 0 where there is none (kernels give none for some datagrams)."""
    if size >= 13 and pair[0] == FAMILY_IPV4:
        return u16(pair + 5)
    if size >= 37 and pair[0] == FAMILY_IPV6:
        return u16(pair + 17)
    return 0


cdef bint same_net(const uint8_t *a, const uint8_t *b, const uint8_t *mask, uint32_t width) noexcept nogil:
    cdef uint32_t i
    for i in range(width):
        if (a[i] ^ b[i]) & mask[i]:
            return False
    return True


cdef bint is_loopback(const uint8_t *address, uint8_t family) noexcept nogil:
    return address[0] == 127 if family == 4 else (address[0] == 0 and address[15] == 1)


cdef void patch_side(uint8_t *side, const uint8_t *remote, uint8_t width, uint8_t (*addresses)[33],
                     int count) noexcept nogil:
    """Replace an all-zero own address (an unbound datagram socket) by the interface's that reaches `remote`:
    the same address, else one of the same network, else the first that is not loopback."""
    cdef int i, choice = -1
    cdef uint8_t family = 4 if width == 4 else 6
    for i in range(width):
        if side[i]:
            return
    for i in range(count):
        if addresses[i][0] != family:
            continue
        if memcmp(&addresses[i][1], remote, width) == 0:
            choice = i
            break
        if same_net(&addresses[i][1], remote, &addresses[i][17], width):
            choice = i
    if choice < 0:
        for i in range(count):
            if addresses[i][0] == family and not is_loopback(&addresses[i][1], family):
                choice = i
                break
    if choice >= 0:
        memcpy(side, &addresses[choice][1], width)
    elif width == 4 and remote[0] == 127:
        memcpy(side, remote, 4)
    elif width == 16 and remote[0] == 0 and remote[15] == 1:
        memcpy(side, remote, 16)

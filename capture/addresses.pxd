"""SOCKADDR and SOCKTUPLE parameters out of a record.

SOCKADDR: u8 family, then 4 or 16 bytes of address and u16 port in the order of the machine, or a path with its NUL.
SOCKTUPLE: u8 family, address, port, address, port; of unix sockets u64 and u64 (the kernel's names of both ends) and a
path. The first end is who sends or connects. An abstract name is written without its leading NUL.
"""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy, memset

from syswire.capture.block cimport Block, put
from syswire.capture.record cimport RECORD_ENTER, View

cdef enum:
    AF_UNIX = 1
    AF_INET = 2
    AF_INET6 = 10
    SOCK_DGRAM = 2

ctypedef struct Given:            # a struct sockaddr of an internet family
    uint8_t family                # 0: none
    uint8_t ip[16]
    uint16_t port


cdef inline uint16_t family_of(const uint8_t *text, uint32_t size) noexcept nogil:
    return text[0] | text[1] << 8 if size >= 2 else 0


cdef inline Given given(const uint8_t *text, uint32_t size) noexcept nogil:
    """The internet address in a struct sockaddr."""
    cdef Given g
    cdef uint16_t family = family_of(text, size)
    memset(&g, 0, sizeof(g))
    if family == AF_INET and size >= 8:
        memcpy(g.ip, text + 4, 4)
    elif family == AF_INET6 and size >= 24:
        memcpy(g.ip, text + 8, 16)
    else:
        return g
    g.family, g.port = <uint8_t>family, text[2] << 8 | text[3]
    return g


cdef inline uint32_t unix_path(const uint8_t *text, uint32_t size, const uint8_t **path) noexcept nogil:
    """Length of the name in a struct sockaddr_un, 0 where there is none."""
    cdef uint32_t length = 0
    if family_of(text, size) != AF_UNIX or size == 2:
        return 0
    text, size = text + 2, size - 2
    if text[0] == 0:
        text, size = text + 1, size - 1
    while length < size and length < 108 and text[length]:
        length += 1
    path[0] = text
    return length


cdef inline void put_address(Block *b, View *v) noexcept nogil:
    """The address that the caller gave, absent where it is of no known family."""
    cdef uint8_t out[112]
    cdef const uint8_t *path = NULL
    cdef uint32_t size = 0, width
    cdef Given g
    out[0] = <uint8_t>family_of(v.text, v.text_size)
    if family_of(v.text, v.text_size) == AF_UNIX:
        size = unix_path(v.text, v.text_size, &path)
        if size:
            memcpy(out + 1, path, size)
        out[1 + size] = 0
        put(b, out, size + 2)
        return
    g = given(v.text, v.text_size)
    if g.family == 0:
        put(b, NULL, 0)
        return
    width = 4 if g.family == AF_INET else 16
    memcpy(out + 1, g.ip, width)
    memcpy(out + 1 + width, &g.port, 2)
    put(b, out, width + 3)


cdef inline void put_unix(Block *b, View *v, bint incoming) noexcept nogil:
    """Of an enter that has no path, absent: sysdig would take the name away that the descriptor has."""
    cdef uint8_t out[128]
    cdef const uint8_t *path = NULL
    cdef uint32_t size = unix_path(v.text, v.text_size, &path)
    if size == 0 and v.r.kind == RECORD_ENTER:
        put(b, NULL, 0)
        return
    out[0] = AF_UNIX
    memcpy(out + 1, &v.socket.unix_peer if incoming else &v.socket.unix_own, 8)
    memcpy(out + 9, &v.socket.unix_own if incoming else &v.socket.unix_peer, 8)
    if size:
        memcpy(out + 17, path, size)
    out[17 + size] = 0
    put(b, out, 18 + size)


cdef inline void put_tuple(Block *b, View *v, bint incoming) noexcept nogil:
    """Both ends of the socket, absent where it is no socket or the other end is not known.

    The address that a datagram was sent to or came from goes before the one that the socket is connected to; what
    connect was asked for stands where the socket is not connected.
    """
    cdef uint8_t out[40]
    cdef uint32_t width
    cdef uint16_t port
    cdef Given g
    cdef uint8_t *near
    cdef uint8_t *far
    if v.socket != NULL and v.socket.family == AF_UNIX:
        put_unix(b, v, incoming)
        return
    if v.socket == NULL or v.socket.family != AF_INET and v.socket.family != AF_INET6:
        put(b, NULL, 0)
        return
    width = 4 if v.socket.family == AF_INET else 16
    near = out + 1
    far = near + width + 2
    if incoming:
        near, far = far, near
    out[0] = v.socket.family
    memcpy(near, v.socket.local, width)
    memcpy(near + width, &v.socket.local_port, 2)
    memcpy(far, v.socket.remote, width)
    port = v.socket.remote_port
    if port == 0 or v.socket.socket_type == SOCK_DGRAM and v.text_size:
        g = given(v.text, v.text_size)
        if g.family == 0 and port:
            g.port = port
        elif g.family == v.socket.family:
            memcpy(far, g.ip, width)
        elif g.family == AF_INET:  # a socket of IPv6 may be given an address of IPv4
            memset(far, 0, 10)
            memset(far + 10, 0xff, 2)
            memcpy(far + 12, g.ip, 4)
        else:
            put(b, NULL, 0)
            return
        port = g.port
    memcpy(far + width, &port, 2)
    put(b, out, 2 * width + 5)

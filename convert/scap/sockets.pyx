# cython: language_level=3
"""Sockets: made, bound, connected, accepted, written and read. What a failed call reports changes nothing."""

from syswire.convert.scap.event cimport *
from syswire.convert.scap.pairs cimport patch_side, set_bound, set_pair, set_remote, source_port
from syswire.convert.scap.tables cimport *

cdef enum:
    ECONNRESET = 104
    EPIPE = 32
    EINPROGRESS = 115
    O_CLOEXEC = 4096        # scap's own file flag
    SOCK_CLOEXEC = 0x80000  # raw Linux bit: socket types and accept4 flags are recorded as passed


cdef class Sockets(Arguments):
    cdef void io(self, Event *e, TypeInfo *info, Thread *t) noexcept nogil:
        cdef bint sending = info.operation == OP_SEND
        cdef int64_t res = self.number(e, t, ARG_RES, -1)
        cdef int64_t fd = self.number(e, t, ARG_FD, -1)
        cdef uint32_t stored = 0, pair_size = 0
        cdef uint8_t width
        cdef bint swapped
        cdef const uint8_t *bytes
        cdef const uint8_t *pair
        cdef Desc *d = self.desc(t.process, fd)
        t.last_fd, self.touched = fd, d
        if d == NULL:
            if res > 0 and self.arg(e, t, ARG_TUPLE, &pair_size) != NULL:
                self.sink.unknown(e, sending, <uint64_t>res)
            return
        if d.kind < KIND_IPV4 or d.kind > KIND_UNIX or d.kind == KIND_FIFO:
            return
        if res < 0:
            if (res == -ECONNRESET or (sending and res == -EPIPE)) and d.conv:
                self.sink.reset(e, t, d)
            return
        if res == 0 and not sending and d.l4 != L4_UDP and self.number(e, t, ARG_SIZE, -1) == 0:
            return  # asked for nothing: not the end of the stream
        pair = self.arg(e, t, ARG_TUPLE, &pair_size)
        bytes = self.arg(e, t, ARG_DATA, &stored)
        if pair != NULL and (d.l4 != L4_TCP or not d.has_tuple):
            if d.kind == KIND_UNIX:
                if not d.has_tuple:
                    swapped = not sending if d.role == ROLE_CLIENT else sending and d.role == ROLE_SERVER
                    set_pair(d, pair, pair_size, swapped)
            elif pair[0] != 1:
                if d.role == ROLE_NONE:
                    d.role = ROLE_CLIENT if sending else ROLE_SERVER
                if sending or source_port(pair, pair_size):
                    set_pair(d, pair, pair_size, d.role == (ROLE_SERVER if sending else ROLE_CLIENT))
                if d.l4 == L4_UNKNOWN:
                    d.l4 = L4_UDP
                if d.kind == KIND_IPV4 or d.kind == KIND_IPV6:
                    width = 4 if d.kind == KIND_IPV4 else 16
                    patch_side(d.sip, d.dip, width, self.addresses, self.address_count)
                    patch_side(d.dip, d.sip, width, self.addresses, self.address_count)
        if stored > <uint64_t>res:
            stored = <uint32_t>res
        self.sink.data(e, t, d, sending, <uint64_t>res, bytes, stored, pair, pair_size, False)

    cdef void sendfile(self, Event *e, Thread *t) noexcept nogil:
        """sendfile and splice into or out of a socket: bytes that no process saw; only their number is known."""
        cdef int64_t moved = self.number(e, t, ARG_RES, -1)
        cdef Desc *into = self.touched
        cdef Desc *out = self.desc(t.process, self.number(e, t, ARG_FD2, -1))
        if moved <= 0:
            return
        if out != NULL and KIND_IPV4 <= out.kind <= KIND_UNIX and out.kind != KIND_FIFO:
            self.sink.data(e, t, out, False, <uint64_t>moved, NULL, 0, NULL, 0, True)
        if into != NULL and KIND_IPV4 <= into.kind <= KIND_UNIX and into.kind != KIND_FIFO:
            self.sink.data(e, t, into, True, <uint64_t>moved, NULL, 0, NULL, 0, True)

    cdef void make_socket(self, Event *e, Thread *t) noexcept nogil:
        cdef int64_t domain = self.number(e, t, ARG_DOMAIN, -1)
        cdef int64_t kind = self.number(e, t, ARG_TYPE, 0)
        cdef int64_t proto = self.number(e, t, ARG_PROTO, 0)
        cdef Desc *d
        if domain == 1:
            d = self.new_desc(KIND_UNIX)
        elif domain == 2:
            d = self.new_desc(KIND_IPV4)
        elif domain == 10:
            d = self.new_desc(KIND_IPV6)
        elif domain == 16:
            d = self.new_desc(KIND_NETLINK)
        else:
            d = NULL
        if d != NULL:
            d.socket_type = kind & 0xff
        if d != NULL and (d.kind == KIND_IPV4 or d.kind == KIND_IPV6):
            if d.socket_type == 3:
                d.l4 = L4_RAW
            elif proto == 6 or (proto == 0 and d.socket_type == 1):
                d.l4 = L4_TCP
            elif proto == 17 or (proto == 0 and d.socket_type == 2):
                d.l4 = L4_UDP
            elif proto == 1 or proto == 58:
                d.l4 = L4_ICMP
            elif proto == 255:
                d.l4 = L4_RAW
        self.install(e, t, self.number(e, t, ARG_RES, -1), d, kind & SOCK_CLOEXEC)

    cdef void socketpair(self, Event *e, Thread *t) noexcept nogil:
        cdef int64_t kind = self.number(e, t, ARG_TYPE, 0)
        cdef Desc *first = self.new_desc(KIND_UNIX)
        cdef Desc *second = self.new_desc(KIND_UNIX)
        if first == NULL or second == NULL:
            if first != NULL:
                self.free_desc(first)
            self.install(e, t, self.number(e, t, ARG_FD, -1), NULL, False)
            self.install(e, t, self.number(e, t, ARG_FD2, -1), NULL, False)
            return
        first.source = second.dest = <uint64_t>self.number(e, t, ARG_SOURCE, 0)
        first.dest = second.source = <uint64_t>self.number(e, t, ARG_PEER, 0)
        first.socket_type = second.socket_type = kind & 0xff
        first.role, second.role = ROLE_CLIENT, ROLE_SERVER
        self.install(e, t, self.number(e, t, ARG_FD, -1), first, kind & SOCK_CLOEXEC)
        self.install(e, t, self.number(e, t, ARG_FD2, -1), second, kind & SOCK_CLOEXEC)
        if first.refs and second.refs:
            self.sink.paired(e, t, first, second)

    cdef void bind(self, Event *e, Thread *t) noexcept nogil:
        cdef uint32_t size = 0
        cdef const uint8_t *addr = self.arg(e, t, ARG_ADDR, &size)
        if self.touched != NULL:
            set_bound(self.touched, addr, size)

    cdef void connect(self, Event *e, Thread *t) noexcept nogil:
        cdef int64_t res = self.number(e, t, ARG_RES, -1)
        cdef int64_t fd = self.number(e, t, ARG_FD, -1)
        cdef uint32_t size = 0, addr_size = 0
        cdef const uint8_t *pair
        cdef const uint8_t *addr
        cdef Desc *d = self.desc(t.process, fd)
        t.last_fd, self.touched = fd, d
        if d == NULL or d.kind < KIND_IPV4 or d.kind > KIND_UNIX or (res < 0 and res != -EINPROGRESS):
            return
        pair = self.arg(e, t, ARG_TUPLE, &size)
        addr = self.arg(e, t, ARG_ADDR, &addr_size)
        if not set_pair(d, pair, size, d.l4 == L4_UDP and d.role == ROLE_SERVER) and not set_remote(d, addr, addr_size):
            return
        if d.role == ROLE_NONE or d.l4 == L4_TCP:  # who binds a port and connects from it is a client all the same
            d.role = ROLE_CLIENT
        self.sink.connected(e, t, d, res < 0)

    cdef void accept(self, Event *e, Thread *t) noexcept nogil:
        cdef uint32_t size = 0
        cdef const uint8_t *pair = self.arg(e, t, ARG_TUPLE, &size)
        cdef int64_t fd = self.number(e, t, ARG_RES, -1)
        cdef Desc *d = self.new_desc(KIND_IPV4)
        if d != NULL and not set_pair(d, pair, size, False):
            self.free_desc(d)
            d = NULL
        if d != NULL:
            d.l4, d.role, d.socket_type = L4_TCP, ROLE_SERVER, 1
        self.install(e, t, fd, d, self.number(e, t, ARG_FLAGS, 0) & (SOCK_CLOEXEC | O_CLOEXEC))
        if d != NULL and d.refs:
            self.sink.accepted(e, t, d)

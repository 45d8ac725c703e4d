# cython: language_level=3
"""From system calls to conversations: which connection a descriptor belongs to, and a row for each thing it did.

One pass, no Python object per event. Rows of what happened go to the chunks file in event order, conversations to the
convs file at (id - 1) rows when they end. Ids count from 1 in order of first appearance. A connection seen from both
ends is one conversation: its ends are told apart by the role of the description (client: connected, server: accepted).
A tuple that is connected or accepted again is a new conversation. UDP divides after 60 s of silence.
"""

from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy, memset
from posix.unistd cimport write

from syswire.convert.conversations.losses cimport count_loss, loss_tuple, start_line
from syswire.convert.model.rows cimport *
from syswire.convert.scap.tables cimport KIND_IPV4, KIND_UNIX, L4_TCP, L4_UDP, ROLE_NONE, ROLE_SERVER

import errno

cdef enum:
    ROWS = 8192
    SPOOL = 1 << 20
    MAX_PATHS = 1 << 16
    MAX_PATH = 256          # the kernel's are shorter

cdef uint64_t UDP_IDLE = 60000000000


cdef class Recorder(NetSink):
    def __init__(self, int chunks_fd, int convs_fd, int spool_fd):
        """Write rows to `chunks_fd` and `convs_fd`; payload to `spool_fd`, or nowhere (-1: it is re-read from the
        capture, whose offsets the rows then carry)."""
        self.convs = Conversations(convs_fd)
        self.chunks_fd, self.spool_fd = chunks_fd, spool_fd
        self.paths, self.path_list = {}, [b""]

    def __cinit__(self):
        self.rows = <Chunk *>malloc(ROWS * sizeof(Chunk))
        self.spool = <uint8_t *>malloc(SPOOL)
        if self.rows == NULL or self.spool == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.rows)
        free(self.spool)

    # -- rows and payload

    cdef void flush_rows(self) noexcept nogil:
        cdef ssize_t size = self.filled * sizeof(Chunk)
        if size and write(self.chunks_fd, self.rows, size) != size:
            self.convs.failed = True
        self.filled = 0

    cdef void flush_spool(self) noexcept nogil:
        if self.spool_filled and write(self.spool_fd, self.spool, self.spool_filled) != <ssize_t>self.spool_filled:
            self.convs.failed = True
        self.spool_filled = 0

    cdef uint64_t store(self, const uint8_t *bytes, uint32_t size) noexcept nogil:
        """Append payload to the spool; returns its position there."""
        cdef uint64_t at = self.spool_at
        if size > SPOOL - self.spool_filled:
            self.flush_spool()
        if size > SPOOL:
            if write(self.spool_fd, bytes, size) != <ssize_t>size:
                self.convs.failed = True
        else:
            memcpy(self.spool + self.spool_filled, bytes, size)
            self.spool_filled += size
        self.spool_at += size
        return at

    cdef Chunk *row(self, Event *e, Thread *t, Live *live, Desc *d, uint8_t kind, uint8_t to_server,
                    uint32_t flags) noexcept nogil:
        cdef Chunk *c
        if self.filled == ROWS:
            self.flush_rows()
        c = &self.rows[self.filled]
        self.filled += 1
        self.chunk_count += 1
        memset(c, 0, sizeof(Chunk))
        if live.conv.id == 0:
            self.convs.last_id += 1
            live.conv.id = self.convs.last_id
        c.time, c.exit_time, c.event, c.block, c.evt_num = e.ts, e.ts, e.ordinal, e.block, e.evt_num
        c.conv, c.thread, c.kind, c.to_server, c.end, c.flags = live.conv.id, t.version, kind, to_server, d.end, flags
        live.last = e.ts
        live.conv.ends |= 1 << d.end
        self.convs.touch(live)
        return c

    # -- which conversation

    cdef void make_key(self, Desc *d, Key *key) noexcept nogil:
        memset(key, 0, sizeof(Key))
        if d.kind == KIND_UNIX:
            key.family = 1
            key.protocol = UNIX_DATAGRAM if d.socket_type == 2 else UNIX_STREAM
            if d.source or d.dest:
                memcpy(key.client_ip, &d.source if d.source < d.dest else &d.dest, 8)
                memcpy(key.server_ip, &d.dest if d.source < d.dest else &d.source, 8)
            else:
                key.unique = d.serial
        else:
            key.family = 4 if d.kind == KIND_IPV4 else 6
            key.protocol = 17 if d.l4 == L4_UDP else 6
            memcpy(key.client_ip, d.sip, 16)
            memcpy(key.server_ip, d.dip, 16)
            key.client_port, key.server_port = d.sport, d.dport
            if d.sport == 0:
                key.unique = d.serial

    cdef uint32_t path_index(self, Desc *d) noexcept nogil:
        cdef uint32_t found = 0
        if d.name == NULL or d.name_len == 0:
            return 0
        with gil:
            path = d.name[:d.name_len if d.name_len < MAX_PATH else MAX_PATH]
            found = self.paths.get(path, 0)
            if not found and len(self.path_list) < MAX_PATHS:
                found = self.paths[path] = len(self.path_list)
                self.path_list.append(path)
            elif not found:
                self.refused += 1
        return found

    cdef void fill(self, Live *live, Desc *d) noexcept nogil:
        """Copy the addresses of a description into a new conversation."""
        cdef Conv *c = &live.conv
        c.protocol, c.family = live.key.protocol, live.key.family
        if d.kind == KIND_UNIX:
            c.client_ptr, c.server_ptr = d.source, d.dest
        else:
            memcpy(c.client_ip, live.key.client_ip, 16)
            memcpy(c.server_ip, live.key.server_ip, 16)
            c.client_port, c.server_port = live.key.client_port, live.key.server_port

    cdef void hold(self, Live *live, Desc *d, uint8_t end) noexcept nogil:
        """The description belongs to this end from now on (and no longer to where it belonged before)."""
        cdef Live *before = self.live_of(d)
        if before != NULL and before.holders[d.end]:
            before.holders[d.end] -= 1
        d.end, d.conv, d.conv_key = end, <uint32_t>(live - self.convs.slots) + 1, live.serial
        live.holders[end] += 1
        if end == 0 and live.conv.client_owner == 0:
            live.conv.client_owner = d.owner
        elif end == 1 and live.conv.server_owner == 0:
            live.conv.server_owner = d.owner
        if live.conv.path == 0 and d.kind == KIND_UNIX:
            live.conv.path = self.path_index(d)

    cdef Live *live_of(self, Desc *d) noexcept nogil:
        cdef Live *live
        if d.conv == 0:
            return NULL
        live = &self.convs.slots[d.conv - 1]
        return live if live.used and live.serial == d.conv_key else NULL

    cdef Live *open(self, Event *e, Thread *t, Desc *d, Key *key, uint8_t end, bint fresh) noexcept nogil:
        """Find or make the conversation of a description; `fresh`: a connect or accept, so an older one is over."""
        cdef Live *live = self.convs.find(key)
        cdef bint over = live != NULL and (live.holders[end] or (live.conv.ends >> end) & 1
                                           or (live.conv.closed and live.conv.ends == 3))
        if fresh and over:
            self.convs.remove(live)
            live = NULL
        elif live != NULL and key.protocol == 17 and live.last and e.ts > live.last + UDP_IDLE:
            self.convs.remove(live)
            live = NULL
        if live == NULL:
            live = self.convs.insert(key)
            if live == NULL:
                return NULL
            self.fill(live, d)
            live.conv.preexisting = not fresh and key.protocol != 17
            live.conv.container = t.container
        self.hold(live, d, end)
        return live

    cdef Live *attach(self, Event *e, Thread *t, Desc *d, bint sending) noexcept nogil:
        """The conversation that I/O on the description belongs to, NULL where no address is known."""
        cdef Key key
        cdef Live *live = self.live_of(d)
        cdef uint8_t end = 0
        if live != NULL and live.key.protocol != 17:
            return live
        if d.kind != KIND_UNIX and (not d.has_tuple or (d.l4 != L4_TCP and d.l4 != L4_UDP)):
            return NULL
        self.make_key(d, &key)
        if key.protocol == 17:
            return self.attach_datagram(e, t, d, &key, live, sending)
        if d.role == ROLE_SERVER or (d.kind == KIND_UNIX and d.role == ROLE_NONE and d.name_len):
            end = 1
        return self.open(e, t, d, &key, end, False)

    cdef Live *attach_datagram(self, Event *e, Thread *t, Desc *d, Key *key, Live *live, bint sending) noexcept nogil:
        """A datagram socket may have many peers: look the pair up each time. Who speaks first is the client."""
        cdef Key other
        cdef Live *found
        cdef uint8_t end = 1 if d.role == ROLE_SERVER else 0
        memset(&other, 0, sizeof(Key))
        memcpy(other.client_ip, key.server_ip, 16)
        memcpy(other.server_ip, key.client_ip, 16)
        other.client_port, other.server_port, other.unique = key.server_port, key.client_port, key.unique
        other.protocol, other.family = key.protocol, key.family
        found = self.convs.find(key)
        if found == NULL:
            found = self.convs.find(&other)
            if found != NULL or (end == 0) != sending:
                key, end = &other, 1 - end
        if found != NULL and found == live and e.ts <= live.last + UDP_IDLE:
            return live
        return self.open(e, t, d, key, end, False)

    cdef void listed(self, Desc *d) noexcept nogil:
        """A connected socket of the fd list: known from the start, a conversation only when something happens on it."""
        cdef Key key
        cdef Live *live
        cdef uint8_t end = 1 if d.role == ROLE_SERVER else 0
        if d.kind == KIND_UNIX or d.l4 != L4_TCP:
            return
        self.make_key(d, &key)
        live = self.convs.find(&key)
        if live == NULL:
            live = self.convs.insert(&key)
            if live == NULL:
                return
            self.fill(live, d)
            live.conv.preexisting = 1
        self.hold(live, d, end)

    # -- what the state machine tells

    cdef void connected(self, Event *e, Thread *t, Desc *d, bint pending) noexcept nogil:
        cdef Key key
        cdef Live *live = self.live_of(d)
        if d.l4 != L4_TCP and d.kind != KIND_UNIX:
            return  # a connected datagram socket: its first datagram is the conversation's beginning
        if d.kind == KIND_UNIX and d.socket_type == 2:
            return
        self.make_key(d, &key)
        if live != NULL and live.conv.opened and not pending and memcmp(&live.key, &key, sizeof(Key)) == 0:
            if live.holders[0] == 1 and d.end == 0:  # the second connect of a pending one reports success
                self.row(e, t, live, d, CHUNK_CONNECT, 1, 0)
                return
        live = self.open(e, t, d, &key, 0, True)
        if live != NULL:
            if live.conv.opened == 0:
                live.conv.opened = e.ts
            live.conv.preexisting = 0
            self.row(e, t, live, d, CHUNK_CONNECT, 1, CHUNK_PENDING if pending else 0)

    cdef void accepted(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        cdef Key key
        cdef Live *live
        self.make_key(d, &key)
        live = self.open(e, t, d, &key, 1, True)
        if live != NULL:
            if live.conv.opened == 0:
                live.conv.opened = e.ts
            live.conv.preexisting = 0
            self.row(e, t, live, d, CHUNK_ACCEPT, 0, 0)

    cdef void paired(self, Event *e, Thread *t, Desc *first, Desc *second) noexcept nogil:
        """socketpair: known by kernel addresses; nothing is emitted before bytes move."""
        cdef Key key
        cdef Live *live
        self.make_key(first, &key)
        live = self.open(e, t, first, &key, 0, True)
        if live != NULL:
            live.conv.preexisting, live.conv.opened = 0, e.ts
            self.hold(live, second, 1)

    cdef void data(self, Event *e, Thread *t, Desc *d, bint sending, uint64_t moved, const uint8_t *bytes,
                   uint32_t stored, const uint8_t *pair, uint32_t pair_size, bint in_kernel) noexcept nogil:
        cdef Live *live = self.attach(e, t, d, sending)
        cdef Chunk *c
        cdef uint8_t to_server, stream
        if live == NULL:
            if moved:
                self.unknown(e, sending, moved)
            return
        to_server = (d.end == 0) == sending
        stream = live.key.protocol == 6 or live.key.protocol == UNIX_STREAM
        if moved == 0 and stream:
            if not sending:
                self.row(e, t, live, d, CHUNK_EOF, to_server, 0)
            return
        c = self.row(e, t, live, d, CHUNK_DATA, to_server, 0)
        c.length, c.stored = moved, stored
        if sending and t.enter_type + 1 == e.type and t.enter_ts and t.enter_ts <= e.ts:
            c.time = t.enter_ts
            c.flags |= CHUNK_ENTERED
        if stored < moved:
            c.reason = GAP_SENDFILE if in_kernel else GAP_SNAPLEN
            count_loss(&self.in_kernel if in_kernel else &self.cut, e, moved - stored)
        if stored:
            c.flags |= start_line(bytes, stored)
            c.payload = e.data_at + <uint64_t>(bytes - e.data) if self.spool_fd < 0 else self.store(bytes, stored)

    cdef void shut(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        cdef Live *live = self.live_of(d)
        if live != NULL and live.key.protocol != 17:
            self.row(e, t, live, d, CHUNK_SHUTDOWN, d.end == 0, 0)

    cdef void reset(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        cdef Live *live = self.live_of(d)
        if live != NULL and live.key.protocol != 17:
            self.row(e, t, live, d, CHUNK_RESET, d.end == 0, 0)

    cdef void closed(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        cdef Live *live = self.live_of(d)
        if live == NULL:
            return
        if live.holders[d.end]:
            live.holders[d.end] -= 1
        if live.holders[d.end] == 0 and live.conv.id and live.key.protocol != 17:
            live.conv.closed = e.ts
            self.row(e, t, live, d, CHUNK_CLOSE, d.end == 0, 0)
        if live.key.unique and live.holders[0] + live.holders[1] == 0:  # nobody else can find it
            self.convs.remove(live)

    cdef void unknown(self, Event *e, bint sending, uint64_t moved) noexcept nogil:
        count_loss(&self.unaddressed, e, moved)

    # -- the end

    def restart(self):
        """Another capture follows in the same file: whatever was open is over."""
        self.convs.flush_all()

    def finish(self):
        """Write what is still held. Raises OSError where the disk did not take everything."""
        self.convs.flush_all()
        self.flush_rows()
        if self.spool_fd >= 0:
            self.flush_spool()
        if self.convs.exhausted:
            raise MemoryError
        if self.convs.failed:
            raise OSError(errno.ENOSPC, "the spool files could not be written in full")

    @property
    def conversations(self) -> int:
        return self.convs.last_id

    @property
    def evicted(self) -> int:
        return self.convs.evicted

    @property
    def failed(self) -> bool:
        return self.convs.failed or self.convs.exhausted

    def losses(self):
        """By cause: (count, bytes, event, block offset, ns, evt_num), the last four of the first occurrence."""
        return {
            "snaplen": loss_tuple(&self.cut),
            "sendfile": loss_tuple(&self.in_kernel),
            "unaddressed": loss_tuple(&self.unaddressed),
        }

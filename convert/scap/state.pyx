# cython: language_level=3
"""The state machine: applies one validated event to the tables of threads and descriptors and tells the sink.

It knows operations and arguments, not event codes (semantics.py maps them). Exit-only files carry all arguments in the
exit; older ones have some in the enter, kept for each thread until its exit comes. What a failed call reports changes
nothing. Process identities (names, users, containers) are Python objects behind `identities`, called only for the rare
events that change them.
"""

from cpython.object cimport PyObject
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from syswire.convert.scap.event cimport *
from syswire.convert.scap.pairs cimport patch_side, set_bound, set_pair, set_remote, source_port
from syswire.convert.scap.tables cimport *

from .semantics import type_rows

cdef enum:
    ECONNRESET = 104
    EPIPE = 32
    EINPROGRESS = 115
    F_DUPFD = 1             # scap's own numbers (flags.json: fcntl_commands), not Linux's
    F_DUPFD_CLOEXEC = 26
    O_CLOEXEC = 4096        # scap's own file flag
    SOCK_CLOEXEC = 0x80000  # raw Linux bit: socket types and accept4 flags are recorded as passed
    CLONE_FILES = 1
    CLONE_THREAD = 8192
    AT_FDCWD = -100
    KEEP = 640              # bytes of an enter's parameters that are kept at most (a path of an address fits)
    MAX_RW = 0x7ffff000     # no system call moves more


cdef class State(Tables):
    def __init__(self, NetSink sink, identities):
        """`identities` answers cloned, executed, changed, exited, described (see identity.py)."""
        cdef int code, i
        self.sink, self.identities = sink, identities
        rows = type_rows()
        if len(rows) != TYPES:
            raise AssertionError("the event table and event.pxd disagree")
        for code, row in enumerate(rows):
            info = &self.types[code]
            (info.operation, info.enter, info.nparams, info.wide, info.known, info.uses_fd, info.keep,
             info.detail) = row[:8]
            for i in range(ARGS):
                info.place[i] = row[8 + i]

    # -- arguments

    cdef const uint8_t *arg(self, Event *e, Thread *t, int which, uint32_t *size) noexcept nogil:
        """The argument's bytes from the exit, else from the enter that was kept; NULL where neither has it."""
        cdef int place = self.types[e.type].place[which]
        cdef uint32_t count, begin
        if 0 <= place < <int>e.nparams:
            size[0] = e.off[place + 1] - e.off[place]
            return e.data + e.off[place] if size[0] else NULL
        if self.matched and t.kept_size and e.type > 0:
            place = self.types[e.type - 1].place[which]
            count = u16(t.kept)
            if 0 <= place < <int>count:
                begin = u32(t.kept + 2 + 4 * place)
                size[0] = u32(t.kept + 6 + 4 * place) - begin
                return t.kept + 6 + 4 * count + begin if size[0] else NULL
        size[0] = 0
        return NULL

    cdef int64_t number(self, Event *e, Thread *t, int which, int64_t absent) noexcept nogil:
        cdef uint32_t size = 0
        cdef const uint8_t *p = self.arg(e, t, which, &size)
        if p != NULL:
            return integer(p, size)
        if which == ARG_FD and self.matched:
            return t.enter_fd
        return absent

    cdef void keep_enter(self, Event *e, TypeInfo *info, Thread *t) noexcept nogil:
        cdef uint32_t count = e.nparams, size, need
        cdef uint8_t *room
        cdef int place = info.place[ARG_FD]
        t.entered, t.enter_type, t.enter_ts, t.enter_fd, t.kept_size = 1, e.type, e.ts, -1, 0
        if 0 <= place < <int>count:
            t.enter_fd = integer(e.data + e.off[place], e.off[place + 1] - e.off[place])
        if info.uses_fd:
            t.last_fd = t.enter_fd
        if not info.keep:
            return
        size = e.off[count]
        need = 6 + 4 * count + size
        if need > KEEP:
            return
        if t.kept_room < need:
            room = <uint8_t *>realloc(t.kept, need)
            if room == NULL:
                self.exhausted = True
                return
            t.kept, t.kept_room = room, need
        memcpy(t.kept, &count, 2)
        memcpy(t.kept + 2, &e.off[0], 4 * (count + 1))
        memcpy(t.kept + 6 + 4 * count, e.data, size)
        t.kept_size = need

    # -- descriptors

    cdef void settle(self) noexcept nogil:
        """Free what the last event closed; until then its row can still be shown."""
        if self.leaving != NULL:
            self.free_desc(self.leaving)
            self.leaving = NULL

    cdef void release(self, Event *e, Thread *t, Desc *d) noexcept nogil:
        """A number stopped leading to `d`: when it was the last one the description is closed."""
        if d == NULL or d.refs:
            return
        if d.conv:
            self.sink.closed(e, t, d)
        if self.leaving == NULL:
            self.leaving = d
        else:
            self.free_desc(d)

    cdef void install(self, Event *e, Thread *t, int64_t fd, Desc *d, bint cloexec) noexcept nogil:
        """Let a number lead to a new description; what it led to before is closed (its close was not recorded)."""
        if d == NULL:
            return
        self.release(e, t, self.take(t.process, fd))
        t.last_fd = fd
        if not self.put(t.process, fd, d, cloexec):
            if d.refs == 0:
                self.free_desc(d)
            return
        if d.owner == 0:
            d.owner = t.version
        self.touched = d

    # -- events

    cdef void apply(self, Event *e) noexcept nogil:
        """Apply one event; `shown`, `shown_fd` and `touched` then say whose it was and on what."""
        self.shown, self.shown_fd = 0, -1
        self.dispatch(e)
        if self.current != NULL and self.current.live:
            self.shown, self.shown_fd = self.current.version, self.current.last_fd

    cdef void dispatch(self, Event *e) noexcept nogil:
        cdef TypeInfo *info = &self.types[e.type]
        cdef Thread *t
        cdef int64_t res, fd
        cdef int operation = info.operation
        self.settle()
        self.touched, self.current = NULL, NULL
        if info.enter:
            if operation == OP_NONE and (e.type + 1 >= TYPES or self.types[e.type + 1].operation == OP_NONE):
                return
        elif operation == OP_NONE:
            return
        if operation in (OP_DROP, OP_CONTAINER, OP_USER):
            self.tell(e, NULL, operation)
            return
        t = self.thread(e.tid)
        if t == NULL:
            return
        self.current = t
        if info.enter:
            self.keep_enter(e, info, t)
            self.touched = self.desc(t.process, t.last_fd)
            if operation == OP_PROCEXIT:
                self.shown = t.version
                self.exit_thread(e, t)
            return
        self.matched = t.entered and t.enter_type + 1 == e.type
        t.entered = 0
        if operation == OP_RECEIVE or operation == OP_SEND:
            self.io(e, info, t)
            return
        if operation == OP_CLONE:
            self.clone(e, t)
            return
        if operation == OP_CONNECT:
            self.connect(e, t)
            return
        res = self.number(e, t, ARG_RES, -1)
        fd = self.number(e, t, ARG_FD, -1)
        if operation not in (OP_SOCKET, OP_ACCEPT, OP_OPEN, OP_ANONYMOUS):
            t.last_fd = fd
            self.touched = self.desc(t.process, fd)
        if res < 0:
            return
        if operation == OP_CLOSE:
            self.release(e, t, self.take(t.process, fd))
        elif operation == OP_OPEN:
            self.open(e, t)
        elif operation == OP_SENDFILE:
            self.sendfile(e, t)
        elif operation == OP_ACCEPT:
            self.accept(e, t)
        elif operation == OP_SOCKET:
            self.make_socket(e, t)
        elif operation == OP_SOCKETPAIR:
            self.socketpair(e, t)
        elif operation == OP_BIND:
            self.bind(e, t)
        elif operation == OP_SHUTDOWN:
            if self.touched != NULL and self.touched.conv and self.number(e, t, ARG_HOW, 0) in (1, 2):
                self.sink.shut(e, t, self.touched)
        elif operation == OP_DUP:
            self.duplicate(e, info, t, fd, res, self.number(e, t, ARG_FLAGS, 0) & O_CLOEXEC)
        elif operation == OP_FCNTL:
            if self.number(e, t, ARG_HOW, 0) == F_DUPFD or self.number(e, t, ARG_HOW, 0) == F_DUPFD_CLOEXEC:
                self.duplicate(e, info, t, fd, res, self.number(e, t, ARG_HOW, 0) == F_DUPFD_CLOEXEC)
        elif operation == OP_PIPE:
            self.pipe(e, t)
        elif operation == OP_ANONYMOUS:
            self.install(e, t, res, self.new_desc(info.detail), self.number(e, t, ARG_FLAGS, 0) & O_CLOEXEC)
        elif operation == OP_CLOSE_RANGE:
            self.close_range(e, t, fd, self.number(e, t, ARG_FD2, fd))
        elif operation == OP_CHDIR or operation == OP_FCHDIR:
            self.chdir(e, t)
        elif operation == OP_EXECVE:
            self.execve(e, t)
        elif operation == OP_IDENTITY:
            self.tell(e, t, operation)

    cdef void io(self, Event *e, TypeInfo *info, Thread *t) noexcept nogil:
        cdef bint sending = info.operation == OP_SEND
        cdef int64_t res = self.number(e, t, ARG_RES, -1)
        cdef int64_t fd = self.number(e, t, ARG_FD, -1)
        cdef uint32_t stored = 0, pair_size = 0
        cdef uint8_t width
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
        if res > MAX_RW:
            return
        pair = self.arg(e, t, ARG_TUPLE, &pair_size)
        bytes = self.arg(e, t, ARG_DATA, &stored)
        if pair != NULL and (d.l4 != L4_TCP or not d.has_tuple):
            if d.kind == KIND_UNIX:
                if not d.has_tuple:
                    set_pair(d, pair, pair_size, (not sending) if d.role == ROLE_CLIENT else (sending and d.role == ROLE_SERVER))
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
        """sendfile and splice into a socket: bytes that no process saw; their number is known, they are not."""
        cdef int64_t moved = self.number(e, t, ARG_RES, -1)
        cdef Desc *d = self.touched
        if d != NULL and KIND_IPV4 <= d.kind <= KIND_UNIX and d.kind != KIND_FIFO and 0 < moved <= MAX_RW:
            self.sink.data(e, t, d, True, <uint64_t>moved, NULL, 0, NULL, 0, True)

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
            self.release(e, t, self.take(t.process, self.number(e, t, ARG_RES, -1)))
            return
        if d == NULL:
            return
        d.socket_type = kind & 0xff
        if d.kind == KIND_IPV4 or d.kind == KIND_IPV6:
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
        if d.role == ROLE_NONE:
            d.role = ROLE_CLIENT
        self.sink.connected(e, t, d, res < 0)

    cdef void accept(self, Event *e, Thread *t) noexcept nogil:
        cdef uint32_t size = 0
        cdef const uint8_t *pair = self.arg(e, t, ARG_TUPLE, &size)
        cdef int64_t fd = self.number(e, t, ARG_RES, -1)
        cdef Desc *d
        if pair == NULL:
            return
        d = self.new_desc(KIND_IPV4)
        if d == NULL:
            return
        if not set_pair(d, pair, size, False):
            self.free_desc(d)
            return
        d.l4, d.role, d.socket_type = L4_TCP, ROLE_SERVER, 1
        self.install(e, t, fd, d, self.number(e, t, ARG_FLAGS, 0) & (SOCK_CLOEXEC | O_CLOEXEC))
        if d.refs:
            self.sink.accepted(e, t, d)

    cdef void duplicate(self, Event *e, TypeInfo *info, Thread *t, int64_t old, int64_t new, bint cloexec) noexcept nogil:
        cdef Desc *d = self.desc(t.process, old)
        t.last_fd = new
        self.touched = d
        if d == NULL:
            self.release(e, t, self.take(t.process, new))
        elif old != new:
            d.refs += 1  # `new` may be the last number of the same description
            self.install(e, t, new, d, cloexec)
            d.refs -= 1
            self.release(e, t, d)

    cdef void pipe(self, Event *e, Thread *t) noexcept nogil:
        cdef bint cloexec = self.number(e, t, ARG_FLAGS, 0) & O_CLOEXEC
        self.install(e, t, self.number(e, t, ARG_FD, -1), self.new_desc(KIND_FIFO), cloexec)
        self.install(e, t, self.number(e, t, ARG_FD2, -1), self.new_desc(KIND_FIFO), cloexec)

    cdef void open(self, Event *e, Thread *t) noexcept nogil:
        cdef uint32_t size = 0
        cdef const uint8_t *name = self.arg(e, t, ARG_NAME, &size)
        cdef int64_t dirfd = self.number(e, t, ARG_DIRFD, AT_FDCWD)
        cdef int64_t flags = self.number(e, t, ARG_FLAGS, 0)
        cdef Desc *base
        cdef Desc *d = self.new_desc(KIND_DIRECTORY if flags & 1024 else KIND_FILE_V2)
        if d == NULL:
            return
        while size and name[size - 1] == 0:
            size -= 1
        if dirfd == AT_FDCWD or (size and name[0] == 47):
            self.join(t.process, t.process.cwd, t.process.cwd_len, name, size, &d.name, &d.name_len)
        else:
            base = self.desc(t.process, dirfd)
            if base != NULL:
                self.join(t.process, base.name, base.name_len, name, size, &d.name, &d.name_len)
            else:
                self.join(t.process, NULL, 0, name, size, &d.name, &d.name_len)
        self.install(e, t, self.number(e, t, ARG_RES, -1), d, flags & O_CLOEXEC)

    cdef void chdir(self, Event *e, Thread *t) noexcept nogil:
        cdef uint32_t size = 0
        cdef const uint8_t *name = self.arg(e, t, ARG_NAME, &size)
        cdef char *path
        cdef uint32_t path_len
        if name != NULL:
            while size and name[size - 1] == 0:
                size -= 1
            self.join(t.process, t.process.cwd, t.process.cwd_len, name, size, &path, &path_len)
            if path != NULL:
                self.set_cwd(t.process, <const uint8_t *>path, path_len)
                free(path)
        elif self.touched != NULL and self.touched.name != NULL:
            self.set_cwd(t.process, <const uint8_t *>self.touched.name, self.touched.name_len)

    cdef void close_range(self, Event *e, Thread *t, int64_t first, int64_t last) noexcept nogil:
        cdef uint32_t i
        cdef FdSlot *slot
        for i in range(t.process.mask + 1):
            slot = &t.process.slots[i]
            if in_use(slot) and first <= slot.fd <= last:
                self.release(e, t, self.take(t.process, slot.fd))

    cdef void close_all(self, Event *e, Thread *t, Process *process, bint only_cloexec) noexcept nogil:
        cdef uint32_t i
        cdef FdSlot *slot
        for i in range(process.mask + 1):
            slot = &process.slots[i]
            if in_use(slot) and (slot.cloexec or not only_cloexec):
                self.release(e, t, self.take(process, slot.fd))

    # -- threads

    cdef void clone(self, Event *e, Thread *t) noexcept nogil:
        cdef int64_t res = self.number(e, t, ARG_RES, -1)
        cdef int64_t flags = self.number(e, t, ARG_FLAGS, 0)
        cdef Thread *child
        cdef Thread *parent
        if res > 0:
            child = self.find(res)
            if child != NULL and child.fresh == 2:  # the child's own event came first
                child.fresh = 0
                return
            self.make_child(e, t, res, True, flags & CLONE_THREAD)
        elif res == 0:
            if t.fresh == 1:
                t.fresh = 0
                return
            parent = self.find(self.number(e, t, ARG_PARENT, -1))
            if flags & CLONE_THREAD:
                parent = self.find(self.number(e, t, ARG_PID, -1))
            self.make_child(e, parent, e.tid, False, flags & CLONE_THREAD)

    cdef void make_child(self, Event *e, Thread *parent, int64_t tid, bint from_parent, bint shares) noexcept nogil:
        """Make the thread `tid` out of its parent; a thread of that number that is still there is an older one."""
        cdef Thread *old = self.find(tid)
        cdef Thread *child
        cdef int64_t pid = self.number(e, parent if parent != NULL else self.current, ARG_PID, tid)
        if old != NULL:
            if old == parent:
                return
            self.exit_thread(e, old)
        if from_parent and not shares:
            pid = tid
        child = self.make(tid, pid)
        if child == NULL:
            return
        if parent != NULL and shares:
            child.process = parent.process
            child.process.refs += 1
        else:
            child.process = self.new_process()
            if child.process == NULL:
                self.drop_thread(child)
                return
            if parent != NULL:
                self.copy_table(parent.process, child.process)
        child.fresh = 1 if from_parent else 2
        self.current = child
        self.tell(e, child, OP_CLONE)

    cdef void execve(self, Event *e, Thread *t) noexcept nogil:
        t.fresh = 0 if t.fresh == 1 else t.fresh
        self.close_all(e, t, t.process, True)
        self.tell(e, t, OP_EXECVE)

    cdef void exit_thread(self, Event *e, Thread *t) noexcept nogil:
        cdef Process *process = t.process
        if process.refs == 1:
            self.close_all(e, t, process, False)
        self.tell(e, t, OP_PROCEXIT)
        self.drop_thread(t)

    cdef void tell(self, Event *e, Thread *t, int operation) noexcept nogil:
        """Hand an event to the Python side; an exception there stops the reading and is raised by the reader."""
        with gil:
            try:
                params = [(<char *>e.data)[e.off[i]:e.off[i + 1]] for i in range(e.nparams)]
                if operation == OP_DROP:
                    self.dropped_events += 1
                elif operation == OP_CLONE:
                    t.version, t.container = self.identities.cloned(e.ts, e.type, params, t.tid, t.pid, t.fresh == 1)
                elif operation == OP_EXECVE:
                    enter = None
                    if self.matched and t.kept_size:
                        enter = (<char *>t.kept + 6 + 4 * u16(t.kept))[:t.kept_size - 6 - 4 * u16(t.kept)]
                    cwd = b"" if t.process.cwd == NULL else t.process.cwd[:t.process.cwd_len]
                    t.version, t.container = self.identities.executed(e.ts, e.type, params, t.version, t.tid, t.pid, enter, cwd)
                elif operation == OP_PROCEXIT:
                    self.identities.exited(e.ts, t.version)
                elif operation == OP_IDENTITY:
                    t.version = self.identities.changed(e.ts, e.type, params, t.version)
                else:
                    self.identities.described(e.ts, e.type, params)
            except BaseException as error:
                if self.failure is None:
                    self.failure, self.stopped = error, True

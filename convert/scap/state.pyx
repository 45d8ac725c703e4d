# cython: language_level=3
"""The state machine: applies one validated event to the tables of threads and descriptors and tells the sink.

It knows operations and arguments, not event codes (semantics.py maps them). Process identities (names, users,
containers) are Python objects behind `identities`, called only for the rare events that change them.
"""

from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport free, malloc, qsort

from syswire.convert.scap.event cimport *
from syswire.convert.scap.names cimport join_path, own_name
from syswire.convert.scap.tables cimport *

cdef enum:
    F_DUPFD = 1             # scap's own numbers (flags.json: fcntl_commands), not Linux's
    F_DUPFD_CLOEXEC = 26
    O_CLOEXEC = 4096        # scap's own file flags
    O_DIRECTORY = 1024
    CLONE_THREAD = 8192
    CLOSE_RANGE_CLOEXEC = 4
    EFFORT = 256            # descriptors that may be gone through for each event, see Tables.afford
    AT_FDCWD = -100
    HIGHEST = 0x7fffffff    # the highest descriptor


cdef int ascending(const void *left, const void *right) noexcept nogil:
    cdef int32_t one = (<const int32_t *>left)[0], other = (<const int32_t *>right)[0]
    return (one > other) - (one < other)


cdef inline void mark_slot(Process *process, FdSlot *slot) noexcept nogil:
    if not slot.cloexec:
        slot.cloexec = 1
        process.marked += 1


cdef class State(Sockets):
    # -- events

    cdef void apply(self, Event *e) noexcept nogil:
        """Apply one event; `shown`, `shown_fd` and `touched` then say whose it was and on what."""
        self.shown, self.shown_fd = 0, -1
        self.dispatch(e)
        if self.current != NULL and self.current.live:
            self.shown, self.shown_fd = self.current.version, self.current.last_fd

    cdef void skip(self) noexcept nogil:
        """An event that cannot be decoded: it is nobody's."""
        self.settle()
        self.shown, self.shown_fd, self.touched, self.current = 0, -1, NULL, NULL

    cdef void dispatch(self, Event *e) noexcept nogil:
        cdef TypeInfo *info = &self.types[e.type]
        cdef Thread *t
        cdef int64_t res, fd
        cdef int operation = info.operation
        self.settle()
        self.touched, self.current = NULL, NULL
        if info.idle:
            return
        self.effort += EFFORT
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
        if not self.matched:
            t.enter_ts = 0  # of an earlier call
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
            self.duplicate(e, t, fd, res, self.number(e, t, ARG_FLAGS, 0) & O_CLOEXEC)
        elif operation == OP_FCNTL:
            if self.number(e, t, ARG_HOW, 0) == F_DUPFD or self.number(e, t, ARG_HOW, 0) == F_DUPFD_CLOEXEC:
                self.duplicate(e, t, fd, res, self.number(e, t, ARG_HOW, 0) == F_DUPFD_CLOEXEC)
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

    cdef void duplicate(self, Event *e, Thread *t, int64_t old, int64_t new, bint cloexec) noexcept nogil:
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
        cdef char *path
        cdef uint32_t path_len
        cdef Desc *base
        cdef Desc *d = self.new_desc(KIND_DIRECTORY if flags & O_DIRECTORY else KIND_FILE_V2)
        if d == NULL:
            self.install(e, t, self.number(e, t, ARG_RES, -1), NULL, False)
            return
        while size and name[size - 1] == 0:
            size -= 1
        if dirfd == AT_FDCWD or (size and name[0] == 47):
            path = join_path(t.process.cwd, t.process.cwd_len, name, size, &path_len)
        else:
            base = self.desc(t.process, dirfd)
            if base != NULL:
                path = join_path(base.name, base.name_len, name, size, &path_len)
            else:
                path = join_path(NULL, 0, name, size, &path_len)
        own_name(d, path, path_len)
        self.install(e, t, self.number(e, t, ARG_RES, -1), d, flags & O_CLOEXEC)

    cdef void chdir(self, Event *e, Thread *t) noexcept nogil:
        cdef uint32_t size = 0
        cdef const uint8_t *name = self.arg(e, t, ARG_NAME, &size)
        cdef char *path
        cdef uint32_t path_len
        if name != NULL:
            while size and name[size - 1] == 0:
                size -= 1
            path = join_path(t.process.cwd, t.process.cwd_len, name, size, &path_len)
            if path != NULL:
                self.set_cwd(t.process, <const uint8_t *>path, path_len)
                free(path)
        elif self.touched != NULL and self.touched.name != NULL:
            self.set_cwd(t.process, <const uint8_t *>self.touched.name, self.touched.name_len)

    cdef void close_range(self, Event *e, Thread *t, int64_t first, int64_t last) noexcept nogil:
        """close_range: close the numbers from `first` to `last`, or mark them to be closed by an execve."""
        cdef int64_t i
        cdef FdSlot *slot
        cdef Process *process = t.process
        cdef bint mark = self.number(e, t, ARG_FLAGS, 0) & CLOSE_RANGE_CLOEXEC
        first, last = first if first > 0 else 0, last if last < HIGHEST else HIGHEST
        if last - first >= process.mask:
            if not self.afford(process.mask + 1):
                self.refused += 1
            elif not mark:
                self.close_numbers(e, t, process, first, last, False)
            else:
                for i in range(process.mask + 1):
                    if in_use(&process.slots[i]) and first <= process.slots[i].fd <= last:
                        mark_slot(process, &process.slots[i])
            return
        for i in range(first, last + 1):
            slot = self.slot(process, i)
            if slot != NULL and mark:
                mark_slot(process, slot)
            elif slot != NULL:
                self.release(e, t, self.take(process, i))

    cdef void close_numbers(self, Event *e, Thread *t, Process *process, int64_t first, int64_t last,
                            bint only_cloexec) noexcept nogil:
        """Close descriptors from the lowest up, as the kernel does: where they stand in the table is chance."""
        cdef int32_t *numbers = <int32_t *>malloc((<size_t>process.used + 1) * sizeof(int32_t))
        cdef uint32_t i, count = 0
        cdef FdSlot *slot
        if numbers == NULL:
            self.exhausted = True
            return
        for i in range(process.mask + 1):
            slot = &process.slots[i]
            if not in_use(slot) or slot.fd < first or slot.fd > last or (only_cloexec and not slot.cloexec):
                continue
            if self.desc_at(slot.desc).refs > 1:  # others hold it: nobody will notice in which order it went
                self.leave(process, slot)
            else:
                numbers[count] = slot.fd
                count += 1
        qsort(numbers, count, sizeof(int32_t), ascending)
        for i in range(count):
            self.release(e, t, self.take(process, numbers[i]))
        free(numbers)

    # -- threads

    cdef void clone(self, Event *e, Thread *t) noexcept nogil:
        cdef int64_t res = self.number(e, t, ARG_RES, -1)
        cdef int64_t flags = self.number(e, t, ARG_FLAGS, 0)
        cdef int64_t tid = self.number(e, t, ARG_TID, -1), vtid = self.number(e, t, ARG_VTID, -1)
        cdef Thread *child
        cdef Thread *parent
        if res > 0:
            if tid > 0 and vtid > 0 and tid != vtid:
                return  # within a container the result is the number there: the child's own return makes it
            if self.ended_early(res):
                return
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
            if vtid > 0 and vtid != e.tid and self.current != NULL and self.current.live:
                self.current.fresh = 0  # its parent's return will not tell this number

    cdef bint ended_early(self, int64_t tid) noexcept nogil:
        """Whether the thread came and went before its parent's clone returned; asked once."""
        cdef int i
        for i in range(64):
            if self.early[i] == tid:
                self.early[i] = 0
                return True
        return False

    cdef void make_child(self, Event *e, Thread *parent, int64_t tid, bint from_parent, bint shares) noexcept nogil:
        """Make the thread `tid` out of its parent; a thread of that number that is still there is an older one."""
        cdef Thread *old = self.find(tid)
        cdef Thread *child
        cdef int64_t pid = self.number(e, self.current, ARG_PID, tid)
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
        if not from_parent:
            self.current = child
        self.tell(e, child, OP_CLONE)

    cdef void execve(self, Event *e, Thread *t) noexcept nogil:
        t.fresh = 0 if t.fresh == 1 else t.fresh
        if t.process.marked:
            if self.afford(t.process.mask + 1):
                self.close_numbers(e, t, t.process, 0, HIGHEST, True)
            else:
                self.refused += 1
        self.tell(e, t, OP_EXECVE)

    cdef void exit_thread(self, Event *e, Thread *t) noexcept nogil:
        cdef Process *process = t.process
        if t.fresh == 2:
            self.early[self.early_next & 63] = t.tid
            self.early_next += 1
        if process.refs == 1:
            self.close_numbers(e, t, process, 0, HIGHEST, False)
        self.tell(e, t, OP_PROCEXIT)
        self.drop_thread(t)

    cdef void tell(self, Event *e, Thread *t, int operation) noexcept nogil:
        """Hand an event to the Python side; an exception there stops the reading and is raised by the reader."""
        cdef uint32_t size = 0
        cdef const uint8_t *name
        with gil:
            try:
                params = [(<char *>e.data)[e.off[i]:e.off[i + 1]] for i in range(e.nparams)]
                if operation == OP_DROP:
                    self.dropped_events += 1
                elif operation == OP_CLONE:
                    t.version, t.container = self.identities.cloned(e.ts, e.type, params, t.tid, t.pid, t.fresh == 1)
                elif operation == OP_EXECVE:
                    name = self.arg(e, t, ARG_NAME, &size)
                    path = b"" if name == NULL else (<char *>name)[:size]
                    t.version, t.container = self.identities.executed(
                        e.ts, e.type, params, t.version, t.tid, t.pid, path, self.directory(e, t),
                        (e.ordinal, e.evt_num, e.block))
                elif operation == OP_PROCEXIT:
                    self.identities.exited(e.ts, t.version)
                elif operation == OP_IDENTITY:
                    before = kept_params(t.kept) if self.matched and t.kept_size else []
                    t.version = self.identities.changed(e.ts, e.type, params, t.version, before)
                else:
                    self.identities.described(e.ts, e.type, params)
            except BaseException as error:
                if self.failure is None:
                    self.failure, self.stopped = error, True

    cdef bytes directory(self, Event *e, Thread *t):
        """What a relative path of the event begins at."""
        cdef int64_t dirfd = self.number(e, t, ARG_DIRFD, AT_FDCWD)
        cdef Desc *base = self.desc(t.process, dirfd)
        if dirfd != AT_FDCWD:
            return b"" if base == NULL or base.name == NULL else base.name[:base.name_len]
        return b"" if t.process.cwd == NULL else t.process.cwd[:t.process.cwd_len]


cdef list kept_params(const uint8_t *kept):
    """The parameters of an enter that was kept."""
    cdef uint32_t i, count = u16(kept)
    cdef const char *data = <const char *>kept + 6 + 4 * count
    return [data[u32(kept + 2 + 4 * i):u32(kept + 6 + 4 * i)] for i in range(count)]

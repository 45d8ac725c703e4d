# cython: language_level=3, boundscheck=True
"""The walk over a trace for a filter or a sum: events that cannot matter pass without becoming Python objects.

An event is dealt with here where its type has no effect on the rows beside the last call of its thread, or one that is
simple (a file opened by an absolute path, a descriptor closed), and the verdict on its rows is no, or yes and it only
adds to a sum. Every other event goes to the plain replay, which works on the same rows, and then to `visit`. So the
plain replay stays the one place that knows all rules; a property test holds this walk to it.
"""

from cpython.unicode cimport PyUnicode_DecodeUTF8
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdio cimport snprintf
from libc.string cimport memchr, memcmp

from syswire.convert.scap.event cimport Event, u32, u64
from syswire.convert.star.judging cimport Row, unwanted
from syswire.convert.star.replaying cimport Replaying, fd_at, known_thread
from syswire.convert.trace.rows cimport Fd, Thread

from ..trace.parsers import MAX_PER_TABLE
from ..trace.raw import BLOCK, DAMAGE, FULL, NEED
from ..trace.threads import MAX_FDS

cdef enum:
    MAX_BLOCK = 1 << 26
    STATE_ONLY = 1
    O_CLOEXEC = 4096
    O_DIRECTORY = 1024
    SOCK_CLOEXEC = 0x80000
    INET = 2
    LONGEST_NAME = 250    # of a path that cannot be too long however it is joined

cdef enum:
    PYTHON, UNTOUCHED, ENTER, ENTER_CLOSE, ENTER_SENDTO, EXIT, EXIT_IO, EXIT_CLOSE, EXIT_OPEN, EXIT_CHECKED
    EXIT_ACCEPT

cdef enum:
    ODD = 3               # of read_signed: a size that no integer has

cdef object NO_FD = -1
cdef str FILE = "file", DIRECTORY = "directory", IPV4 = "ipv4", IPV6 = "ipv6", TCP = "tcp", SERVER = "server"
cdef int64_t PER_TABLE = MAX_PER_TABLE, ALL_TABLES = MAX_FDS


cdef inline uint32_t turned(uint32_t v, bint swapped) noexcept nogil:
    if swapped:
        return (v >> 24) | ((v >> 8) & 0xff00) | ((v << 8) & 0xff0000) | (v << 24)
    return v


cdef inline bint signed(const uint8_t *p, uint32_t size, int64_t *value) noexcept nogil:
    """A little-endian signed integer, 0 of no bytes. False: it has a size that is for Python."""
    if size == 8:
        value[0] = <int64_t>u64(p)
    elif size == 4:
        value[0] = <int32_t>u32(p)
    elif size == 0:
        value[0] = 0
    elif size == 1:
        value[0] = <int8_t>p[0]
    elif size == 2:
        value[0] = <int16_t>(p[0] | p[1] << 8)
    else:
        return False
    return True


cdef bint simple(const uint8_t *name, Py_ssize_t size) noexcept nogil:
    """Whether an absolute path is as it will be shown: nothing in it to resolve."""
    cdef Py_ssize_t i, last = 0
    if size < 2 or size > LONGEST_NAME or name[0] != 47:
        return False
    for i in range(1, size + 1):
        if i == size or name[i] == 47:
            if i - last == 1 or (i - last == 2 and name[last + 1] == 46):
                return False
            if i - last == 3 and name[last + 1] == 46 and name[last + 2] == 46:
                return False
            last = i
    return True


cdef class StarWalker(Replaying):
    def sweep(self, uint8_t[::1] buffer, Py_ssize_t begin, Py_ssize_t end, uint64_t base):
        """Take the events of buffer[begin:end]; (status, position, detail) as RawWalker.take, FULL: it is enough."""
        cdef uint8_t *p = &buffer[0] if end > begin else NULL
        cdef Py_ssize_t at = begin
        cdef uint32_t kind, size
        while True:
            if end - at < 8:
                return NEED, at, 8
            kind, size = turned(u32(p + at), self.swapped), turned(u32(p + at + 4), self.swapped)
            if kind == 0x0A0D0D0A:
                return BLOCK, at, kind
            if size < 12 or size & 3 or size > MAX_BLOCK:
                return DAMAGE, at, size
            if end - at < size:
                return NEED, at, size
            if not (kind == 0x216 or kind == 0x204 or kind == 0x217 or kind == 0x221 or kind == 0x222
                    or kind == 0x208 or kind == <uint32_t>0x8010ABCD):
                return BLOCK, at, kind
            if self.framed(p + at, kind, size, base + <uint64_t>(at - begin)) and self.handle():
                return FULL, at + size, 0
            at += size

    # -- events

    cdef int handle(self) except -1:
        """One event. 1: it is enough."""
        cdef Event *e = &self.current
        cdef Row *row = &self.codes[e.type]
        cdef Thread thread
        cdef dict fds
        cdef bint done
        if not row.ready:
            self.prepare(e.type)
        if self.leaving is not None or self.python_settles:
            self.settle()
        if not self.started or self.swapped or row.action == PYTHON:
            return self.delegate()
        thread = known_thread(self, e.tid)
        if thread is None:
            thread = self.lookup(e.tid)
        if thread is None and row.action == UNTOUCHED:
            return self.passed() if self.dealt(row, None, None) else self.delegate()
        if thread is None:
            return self.delegate()
        fds = self.table_of(thread)
        if fds is None:
            return self.delegate()
        if row.action == UNTOUCHED:
            done = self.untouched(row, thread, fds)
        elif row.action <= ENTER_SENDTO:
            done = self.enter(row, thread, fds)
        else:
            done = self.leave(row, thread, fds)
        return self.passed() if done else self.delegate()

    cdef bint untouched(self, Row *row, Thread thread, dict fds) except -1:
        cdef Fd fd = self.fd_of(fds, thread.last_fd) if row.on_fd else None
        if not unwanted(self, row, thread, fd) and not self.dealt(row, thread, fd):
            return False
        seen(fd)
        return True

    cdef bint enter(self, Row *row, Thread thread, dict fds) except -1:
        """An enter event. False: it is for Python."""
        cdef Event *e = &self.current
        cdef int64_t number = -1
        cdef Fd fd = None
        cdef object last_fd = NO_FD
        if row.enter_fd and e.nparams:
            if not signed(e.data, e.off[1], &number):
                return False
            last_fd = number
            fd = fd_at(fds, last_fd)
        if fd is None and row.action == ENTER_SENDTO:
            return False
        if not unwanted(self, row, thread, fd) and not self.dealt(row, thread, fd):
            return False
        thread.last_fd, thread.last_type = last_fd, e.type
        thread.enter, thread.keeping = None, row.has_exit
        if row.has_exit and not thread.keep(e, self.previous):
            raise MemoryError
        thread.timed, thread.latency = False, 0
        if fd is not None:
            if row.action == ENTER_CLOSE:
                fd.closing = True
            if row.on_fd:
                seen(fd)
        return True

    cdef bint leave(self, Row *row, Thread thread, dict fds) except -1:
        """An exit event. False: it is for Python."""
        cdef Event *e = &self.current
        cdef int64_t res = -1
        cdef bint matched = e.type == thread.last_type + 1
        cdef Fd fd = self.fd_of(fds, thread.last_fd) if row.uses_fd or row.on_fd else None
        if not matched:
            if row.alone:
                return False
            if not row.on_fd:
                fd = None
            if not unwanted(self, row, thread, fd) and not self.dealt(row, thread, fd):
                return False
            self.end_call(thread, False)
            seen(fd)
            return True
        if e.nparams and not signed(e.data, e.off[1], &res):
            return False
        if row.action == EXIT_OPEN and res >= 0:
            return self.opened(row, thread, fds, res)
        if row.action == EXIT_ACCEPT and res >= 0:
            return self.accepted(row, thread, fds, res)
        if row.action == EXIT_CHECKED and res >= 0:
            return False
        if row.action == EXIT_IO and row.datagram and res >= 0 and fd is not None and (fd.l4 != TCP or not fd.name):
            return False
        if not unwanted(self, row, thread, fd) and not self.dealt(row, thread, fd):
            return False
        self.end_call(thread, True)
        if fd is not None:
            if row.action == EXIT_IO and res >= 0 and (fd.kind == IPV4 or fd.kind == IPV6):
                fd.connected = True
            elif row.action == EXIT_CLOSE and res < 0:
                fd.closing = False
            elif row.action == EXIT_CLOSE:
                self.leaving, self.leaving_table = fd, fds
            if row.on_fd:
                seen(fd)
        return True

    cdef void end_call(self, Thread thread, bint matched):
        """The thread left a call, the one that it entered or another."""
        if thread.keeping:
            thread.entered_ts, thread.left_ts, thread.timed = thread.kept_ts, self.current.ts, True
        elif thread.enter is not None:
            thread.timed, thread.latency = False, <object>self.current.ts - thread.enter.ts
        thread.last_valid = matched
        if matched:
            thread.keeping, thread.enter = False, None

    cdef bint opened(self, Row *row, Thread thread, dict fds, int64_t res) except -1:
        """A file was opened. False: it is for Python."""
        cdef Event *e = &self.current
        cdef const uint8_t *name = NULL
        cdef const uint8_t *flags = NULL
        cdef const uint8_t *end
        cdef uint32_t size = 0, flags_size = 0
        cdef uint32_t *off = <uint32_t *>thread.kept
        cdef const uint8_t *kept = <const uint8_t *>thread.kept + (thread.kept_params + 1) * 4
        cdef int64_t number = 0
        cdef Fd fd
        cdef object key = res
        if not thread.keeping:
            return False
        if 0 <= row.enter_name < <int>thread.kept_params:
            name, size = kept + off[row.enter_name], off[row.enter_name + 1] - off[row.enter_name]
        if 0 <= row.enter_flags < <int>thread.kept_params:
            flags, flags_size = kept + off[row.enter_flags], off[row.enter_flags + 1] - off[row.enter_flags]
        if size == 0 or (size == 1 and name[0] == 0) or (size == 5 and memcmp(name, b"<NA>\0", 5) == 0):
            if not 0 <= row.name < <int>e.nparams:
                return False
            name, size = e.data + e.off[row.name], e.off[row.name + 1] - e.off[row.name]
        if flags_size == 0 and 0 <= row.flags < <int>e.nparams:
            flags, flags_size = e.data + e.off[row.flags], e.off[row.flags + 1] - e.off[row.flags]
        end = <const uint8_t *>memchr(name, 0, size) if size else NULL
        if end != NULL:
            size = <uint32_t>(end - name)
        if not simple(name, size) or (flags_size and flags_size != 4):
            return False
        number = u32(flags) if flags_size else 0
        fd = Fd.__new__(Fd)
        fd.num, fd.name = key, PyUnicode_DecodeUTF8(<const char *>name, size, "surrogateescape")
        fd.kind = DIRECTORY if number & O_DIRECTORY else FILE
        fd.raw_name, fd.openflags, fd.cloexec, fd.created = fd.name, number, number & O_CLOEXEC != 0, e.ordinal
        if not self.told(row.dev, &number):
            return False
        fd.dev = number if number >= 0 else None
        if not self.told(row.ino, &number):
            return False
        fd.ino = number if number >= 0 else None
        return self.installed(row, thread, fds, fd)

    cdef bint accepted(self, Row *row, Thread thread, dict fds, int64_t res) except -1:
        """A connection over IPv4 was accepted. False: it is for Python."""
        cdef Event *e = &self.current
        cdef uint32_t *off = <uint32_t *>thread.kept
        cdef const uint8_t *kept = <const uint8_t *>thread.kept + (thread.kept_params + 1) * 4
        cdef const uint8_t *p
        cdef uint32_t flags = 0
        cdef char name[64]
        cdef int size
        cdef Fd fd
        if not thread.keeping or not 0 <= row.tuple < <int>e.nparams:
            return False
        if 0 <= row.flags < <int>e.nparams:
            if e.off[row.flags + 1] - e.off[row.flags] != 4:
                return False
            flags = u32(e.data + e.off[row.flags])
        elif 0 <= row.enter_flags < <int>thread.kept_params:
            if off[row.enter_flags + 1] - off[row.enter_flags] != 4:
                return False
            flags = u32(kept + off[row.enter_flags])
        p = e.data + e.off[row.tuple]
        if e.off[row.tuple + 1] - e.off[row.tuple] < 13 or p[0] != INET:
            return False
        size = snprintf(
            name, sizeof(name), b"%u.%u.%u.%u:%u->%u.%u.%u.%u:%u", <unsigned>p[1], <unsigned>p[2], <unsigned>p[3],
            <unsigned>p[4], <unsigned>(p[5] | p[6] << 8), <unsigned>p[7], <unsigned>p[8], <unsigned>p[9],
            <unsigned>p[10], <unsigned>(p[11] | p[12] << 8))
        fd = Fd.__new__(Fd)
        fd.num, fd.kind, fd.l4, fd.role, fd.connected, fd.created = res, IPV4, TCP, SERVER, True, e.ordinal
        fd.sip, fd.sport, fd.dip, fd.dport = p[1:5], p[5] | p[6] << 8, p[7:11], p[11] | p[12] << 8
        fd.name = PyUnicode_DecodeUTF8(name, size, NULL)
        fd.cloexec = flags & (SOCK_CLOEXEC | O_CLOEXEC) != 0
        return self.installed(row, thread, fds, fd)

    cdef bint installed(self, Row *row, Thread thread, dict fds, Fd fd) except -1:
        """A new descriptor goes into the table, unless the event is for Python (False)."""
        cdef bint is_new = fd_at(fds, fd.num) is None
        if is_new and (len(fds) >= PER_TABLE or self.fds >= ALL_TABLES):
            return False
        if not unwanted(self, row, thread, fd) and not self.dealt(row, thread, fd):
            return False
        self.end_call(thread, True)
        thread.last_fd = fd.num
        fds[fd.num] = fd
        self.fds += is_new
        seen(fd)
        return True

    cdef bint told(self, int place, int64_t *value) noexcept:
        """A number from a parameter, -1 where it is absent. False: it is for Python."""
        cdef Event *e = &self.current
        cdef uint32_t size
        value[0] = -1
        if place < 0 or place >= <int>e.nparams:
            return True
        size = e.off[place + 1] - e.off[place]
        if size == 4:
            value[0] = u32(e.data + e.off[place])
        elif size == 8:
            value[0] = <int64_t>u64(e.data + e.off[place])
            return value[0] >= 0
        return size == 0 or size == 4


cdef inline int seen(Fd fd) except -1:
    """An event showed the descriptor: whether its name is another than at the event before."""
    if fd is not None:
        fd.name_changed = fd.name is not fd.old_name and fd.name != fd.old_name
        fd.old_name = fd.name
    return 0

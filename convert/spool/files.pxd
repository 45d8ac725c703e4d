# Buffered access to spool files for compiled code, without Python objects. Everything is inline: each module
# that cimports this has its own copy. Failures come back as NULL or -1 with errno set; `raise_errno` makes the
# exception where the interpreter is at hand.

from cpython.exc cimport PyErr_SetFromErrno
from libc cimport errno as system
from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy
from posix.unistd cimport pread, write

cdef enum:
    SCRATCH_BYTES = 1 << 17   # more than the largest request of payload_at
    WINDOW_BYTES = 1 << 20
    SMALLEST_REACH = 1 << 12
    DIRECT_READS = 8          # so many reads beside the window move it


cdef inline int raise_errno() except -1:
    PyErr_SetFromErrno(OSError)
    return -1


cdef inline int read_whole(int fd, char *target, uint64_t wanted, uint64_t position) noexcept nogil:
    # All of `wanted` bytes, or -1. A file that ends early is an I/O error: the rows promised the bytes.
    cdef int64_t got
    cdef uint64_t done = 0
    while done < wanted:
        got = pread(fd, target + done, wanted - done, <int64_t>(position + done))
        if got < 0 and system.errno == system.EINTR:
            continue
        if got <= 0:
            if got == 0:
                system.errno = system.EIO
            return -1
        done += <uint64_t>got
    return 0


cdef inline int write_whole(int fd, const char *source, uint64_t wanted) noexcept nogil:
    cdef int64_t put
    cdef uint64_t done = 0
    while done < wanted:
        put = write(fd, source + done, wanted - done)
        if put < 0 and system.errno == system.EINTR:
            continue
        if put <= 0:
            if put == 0:
                system.errno = system.EIO
            return -1
        done += <uint64_t>put
    return 0


# ---- rows out ----

ctypedef struct RowWriter:
    int fd
    uint32_t size       # bytes of a row
    uint32_t room       # rows in the buffer
    uint32_t held
    uint64_t rows       # rows written so far, those in the buffer included
    char *buffer


cdef inline int writer_open(RowWriter *out, int fd, uint32_t size, uint32_t room) noexcept nogil:
    out.fd, out.size, out.room, out.held, out.rows = fd, size, room, 0, 0
    out.buffer = <char *>malloc(<size_t>size * room)
    return 0 if out.buffer != NULL else -1


cdef inline int writer_flush(RowWriter *out) noexcept nogil:
    if out.held and write_whole(out.fd, out.buffer, <uint64_t>out.held * out.size) < 0:
        return -1
    out.held = 0
    return 0


cdef inline int writer_put(RowWriter *out, const void *row) noexcept nogil:
    if out.held == out.room and writer_flush(out) < 0:
        return -1
    memcpy(out.buffer + <uint64_t>out.held * out.size, row, out.size)
    out.held += 1
    out.rows += 1
    return 0


cdef inline void writer_close(RowWriter *out) noexcept nogil:
    free(out.buffer)
    out.buffer = NULL


# ---- rows in ----

ctypedef struct RowCursor:
    int fd
    uint32_t size       # bytes of a row
    uint32_t room       # rows that `own` takes
    uint64_t end        # rows in the file, or where reading has to stop
    uint64_t start      # index of the first row in the buffer
    uint64_t held       # rows in the buffer
    const char *buffer  # `own`, or another cursor's rows
    char *own


cdef inline int cursor_open(RowCursor *cursor, int fd, uint32_t size, uint32_t room, uint64_t end) noexcept nogil:
    cursor.fd, cursor.size, cursor.room, cursor.end = fd, size, room, end
    cursor.start = cursor.held = 0
    cursor.own = <char *>malloc(<size_t>size * room)
    cursor.buffer = cursor.own
    return 0 if cursor.own != NULL else -1


cdef inline const char *cursor_row(RowCursor *cursor, uint64_t index) noexcept nogil:
    # The row, valid until the next call; NULL on an I/O error. `index` is below `end`.
    cdef uint64_t count
    if index < cursor.start or index >= cursor.start + cursor.held:
        count = cursor.end - index
        if count > cursor.room:
            count = cursor.room
        cursor.buffer = cursor.own
        cursor.held = 0
        if read_whole(cursor.fd, cursor.own, count * cursor.size, index * cursor.size) < 0:
            return NULL
        cursor.start, cursor.held = index, count
    return cursor.buffer + (index - cursor.start) * cursor.size


cdef inline void cursor_share(RowCursor *cursor, RowCursor *source) noexcept nogil:
    # Read from the rows that `source` holds as long as they suffice; `source` must not move meanwhile.
    cursor.buffer, cursor.start, cursor.held = source.buffer, source.start, source.held


cdef inline void cursor_forget(RowCursor *cursor) noexcept nogil:
    cursor.buffer, cursor.held = cursor.own, 0


cdef inline void cursor_close(RowCursor *cursor) noexcept nogil:
    free(cursor.own)
    cursor.own = NULL
    cursor.buffer = NULL


# ---- payload in ----

ctypedef struct PayloadWindow:
    int fd
    uint32_t reach      # bytes to read at once, by how much of the last window was used
    uint32_t beside     # reads beside the window since it was last of use
    uint64_t start
    uint64_t held
    uint64_t used
    uint64_t size       # of the file
    char *buffer
    char *scratch


cdef inline int window_open(PayloadWindow *window, int fd, uint64_t size) noexcept nogil:
    window.fd, window.size, window.reach, window.beside = fd, size, SMALLEST_REACH, 0
    window.start = window.held = window.used = 0
    window.buffer = <char *>malloc(WINDOW_BYTES)
    window.scratch = <char *>malloc(SCRATCH_BYTES)
    return 0 if window.buffer != NULL and window.scratch != NULL else -1


cdef inline int _window_move(PayloadWindow *window, uint64_t position, uint32_t length) noexcept nogil:
    # Where most of a window was used the next one is larger, where little was, smaller.
    cdef uint64_t count
    if window.used * 4 < window.held:
        window.reach = window.reach // 2 if window.reach > SMALLEST_REACH else SMALLEST_REACH
    elif window.reach < WINDOW_BYTES:
        window.reach *= 2
    count = window.reach if window.reach > length else length
    if count > window.size - position:
        count = window.size - position
    window.held = 0
    if read_whole(window.fd, window.buffer, count, position) < 0:
        return -1
    window.start, window.held, window.used, window.beside = position, count, 0, 0
    return 0


cdef inline const char *payload_at(PayloadWindow *window, uint64_t position, uint32_t length) noexcept nogil:
    # `length` bytes (at most SCRATCH_BYTES) at `position`, valid until the next call; NULL on an I/O error.
    if position > window.size or length > window.size - position or length > SCRATCH_BYTES:
        system.errno = system.EIO
        return NULL
    if position >= window.start and position + length <= window.start + window.held:
        window.used += length
        window.beside = 0
        return window.buffer + (position - window.start)
    if position < window.start and window.beside < DIRECT_READS:
        window.beside += 1
        if read_whole(window.fd, window.scratch, length, position) < 0:
            return NULL
        return window.scratch
    if _window_move(window, position, length) < 0:
        return NULL
    window.used += length
    return window.buffer


cdef inline void window_close(PayloadWindow *window) noexcept nogil:
    free(window.buffer)
    free(window.scratch)
    window.buffer = NULL
    window.scratch = NULL

# cython: language_level=3
"""Which conversation had the same two ends before.

Wireshark tells a re-used pair of ends apart by the SYN alone. A conversation whose beginning was not recorded therefore
goes on in the stream of the one before it, and has to go on with its sequence numbers too.
"""

import os

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcmp, memcpy

from syswire.convert.model.rows cimport Conv
from syswire.convert.spool.files cimport (
    RowCursor, RowWriter, cursor_close, cursor_open, cursor_row, raise_errno, read_whole, writer_close, writer_flush,
    writer_open, writer_put,
)
from syswire.convert.spool.sort import sort_rows

cdef enum:
    TCP = 6
    BUFFERED = 1024


cdef uint64_t end_hash(const uint8_t *ip, uint32_t port) noexcept nogil:
    cdef uint64_t high, low
    memcpy(&high, ip, 8)
    memcpy(&low, ip + 8, 8)
    high = (high ^ port) * <uint64_t>0x9E3779B97F4A7C15
    low = (low + (high >> 29) + high) * <uint64_t>0xBF58476D1CE4E5B9
    return low ^ (low >> 31)


cdef bint same_ends(const Conv *a, const Conv *b, bint *swapped) noexcept nogil:
    swapped[0] = False
    if (a.client_port == b.client_port and a.server_port == b.server_port
            and memcmp(a.client_ip, b.client_ip, 16) == 0 and memcmp(a.server_ip, b.server_ip, 16) == 0):
        return True
    swapped[0] = True
    return (a.client_port == b.server_port and a.server_port == b.client_port
            and memcmp(a.client_ip, b.server_ip, 16) == 0 and memcmp(a.server_ip, b.client_ip, 16) == 0)


cdef int put_keys(RowCursor *convs, RowWriter *out) noexcept nogil:
    cdef uint64_t index
    cdef const Conv *conv
    cdef Key key
    for index in range(convs.end):
        conv = <const Conv *>cursor_row(convs, index)
        if conv == NULL:
            return -1
        key.conv, key.before, key.ends = <uint32_t>(index + 1), 0, index   # what is not TCP has ends of its own
        if conv.protocol == TCP:
            key.ends = end_hash(conv.client_ip, conv.client_port) + end_hash(conv.server_ip, conv.server_port)
        if writer_put(out, &key) < 0:
            return -1
    return writer_flush(out)


cdef inline int read_conv(int fd, uint32_t conv, Conv *target) noexcept nogil:
    return read_whole(fd, <char *>target, sizeof(Conv), <uint64_t>(conv - 1) * sizeof(Conv))


cdef int put_predecessors(RowCursor *keys, RowCursor *convs, RowWriter *out) noexcept nogil:
    cdef uint64_t index
    cdef Key key, last
    cdef Conv mine, other
    cdef bint swapped
    cdef const char *row
    last.conv = 0
    for index in range(keys.end):
        row = cursor_row(keys, index)
        if row == NULL:
            return -1
        memcpy(&key, row, sizeof(Key))
        key.before = 0
        if last.conv and last.ends == key.ends:
            # Equal hashes are rare but for equal ends, so these reads are few.
            if read_conv(convs.fd, key.conv, &mine) < 0 or read_conv(convs.fd, last.conv, &other) < 0:
                return -1
            if mine.protocol == TCP and other.protocol == TCP and same_ends(&mine, &other, &swapped):
                key.before = last.conv
        last = key
        if writer_put(out, &key) < 0:
            return -1
    return writer_flush(out)


def find_predecessors(convs, target, *, scratch):
    """Write for each conversation, in the order of the ids, which one had its ends before; see tuples.pyi."""
    cdef RowCursor conv_rows, keys
    cdef RowWriter out
    cdef int result
    unsorted, by_ends = os.path.join(scratch, "ends"), os.path.join(scratch, "ends-sorted")
    conv_rows.own = keys.own = NULL
    out.buffer = NULL
    try:
        with open(convs, "rb", buffering=0) as source:
            if cursor_open(&conv_rows, source.fileno(), sizeof(Conv), BUFFERED,
                           os.fstat(source.fileno()).st_size // sizeof(Conv)) < 0:
                raise MemoryError
            with open(unsorted, "wb", buffering=0) as file:
                if writer_open(&out, file.fileno(), sizeof(Key), BUFFERED) < 0:
                    raise MemoryError
                with nogil:
                    result = put_keys(&conv_rows, &out)
                if result < 0:
                    raise_errno()
            sort_rows(unsorted, by_ends, sizeof(Key), [(0, 8), (8, 4)], scratch=scratch)
            with open(by_ends, "rb", buffering=0) as file, open(unsorted, "wb", buffering=0) as again:
                if cursor_open(&keys, file.fileno(), sizeof(Key), BUFFERED, conv_rows.end) < 0:
                    raise MemoryError
                out.fd = again.fileno()
                with nogil:
                    result = put_predecessors(&keys, &conv_rows, &out)
                if result < 0:
                    raise_errno()
            sort_rows(unsorted, target, sizeof(Key), [(8, 4)], scratch=scratch)
    finally:
        cursor_close(&conv_rows)
        cursor_close(&keys)
        writer_close(&out)
        for path in (unsorted, by_ends):
            if os.path.exists(path):
                os.unlink(path)

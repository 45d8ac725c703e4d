# cython: language_level=3
"""Names of open files and sockets, and paths joined as the kernel walks them.

A short relative name under a long directory makes a long path: what all names take together is bounded (`Texts`), what
finds no room is not kept and counted.
"""

from libc.stdint cimport uint8_t, uint32_t
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy

from syswire.convert.scap.tables cimport room_for

cdef enum:
    MAX_PATH = 4096


cdef bint own_name(Desc *d, char *text, uint32_t size) noexcept nogil:
    """Name the description by `text`, which it owns from now on (or which is freed, where there is no room)."""
    cdef char *less
    if text == NULL:
        return False
    if not room_for(d.texts, d.name_len, size):
        free(text)
        return False
    less = <char *>realloc(text, size + 1)
    free(d.name)
    d.name, d.name_len = less if less != NULL else text, size
    return True


cdef bint set_name(Desc *d, const uint8_t *text, uint32_t size) noexcept nogil:
    """Name the description by a copy of `text`, without the terminating NUL that parameters carry."""
    cdef char *copy
    while size and text[size - 1] == 0:
        size -= 1
    if size > MAX_PATH:
        size = MAX_PATH
    copy = <char *>malloc(size + 1)
    if copy == NULL:
        return False
    if size:
        memcpy(copy, text, size)
    return own_name(d, copy, size)


cdef char *join_path(
    const char *base, uint32_t base_len, const uint8_t *name, uint32_t size, uint32_t *out_len
) noexcept nogil:
    """`name` seen from directory `base`, without '.', '..' and doubled slashes, in new memory; NULL: none left."""
    cdef uint32_t n = 0
    cdef char *joined
    out_len[0] = 0
    if size > MAX_PATH:
        size = MAX_PATH
    if base_len > MAX_PATH:
        base_len = MAX_PATH
    if size and name[0] == 47:
        base_len = 0
    joined = <char *>malloc(base_len + size + 2)
    if joined == NULL:
        return NULL
    if base_len:
        memcpy(joined, base, base_len)
        n = base_len
        joined[n] = 47
        n += 1
    if size:
        memcpy(joined + n, name, size)
        n += size
    n = normalise(joined, n)
    out_len[0] = n if n < MAX_PATH else MAX_PATH
    return joined


cdef uint32_t normalise(char *path, uint32_t size) noexcept nogil:
    """Remove '.', '..' and empty parts of an absolute path in place; a relative path stays as it is."""
    cdef uint32_t read = 0, write = 0, begin, length
    if size == 0 or path[0] != 47:
        return size
    while read < size:
        while read < size and path[read] == 47:
            read += 1
        begin = read
        while read < size and path[read] != 47:
            read += 1
        length = read - begin
        if length == 0 or (length == 1 and path[begin] == 46):
            continue
        if length == 2 and path[begin] == 46 and path[begin + 1] == 46:
            while write > 0:
                write -= 1
                if path[write] == 47:
                    break
            continue
        path[write] = 47
        write += 1
        while begin < read:
            path[write] = path[begin]
            write += 1
            begin += 1
    if write == 0:
        path[0] = 47
        write = 1
    return write

# Names of open files and sockets, and paths.

from libc.stdint cimport uint8_t, uint32_t

from syswire.convert.scap.tables cimport Desc

cdef char *join_path(
    const char *base, uint32_t base_len, const uint8_t *name, uint32_t size, uint32_t *out_len
) noexcept nogil
cdef bint own_name(Desc *d, char *text, uint32_t size) noexcept nogil
cdef bint set_name(Desc *d, const uint8_t *text, uint32_t size) noexcept nogil

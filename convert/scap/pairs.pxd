# Addresses in event parameters (SOCKADDR, SOCKTUPLE) to and from descriptor rows.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

from syswire.convert.scap.tables cimport Desc

cdef bint set_pair(Desc *d, const uint8_t *pair, uint32_t size, bint swapped) noexcept nogil
cdef bint set_bound(Desc *d, const uint8_t *addr, uint32_t size) noexcept nogil
cdef bint set_remote(Desc *d, const uint8_t *addr, uint32_t size) noexcept nogil
cdef void unmap(Desc *d) noexcept nogil
cdef uint16_t source_port(const uint8_t *pair, uint32_t size) noexcept nogil
cdef void patch_side(uint8_t *side, const uint8_t *remote, uint8_t width, uint8_t (*addresses)[33],
                     int count) noexcept nogil

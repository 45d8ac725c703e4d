# Ethernet and IEEE 802.2: from a frame, or from an Ethernet type, to what is carried.

from libc.stdint cimport uint32_t

from syswire.convert.packets.view cimport View

cdef int ethernet(View *v) noexcept nogil
cdef int by_ethertype(View *v, bint lengths) noexcept nogil
cdef int by_type(View *v, uint32_t kind, bint lengths) noexcept nogil
cdef int by_llc(View *v) noexcept nogil

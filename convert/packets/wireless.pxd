# IEEE 802.11, bare and behind the headers that drivers put before it.

from syswire.convert.packets.view cimport View

cdef int wireless(View *v) noexcept nogil
cdef int radiotap(View *v) noexcept nogil
cdef int prism(View *v) noexcept nogil
cdef int avs(View *v) noexcept nogil

# The link layers: from a frame to the IP packet in it.

from libc.stdint cimport uint16_t

from syswire.convert.packets.view cimport View

# Moves the view behind the link header and returns a KIND_* of view.pxd.
ctypedef int (*Link)(View *v) noexcept nogil

cdef Link link_of(uint16_t linktype) noexcept nogil

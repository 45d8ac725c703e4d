# Tunnels in UDP, by their ports.

from syswire.convert.packets.view cimport View

cdef int tunnelled(View *v) noexcept nogil

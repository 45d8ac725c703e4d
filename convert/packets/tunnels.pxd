# Tunnels: from what encapsulates a packet to the packet.

from syswire.convert.packets.view cimport View

cdef int carried(View *v, int kind) noexcept nogil

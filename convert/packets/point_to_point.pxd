# PPP and its relatives on serial lines.

from syswire.convert.packets.view cimport View

cdef bint from_client(const View *v) noexcept nogil
cdef int ppp(View *v) noexcept nogil
cdef int ppp_serial(View *v) noexcept nogil
cdef int ppp_directed(View *v) noexcept nogil
cdef int ppp_pppd(View *v) noexcept nogil
cdef int pppoe(View *v) noexcept nogil
cdef int cisco_hdlc(View *v) noexcept nogil
cdef int frame_relay(View *v) noexcept nogil
cdef int frame_relay_directed(View *v) noexcept nogil

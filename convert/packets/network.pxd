# IPv4 and IPv6: from an IP header to what it carries; ICMP: to the packet that an error message quotes.

from syswire.convert.packets.packet cimport Packet
from syswire.convert.packets.view cimport Ip, View

cdef int ipv4(View *v, Packet *p, Ip *ip) noexcept nogil
cdef int ipv6(View *v, Packet *p, Ip *ip) noexcept nogil
cdef int next_header(View *v, Packet *p, Ip *ip) noexcept nogil
cdef int icmp(View *v, const Packet *p) noexcept nogil

# From a frame to the TCP segment or UDP datagram in it.

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t

from syswire.convert.packets.fragments cimport Trains
from syswire.convert.packets.packet cimport MOST_OUTER, Outer, Packet, Part
from syswire.convert.packets.record cimport Record
from syswire.convert.packets.tally cimport Tally
from syswire.convert.packets.view cimport Ip, View

cdef enum:
    MOST_SUMS = 16              # headers with a checksum in one frame; those further in are not told

cdef enum:
    DECODED = 1
    PASSED = 0
    MENTIONED = 2               # see layers.pyx
    MOST_UNKNOWN = 64           # link types that are counted one by one

ctypedef struct UnknownLink:
    uint16_t linktype
    uint64_t frames

cdef class Layers:
    cdef Trains trains
    cdef Tally unknown_link_type
    cdef Tally not_followed
    cdef Tally malformed
    cdef Tally short_frame
    cdef public bint logins     # whether logins of PPP are handed on, as datagrams without addresses
    cdef public bint mentions   # whether decode() tells of headers that are only mentioned
    cdef UnknownLink unknown[MOST_UNKNOWN]
    cdef uint32_t unknown_count
    cdef Outer outer[MOST_OUTER]
    cdef uint32_t sums[MOST_SUMS]   # where in the frame headers begin that have a checksum over all behind them, and
    cdef uint8_t sum_places[MOST_SUMS]  # where in the header; from the outside in
    cdef uint32_t sum_count
    cdef Part part              # of a packet that came in one frame
    cdef Part *parts            # of one that came in fragments
    cdef uint32_t part_room

    cdef int decode(self, const Record *r, Packet *p) noexcept nogil
    cdef int _network(self, const Record *r, View *v, int kind, Packet *p) noexcept nogil
    cdef int _login(self, const Record *r, const View *v, Packet *p, bint addressed) noexcept nogil
    cdef int _place(self, const Record *r, const View *v, Packet *p) noexcept nogil
    cdef void _around(self, Packet *p) noexcept nogil
    cdef int _mention(self, const Record *r, const View *v, Packet *p, Tally *cause) noexcept nogil
    cdef void _summed(self, uint32_t header, uint8_t place) noexcept nogil
    cdef int _transport(self, const Record *r, View *v, int kind, Packet *p) noexcept nogil
    cdef int _parts(self, const Record *r, const View *v, Packet *p) noexcept nogil
    cdef int _unknown(self, const Record *r) noexcept nogil
    cdef void finish(self) noexcept nogil

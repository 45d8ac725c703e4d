# What the link and network layers hand to each other: the bytes that are left of a frame, and what stands in them.

from libc.stdint cimport uint8_t, uint16_t, uint32_t

cdef enum:
    KIND_MALFORMED = 0        # headers are cut, or contradict themselves
    KIND_OTHER = 1            # a protocol that is not followed
    KIND_IP = 2               # IPv4 or IPv6, by the version in the header
    KIND_IPV4 = 3
    KIND_IPV6 = 4
    KIND_FRAGMENT = 5         # of an IP datagram
    KIND_TCP = 6
    KIND_UDP = 7
    KIND_ICMP = 8
    KIND_HELD = 9             # a fragment whose datagram is not whole yet
    KIND_LOST = 10            # a fragment of a datagram that never will be
    KIND_ETHERNET = 11        # an Ethernet frame; from here on: what `carried` of tunnels.pyx takes off
    KIND_PPP = 12             # a PPP frame, with or without address and control
    KIND_PPPOE = 13
    KIND_MPLS = 14            # a stack of labels
    KIND_GRE = 15
    KIND_ETHERIP = 16
    KIND_NSH = 17             # a network service header
    KIND_PPP_LOGIN = 18       # a PPP frame that authenticates, from its protocol's number on

ctypedef struct View:
    const uint8_t *data
    uint32_t offset           # of `data` in the frame, or in the datagram that was put together from fragments
    uint32_t captured         # bytes at `data`
    uint32_t original         # bytes that the layer outside says there are; never less than `captured`
    uint32_t lacking          # bytes that an IP header claims beyond the end of the frame
    uint32_t session          # of PPPoE, 0 elsewhere
    uint8_t assembled         # 1: the view is of a datagram that was put together from fragments

ctypedef struct Ip:           # of an IP header what Packet has no place for
    uint32_t id               # fragments with the same are one datagram's
    uint32_t place            # of a fragment in its datagram, in bytes
    uint8_t more              # 1: more fragments follow this one
    uint8_t next_header       # what the fragment, or the datagram made of it, begins with


cdef inline uint16_t be16(const uint8_t *at) noexcept nogil:
    return <uint16_t>(at[0] << 8 | at[1])


cdef inline uint32_t be32(const uint8_t *at) noexcept nogil:
    return <uint32_t>at[0] << 24 | <uint32_t>at[1] << 16 | <uint32_t>at[2] << 8 | at[3]


cdef inline uint16_t le16(const uint8_t *at) noexcept nogil:
    return <uint16_t>(at[1] << 8 | at[0])


cdef inline uint32_t le32(const uint8_t *at) noexcept nogil:
    return <uint32_t>at[3] << 24 | <uint32_t>at[2] << 16 | <uint32_t>at[1] << 8 | at[0]


cdef inline void skip(View *v, uint32_t size) noexcept nogil:
    # `size` bytes on; the caller knows that they are captured.
    v.data += size
    v.offset += size
    v.captured -= size
    v.original -= size


cdef inline void hold(View *v, uint32_t size) noexcept nogil:
    # The layer ends after `size` bytes, captured or not.
    v.original = size
    if v.captured > size:
        v.captured = size

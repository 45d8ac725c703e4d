# cython: language_level=3
"""Sequence numbers of one half of a TCP conversation, unwrapped to 64 bits as they come (RFC 9293, 3.4).

The largest window is 1 GiB (RFC 7323, 2.3): a number farther than that from what was seen cannot belong to the
connection as it stands. It moves nothing, unless others follow it without a hole: then the capture has lost more than
a window, or the tuple was used again unseen.
"""

cdef uint64_t BIAS = <uint64_t>1 << 40     # room for numbers below the first that was seen

cdef enum:
    WINDOW = 1 << 30
    STRAYS = 16             # segments one behind the other that are believed
    NEAR = 1 << 20          # bytes behind a SYN that may be captured before it


cdef uint64_t place(Half *half, uint32_t seq) noexcept nogil:
    """The `rel` of a sequence number, 0 where it is too far off. The first number gives the reference."""
    cdef int32_t distance
    if not half.flags & HALF_PLACED:
        half.flags |= HALF_PLACED
        half.next = BIAS + seq
        return half.next
    distance = <int32_t>(seq - <uint32_t>half.next)
    if distance >= WINDOW or distance <= -WINDOW:
        return 0
    return half.next + distance


cdef uint64_t place_data(Half *half, uint32_t seq, uint32_t length) noexcept nogil:
    """The same for bytes, which move the reference on; 0 for those that are too far off to be placed."""
    cdef uint64_t rel = place(half, seq)
    if rel == 0:
        half.strays = half.strays + 1 if half.strays and seq == half.stray else 1
        half.stray = seq + length
        if half.strays < STRAYS:
            return 0
        rel = half.next + <uint32_t>(seq - <uint32_t>half.next)
    half.strays = 0
    if half.low == 0 or rel < half.low:
        half.low = rel
    if rel + length > half.top:
        half.top = rel + length
    if rel + length > half.next:
        half.next = rel + length
    return rel


cdef bint begins_here(const Half *half, uint32_t isn) noexcept nogil:
    """Whether a SYN with this number, captured only now, can be the beginning of what was seen of the half."""
    cdef uint64_t first = half.low
    cdef uint32_t distance
    if half.flags & HALF_SYN:
        return half.isn == isn
    if half.flags & HALF_ACKED and (first == 0 or half.first_ack < first):
        first = half.first_ack
    if first == 0:
        first = half.next
    distance = <uint32_t>first - (isn + 1)
    return not half.flags & HALF_PLACED or distance < NEAR


cdef uint64_t known_end(const Half *half) noexcept nogil:
    """The `rel` behind the last byte that is known to have been sent, 0 where nothing tells."""
    if half.flags & HALF_FIN:
        return half.fin
    # An acknowledgement of one more than was seen is that of a FIN which is not in the capture.
    if half.flags & HALF_ACKED and half.acked > half.top + 1:
        return half.acked
    return 0

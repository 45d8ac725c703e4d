# cython: language_level=3
"""IEEE 802.11, bare and behind the headers that drivers put before it: radiotap, Prism, AVS.

Data frames that are neither encrypted nor fragments are followed. Of an aggregate (A-MSDU) the first frame is.
"""

from libc.stdint cimport uint32_t

from syswire.convert.packets.ethernet cimport by_llc
from syswire.convert.packets.view cimport KIND_MALFORMED, KIND_OTHER, be16, be32, hold, le16, le32, skip

cdef enum:
    DATA = 2                    # frame type
    WITHOUT_DATA = 0x40         # in the first byte of frame control
    QUALITY = 0x80
    TO_DISTRIBUTION = 0x01      # in the second
    FROM_DISTRIBUTION = 0x02
    MORE_FRAGMENTS = 0x04
    ENCRYPTED = 0x40
    ORDER = 0x80                # with quality of service: four more bytes of header
    AGGREGATE = 0x80            # in the first byte of the quality of service field
    MOST_PRESENT = 8            # words that tell which radiotap fields there are
    MORE_PRESENT = 0x80         # in the last byte of such a word
    CHECKED = 0x10              # radiotap: a check sequence ends the frame
    PADDED = 0x20               # radiotap: the header is padded to four bytes
    AVS_MAGIC = 0x8021100       # and a version in the last four bits


cdef int frame(View *v, bint padded) noexcept nogil:
    cdef uint32_t header = 24, control, flags, size
    if v.captured < 24:
        return KIND_MALFORMED if v.captured < 2 or v.data[0] >> 2 & 3 == DATA else KIND_OTHER
    control, flags = v.data[0], v.data[1]
    if control & 3 or control >> 2 & 3 != DATA or control & WITHOUT_DATA or flags & ENCRYPTED:
        return KIND_OTHER
    if flags & MORE_FRAGMENTS or v.data[22] & 15:
        return KIND_OTHER
    if flags & TO_DISTRIBUTION and flags & FROM_DISTRIBUTION:
        header += 6
    if not control & QUALITY:
        if v.captured < header:
            return KIND_MALFORMED
        skip(v, header)
        return by_llc(v)
    header += 2
    if v.captured < header:
        return KIND_MALFORMED
    control = v.data[header - 2]
    if flags & ORDER:
        header += 4
    if padded:
        header = header + 3 & ~<uint32_t>3
    if v.captured < header:
        return KIND_MALFORMED
    skip(v, header)
    if control & AGGREGATE:     # target, source, length, and what a frame has behind its header
        if v.captured < 14:
            return KIND_MALFORMED
        size = be16(v.data + 12)
        skip(v, 14)
        if size < v.original:
            hold(v, size)
    return by_llc(v)


cdef int wireless(View *v) noexcept nogil:
    """A frame without a header of the driver's."""
    return frame(v, False)


cdef int radiotap(View *v) noexcept nogil:
    """A radiotap header: version, pad, length (2), words of bits that tell which fields follow, the fields."""
    cdef uint32_t length, at = 4, flags = 0, words = 1
    if v.captured < 8:
        return KIND_MALFORMED
    if v.data[0]:
        return KIND_OTHER
    length = le16(v.data + 2)
    if length < 8 or length > v.captured:
        return KIND_MALFORMED
    while v.data[at + 3] & MORE_PRESENT:
        at += 4
        words += 1
        if at + 4 > length or words > MOST_PRESENT:
            return KIND_MALFORMED
    at += 4
    if v.data[4] & 2:
        if v.data[4] & 1:       # before the flags a clock, aligned to its eight bytes
            at = (at + 7 & ~<uint32_t>7) + 8
        if at >= length:
            return KIND_MALFORMED
        flags = v.data[at]
    skip(v, length)
    if flags & CHECKED and v.original >= 4:
        hold(v, v.original - 4)
    return frame(v, flags & PADDED != 0)


cdef int avs(View *v) noexcept nogil:
    """A header that tells its own length, in network order."""
    cdef uint32_t length
    if v.captured < 8:
        return KIND_MALFORMED
    length = be32(v.data + 4)
    if be32(v.data) >> 4 != AVS_MAGIC:
        return KIND_OTHER
    if length < 8 or length > v.captured:
        return KIND_MALFORMED
    skip(v, length)
    return frame(v, False)


cdef int prism(View *v) noexcept nogil:
    """The same in the order of the machine that captured, unless it is an AVS header."""
    cdef uint32_t length
    if v.captured < 8:
        return KIND_MALFORMED
    if be32(v.data) >> 4 == AVS_MAGIC:
        return avs(v)
    length = le32(v.data + 4)
    if length > 0xFFFF:
        length = be32(v.data + 4)
    if length < 8 or length > v.captured:
        return KIND_MALFORMED
    skip(v, length)
    return frame(v, False)

# Options of pcapng blocks: which of them a reader of the format can take.

from libc.stdint cimport uint8_t, uint32_t

from syswire.convert.packets.buffer cimport load16, load32

cdef enum:
    KIND_INTERFACE = 1
    KIND_OLD_PACKET = 2
    KIND_PACKET = 6
    CUSTOM_NFLX = 10949       # private enterprise number

ctypedef struct Options:      # what options_end found
    uint32_t end              # where the options end, the end of options not included
    bint broken               # some of them are not sound, or something follows that is none


cdef inline bint sound_option(const uint8_t *at, uint32_t code, uint32_t length, uint32_t kind, bint swapped
                              ) noexcept nogil:
    # Whether the option at `at`, which is inside its block, has a length that it may have. It refuses what Wireshark
    # gives a whole file up for, and what would leave the time of packets to the reader's taste.
    if code == 2988 or code == 2989 or code == 19372 or code == 19373:      # custom
        return length >= 4 and (length >= 12 or load32(at + 4, swapped) != CUSTOM_NFLX)
    if kind == KIND_INTERFACE:
        if code == 9:                                                       # resolution of time stamps
            return length == 1
        if code == 14:                                                      # seconds to add to them
            return length == 8
        return code != 11 or length >= 1                                    # filter
    if kind == KIND_PACKET or kind == KIND_OLD_PACKET:
        if code == 2:                                                       # flags
            return length == 4
        if code == 4 or code == 5:                                          # drop count, packet id
            return length == 8
        if code == 6:                                                       # queue
            return length == 4
        if code == 7:                                                       # verdict: its type, then its value
            return length >= 1 and (length == 9 or (at[4] != 1 and at[4] != 2))
    return True


cdef inline Options options_end(const uint8_t *block, uint32_t begin, uint32_t end, uint32_t kind, bint swapped
                                ) noexcept nogil:
    # The options between `begin` and `end` of a block, up to the end of options or to what cannot be one.
    cdef Options found
    cdef uint32_t at = begin, code, length, padded
    found.broken = False
    while end - at >= 4:
        code, length = load16(block + at, swapped), load16(block + at + 2, swapped)
        if code == 0:
            found.end = at
            if length:
                found.broken = True
            return found
        padded = (length + 3) & ~<uint32_t>3
        if padded > end - at - 4:
            break
        if not sound_option(block + at, code, length, kind, swapped):
            found.broken = True
        at += 4 + padded
    found.end = at
    if at != end:
        found.broken = True
    return found


cdef inline uint32_t names_end(const uint8_t *block, uint32_t begin, uint32_t end, bint swapped) noexcept nogil:
    # Where the options of a name resolution block begin, behind its records; 0 where a record is not sound.
    cdef uint32_t at = begin, code, length, least
    if end - begin < 4:
        return 0
    while end - at >= 4:
        code, length = load16(block + at, swapped), load16(block + at + 2, swapped)
        at += 4
        if code == 0:
            return 0 if length else at
        if ((length + 3) & ~<uint32_t>3) > end - at:
            return 0
        if code == 1 or code == 2:          # IPv4, IPv6: the address, then names that each end with a zero
            least = 4 if code == 1 else 16
            if length < least or (length > least and block[at + length - 1]):
                return 0
        at += (length + 3) & ~<uint32_t>3
    return at if at == end else 0

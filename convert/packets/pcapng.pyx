# cython: language_level=3
"""Reader of pcapng files: sections, interfaces, enhanced, simple and old packet blocks.

The format is that of draft-ietf-opsawg-pcapng. A block is looked at when all of it is there. A length that cannot be
ends the reading, since nothing tells where the next block begins; what is wrong inside a block costs that block only.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy

from syswire.convert.packets.buffer cimport *
from syswire.convert.packets.options cimport Options, names_end, options_end
from syswire.convert.packets.record cimport Record

from .interface import SourceInterface

cdef extern from *:
    """
    typedef unsigned __int128 syswire_uint128;
    """
    ctypedef uint64_t uint128 "syswire_uint128"

cdef enum:
    LEAST_BLOCK = 12
    LEAST_SECTION = 28
    LEAST_INTERFACE = 20
    LEAST_STATISTICS = 24
    LEAST_SECRETS = 20
    MOST_INTERFACES = 1 << 16         # of a section; packets of later ones are damaged
    MOST_NOTES = 1 << 12              # interfaces whose names are kept
    MOST_NOTED = 1 << 20              # bytes of their options
    IF_NAME = 2
    IF_DESCRIPTION = 3
    IF_TSRESOL = 9
    IF_TSOFFSET = 14

cdef uint32_t BLOCK_PROCESS = <uint32_t>0x80000001       # Darwin process information
cdef uint32_t ORDER = 0x1A2B3C4D
cdef uint64_t LATEST = <uint64_t>0x7FFFFFFFFFFFFFFF     # 2262: where times that are beyond are put
cdef uint64_t BILLION = 1000000000


cdef inline bint numbered(uint32_t kind) noexcept nogil:
    # Blocks that are no packets and yet have a frame number in Wireshark 4.0: custom, journal, three of sysdig.
    return (kind == 0x0BAD or kind == 0x40000BAD or kind == 9 or kind == 0x204 or kind == 0x216 or kind == 0x221)


cdef inline bint known_block(uint32_t kind) noexcept nogil:
    return (kind == BLOCK_SECTION or kind == BLOCK_INTERFACE or kind == BLOCK_NAMES or kind == BLOCK_STATISTICS
            or kind == BLOCK_SECRETS or kind == BLOCK_PROCESS)


cdef uint64_t nanoseconds(uint64_t stamp, uint8_t resolution, int64_t seconds) noexcept nogil:
    # A time stamp in nanoseconds; what cannot be told becomes 0 or the latest time.
    cdef uint128 value
    cdef uint64_t shift
    cdef int digits = resolution & 0x7F, _
    if resolution & 0x80:
        value = <uint128>stamp * BILLION
        value = value >> digits if digits < 100 else 0
    elif digits <= 9:
        value = stamp
        for _ in range(9 - digits):
            value = value * 10
    else:
        value = stamp
        for _ in range(digits - 9 if digits < 29 else 20):
            value = value // 10
    if seconds > 0:
        value += <uint128><uint64_t>seconds * BILLION
    elif seconds < 0:
        shift = <uint64_t>0 - <uint64_t>seconds
        if value < <uint128>shift * BILLION:
            return 0
        value -= <uint128>shift * BILLION
    return <uint64_t>value if value <= <uint128>LATEST else LATEST


cdef class PcapngReader(FrameReader):
    format = "pcapng"

    def __dealloc__(self):
        free(self.known)
        free(self.notes)
        free(self.noted)

    @property
    def big_endian(self):
        return self.swapped

    cdef int next_block(self) noexcept nogil:
        # Take the next block whole: STEP_BLOCK, or what step has to return.
        cdef const uint8_t *at
        cdef uint64_t offset
        cdef uint32_t kind, size
        if self.exhausted:
            self.need = 0
            return STEP_NEED            # fill() tells of it
        if self.end - self.begin < LEAST_BLOCK:
            return self.wait(LEAST_BLOCK)
        at, offset = self.buffer + self.begin, self.base + self.begin
        if load32(at, False) == BLOCK_SECTION:          # reads the same in both orders
            if load32(at + 8, False) == ORDER:
                self.swapped = False
            elif load32(at + 8, True) == ORDER:
                self.swapped = True
            else:
                return self.stop(DAMAGE_BYTE_ORDER, offset, 0)
        elif not self.sectioned:
            return self.stop(DAMAGE_NO_SECTION, offset, 0)
        kind, size = load32(at, self.swapped), load32(at + 4, self.swapped)
        if size < LEAST_BLOCK or size & 3 or size > LONGEST_BLOCK or (kind == BLOCK_SECTION and size < LEAST_SECTION):
            return self.stop(DAMAGE_BLOCK_LENGTH, offset, size)
        if self.end - self.begin < size:
            return self.wait(size)
        if kind == BLOCK_SECTION and self.section(at, size, offset) == STEP_END:
            return STEP_END
        if load32(at + size - 4, self.swapped) != size:
            self.count(TRAILER_DIFFERS, 0, offset, 0, 0)
        self.block, self.kind, self.size, self.options, self.broken = at, kind, size, 0, False
        self.begin += size
        return STEP_BLOCK

    cdef int section(self, const uint8_t *at, uint32_t size, uint64_t offset) noexcept nogil:
        cdef uint32_t major = load16(at + 12, self.swapped)
        if major != 1:
            return self.stop(DAMAGE_VERSION, offset, major)
        self.sectioned = True
        self.sections += 1
        self.earlier += self.known_count
        self.known_count = 0
        return STEP_BLOCK

    cdef int step(self, Record *r) noexcept nogil:
        cdef uint64_t offset
        cdef int state
        cdef bint kept
        while True:
            offset = self.base + self.begin
            state = self.next_block()
            if state != STEP_BLOCK:
                return state
            if self.kind == BLOCK_PACKET or self.kind == BLOCK_SIMPLE_PACKET or self.kind == BLOCK_OLD_PACKET:
                self.source_frame += 1
                if self.packet(r, offset):
                    return self.found(r, offset, r.data)
                self.count(DAMAGED_PACKET, self.size, offset, 0, self.source_frame)
                continue
            if not known_block(self.kind):
                if numbered(self.kind):
                    self.source_frame += 1
                self.count(UNKNOWN_BLOCK, self.size, offset, 0, self.source_frame if numbered(self.kind) else 0)
                continue
            if self.kind == BLOCK_INTERFACE:
                kept = self.interface()
            else:
                kept = self.other()
            if not kept:
                self.count(DAMAGED_BLOCK, self.size, offset, 0, 0)
            elif self.options:
                self.broken = options_end(self.block, self.options, self.size - 4, self.kind, self.swapped).broken
                if self.broken:
                    self.count(DAMAGED_OPTIONS, 0, offset, 0, 0)
            # A damaged interface stays: those behind it keep their numbers.
            if self.blocks and (kept or (self.kind == BLOCK_INTERFACE and self.size < LEAST_INTERFACE)):
                return STEP_BLOCK

    cdef bint other(self) noexcept nogil:
        # A block that is kept as it is: find its options. False: it is not sound.
        cdef uint32_t length
        if self.kind == BLOCK_SECTION:
            self.options = LEAST_SECTION - 4
        elif self.kind == BLOCK_NAMES:
            self.options = names_end(self.block, 8, self.size - 4, self.swapped)
            return self.options != 0
        elif self.kind == BLOCK_STATISTICS:
            self.options = LEAST_STATISTICS - 4
            return self.size >= LEAST_STATISTICS
        elif self.kind == BLOCK_SECRETS:
            if self.size < LEAST_SECRETS:
                return False
            length = load32(self.block + 12, self.swapped)
            if length > self.size - LEAST_SECRETS:
                return False
            self.options = LEAST_SECRETS - 4 + ((length + 3) & ~<uint32_t>3)
        return True

    cdef bint interface(self) noexcept nogil:
        # An interface description block. False: it is too short, or there is no room for it.
        cdef Interface *entry
        cdef uint32_t at, code, length
        cdef Options options
        if self.known_count == MOST_INTERFACES:
            return False
        if self.known_count == self.known_room:
            length = self.known_room * 2 if self.known_room else 16
            entry = <Interface *>realloc(self.known, length * sizeof(Interface))
            if entry == NULL:
                self.exhausted = True
                return False
            self.known, self.known_room = entry, length
        entry = &self.known[self.known_count]
        self.known_count += 1
        entry.seconds, entry.snaplen, entry.linktype, entry.tsresol, entry.damaged = 0, 0, 0, 6, 1
        if self.size < LEAST_INTERFACE:
            return False
        entry.linktype, entry.snaplen = load16(self.block + 8, self.swapped), load32(self.block + 12, self.swapped)
        entry.damaged = 0
        self.options = at = 16
        options = options_end(self.block, at, self.size - 4, BLOCK_INTERFACE, self.swapped)
        while at < options.end:
            code, length = load16(self.block + at, self.swapped), load16(self.block + at + 2, self.swapped)
            if code == IF_TSRESOL and length == 1:
                entry.tsresol = self.block[at + 4]
            elif code == IF_TSOFFSET and length == 8:
                entry.seconds = <int64_t>load64(self.block + at + 4, self.swapped)
            at += 4 + ((length + 3) & ~<uint32_t>3)
        self.note(entry)
        return True

    cdef void note(self, const Interface *entry) noexcept nogil:
        # Keep the options of the first interfaces for whoever asks for their names.
        cdef uint32_t length = self.size - 4 - 16, room
        cdef uint64_t bytes_room
        cdef void *larger
        cdef Note *note
        if self.notes_count == MOST_NOTES or self.noted_bytes + length > MOST_NOTED:
            return
        if self.notes_count == self.notes_room:
            room = self.notes_room * 2 if self.notes_room else 16
            larger = realloc(self.notes, room * sizeof(Note))
            if larger == NULL:
                self.exhausted = True
                return
            self.notes, self.notes_room = <Note *>larger, room
        if self.noted_bytes + length > self.noted_room:
            bytes_room = self.noted_room * 2 + length + 1024
            larger = realloc(self.noted, bytes_room)
            if larger == NULL:
                self.exhausted = True
                return
            self.noted, self.noted_room = <uint8_t *>larger, bytes_room
        note = &self.notes[self.notes_count]
        note.snaplen, note.linktype, note.tsresol = entry.snaplen, entry.linktype, entry.tsresol
        note.at, note.length, note.swapped = self.noted_bytes, length, self.swapped
        memcpy(self.noted + self.noted_bytes, self.block + 16, length)
        self.noted_bytes += length
        self.notes_count += 1

    cdef bint packet(self, Record *r, uint64_t offset) noexcept nogil:
        # A packet block of whatever kind. False: it contradicts itself.
        cdef const uint8_t *block = self.block
        cdef const Interface *entry
        cdef uint32_t number = 0, head = 28, room
        cdef bint swapped = self.swapped
        if self.kind == BLOCK_SIMPLE_PACKET:
            head = 12
        if self.size < head + 4:
            return False
        room = self.size - head - 4
        if self.kind == BLOCK_PACKET:
            number = load32(block + 8, swapped)
        elif self.kind == BLOCK_OLD_PACKET:
            number = load16(block + 8, swapped)
        if number >= self.known_count or self.known[number].damaged:
            return False
        entry = &self.known[number]
        if self.kind == BLOCK_SIMPLE_PACKET:
            r.time = 0
            r.original = r.captured = load32(block + 8, swapped)
            if entry.snaplen and entry.snaplen < r.captured:
                r.captured = entry.snaplen
        else:
            r.captured, r.original = load32(block + 20, swapped), load32(block + 24, swapped)
            r.time = nanoseconds(<uint64_t>load32(block + 12, swapped) << 32 | load32(block + 16, swapped),
                                 entry.tsresol, entry.seconds)
        if r.captured > room or r.captured > longest_frame(entry.linktype):
            return False
        self.tsresol = entry.tsresol
        r.interface, r.linktype = self.earlier + number, entry.linktype
        r.data = block + head
        if head == 28:
            self.options = head + ((r.captured + 3) & ~<uint32_t>3)
            if self.options < self.size - 4:
                self.broken = options_end(block, self.options, self.size - 4, self.kind, swapped).broken
                if self.broken:
                    self.count(DAMAGED_OPTIONS, 0, offset, r.time, self.source_frame)
        return True

    cpdef bint fill(self) except -1:
        if self.exhausted:
            raise MemoryError
        return FrameReader.fill(self)

    @property
    def interfaces(self):
        cdef uint32_t i
        found = []
        for i in range(self.notes_count):
            found.append(self.described(i))
        return found

    cdef object described(self, uint32_t index):
        cdef const Note *note = &self.notes[index]
        cdef const uint8_t *at = self.noted + note.at
        cdef uint32_t place = 0, code, length
        cdef Options options = options_end(at, 0, note.length, BLOCK_INTERFACE, note.swapped)
        names = {}
        while place < options.end:
            code, length = load16(at + place, note.swapped), load16(at + place + 2, note.swapped)
            if code == IF_NAME or code == IF_DESCRIPTION:
                names.setdefault(code, <bytes>at[place + 4:place + 4 + length])
            place += 4 + ((length + 3) & ~<uint32_t>3)
        return SourceInterface(note.linktype, note.snaplen, note.tsresol, names.get(IF_NAME, b""),
                               names.get(IF_DESCRIPTION, b""))

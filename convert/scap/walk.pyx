# cython: language_level=3
"""The walk over the blocks of a scap file: find each event, validate it once, hand it to the state machine.

Buffers in, no files: the caller refills the buffer and handles the blocks that are not events. Everything that the
decoders rely on later (block length, parameter count, every parameter inside the event) is checked in `check`; what
fails there is counted and skipped, since the block's frame still tells where the next one begins. Files in the other
byte order are brought into this machine's, block by block, in the buffer.
"""

from libc.stdint cimport int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc

from syswire.convert.scap.event cimport *
from syswire.convert.scap.state cimport State
from syswire.convert.scap.tables cimport Desc, Thread

from .semantics import param_widths

cdef enum:
    MAX_BLOCK = 1 << 26
    ROWS = 2048

NEED, BLOCK, DAMAGE, LISTED = range(4)


cdef class Walker:
    def __init__(self, State state, *, bint listing=False):
        cdef int i
        self.state, self.listing = state, listing
        self.widths = param_widths()
        for i in range(TYPES):
            self.width_of[i] = self.widths[i]
        self.snapshots = {}

    def __cinit__(self):
        self.rows = <ListRow *>malloc(ROWS * sizeof(ListRow))
        if self.rows == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.rows)

    def replace_state(self, State state):
        """Go on with new tables: another capture follows in the same file."""
        self.state = state

    def walk(self, uint8_t[::1] buffer, Py_ssize_t begin, Py_ssize_t end, uint64_t base):
        """Take the blocks in buffer[begin:end], whose first byte is byte `base` of the input.

        Returns (status, position, detail): NEED and how many bytes the block at `position` has (8 where its head is
        not there), BLOCK and the type of a block that is not an event (to be handled and skipped by the caller),
        DAMAGE and the length that cannot be, or LISTED and 0 when the listing's rows are to be taken first.
        """
        cdef uint8_t *p = &buffer[0] if end > begin else NULL
        cdef Py_ssize_t at = begin
        cdef uint32_t kind = 0, size = 0
        cdef int status = 0
        with nogil:
            while True:
                if end - at < 8:
                    size = 8
                    break
                kind, size = u32(p + at), u32(p + at + 4)
                if self.swapped:
                    kind, size = swap32(kind), swap32(size)
                if kind == 0x0A0D0D0A:
                    status = 1
                    break
                if size < 12 or size & 3 or size > MAX_BLOCK:
                    status = 2
                    break
                if end - at < size:
                    break
                if not is_event(kind):
                    status = 1
                    break
                if self.listing and self.filled == ROWS:
                    status = 3
                    break
                self.event(p + at, kind, size, base + <uint64_t>(at - begin))
                at += size
                if self.state.stopped:
                    break
        if self.state.failure is not None:
            raise self.state.failure
        if self.state.exhausted:
            raise MemoryError
        return status, at, kind if status == 1 else size

    cdef void event(self, uint8_t *block, uint32_t kind, uint32_t size, uint64_t offset) noexcept nogil:
        """Count the event in a whole block; apply it where it is sound."""
        cdef uint32_t head = 14 if kind == 0x208 or kind == 0x217 or kind == 0x222 else 10
        cdef bint counted = kind == 0x216 or kind == 0x217 or kind == 0x221 or kind == 0x222
        cdef uint32_t fixed = 26 if counted else 22
        cdef Event *e = &self.current
        self.events += 1
        e.ordinal, e.block, e.evt_num, e.flags = self.events, offset, 0, 0
        if u32(block + size - 4) != (swap32(size) if self.swapped else size):
            self.trailers += 1
        if size < head + fixed + 4:
            e.ts, e.tid, e.type, e.cpu = 0, 0, 0xffff, 0
            self.damaged(offset)
            self.state.skip()
            self.list_row(e)
            return
        if self.swapped:
            swap_head(block, head, counted)
        e.cpu = u16(block + 8)
        if head == 14:
            e.flags = u32(block + 10)
        e.ts, e.tid, e.type = u64(block + head), <int64_t>u64(block + head + 8), u16(block + head + 20)
        if e.type < 336:
            self.numbered += 1
            e.evt_num = self.numbered
        if e.ts and (self.first_ts == 0 or e.ts < self.first_ts):
            self.first_ts = e.ts
        if e.ts > self.last_ts:
            self.last_ts = e.ts
        if e.type >= TYPES:
            if self.unknown_types == 0:
                self.first_unknown = offset
            self.unknown_types += 1
            self.list_row(e)
            return
        if self.state.types[e.type].idle and u32(block + head + 16) <= size - 4 - head:
            if self.listing:
                self.state.apply(e)
                self.list_row(e)
            return
        if not self.check(block, head, fixed, size, counted, offset):
            self.damaged(offset)
            self.state.skip()
            self.list_row(e)
            return
        self.state.apply(e)
        self.list_row(e)

    cdef bint check(self, uint8_t *block, uint32_t head, uint32_t fixed, uint32_t size, bint counted,
                    uint64_t offset) noexcept nogil:
        """Validate lengths and fill in the parameters. False: the event cannot be decoded."""
        cdef Event *e = &self.current
        cdef uint32_t length = u32(block + head + 16)
        cdef uint32_t width = 4 if self.state.types[e.type].wide else 2
        cdef uint32_t have, count, i
        cdef uint64_t total = 0  # a sum of 32-bit lengths must not wrap
        cdef uint8_t *lens = block + head + fixed
        if length < fixed or length > size - 4 - head:
            if counted or length < fixed or length - (size - 4 - head) > 3:
                return False
            length = size - 4 - head  # old writers gave two event types a length too large by their padding
        have = length - fixed
        if counted:
            count = u32(block + head + 22)
            if count > have // width:
                return False
        else:
            count = self.infer(lens, have, width, self.state.types[e.type].nparams)
        if self.swapped:
            swap_words(lens, count, width)
        for i in range(count):
            if i < MAX_PARAMS:
                e.off[i] = <uint32_t>total
            total += u16(lens + 2 * i) if width == 2 else u32(lens + 4 * i)
            if total > have - count * width:
                return False
            if i < MAX_PARAMS:
                e.off[i + 1] = <uint32_t>total
        if count == 0:
            e.off[0] = 0
        e.nparams = count if count < MAX_PARAMS else MAX_PARAMS
        e.data = lens + count * width
        e.data_at = offset + <uint64_t>(e.data - block)
        if self.swapped:
            swap_params(<uint8_t *>e.data, e, self.width_of[e.type], self.state.types[e.type].nparams)
        return True

    cdef uint32_t infer(self, uint8_t *lens, uint32_t have, uint32_t width, uint32_t most) noexcept nogil:
        """The number of parameters of an event block that does not say it: the largest that fits exactly."""
        cdef uint32_t count = most, i
        cdef uint64_t total
        while count:
            total = <uint64_t>count * width
            if total <= have:
                for i in range(count):
                    total += length_at(lens + i * width, width, self.swapped)
                if total == have or (total < have and have - total < 4):
                    return count
            count -= 1
        return 0

    cdef void damaged(self, uint64_t offset) noexcept nogil:
        if self.damaged_events == 0:
            self.first_damaged, self.first_damaged_event = offset, self.events
        self.damaged_events += 1

    cdef void list_row(self, Event *e) noexcept nogil:
        cdef ListRow *row
        cdef Desc *d = self.state.touched
        cdef Thread *t
        if not self.listing:
            return
        row = &self.rows[self.filled]
        self.filled += 1
        row.ordinal, row.ts, row.tid, row.block = e.ordinal, e.ts, e.tid, e.block
        row.evt_num, row.type, row.cpu = e.evt_num, e.type, e.cpu
        row.thread = row.desc = 0
        row.fd = -1
        if e.type < TYPES and self.state.types[e.type].operation:
            row.thread = self.state.shown
            row.fd = self.state.shown_fd
            if d != NULL:
                if d.version == 0:
                    self.snapshot(d)
                row.desc = d.version
        elif e.type < TYPES:
            t = self.state.find(e.tid)
            if t != NULL:
                row.thread = t.version

    cdef void snapshot(self, Desc *d) noexcept nogil:
        with gil:
            self.versions += 1
            d.version = self.versions
            name = b"" if d.name == NULL else d.name[:d.name_len]
            self.snapshots[d.version] = (
                d.kind, d.role, d.l4, d.sip[:16], d.dip[:16], d.sport, d.dport, d.source, d.dest, name,
                bool(d.has_tuple), bool(d.named),
            )

    def take_rows(self):
        """The listing's rows so far, as bytes of struct "<QQqQqIIIHH"."""
        out = (<char *>self.rows)[:self.filled * sizeof(ListRow)]
        self.filled = 0
        return out


cdef inline bint is_event(uint32_t kind) noexcept nogil:
    return (kind == 0x216 or kind == 0x204 or kind == 0x217 or kind == 0x221 or kind == 0x222 or kind == 0x208
            or kind == <uint32_t>0x8010ABCD)


cdef inline uint32_t swap32(uint32_t v) noexcept nogil:
    return (v >> 24) | ((v >> 8) & 0xff00) | ((v << 8) & 0xff0000) | (v << 24)


cdef inline uint32_t length_at(const uint8_t *p, uint32_t width, bint swapped) noexcept nogil:
    if width == 2:
        return (<uint32_t>p[0] << 8 | p[1]) if swapped else u16(p)
    return swap32(u32(p)) if swapped else u32(p)


cdef void reverse(uint8_t *p, uint32_t size) noexcept nogil:
    cdef uint32_t i
    cdef uint8_t byte
    for i in range(size // 2):
        byte = p[i]
        p[i] = p[size - 1 - i]
        p[size - 1 - i] = byte


cdef void swap_words(uint8_t *p, uint32_t count, uint32_t width) noexcept nogil:
    cdef uint32_t i
    for i in range(count):
        reverse(p + i * width, width)


cdef void swap_head(uint8_t *block, uint32_t head, bint counted) noexcept nogil:
    reverse(block + 8, 2)
    if head == 14:
        reverse(block + 10, 4)
    reverse(block + head, 8)
    reverse(block + head + 8, 8)
    reverse(block + head + 16, 4)
    reverse(block + head + 20, 2)
    if counted:
        reverse(block + head + 22, 4)


cdef void swap_params(uint8_t *data, Event *e, const uint8_t *widths, uint32_t known) noexcept nogil:
    """Fixed-size parameters, and the ports and kernel addresses inside socket addresses; all else is bytes."""
    cdef uint32_t i, size
    cdef uint8_t *p
    for i in range(e.nparams if e.nparams < known else known):
        p = data + e.off[i]
        size = e.off[i + 1] - e.off[i]
        if size == 0:
            continue
        if widths[i] == 250:
            if p[0] == 2 and size >= 7:
                reverse(p + 5, 2)
            elif p[0] == 10 and size >= 19:
                reverse(p + 17, 2)
        elif widths[i] == 251:
            if p[0] == 2 and size >= 13:
                reverse(p + 5, 2)
                reverse(p + 11, 2)
            elif p[0] == 10 and size >= 37:
                reverse(p + 17, 2)
                reverse(p + 35, 2)
            elif p[0] == 1 and size >= 17:
                reverse(p + 1, 8)
                reverse(p + 9, 8)
        elif widths[i] > 1 and size == widths[i] and size <= 8:
            reverse(p, size)

# cython: language_level=3
"""Records of the ring to event blocks: which parameters each has is data (layouts.py), how to write them is here.

Times come from the record or the event is not written: an exit whose enter nobody saw stands alone. What a record does
not tell is absent. Every record is checked once (record.pxd, `see`); one that is not consistent is counted and nothing
of it is used.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memset

from syswire.capture.addresses cimport put_address, put_tuple
from syswire.capture.block cimport *
from syswire.capture.operands cimport *
from syswire.capture.process_values cimport put_of_process
from syswire.capture.record cimport *

from . import flags, layouts
from .layouts import CALLS, DEATH, PEEKED, PEEKING, WITHOUT_OFFSET

cdef enum:
    MOST_CALLS = 512        # numbers of system calls
    MOST_OPERANDS = 32      # execve has 31
    FIXED = 1024            # bytes that suffice for a block's head, lengths and all parameters of a bounded size
    LARGEST_ROOM = 1 << 18  # no event needs more: texts have a few KiB, payload 65,000 bytes
    O_CREAT = 0o100
    O_TMPFILE = 0o20000000
    EXECVE = 59
    EXECVEAT = 322
    IN_PID_NAMESPACE = 1 << 29  # scap's flag: numbers that calls return to the process are not those of the machine

ctypedef struct Layout:
    int32_t code            # -1: no such event
    uint8_t count
    uint8_t has_data
    uint8_t kinds[32]
    uint8_t which[32]

cdef Layout ENTERS[512]
cdef Layout EXITS[512]
cdef Layout DYING
cdef Layout PEEK_BEGINS
cdef Layout PEEK_ENDS
cdef uint32_t OPEN_BITS[32]
cdef uint32_t CLONE_BITS[32]
cdef uint32_t RESOLVE_BITS[32]
cdef uint8_t ACCESS[4]
cdef uint8_t COMMANDS[2048]
cdef uint16_t INSTEAD[512]
cdef uint16_t SCAP_NUMBERS[512]    # of calls that can peek, 0: cannot
cdef uint64_t NOWHERE = 0xffffffffffffffff


cdef int fill_layout(Layout *layout, int code, operands) except -1:
    if len(operands) > MOST_OPERANDS:
        raise ValueError("too many operands")
    layout.code, layout.count, layout.has_data = code, len(operands), 0
    for i, (kind, which) in enumerate(operands):
        if not 0 <= kind < KINDS or not 0 <= which < 6:
            raise ValueError("no such operand")
        layout.kinds[i], layout.which[i] = kind, which
        layout.has_data |= kind == DATA
    return 0


cdef int fill_bits(uint32_t *bits, numbers) except -1:
    for linux, scap in numbers.items():
        bits[linux.bit_length() - 1] = scap
    return 0


cdef int fill_tables() except -1:
    for i in range(MOST_CALLS):
        ENTERS[i].code = EXITS[i].code = -1
    for nr, call in CALLS.items():
        fill_layout(&ENTERS[nr], call.enter, call.enter_operands)
        fill_layout(&EXITS[nr], call.exit, call.exit_operands)
    for nr, other in WITHOUT_OFFSET.items():
        INSTEAD[nr] = other
    for nr, number in PEEKING.items():
        SCAP_NUMBERS[nr] = number
    fill_layout(&PEEK_BEGINS, PEEKED.enter, PEEKED.enter_operands)
    fill_layout(&PEEK_ENDS, PEEKED.exit, PEEKED.exit_operands)
    fill_layout(&DYING, DEATH.enter, DEATH.enter_operands)
    fill_bits(OPEN_BITS, flags.OPEN_FLAGS)
    fill_bits(CLONE_BITS, flags.CLONE_FLAGS)
    fill_bits(RESOLVE_BITS, flags.RESOLVE_FLAGS)
    for linux, scap in flags.OPEN_ACCESS.items():
        ACCESS[linux] = scap
    memset(COMMANDS, flags.FCNTL_UNKNOWN, sizeof(COMMANDS))
    for linux, scap in flags.FCNTL_COMMANDS.items():
        COMMANDS[linux] = scap
    return 0


fill_tables()

if KINDS != layouts.EXIT_CORE + 1 or layouts.FILENAME != FILENAME or layouts.EXE != EXE or layouts.OUT != OUT \
        or (layouts.EXECVE, layouts.EXECVEAT) != (EXECVE, EXECVEAT):
    raise ImportError("the operands of layouts.py and events.pyx differ")


cdef inline uint32_t mapped(uint32_t bits, const uint32_t *table) noexcept nogil:
    cdef uint32_t out = 0
    cdef int i = 0
    while bits:
        if bits & 1:
            out |= table[i]
        bits >>= 1
        i += 1
    return out


cdef inline uint32_t saturated(uint64_t number) noexcept nogil:
    return <uint32_t>number if number <= <uint64_t>0xffffffff else <uint32_t>0xffffffff


cdef inline uint32_t encoded_device(uint32_t device) noexcept nogil:
    """dev_t as the kernel hands it to programs."""
    cdef uint32_t minor = device & 0xfffff
    return (minor & 0xff) | (device >> 20) << 8 | (minor & ~<uint32_t>0xff) << 12


cdef class Events(Reorder):
    cdef void take_in(self, const uint8_t *data, uint64_t size) noexcept nogil:
        """One record: its events go where they wait, or it is counted as what it is."""
        cdef View v
        cdef Counts *n = &self.counted
        cdef uint16_t nr
        n.records += 1
        if not see(&v, data, size):
            n.malformed += 1
            return
        n.faults += (v.r.flags & RECORD_FAULT) != 0
        nr = v.r.nr
        if nr < MOST_CALLS and v.r.args[3] == NOWHERE and INSTEAD[nr]:
            nr = INSTEAD[nr]
        elif nr == EXECVEAT and v.r.ret >= 0:
            nr = EXECVE
        if v.r.kind == RECORD_DEATH:
            n.deaths += 1
            self.event(&v, &DYING, v.r.ts, False)
            return
        if nr >= MOST_CALLS or EXITS[nr].code < 0:
            n.unknown += 1
        elif v.r.flags & RECORD_PEEK and SCAP_NUMBERS[nr]:
            self.peek(&v)
        elif v.r.kind == RECORD_ENTER:
            n.enters += 1
            if ENTERS[nr].code >= 0:
                self.event(&v, &ENTERS[nr], v.r.ts, False)
        else:
            self.exit_event(&v, nr)

    cdef void peek(self, View *v) noexcept nogil:
        """A call that looked at what it received: one generic event at its enter and one at its exit."""
        cdef Counts *n = &self.counted
        if v.r.kind == RECORD_ENTER:
            n.enters += 1
            self.event(v, &PEEK_BEGINS, v.r.ts, False)
            return
        n.exits += 1
        n.rests += (v.r.flags & RECORD_REST) != 0
        n.peeked_bytes += v.r.true_size
        if v.r.flags & RECORD_MORE:
            return
        n.calls += 1
        n.peeked_calls += 1
        if v.r.enter_ts:
            self.event(v, &PEEK_BEGINS, v.r.enter_ts, False)
        elif not v.r.flags & RECORD_ENTER_SENT:
            n.alone += 1
        self.event(v, &PEEK_ENDS, v.r.ts, True)

    cdef void exit_event(self, View *v, uint16_t nr) noexcept nogil:
        """The exit's event, and before it the enter's where the record has its time."""
        cdef Counts *n = &self.counted
        cdef const Layout *leave = &EXITS[nr]
        cdef uint32_t stored, kept = v.data_size
        if v.r.kind == RECORD_CHILD:
            n.children += 1
        else:
            n.exits += 1
            n.calls += (v.r.flags & RECORD_MORE) == 0
            n.rests += (v.r.flags & RECORD_REST) != 0
            if v.r.enter_ts and v.r.part == 0 and ENTERS[nr].code >= 0:
                self.event(v, &ENTERS[nr], v.r.enter_ts, False)
            elif not v.r.flags & RECORD_ENTER_SENT and v.r.part == 0:
                n.alone += 1
        if kept > self.snaplen:
            kept = self.snaplen
        v.data_size = kept
        if self.event(v, leave, v.r.ts, True) == 0 or not v.r.flags & RECORD_IO or v.r.ret < 0:
            return
        n.moved_bytes += v.r.true_size
        if not leave.has_data:
            n.length_only_events += v.r.true_size != 0
            n.length_only_bytes += v.r.true_size
            return
        stored = v.data_size
        n.payload_bytes += stored
        n.truncated_events += v.r.true_size > stored
        n.truncated_bytes += v.r.true_size - stored

    cdef uint32_t event(self, View *v, const void *which, uint64_t ts, bint leaving) noexcept nogil:
        """Build one event and put it where it waits. Returns the block's size, 0 where there is none."""
        cdef const Layout *layout = <const Layout *>which
        cdef Block b
        cdef uint64_t most = FIXED + 2 * <uint64_t>v.text_size + (v.data_size if leaving else 0)
        cdef uint32_t i, size
        cdef uint8_t *room = self.room(<uint32_t>most) if most <= LARGEST_ROOM else NULL
        if room == NULL:
            self.counted.unwritten += 1
            return 0
        ts += self.offset
        begin(&b, room, <uint32_t>most, ts, v.r.tid, v.r.cpu, <uint16_t>layout.code, layout.count)
        for i in range(layout.count):
            self.operand(&b, v, layout.kinds[i], layout.which[i], leaving)
        size = finish(&b)
        if size == 0 or not self.place(ts, room, size):
            self.counted.unwritten += 1
            return 0
        self.counted.events += 1
        self.counted.block_bytes += size
        return size

    cdef void operand(self, Block *b, View *v, uint8_t kind, uint8_t which, bint leaving) noexcept nogil:
        """Write one parameter."""
        cdef uint64_t argument = v.r.args[which]
        cdef const descriptor *d = v.socket
        if kind == RESULT:
            put_64(b, <uint64_t>v.r.ret)
        elif kind == BYTES:
            put_64(b, v.r.true_size if v.r.ret >= 0 else <uint64_t>v.r.ret)
        elif kind == FD:
            put_64(b, <uint64_t><int64_t><int32_t>argument)
        elif kind == DATA:
            put(b, v.data, v.data_size)
        elif kind == SIZE:
            put_32(b, saturated(argument))
        elif kind == INT:
            put_32(b, <uint32_t>argument)
        elif kind == LONG:
            put_64(b, argument)
        elif kind == GOT:
            put_32(b, saturated(v.r.true_size) if v.r.ret > 0 else 0)
        elif kind == OUT:
            put_tuple(b, v, False)
        elif kind == IN:
            if v.r.ret < 0:
                put(b, NULL, 0)
            else:
                put_tuple(b, v, True)
        elif kind == ADDRESS:
            put_address(b, v)
        elif kind == PATH:
            put_text(b, v.text, v.text_size)
        elif kind == OPEN:
            put_32(b, ACCESS[argument & 3] | mapped(<uint32_t>argument & ~<uint32_t>3, OPEN_BITS))
        elif kind == MODE:
            put_32(b, argument & 0o7777 if v.r.args[which - 1] & (O_CREAT | O_TMPFILE) else 0)
        elif kind == CREATE_MODE:
            put_32(b, argument & 0o7777)
        elif kind == SOCKET_FLAGS:
            put_32(b, mapped(<uint32_t>argument & ~<uint32_t>0xf, OPEN_BITS))
        elif kind == FCNTL:
            put_8(b, COMMANDS[argument] if argument < sizeof(COMMANDS) else COMMANDS[sizeof(COMMANDS) - 1])
        elif kind == RESOLVE:
            put_32(b, mapped(<uint32_t>argument, RESOLVE_BITS))
        elif kind == BYTE:
            put_8(b, <uint8_t>argument if argument < 255 else 255)
        elif kind == ASKED:
            if leaving:
                put(b, NULL, 0)
            else:
                put_32(b, saturated(v.r.true_size) if v.r.kind == RECORD_ENTER else 0)
        elif kind == ABSENT:
            put(b, NULL, 0)
        elif kind == QUEUE_PERCENT:
            put_8(b, <uint8_t>(<uint64_t>d.queue_length * 100 // d.queue_max)
                  if d != NULL and 0 < d.queue_max and d.queue_length <= d.queue_max else 0)
        elif kind == QUEUE_LENGTH:
            put_32(b, d.queue_length if d != NULL else 0)
        elif kind == QUEUE_MAX:
            put_32(b, d.queue_max if d != NULL else 0)
        elif kind == DEVICE:
            put_32(b, encoded_device(d.device) if d != NULL else 0)
        elif kind == INODE:
            put_64(b, d.inode if d != NULL else 0)
        elif kind == FIRST:
            put_64(b, <uint64_t><int64_t>(v.both.first if v.both != NULL else -1))
        elif kind == SECOND:
            put_64(b, <uint64_t><int64_t>(v.both.second if v.both != NULL else -1))
        elif kind == OWN:
            put_64(b, d.unix_own if d != NULL else 0)
        elif kind == PEER:
            put_64(b, d.unix_peer if d != NULL else 0)
        elif kind == ZERO_8:
            put_8(b, 0)
        elif kind == ZERO_32:
            put_32(b, 0)
        elif kind == ZERO_64:
            put_64(b, 0)
        elif kind == EMPTY:
            put_text(b, v.text, 0)
        elif kind == TID:
            put_64(b, v.r.tid)
        elif kind == PID:
            put_64(b, v.r.pid)
        elif kind == CLONE:
            put_32(b, mapped(<uint32_t>argument, CLONE_BITS)
                   | (IN_PID_NAMESPACE if v.who != NULL and v.who.vtid != v.r.tid else 0))
        elif kind == CALL:
            put_16(b, SCAP_NUMBERS[v.r.nr] if v.r.nr < MOST_CALLS else 0)
        elif kind == NUMBER:
            put_16(b, v.r.nr)
        elif kind == EXIT_CODE:
            put_64(b, <uint64_t>v.r.ret)
        elif kind == EXIT_STATUS:
            put_64(b, <uint64_t>v.r.ret >> 8 & 0xff)
        elif kind == EXIT_SIGNAL:
            put_8(b, v.r.ret & 0x7f)
        elif kind == EXIT_CORE:
            put_8(b, (v.r.ret & 0x80) != 0)
        else:
            put_of_process(b, v, kind)

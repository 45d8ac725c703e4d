# cython: language_level=3
"""A sweep over the segments of one half of a conversation, in the order of their sequence numbers.

At each byte the copy with the lowest frame number wins, whatever the order of arrival. So the sweep keeps the segments
that it stands in by frame number (copies.pxd), and a span ends where the winner does or where a segment begins that was
captured before it. A byte that nobody captured belongs to the first segment that claims it, or else to none.

Datagrams neither overlap nor miss each other: each is a span of its own, and another one where it was cut.
"""

from libc cimport errno as system
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from syswire.convert.conversations.contest cimport (
    Won, contest_add, contest_begin, contest_clear, contest_close, contest_open, contest_settle, found,
)
from syswire.convert.conversations.copies cimport Copies, Copy, copies_end, copies_free, copies_push, tame
from syswire.convert.model.rows cimport GAP_NONE, GAP_NOT_CAPTURED, GAP_SNAPLEN
from syswire.convert.model.segments cimport SEGMENT_ACKS
from syswire.convert.spool.files cimport cursor_close, cursor_open, cursor_row

cdef enum:
    ROWS = 1024

cdef uint64_t FARTHEST = <uint64_t>1 << 62     # of `rel`: so no sum of it overflows
cdef uint64_t AT_LAST = <uint64_t>-1           # the key of what is missing at the end: it comes when all else is done


cdef int sweep_open(Sweep *sweep, int rows_fd, uint64_t rows, int payload_fd, uint64_t payload_size) noexcept nogil:
    """Memory and files; the struct is zero before."""
    if (cursor_open(&sweep.rows, rows_fd, sizeof(Segment), ROWS, rows) < 0
            or contest_open(&sweep.contest, rows_fd, rows, payload_fd, payload_size) < 0):
        return -1
    return 0


cdef void sweep_close(Sweep *sweep) noexcept nogil:
    cursor_close(&sweep.rows)
    contest_close(&sweep.contest)
    copies_free(&sweep.stored)
    copies_free(&sweep.claimed)


cdef int load(Sweep *sweep) noexcept nogil:
    # The next row with bytes of the stream into `coming`, if there is one.
    cdef const Segment *row
    cdef uint64_t outside
    sweep.more = False
    while sweep.next < sweep.stop:
        row = <const Segment *>cursor_row(&sweep.rows, sweep.next)
        if row == NULL:
            return -1
        if row.half != sweep.half or row.rel < sweep.rel or row.rel > FARTHEST:
            sweep.wrong = sweep.next + 1
            system.errno = system.EINVAL
            return -1
        sweep.coming = row[0]
        tame(&sweep.coming)
        sweep.rel = row.rel
        outside = 0
        if row.rel < sweep.base:
            outside = sweep.base - row.rel
            if outside > sweep.coming.length:
                outside = sweep.coming.length
            if sweep.coming.stored <= outside:
                sweep.coming.stored = 0
            sweep.before_start += 1
            sweep.before_start_bytes += outside
            found(&sweep.first_before_start, row)
        if sweep.coming.length > outside:
            sweep.more = True
            return 0
        sweep.next += 1
    return 0


cdef int take(Sweep *sweep) noexcept nogil:
    # Stand in the segment `coming`, which begins where the sweep is or will soon be.
    cdef Copy copy
    copy.row, copy.index = sweep.coming, sweep.next
    if copy.row.stored:
        if copy.row.rel < sweep.reach:
            sweep.contested = True
        copy.end = copy.row.rel + copy.row.stored
        if copy.end > sweep.reach:
            sweep.reach = copy.end
        if copies_push(&sweep.stored, &copy) < 0:
            return -1
    if copy.row.length > copy.row.stored:
        copy.end = copy.row.rel + copy.row.length
        if copies_push(&sweep.claimed, &copy) < 0:
            return -1
    sweep.next += 1
    return load(sweep)


cdef int win(Sweep *sweep, Span *span, Copies *copies, bint known) noexcept nogil:
    # A span from where the sweep is, of the copy at the top.
    cdef Copy top = copies.items[0]
    cdef Won won
    cdef bint before, cuts
    span.begin, span.end = sweep.at, top.end
    while sweep.more and sweep.coming.rel < span.end:
        before = sweep.coming.frame < top.row.frame
        cuts = sweep.coming.stored > 0
        cuts = (cuts and before) if known else (cuts or before)
        if cuts:
            span.end = sweep.coming.rel
            sweep.contested = sweep.contested or known
            break
        if take(sweep) < 0:
            return -1
    span.there, span.reason = True, GAP_NONE if known else GAP_SNAPLEN
    span.index, span.row = top.index, top.row
    span.offset = <uint32_t>(span.begin - top.row.rel)
    sweep.last_row = top.row
    sweep.at = span.end
    if not known:
        return 0
    won.begin, won.end, won.index = span.begin, span.end, top.index
    won.payload = top.row.payload + span.offset
    if not sweep.contested:
        contest_clear(&sweep.contest, sweep.next)
        return 0
    if contest_add(&sweep.contest, &won) < 0 or contest_settle(&sweep.contest, sweep.at, sweep.next) < 0:
        return -1
    if sweep.contest.next == sweep.next and sweep.reach <= sweep.at:
        sweep.contested = False
    return 0


cdef int step(Sweep *sweep, Span *span) noexcept nogil:
    # What comes next of a byte stream.
    span.there = False
    copies_end(&sweep.stored, sweep.at)
    copies_end(&sweep.claimed, sweep.at)
    while sweep.more and sweep.coming.rel <= sweep.at:
        if take(sweep) < 0:
            return -1
    if sweep.stored.count:
        return win(sweep, span, &sweep.stored, True)
    if sweep.claimed.count:
        return win(sweep, span, &sweep.claimed, False)
    if not sweep.more and sweep.final <= sweep.at:
        return 0
    span.there, span.reason = True, GAP_NOT_CAPTURED
    span.index, span.row, span.offset = 0, sweep.last_row, 0
    span.begin = sweep.at
    span.end = sweep.at = sweep.coming.rel if sweep.more else sweep.final
    return 0


cdef int step_datagram(Sweep *sweep, Span *span) noexcept nogil:
    # The captured bytes of a datagram, or those that it lacks.
    cdef uint32_t end
    span.there = sweep.more
    if not sweep.more:
        return 0
    span.row, span.index, span.offset = sweep.coming, sweep.next, sweep.taken
    span.row.flags &= ~<uint32_t>SEGMENT_ACKS
    span.reason = GAP_NONE if sweep.taken < sweep.coming.stored else GAP_SNAPLEN
    end = sweep.coming.stored if sweep.taken < sweep.coming.stored else sweep.coming.length
    span.begin = sweep.at
    span.end = sweep.at = sweep.at + (end - sweep.taken)
    sweep.taken = end
    if end < sweep.coming.length:
        return 0
    sweep.taken = 0
    sweep.next += 1
    return load(sweep)


cdef int sweep_begin(Sweep *sweep, uint32_t half, uint64_t row, uint64_t stop, uint64_t base, bint opened,
                     uint64_t final, bint datagrams) noexcept nogil:
    """Make `head` the first span of a half.

    Its rows are those from `row` to `stop`. Bytes before `base` are not the stream's. Where it was seen to begin
    (`opened`) it begins there, else with the first byte of a row. Where no row and no base is there, neither is a
    stream, whatever was acknowledged.
    """
    sweep.half, sweep.next, sweep.stop, sweep.datagrams = half, row, stop, datagrams
    sweep.base = 0 if datagrams else base
    sweep.final = 0 if datagrams else final
    sweep.rel = sweep.reach = sweep.key = 0
    sweep.taken = 0
    sweep.contested = sweep.following = False
    sweep.stored.count = sweep.claimed.count = 0
    memset(&sweep.last_row, 0, sizeof(Segment))
    contest_begin(&sweep.contest, row, sweep.base)
    if load(sweep) < 0:
        return -1
    sweep.start = sweep.base
    if not datagrams and not opened:
        if sweep.more and sweep.coming.rel > sweep.base:
            sweep.start = sweep.coming.rel
        elif not sweep.more and base == 0:
            sweep.final = 0
    sweep.at = sweep.start
    return sweep_next(sweep)


cdef int sweep_next(Sweep *sweep) noexcept nogil:
    """Make `head` the span behind it."""
    cdef Span *head = &sweep.head
    if sweep.following:
        head[0] = sweep.follow
        sweep.following = False
    elif (step_datagram(sweep, head) if sweep.datagrams else step(sweep, head)) < 0:
        return -1
    if not head.there:
        return 0
    if head.reason == GAP_NOT_CAPTURED:
        # It belongs before the bytes behind it, and is seen to be missing with them.
        if step(sweep, &sweep.follow) < 0:
            return -1
        sweep.following = True
        if not sweep.follow.there:
            head.key = AT_LAST
            return 0
        head.row = sweep.follow.row
    if head.row.frame > sweep.key:
        sweep.key = head.row.frame
    head.key = sweep.key
    return 0

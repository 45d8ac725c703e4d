# cython: language_level=3
"""Whether copies of a byte of a stream differ: each that lost is compared with the one that won.

The rows are gone through a second time, behind the sweep: a row is judged when the sweep is past its end, against the
bytes that won in its range. Those are read once, when the first row needs them, and as many are kept as a row can have:
so the cost is that of reading the losers and what won against them. Where nothing overlaps nothing is read.
"""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcmp, memcpy

from syswire.convert.conversations.copies cimport tame
from syswire.convert.spool.files cimport (
    cursor_close, cursor_open, cursor_row, payload_at, window_close, window_open,
)

cdef enum:
    ROWS = 256
    FEWEST_WON = 64
    RECENT = 1 << 16          # rows come in the order in which they begin: none before reached farther than one can


cdef void found(Found *place, const Segment *row) noexcept nogil:
    """Note where something was found, if no earlier frame had it."""
    if place.frame == 0 or row.frame < place.frame:
        place.frame, place.source_frame = row.frame, row.source_frame
        place.time, place.block = row.time, row.block


cdef int contest_open(Contest *contest, int rows_fd, uint64_t rows, int payload_fd,
                      uint64_t payload_size) noexcept nogil:
    """Memory and files; the struct is zero before."""
    if (cursor_open(&contest.rows, rows_fd, sizeof(Segment), ROWS, rows) < 0
            or window_open(&contest.winners, payload_fd, payload_size) < 0
            or window_open(&contest.losers, payload_fd, payload_size) < 0):
        return -1
    contest.recent = <uint8_t *>malloc(RECENT)
    contest.won = <Won *>malloc(FEWEST_WON * sizeof(Won))
    contest.room = FEWEST_WON
    return 0 if contest.recent != NULL and contest.won != NULL else -1


cdef void contest_close(Contest *contest) noexcept nogil:
    cursor_close(&contest.rows)
    window_close(&contest.winners)
    window_close(&contest.losers)
    free(contest.recent)
    free(contest.won)
    contest.recent = NULL
    contest.won = NULL


cdef void contest_begin(Contest *contest, uint64_t row, uint64_t base) noexcept nogil:
    """A half whose rows begin at `row` and whose bytes begin at `base`."""
    contest.base, contest.filled = base, 0
    contest_clear(contest, row)


cdef void contest_clear(Contest *contest, uint64_t next_row) noexcept nogil:
    """All rows before this one are judged: nothing of what was won is needed any more."""
    contest.next = next_row
    contest.first = contest.filling = contest.count = 0


cdef int contest_add(Contest *contest, const Won *won) noexcept nogil:
    """What was won next; behind all that was before."""
    cdef Won *wider
    cdef uint64_t i
    if contest.count == contest.room:
        wider = <Won *>malloc(contest.room * 2 * sizeof(Won))
        if wider == NULL:
            return -1
        for i in range(contest.first, contest.first + contest.count):
            wider[i & (contest.room * 2 - 1)] = contest.won[i & (contest.room - 1)]
        free(contest.won)
        contest.won = wider
        contest.room *= 2
    contest.won[(contest.first + contest.count) & (contest.room - 1)] = won[0]
    contest.count += 1
    return 0


cdef int fill(Contest *contest, uint64_t begin, uint64_t end) noexcept nogil:
    # Have the winning bytes from `begin` to `end`; all of them were won by somebody.
    cdef const Won *won
    cdef const char *data
    cdef uint64_t place
    cdef uint32_t length, part
    if contest.filled < begin:
        contest.filled = begin
    if contest.filling < contest.first:
        contest.filling = contest.first
    while contest.filled < end and contest.filling < contest.first + contest.count:
        won = &contest.won[contest.filling & (contest.room - 1)]
        if won.end <= contest.filled:
            contest.filling += 1
            continue
        length = <uint32_t>((won.end if won.end < end else end) - contest.filled)
        data = payload_at(&contest.winners, won.payload + (contest.filled - won.begin), length)
        if data == NULL:
            return -1
        place = contest.filled & (RECENT - 1)
        part = length if length < RECENT - place else <uint32_t>(RECENT - place)
        memcpy(contest.recent + place, data, part)
        memcpy(contest.recent, data + part, length - part)
        contest.filled += length
    return 0


cdef inline uint32_t differing(const uint8_t *a, const uint8_t *b, uint32_t length) noexcept nogil:
    cdef uint32_t i, count = 0
    if memcmp(a, b, length) == 0:
        return 0
    for i in range(length):
        count += a[i] != b[i]
    return count


cdef int judge(Contest *contest, const Segment *row, uint64_t begin, uint64_t end) noexcept nogil:
    cdef const uint8_t *data
    cdef uint64_t place = begin & (RECENT - 1)
    cdef uint32_t length = <uint32_t>(end - begin), part, count
    if fill(contest, begin, end) < 0:
        return -1
    data = <const uint8_t *>payload_at(&contest.losers, row.payload + (begin - row.rel), length)
    if data == NULL:
        return -1
    part = length if length < RECENT - place else <uint32_t>(RECENT - place)
    count = differing(data, contest.recent + place, part) + differing(data + part, contest.recent, length - part)
    if count:
        contest.conflicts += 1
        contest.conflict_bytes += count
        found(&contest.first_conflict, row)
    return 0


cdef int contest_settle(Contest *contest, uint64_t at, uint64_t next_row) noexcept nogil:
    """Judge the rows before `next_row`, in their order, as far as they end no later than `at`, where the sweep is."""
    cdef const Segment *read
    cdef const Won *won
    cdef Segment row
    cdef uint64_t begin, end
    while contest.next < next_row:
        read = <const Segment *>cursor_row(&contest.rows, contest.next)
        if read == NULL:
            return -1
        row = read[0]
        tame(&row)
        begin, end = row.rel, row.rel + row.stored
        if begin < contest.base:
            begin = contest.base
        if begin < end:
            if end > at:
                return 0
            while contest.count and contest.won[contest.first & (contest.room - 1)].end <= begin:
                contest.first += 1
                contest.count -= 1
            won = &contest.won[contest.first & (contest.room - 1)]
            if not (contest.count and won.index == contest.next and won.begin <= begin and end <= won.end):
                if judge(contest, &row, begin, end) < 0:
                    return -1
        contest.next += 1
    return 0

# cython: language_level=3
"""External stable merge sort of fixed-size rows.

Rows are read in runs that fit the memory, each run is sorted by keys taken out of its rows, and the runs are
merged, so many at a time as the memory has buffers for. Equal keys keep the order of the source.
"""

import os
import tempfile

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memcpy

from syswire.convert.spool.files cimport (
    RowCursor, RowWriter, cursor_close, cursor_open, cursor_row, raise_errno, read_whole,
    writer_close, writer_flush, writer_open, writer_put,
)

cdef enum:
    MOST_KEYS = 8
    BLOCK = 8                 # rows that are sorted by insertion before merging begins
    BUFFER_BYTES = 1 << 15    # what one run is worth in a merge
    FEWEST_RUNS = 2
    MOST_RUNS = 512
    FEWEST_ROWS = 16

ctypedef struct Item:
    uint64_t high, low        # the key, as one number of 128 bits
    uint64_t index

ctypedef struct Keys:
    int count
    uint32_t offset[MOST_KEYS]
    uint32_t width[MOST_KEYS]

ctypedef struct Head:         # the first row of a run that was not yet merged
    uint64_t high, low
    uint64_t next
    RowCursor rows


cdef inline void take_key(const Keys *keys, const char *row, uint64_t *high, uint64_t *low) noexcept nogil:
    cdef uint64_t upper = 0, lower = 0, value
    cdef uint32_t bits
    cdef int i
    for i in range(keys.count):
        value = 0
        memcpy(&value, row + keys.offset[i], keys.width[i])
        bits = keys.width[i] * 8
        if bits == 64:
            upper, lower = lower, value
        else:
            upper = (upper << bits) | (lower >> (64 - bits))
            lower = (lower << bits) | value
    high[0], low[0] = upper, lower


cdef inline bint after(const Item *a, const Item *b) noexcept nogil:
    return a.high > b.high or (a.high == b.high and a.low > b.low)


cdef void merge_items(const Item *source, Item *target, uint64_t begin, uint64_t middle, uint64_t end) noexcept nogil:
    cdef uint64_t a = begin, b = middle, out = begin
    if middle >= end or not after(&source[middle - 1], &source[middle]):
        memcpy(target + begin, source + begin, (end - begin) * sizeof(Item))
        return
    while a < middle and b < end:
        if after(&source[a], &source[b]):
            target[out] = source[b]
            b += 1
        else:
            target[out] = source[a]
            a += 1
        out += 1
    if a < middle:
        memcpy(target + out, source + a, (middle - a) * sizeof(Item))
    else:
        memcpy(target + out, source + b, (end - b) * sizeof(Item))


cdef Item *sort_items(Item *items, Item *spare, uint64_t count) noexcept nogil:
    # The sorted items, in one of the two arrays.
    cdef uint64_t begin, i, j, middle, end, width
    cdef Item item
    begin = 0
    while begin < count:
        end = begin + BLOCK if begin + BLOCK < count else count
        for i in range(begin + 1, end):
            item = items[i]
            j = i
            while j > begin and after(&items[j - 1], &item):
                items[j] = items[j - 1]
                j -= 1
            items[j] = item
        begin = end
    width = BLOCK
    while width < count:
        begin = 0
        while begin < count:
            middle = begin + width if begin + width < count else count
            end = middle + width if middle + width < count else count
            merge_items(items, spare, begin, middle, end)
            begin = end
        items, spare = spare, items
        width *= 2
    return items


cdef int sort_runs(int source, RowWriter *out, const Keys *keys, uint64_t rows, uint64_t run_rows) noexcept nogil:
    cdef uint32_t size = out.size
    cdef char *data = <char *>malloc(run_rows * size)
    cdef Item *items = <Item *>malloc(run_rows * sizeof(Item))
    cdef Item *spare = <Item *>malloc(run_rows * sizeof(Item))
    cdef Item *ordered
    cdef uint64_t begin, count, i
    cdef int result = -1 if data == NULL or items == NULL or spare == NULL else 0
    begin = 0
    while result == 0 and begin < rows:
        count = rows - begin if rows - begin < run_rows else run_rows
        result = read_whole(source, data, count * size, begin * size)
        if result < 0:
            break
        for i in range(count):
            take_key(keys, data + i * size, &items[i].high, &items[i].low)
            items[i].index = i
        ordered = sort_items(items, spare, count)
        for i in range(count):
            result |= writer_put(out, data + ordered[i].index * size)
        begin += count
    if result == 0:
        result = writer_flush(out)
    free(data)
    free(items)
    free(spare)
    return result


cdef inline bint head_after(const Head *heads, uint32_t a, uint32_t b) noexcept nogil:
    if heads[a].high != heads[b].high:
        return heads[a].high > heads[b].high
    if heads[a].low != heads[b].low:
        return heads[a].low > heads[b].low
    return a > b   # an earlier run holds earlier rows


cdef void sift(const Head *heads, uint32_t *heap, uint32_t count, uint32_t place) noexcept nogil:
    cdef uint32_t child, run = heap[place]
    while True:
        child = place * 2 + 1
        if child >= count:
            break
        if child + 1 < count and head_after(heads, heap[child], heap[child + 1]):
            child += 1
        if not head_after(heads, run, heap[child]):
            break
        heap[place] = heap[child]
        place = child
    heap[place] = run


cdef int merge_heads(Head *heads, uint32_t count, RowWriter *out, const Keys *keys) noexcept nogil:
    cdef uint32_t *heap = <uint32_t *>malloc(count * sizeof(uint32_t))
    cdef const char *row
    cdef Head *head
    cdef uint32_t i, alive = count
    if heap == NULL:
        return -1
    for i in range(count):
        row = cursor_row(&heads[i].rows, heads[i].next)
        if row == NULL:
            free(heap)
            return -1
        take_key(keys, row, &heads[i].high, &heads[i].low)
        heap[i] = i
    for i in range(count // 2 + 1):
        sift(heads, heap, count, count // 2 - i)
    while alive:
        head = &heads[heap[0]]
        row = cursor_row(&head.rows, head.next)
        if row == NULL or writer_put(out, row) < 0:
            break
        head.next += 1
        if head.next < head.rows.end:
            row = cursor_row(&head.rows, head.next)
            if row == NULL:
                break
            take_key(keys, row, &head.high, &head.low)
        else:
            alive -= 1
            heap[0] = heap[alive]
        if alive:
            sift(heads, heap, alive, 0)
    free(heap)
    return 0 if alive == 0 else -1


cdef int merge_runs(int source, RowWriter *out, const Keys *keys, uint64_t rows, uint64_t run_rows,
                    uint32_t fan, uint32_t buffer_rows) noexcept nogil:
    # Every `fan` runs of `run_rows` rows become one.
    cdef Head *heads = <Head *>calloc(fan, sizeof(Head))
    cdef uint64_t begin = 0, end
    cdef uint32_t count, i
    cdef int result = 0 if heads != NULL else -1
    while result == 0 and begin < rows:
        count = 0
        while result == 0 and count < fan and begin < rows:
            end = begin + run_rows if begin + run_rows < rows else rows
            result = cursor_open(&heads[count].rows, source, out.size, buffer_rows, end)
            heads[count].next = begin
            begin = end
            count += 1
        if result == 0:
            result = merge_heads(heads, count, out, keys)
        for i in range(count):
            cursor_close(&heads[i].rows)
    if result == 0:
        result = writer_flush(out)
    free(heads)
    return result


cdef int take_keys(Keys *keys, object fields, uint32_t row_size) except -1:
    cdef uint32_t total = 0
    keys.count = 0
    for offset, width in fields:
        if width not in (1, 2, 4, 8) or offset < 0 or offset + width > row_size:
            raise ValueError(f"no key field of {width} bytes at {offset} in a row of {row_size}")
        if keys.count == MOST_KEYS:
            raise ValueError(f"at most {MOST_KEYS} key fields")
        keys.offset[keys.count] = offset
        keys.width[keys.count] = width
        keys.count += 1
        total += width
    if not 0 < total <= 16:
        raise ValueError("the key fields must have 1 to 16 bytes together")
    return 0


def sort_rows(source, target, row_size, keys, *, memory=8 << 20, scratch):
    """Sort a file of rows into another; see sort.pyi."""
    cdef Keys fields
    cdef RowWriter out
    cdef uint32_t size, fan, buffer_rows
    cdef uint64_t rows, run_rows, length
    cdef int source_fd, result
    if not 1 <= row_size <= 1 << 16:
        raise ValueError("a row has 1 to 65,536 bytes")
    size = row_size
    take_keys(&fields, keys, size)
    run_rows = max(memory // (size + 2 * sizeof(Item)), FEWEST_ROWS)
    fan = min(max(memory // BUFFER_BYTES, FEWEST_RUNS), MOST_RUNS)
    buffer_rows = max(BUFFER_BYTES // size, 1)
    out.buffer = NULL
    if os.path.exists(target) and os.path.samefile(source, target):
        raise ValueError("source and target are the same file")
    with open(source, "rb", buffering=0) as reader, open(target, "wb", buffering=0) as writer:
        length = os.fstat(reader.fileno()).st_size
        if length % size:
            raise ValueError(f"{source}: its size is not a whole number of rows of {size} bytes")
        rows = length // size
        with tempfile.TemporaryFile(dir=scratch, buffering=0) as one, \
                tempfile.TemporaryFile(dir=scratch, buffering=0) as two:
            current = writer if rows <= run_rows else one
            source_fd = reader.fileno()
            try:
                if writer_open(&out, current.fileno(), size, buffer_rows) < 0:
                    raise MemoryError
                with nogil:
                    result = sort_runs(source_fd, &out, &fields, rows, run_rows)
                while result == 0 and run_rows < rows:
                    source_fd = current.fileno()
                    if (rows + run_rows - 1) // run_rows <= fan:
                        current = writer
                    else:
                        current = two if current is one else one
                        current.seek(0)
                    out.fd = current.fileno()
                    with nogil:
                        result = merge_runs(source_fd, &out, &fields, rows, run_rows, fan, buffer_rows)
                    run_rows *= fan
                if result < 0:
                    raise_errno()
            finally:
                writer_close(&out)
    return rows

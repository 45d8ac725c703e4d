# cython: language_level=3
"""Search for many byte strings at once.

A position is looked at closely only if its first four bytes, then its first six, pass a bitmap. Patterns with the
same first four bytes form a bucket in sorted order; the longest one that begins a text is found from its predecessor
in that order: every pattern that is a prefix of the text is also a prefix of the predecessor, so it lies on that
one's chain of prefixes. So no choice of patterns and text makes a position cost more than one binary search and one
walk up such a chain.

Whether any pattern occurs at all is asked far more often than where. For that each pattern has an anchor: of its first
few stretches of four bytes the one that is least like a word, since words of the text begin as many a password does.
"""

from cpython.buffer cimport PyBUF_SIMPLE, PyBuffer_Release, PyObject_GetBuffer
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, realloc
from libc.string cimport memcmp, memcpy, memmove

SHORTEST = 4

cdef enum:
    GRAM = 4
    ANCHORS = 5        # places in a pattern, from its first byte on, where the anchor may be
    FEWEST_BITS = 13
    MOST_BITS = 23
    MOST_PATTERNS = 1 << 20
    MOST_BYTES = 1 << 26

cdef inline uint32_t _gram(const unsigned char* text) noexcept nogil:
    cdef uint32_t value
    memcpy(&value, text, 4)
    return value


cdef inline uint32_t _spread(uint32_t gram, int bits) noexcept nogil:
    return <uint32_t> (gram * <uint32_t> 2654435761) >> (32 - bits)


cdef inline uint32_t _spread_six(const unsigned char* text, int bits) noexcept nogil:
    cdef uint32_t value = 0
    memcpy(&value, text + 4, 2)
    return <uint32_t> ((_gram(text) ^ value << 13 ^ value >> 5) * <uint32_t> 2246822519) >> (32 - bits)


cdef inline uint32_t _spread_four(uint32_t gram, int bits) noexcept nogil:
    return <uint32_t> ((gram ^ gram >> 15) * <uint32_t> 3266489917) >> (32 - bits)


cdef inline int _oddness(unsigned char c) noexcept nogil:
    """How unlike a word a byte is."""
    if 97 <= c <= 122 or c == 32:
        return 0
    return 2 if 48 <= c <= 57 else 1


cdef int _anchor(const unsigned char* text, Py_ssize_t length) noexcept nogil:
    """Where in a pattern the four bytes stand by which it is found: the first that are the oddest."""
    cdef int place, i, odd, best = -1, found = 0
    for place in range(ANCHORS):
        if place + GRAM > length:
            break
        odd = 0
        for i in range(GRAM):
            odd += _oddness(text[place + i])
        if odd > best:
            best = odd
            found = place
    return found


cdef inline int _bit(const uint8_t* bitmap, uint32_t place) noexcept nogil:
    return bitmap[place >> 3] >> (place & 7) & 1


cdef class SecretIndex:
    """Patterns of at least SHORTEST bytes, added at any time; searched in any data."""

    def __cinit__(self):
        self.bits = FEWEST_BITS
        self.bitmap = <uint8_t*> calloc(3 << (FEWEST_BITS - 3), 1)
        self.bucket_bits = 6
        self.buckets = <Bucket*> calloc(1 << 6, sizeof(Bucket))
        if self.bitmap == NULL or self.buckets == NULL:
            raise MemoryError()

    def __dealloc__(self):
        cdef int32_t i
        if self.buckets != NULL:
            for i in range(1 << self.bucket_bits):
                free(self.buckets[i].ids)
                free(self.buckets[i].parents)
        free(self.buckets)
        free(self.bitmap)
        free(self.patterns)
        free(self.arena)

    def __len__(self):
        return self.pattern_count

    cdef inline const unsigned char* _text(self, int32_t id) noexcept nogil:
        return self.arena + self.patterns[id].at

    cdef Bucket* _slot(self, uint32_t gram) noexcept nogil:
        """The bucket of these four bytes, or the free one where it belongs."""
        cdef uint32_t mask = (<uint32_t> 1 << self.bucket_bits) - 1
        cdef uint32_t place = _spread(gram, self.bucket_bits)
        while self.buckets[place].count and self.buckets[place].gram != gram:
            place = (place + 1) & mask
        return self.buckets + place

    cdef int _grow_buckets(self) except -1:
        cdef Bucket* old = self.buckets
        cdef int old_bits = self.bucket_bits
        cdef int32_t i
        cdef Bucket* grown = <Bucket*> calloc(<size_t> 1 << (old_bits + 1), sizeof(Bucket))
        if grown == NULL:
            raise MemoryError()
        self.buckets = grown
        self.bucket_bits = old_bits + 1
        for i in range(1 << old_bits):
            if old[i].count:
                self._slot(old[i].gram)[0] = old[i]
        free(old)
        return 0

    cdef void _mark(self, const unsigned char* text, Py_ssize_t length) noexcept nogil:
        cdef uint32_t place = _spread(_gram(text), self.bits)
        cdef uint8_t* second = self.bitmap + (<size_t> 1 << (self.bits - 3))
        cdef uint8_t* third = self.bitmap + (<size_t> 2 << (self.bits - 3))
        self.bitmap[place >> 3] |= <uint8_t> (1 << (place & 7))
        place = _spread_six(text, self.bits) if length >= 6 else _spread_four(_gram(text), self.bits)
        second[place >> 3] |= <uint8_t> (1 << (place & 7))
        place = _spread(_gram(text + _anchor(text, length)), self.bits)
        third[place >> 3] |= <uint8_t> (1 << (place & 7))

    cdef inline bint _passes(self, const unsigned char* text, Py_ssize_t size) noexcept nogil:
        """The second look, at up to six bytes of a text whose first four have passed."""
        cdef const uint8_t* second = self.bitmap + (<size_t> 1 << (self.bits - 3))
        return ((size >= 6 and _bit(second, _spread_six(text, self.bits)))
                or _bit(second, _spread_four(_gram(text), self.bits)))

    cdef int _grow_bitmap(self) except -1:
        cdef int32_t i
        cdef uint8_t* grown = <uint8_t*> calloc(<size_t> 3 << (self.bits - 1), 1)  # three bitmaps, four times as large
        if grown == NULL:
            raise MemoryError()
        free(self.bitmap)
        self.bitmap = grown
        self.bits += 2
        for i in range(self.pattern_count):
            self._mark(self._text(i), self.patterns[i].length)
        return 0

    cdef int _store(self, const unsigned char* text, Py_ssize_t length) except -1:
        """Room for one more pattern, and its bytes into the arena."""
        cdef uint64_t room = self.arena_room
        cdef void* grown
        if self.pattern_count == self.pattern_room:
            grown = realloc(self.patterns, (<size_t> self.pattern_room * 2 + 64) * sizeof(Pattern))
            if grown == NULL:
                raise MemoryError()
            self.patterns = <Pattern*> grown
            self.pattern_room = self.pattern_room * 2 + 64
        if self.arena_used + <uint64_t> length > room:
            room = room * 2 + <uint64_t> length + 1024
            grown = realloc(self.arena, room)
            if grown == NULL:
                raise MemoryError()
            self.arena = <unsigned char*> grown
            self.arena_room = room
        memcpy(self.arena + self.arena_used, text, length)
        self.patterns[self.pattern_count].at = self.arena_used
        self.patterns[self.pattern_count].length = <int32_t> length
        return 0

    def add(self, bytes pattern, int before=0, int after=0):
        """Take a pattern: False if there is no room for more."""
        cdef Py_ssize_t length = PyBytes_GET_SIZE(pattern)
        cdef const unsigned char* text = <const unsigned char*> PyBytes_AS_STRING(pattern)
        cdef Bucket* bucket
        cdef int32_t place, id
        cdef int32_t* ids
        cdef int32_t* parents
        if length < GRAM:
            raise ValueError("pattern too short")
        if self.pattern_count >= MOST_PATTERNS or self.arena_used + <uint64_t> length > MOST_BYTES:
            return False
        bucket = self._slot(_gram(text))
        if bucket.count:
            place = self._predecessor(bucket, text, length)
            if place >= 0:
                id = bucket.ids[place]
                if self.patterns[id].length == length and memcmp(self._text(id), text, length) == 0:
                    self.patterns[id].before |= <uint8_t> before
                    self.patterns[id].after |= <uint8_t> after
                    return True
        if (self.bucket_count + 1) * 2 > 1 << self.bucket_bits:
            self._grow_buckets()
        self._store(text, length)
        if self.bits < MOST_BITS and <int64_t> (self.pattern_count + 1) << 5 > <int64_t> 1 << self.bits:
            self._grow_bitmap()
        bucket = self._slot(_gram(text))
        if bucket.count == bucket.room:
            ids = <int32_t*> realloc(bucket.ids, (<size_t> bucket.room * 2 + 2) * sizeof(int32_t))
            if ids == NULL:
                raise MemoryError()
            bucket.ids = ids
            parents = <int32_t*> realloc(bucket.parents, (<size_t> bucket.room * 2 + 2) * sizeof(int32_t))
            if parents == NULL:
                raise MemoryError()
            bucket.parents = parents
            bucket.room = bucket.room * 2 + 2
        place = 0
        if bucket.count:
            place = self._predecessor(bucket, text, length) + 1
        else:
            bucket.gram = _gram(text)
            self.bucket_count += 1
        memmove(bucket.ids + place + 1, bucket.ids + place, <size_t> (bucket.count - place) * sizeof(int32_t))
        bucket.ids[place] = self.pattern_count
        bucket.count += 1
        bucket.stale = True
        self.patterns[self.pattern_count].before = <uint8_t> before
        self.patterns[self.pattern_count].after = <uint8_t> after
        self._mark(text, length)
        self.pattern_count += 1
        self.arena_used += <uint64_t> length
        if length > self.longest:
            self.longest = <int> length
        return True

    cdef int32_t _predecessor(self, Bucket* bucket, const unsigned char* text, Py_ssize_t size) noexcept nogil:
        """The place of the last pattern that does not stand behind the text in the order, or -1."""
        cdef int32_t low = 0, high = bucket.count, middle
        cdef Py_ssize_t length
        cdef int order
        while low < high:
            middle = (low + high) >> 1
            length = self.patterns[bucket.ids[middle]].length
            order = memcmp(self._text(bucket.ids[middle]), text, length if length < size else size)
            if order < 0 or (order == 0 and length <= size):
                low = middle + 1
            else:
                high = middle
        return low - 1

    cdef void _chain(self, Bucket* bucket) noexcept nogil:
        """Work out each pattern's longest proper prefix among the patterns of its bucket."""
        cdef int32_t place, up
        cdef int32_t id, other
        for place in range(bucket.count):
            id = bucket.ids[place]
            up = place - 1
            while up >= 0:
                other = bucket.ids[up]
                if (self.patterns[other].length < self.patterns[id].length
                        and memcmp(self._text(other), self._text(id), self.patterns[other].length) == 0):
                    break
                up = bucket.parents[up]
            bucket.parents[place] = up
        bucket.stale = False

    cdef int32_t _match(self, const unsigned char* text, Py_ssize_t size) noexcept nogil:
        """The longest pattern that the text, of at least four bytes, begins with, or -1."""
        cdef Bucket* bucket = self._slot(_gram(text))
        cdef int32_t place, id
        cdef Py_ssize_t common, most
        cdef const unsigned char* other
        if bucket.count == 0:
            return -1
        place = self._predecessor(bucket, text, size)
        if place < 0:
            return -1
        id = bucket.ids[place]
        other = self._text(id)
        most = self.patterns[id].length
        if most > size:
            most = size
        common = GRAM
        while common < most and other[common] == text[common]:
            common += 1
        if common == self.patterns[id].length:
            return id
        if bucket.stale:
            self._chain(bucket)
        while place >= 0 and self.patterns[bucket.ids[place]].length > common:
            place = bucket.parents[place]
        return bucket.ids[place] if place >= 0 else -1

    cdef Py_ssize_t _next(self, const unsigned char* text, Py_ssize_t begin, Py_ssize_t size,
                          int32_t* id) noexcept nogil:
        """The first position from `begin` on where a pattern begins, or -1."""
        cdef Py_ssize_t at = begin
        cdef int bits = self.bits
        cdef const uint8_t* bitmap = self.bitmap
        cdef int hits, i
        while at + 8 <= size:
            # Four positions at once: nearly always none of them passes.
            hits = (_bit(bitmap, _spread(_gram(text + at), bits))
                    | _bit(bitmap, _spread(_gram(text + at + 1), bits)) << 1
                    | _bit(bitmap, _spread(_gram(text + at + 2), bits)) << 2
                    | _bit(bitmap, _spread(_gram(text + at + 3), bits)) << 3)
            if hits:
                for i in range(4):
                    if hits >> i & 1 and self._passes(text + at + i, size - at - i):
                        id[0] = self._match(text + at + i, size - at - i)
                        if id[0] >= 0:
                            return at + i
            at += 4
        while at + GRAM <= size:
            if _bit(bitmap, _spread(_gram(text + at), bits)) and self._passes(text + at, size - at):
                id[0] = self._match(text + at, size - at)
                if id[0] >= 0:
                    return at
            at += 1
        return -1

    cdef bint finds(self, const unsigned char* text, Py_ssize_t size) noexcept nogil:
        cdef Py_ssize_t at = 0
        cdef int bits = self.bits, hits, i
        cdef const uint8_t* anchors = self.bitmap + (<size_t> 2 << (bits - 3))
        if self.pattern_count == 0:
            return False
        while at + 7 <= size:
            # Four positions at once: nearly always none of them passes.
            hits = (_bit(anchors, _spread(_gram(text + at), bits))
                    | _bit(anchors, _spread(_gram(text + at + 1), bits)) << 1
                    | _bit(anchors, _spread(_gram(text + at + 2), bits)) << 2
                    | _bit(anchors, _spread(_gram(text + at + 3), bits)) << 3)
            if hits:
                for i in range(4):
                    if hits >> i & 1 and self._anchored(text, at + i, size):
                        return True
            at += 4
        while at + GRAM <= size:
            if _bit(anchors, _spread(_gram(text + at), bits)) and self._anchored(text, at, size):
                return True
            at += 1
        return False

    cdef bint _anchored(self, const unsigned char* text, Py_ssize_t at, Py_ssize_t size) noexcept nogil:
        """Whether a pattern occurs that may have its anchor there."""
        cdef Py_ssize_t begin = at - ANCHORS + 1 if at >= ANCHORS else 0
        for begin in range(begin, at + 1):
            if (_bit(self.bitmap, _spread(_gram(text + begin), self.bits)) and self._passes(text + begin, size - begin)
                    and self._match(text + begin, size - begin) >= 0):
                return True
        return False

    def found_in(self, data):
        """Whether any pattern occurs."""
        cdef Py_buffer view
        cdef bint found
        PyObject_GetBuffer(data, &view, PyBUF_SIMPLE)
        try:
            with nogil:
                found = self.finds(<const unsigned char*> view.buf, view.len)
        finally:
            PyBuffer_Release(&view)
        return found

    def intervals(self, bytes data):
        """(begin, end) of all that patterns cover, in order, overlapping ones joined, with what tells beside them."""
        cdef Py_ssize_t size = PyBytes_GET_SIZE(data), at = 0, begin = -1, end = -1, first, last
        cdef const unsigned char* text = <const unsigned char*> PyBytes_AS_STRING(data)
        cdef int32_t id = -1
        cdef list found = []
        while True:
            at = self._next(text, at, size, &id)
            if at < 0:
                break
            first = at - self.patterns[id].before
            last = at + self.patterns[id].length + self.patterns[id].after
            first = first if first > 0 else 0
            last = last if last < size else size
            if begin >= 0 and first <= end:
                begin = first if first < begin else begin
                end = last if last > end else end
            else:
                if begin >= 0:
                    found.append((begin, end))
                begin, end = first, last
            at += 1
        if begin >= 0:
            found.append((begin, end))
        return found

# cython: language_level=3, boundscheck=True
"""The second pass's work on bytes: secrets looked for in the streams, records copied that none can be in.

Text of an exchange stands in its messages as it stands in the record (MARK_VERBATIM): where no secret is in those, none
is in the record, and it is copied unseen. Everything else goes through redact.py.
"""

from bisect import bisect_left

import msgspec
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, realloc
from libc.string cimport memcpy, memmove

from syswire.convert.conversations.reader cimport ConversationReader
from syswire.convert.model.rows cimport Piece
from syswire.convert.object_types import left_out
from syswire.convert.record_marks cimport (
    MARK_REQUEST_HASH, MARK_RESPONSE_HASH, MARK_SIGHTING, MARK_VERBATIM, RecordMark,
)
from syswire.convert.secret_index cimport SecretIndex
from syswire.convert.secret_search cimport occurs

cdef enum:
    WINDOW = 1 << 18
    BATCH = 1 << 16   # bytes of records that are looked at together
    COPY = 1 << 20
    DEPTH = 2         # layers of escapes, as in redact.py
    MARKS = 1 << 10
    STRUCK_HASH = 1
    STRUCK_OBJECT = 2

cdef object _encode = msgspec.json.Encoder().encode

ctypedef struct Window:  # consecutive known bytes of one direction, from stream offset `begin`
    uint64_t begin
    size_t size
    size_t room
    char *data


cdef int _append(Window *window, const char *data, size_t size) except -1:
    cdef void *grown
    if window.size + size > window.room:
        grown = realloc(window.data, 2 * (window.size + size))
        if grown == NULL:
            raise MemoryError
        window.data, window.room = <char *>grown, 2 * (window.size + size)
    memcpy(window.data + window.size, data, size)
    window.size += size
    return 0


cdef class Hits:
    """Where known secrets stand in both streams of a conversation; lists by direction, to the client first."""

    cdef list offsets      # of their first bytes, ascending
    cdef list stretches    # (begin, end) of all that they cover, in order, and
    cdef list reaches      # the furthest end so far of each: stretches may overlap

    def __cinit__(self):
        self.offsets, self.stretches, self.reaches = [[], []], [[], []], [[], []]

    @property
    def to_client(self):
        return self.offsets[0]

    @property
    def to_server(self):
        return self.offsets[1]

    @property
    def covered(self):
        return self.stretches[0], self.stretches[1]

    cdef bint any(self):
        return len(self.stretches[0]) != 0 or len(self.stretches[1]) != 0

    cdef int add(self, int direction, uint64_t begin, list spans) except -1:
        """What redact.py found in a window that begins there."""
        cdef list offsets = self.offsets[direction]
        known = offsets[len(offsets) - 1] if offsets else -1
        found = sorted({begin + first for first, _ in spans})
        offsets.extend([offset for offset in found if offset > known])
        self.stretches[direction].extend([(begin + first, begin + last) for first, last in spans])
        return 0

    cdef int arrange(self) except -1:
        """All is known: make it ready for `touch`."""
        cdef int direction
        cdef uint64_t reach
        for direction in range(2):
            self.stretches[direction].sort()
            reach = 0
            for _, end in self.stretches[direction]:
                reach = max(reach, <uint64_t>end)
                self.reaches[direction].append(reach)
        return 0

    cdef bint touch(self, int direction, uint64_t begin, uint64_t length) except -1:
        """Whether a secret has a byte in a stretch of the stream."""
        cdef list stretches = self.stretches[direction], reaches = self.reaches[direction]
        cdef Py_ssize_t before
        if not stretches or length == 0:
            return False
        if begin + length < begin:  # no offset of a stream: believe nothing
            return True
        before = bisect_left(stretches, (begin + length,))  # those that begin before its end
        return before > 0 and reaches[before - 1] > begin


cdef bint _begins_within(list offsets, uint64_t begin, uint64_t length) except -1:
    cdef Py_ssize_t at = bisect_left(offsets, begin)
    return at < len(offsets) and offsets[at] < begin + length


cdef class Search:
    """The second pass over one part."""

    cdef ConversationReader reader
    cdef object redactor, lines, marks, out
    cdef uint64_t base
    cdef SecretIndex index
    cdef bint blind           # there is nothing to look for
    cdef size_t reach
    cdef Window[2] windows
    cdef bytes rows           # of marks
    cdef size_t row
    cdef object struck        # hashes that may not be named: of contents that hold a secret (contents.py)
    cdef object dropped       # names of objects for which there was no room after all
    cdef uint64_t to_copy     # bytes of lines that are copied as they are
    cdef bytearray waiting    # lines that are looked at; one of both is empty

    def __init__(
        self, ConversationReader reader, redactor, lines, marks, out, uint64_t base, struck=frozenset(),
        dropped=frozenset()
    ):
        cdef int direction
        self.reader, self.redactor, self.lines, self.marks, self.out = reader, redactor, lines, marks, out
        self.base, self.index = base, redactor.index
        self.struck, self.dropped = struck, dropped
        self.blind = redactor.reveal or not (redactor.reach or redactor.overfull)
        self.reach = redactor.reach
        for direction in range(2):
            self.windows[direction].data = NULL
            self.windows[direction].begin = self.windows[direction].size = self.windows[direction].room = 0
        self.rows, self.row = b"", 0
        self.waiting = bytearray()

    def __dealloc__(self):
        free(self.windows[0].data)
        free(self.windows[1].data)

    # Streams

    def hits(self, uint64_t begin, uint64_t end):
        """The secrets in the pieces of rows `begin` to `end`."""
        cdef Hits hits = Hits()
        cdef Piece piece
        cdef Window *window
        cdef uint32_t length
        cdef int direction
        cdef const char *data
        if self.blind:
            return hits
        self.reader.check_rows(end)
        for direction in range(2):
            self.windows[direction].begin = self.windows[direction].size = 0
        while begin < end:
            data = self.reader.next_view(&begin, end, &piece, &length)
            direction = piece.to_server == 1
            window = &self.windows[direction]
            if data == NULL or piece.stream_offset != window.begin + window.size:
                self.search(direction, hits)
                window.begin = piece.stream_offset + (length if data == NULL else 0)
                window.size = 0
            if data != NULL:
                _append(window, data, length)
                if window.size >= WINDOW:
                    self.search(direction, hits)
                    if window.size > self.reach:  # a secret may begin here that ends in the next window
                        window.begin += window.size - self.reach
                        memmove(window.data, window.data + window.size - self.reach, self.reach)
                        window.size = self.reach
        for direction in range(2):
            self.search(direction, hits)
        hits.arrange()
        return hits

    cdef int search(self, int direction, Hits hits) except -1:
        cdef Window *window = &self.windows[direction]
        cdef int seen = 1
        if window.size == 0:
            return 0
        if not self.redactor.overfull:
            with nogil:
                seen = occurs(self.index, <const unsigned char *>window.data, <Py_ssize_t>window.size, DEPTH)
            if seen < 0:
                raise MemoryError
        if seen:
            held = PyBytes_FromStringAndSize(window.data, <Py_ssize_t>window.size)
            hits.add(direction, window.begin, self.redactor.spans(held))
        return 0

    # Records

    cdef const RecordMark *next_mark(self) except NULL:
        if self.row == <size_t>PyBytes_GET_SIZE(self.rows):
            self.rows = self.marks.read(MARKS * sizeof(RecordMark))
            self.row = 0
            if PyBytes_GET_SIZE(self.rows) < <Py_ssize_t>sizeof(RecordMark):
                raise EOFError("fewer marks than records")
        self.row += sizeof(RecordMark)
        return <const RecordMark *>(PyBytes_AS_STRING(self.rows) + self.row - sizeof(RecordMark))

    def records(self, uint32_t count, Hits hits not None):
        """Take the next records, all of one conversation."""
        cdef const RecordMark *mark
        cdef uint32_t _
        cdef bint touched, striking = bool(self.struck) or bool(self.dropped)
        for _ in range(count):
            mark = self.next_mark()
            if mark.flags & MARK_SIGHTING:
                if self.blind and self.base == 0:
                    self.copy(mark.line)
                else:
                    self.look(_renumber(self.read(mark.line), self.base))
                continue
            touched = hits.any() and (
                hits.touch(1, mark.request, mark.request_length) or hits.touch(0, mark.response, mark.response_length)
            )
            if (self.blind and not striking) or (
                mark.flags & MARK_VERBATIM and not touched and not self.redactor.overfull
            ):
                self.copy(mark.line)
            else:
                line = _withhold(self.read(mark.line), mark, hits)
                self.look(_strike(line, self.struck, self.dropped) if striking else line)
        return None

    cdef bytes read(self, uint64_t size):
        """The next bytes of the lines; those before them that only have to be copied are."""
        cdef bytes line
        if self.to_copy:
            self.flush_copy()
        line = self.lines.read(size)
        if <uint64_t>PyBytes_GET_SIZE(line) != size:
            raise EOFError("fewer records than marks")
        return line

    cdef int copy(self, uint64_t size) except -1:
        if len(self.waiting):
            self.flush_waiting()
        self.to_copy += size
        if self.to_copy >= COPY:
            self.flush_copy()
        return 0

    cdef int look(self, bytes line) except -1:
        self.waiting += line
        if len(self.waiting) >= BATCH:
            self.flush_waiting()
        return 0

    cdef int flush_copy(self) except -1:
        cdef bytes data
        while self.to_copy:
            data = self.lines.read(self.to_copy if self.to_copy < COPY else COPY)
            if not data:
                raise EOFError("fewer records than marks")
            self.out.write(data)
            self.to_copy -= <uint64_t>PyBytes_GET_SIZE(data)
        return 0

    cdef int flush_waiting(self) except -1:
        self.out.write(self.redactor.json_lines(bytes(self.waiting)))
        self.waiting.clear()
        return 0

    def close(self):
        """Write what waits."""
        self.flush_copy()
        self.flush_waiting()


cdef bytes _withhold(bytes raw, const RecordMark *mark, Hits hits):
    """An exchange's record, without the hashes of bytes in whose message a secret begins."""
    cdef bint request = mark.flags & MARK_REQUEST_HASH and _begins_within(
        hits.offsets[1], mark.request, mark.request_length
    )
    cdef bint response = mark.flags & MARK_RESPONSE_HASH and _begins_within(
        hits.offsets[0], mark.response, mark.response_length
    )
    cdef bint found = False
    if not (request or response):
        return raw
    record = msgspec.json.decode(raw)
    for side, touched in (("request", request), ("response", response)):
        if touched and _drop_hashes(record[side]):
            record[side]["hash_withheld"] = found = True
    return _encode(record) + b"\n" if found else raw


cdef bint _drop_hashes(object value) except -1:
    """Take the hashes out of a message's fields; whether there were any."""
    cdef bint found = False
    if isinstance(value, dict):
        for name, item in value.items():
            if name.endswith("sha256"):
                found = found or item is not None
                value[name] = None
            else:
                found = _drop_hashes(item) or found
    elif isinstance(value, list):
        for item in value:
            found = _drop_hashes(item) or found
    return found


cdef bytes _strike(bytes raw, object struck, object dropped):
    """A record without the hashes in `struck`, and without the objects in `dropped`."""
    cdef int done = 0, changed
    record = msgspec.json.decode(raw)
    for side in ("request", "response"):
        message = record.get(side)
        changed = _strike_in(message, struck, dropped)
        if changed & STRUCK_HASH:
            message["hash_withheld"] = True
        done |= changed
    return _encode(record) + b"\n" if done else raw


cdef int _strike_in(object value, object struck, object dropped) except -1:
    """What was taken out of a message's fields (STRUCK_...)."""
    cdef int done = 0
    if isinstance(value, dict):
        for name, item in value.items():
            if name == "object" and isinstance(item, dict) and item.get("file") in dropped:
                value[name] = left_out(item["size"])
                done |= STRUCK_OBJECT
            elif name.endswith("sha256"):
                if item in struck:
                    value[name] = None
                    done |= STRUCK_HASH
            else:
                done |= _strike_in(item, struck, dropped)
    elif isinstance(value, list):
        for item in value:
            done |= _strike_in(item, struck, dropped)
    return done


cdef bytes _renumber(bytes raw, uint64_t base):
    """A sighting's record with its exchange counted from the beginning of the file, not of the part."""
    if base == 0:
        return raw
    record = msgspec.json.decode(raw)
    record["exchange"] += base
    return _encode(record) + b"\n"

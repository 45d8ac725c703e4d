# cython: language_level=3, boundscheck=True
"""One direction of an HTTP/1 conversation, divided into messages (RFC 9112, 2 and 6).

A Half knows its own bytes only. Whose answer a response is, and so whether it has a body, it asks its owner. Where
bytes are lost or are no HTTP it skips to the next system call that begins with a start line. Invariants: no input
raises, no byte is searched twice, and cuts between two boundaries change nothing.
"""

from cpython.bytes cimport PyBytes_GET_SIZE
from libc.stdint cimport uint64_t

from syswire.convert.model.span import Span
from syswire.convert.protocols.http1.bodies cimport CHUNKED, NO_BODY, UNTIL_CLOSE, Body, body_of
from syswire.convert.protocols.http1.heads cimport HeadText, head_text, oddities
from syswire.convert.protocols.http1.kept cimport Kept
from syswire.convert.protocols.http1.lines cimport BODY, HEAD, OPAQUE, PEEK, SEEK, START, TRAILERS, Lines
from syswire.convert.protocols.http1.owner cimport Owner
from syswire.convert.protocols.http1.probe import is_cut_start_line, may_become_start_line
from syswire.convert.protocols.http1.scan cimport Head, find_head_end, parse_head, skip_blank_lines

HEAD_BYTES = 1 << 16

cdef enum:
    LONGEST_HEAD = 1 << 16  # the longest head, and the longest trailer section, that is taken for one
    STATUS_BYTES = 12       # of "HTTP/1.1 200"


cdef class Half(Lines):
    """The messages of one direction."""

    def __init__(self, bint to_server, Owner owner):
        self.to_server = to_server
        self.owner = owner
        self.state = START
        self.strict = True
        self.fresh = True
        self.buffer = bytearray()
        self.places = []

    cdef bint seeking(self) noexcept:
        """Bytes are skipped: what they are is not known."""
        return self.state == SEEK

    cdef bint in_step(self) noexcept:
        """Every message of this direction so far is known, and none is passing."""
        return self.state == START and (self.fresh or not self.strict)

    cdef int become_opaque(self) except -1:
        """Another protocol follows: nothing more is read here."""
        if self.state in (HEAD, BODY, PEEK, TRAILERS):
            self.close(False)
        self.state = OPAQUE
        self.buffer.clear()

    cdef int answered(self) except -1:
        """The other side speaks: if no more than a request line without version was said, that was all (HTTP/0.9)."""
        if self.simple and self.state == HEAD:
            raw = bytes(self.buffer)
            line = raw[: raw.find(b"\n") + 1]
            if not raw[len(line) :].strip(b" \t\r\n"):
                self.buffer.clear()
                self._head_over(line, True, self.offset + <uint64_t> len(line))
        self.simple = False
        return 0

    cdef Py_ssize_t data(self, bytes data, uint64_t offset, object place, bint boundary) except -1:
        """Bytes of this direction; `boundary`: a system call's bytes begin with them. Returns how many were taken.

        Not all are where the owner said to pause, or another protocol follows.
        """
        cdef Py_ssize_t pos = 0, size = PyBytes_GET_SIZE(data)
        cdef int state
        cdef Body body
        if boundary and (self.state != START or self.buffer):
            self._boundary(offset, place)
        self.at = offset + <uint64_t> size
        while pos < size:
            state = self.state
            if self.pause:
                return pos
            if state <= HEAD:
                pos = self._head(data, pos, offset, place)
            elif state == BODY:
                body = self.body
                assert body is not None
                pos = body.feed(data, pos, offset, place)
                if body.done or body.lost:
                    self._body_over(body, offset + <uint64_t> pos, place)
            elif state == TRAILERS:
                pos = self._trailers(data, pos, offset)
            elif state == PEEK:
                pos = self._peek(data, pos, offset, place)
            else:
                break
        return pos if pos < size else size

    cdef int _boundary(self, uint64_t offset, object place) except -1:
        cdef int state = self.state
        if state == SEEK:
            self.state = START
            self.strict = True
        elif state == START:
            if self.buffer and not may_become_start_line(self.to_server, bytes(self.buffer[:64])):
                self._skip(bytes(self.buffer))
                if self.state == SEEK:
                    self.state = START
        elif state == PEEK:
            self._unpeek()
            self._boundary(offset, place)
        elif state == BODY and self._endless() and self.owner.next_is_due():
            self.state = PEEK
            self.peek_offset, self.peek_place = offset, place
        return 0

    cdef bint _endless(self) noexcept:
        return self.body is not None and self.body.kind == UNTIL_CLOSE

    # Heads

    cdef Py_ssize_t _search(self, object data, Py_ssize_t resume, Py_ssize_t limit) except -2:
        cdef Py_ssize_t end = len(data)
        self.searched += <uint64_t> ((end if end < limit else limit) - resume)
        return find_head_end(data, resume, limit)

    cdef Py_ssize_t _head(self, bytes data, Py_ssize_t pos, uint64_t offset, object place) except -1:
        cdef bytearray buffer = self.buffer
        cdef Py_ssize_t known = len(buffer), begin, end, line_end
        if known == 0:
            begin = pos
            pos = skip_blank_lines(data, pos)
            if pos > begin and not self.blanks:
                self.blanks, self.blanks_offset, self.blanks_place = True, offset + <uint64_t> begin, place
            if pos == PyBytes_GET_SIZE(data):
                return pos
            self.offset, self.place = offset + <uint64_t> pos, place
            self.places = [(0, place)]
            end = self._search(data, pos, pos + LONGEST_HEAD)
            if end >= 0:
                if not self._accept(data[pos:data.find(b"\n", pos)]):
                    return PyBytes_GET_SIZE(data)
                self._head_over(data[pos:end], True, offset + <uint64_t> end)
                return end
        elif self.places[len(self.places) - 1][1] is not place:
            self.places.append((known, place))
        buffer += data[pos:pos + LONGEST_HEAD - known]
        if self.state == START:
            line_end = buffer.find(b"\n", known)
            if line_end >= 0:
                if not self._accept(bytes(buffer[:line_end])):
                    return PyBytes_GET_SIZE(data)
                self.state = HEAD
        if self.state == HEAD:
            end = self._search(buffer, known - 2 if known > 2 else 0, LONGEST_HEAD)
            if end >= 0:
                raw = bytes(buffer[:end])
                buffer.clear()
                self._head_over(raw, True, offset + <uint64_t> (pos + end - known))
                return pos + end - known
        if len(buffer) == LONGEST_HEAD:
            if self.state == HEAD or self._accept_cut():
                self._cut_head("head-too-long")
            else:
                self._skip(bytes(buffer))
            return PyBytes_GET_SIZE(data)
        return pos + len(buffer) - known

    cdef int _head_over(self, bytes raw, bint complete, uint64_t end) except -1:
        cdef Head head = parse_head(raw, self.to_server)
        cdef HeadText text = None
        cdef Kept kept = None
        cdef int kind
        cdef uint64_t length
        self.head_size = PyBytes_GET_SIZE(raw)
        if head.flags:
            for name, begin, past in oddities(head, raw):
                # Where a cut line ends is not known.
                if complete or name != "header-without-colon" or raw[begin:past].endswith(b"\n"):
                    self.note(name, begin, past)
        self.simple = False
        self.body = None
        self.state = START
        self.strict = False
        if self.to_server:
            text = head_text(raw, self.offset, self.places)
            kept = self.owner.request_head(head, text, complete, &kind, &length)
        else:
            # Only where it sets cookies does anyone ask for the head's bytes again.
            text = head_text(raw, self.offset, self.places) if head.cookies is not None else None
            kind = self.owner.response_head(head, text, complete, &length)
            kept, self.owner.kept = self.owner.kept, None
        if not complete:
            self._message_over(end, False)
            self._seek()
        elif kind == NO_BODY:
            self._message_over(end, True)
        else:
            self.body = body_of(kind, length, kept, self.owner.content)
            self.owner.content = None
            self.state = BODY
        return 0

    cdef int _cut_head(self, str name) except -1:
        """The head ends here as far as it is known; what follows is skipped."""
        raw = bytes(self.buffer)
        self.buffer.clear()
        self.weird(name, <uint64_t> len(raw))
        self._head_over(raw, False, self.offset + <uint64_t> len(raw))
        return 0

    # Bodies

    cdef int _body_over(self, Body body, uint64_t end, object place) except -1:
        for name in body.oddities():
            self.note_at(name, Span(self.place, self.offset, end - self.offset))
        if body.lost:
            self.note_at("bad-chunk", Span(place, end, 0))
            self._message_over(end, False)
            self._seek()
        elif body.kind != CHUNKED:
            self._message_over(end, True)
        else:
            self.buffer += b"\n"  # the line of the last chunk: an empty line after it ends the trailers
            self.state = TRAILERS
        return 0

    cdef Py_ssize_t _trailers(self, bytes data, Py_ssize_t pos, uint64_t offset) except -1:
        cdef bytearray buffer = self.buffer
        cdef Py_ssize_t known = len(buffer), end
        cdef Head trailers = None
        buffer += data[pos:pos + LONGEST_HEAD - known]
        end = self._search(buffer, known - 2 if known > 2 else 0, LONGEST_HEAD)
        if end < 0:
            if len(buffer) == LONGEST_HEAD:
                self._end_in_trailers(offset + <uint64_t> (pos + LONGEST_HEAD - known), "trailers-too-long")
                return PyBytes_GET_SIZE(data)
            return pos + len(buffer) - known
        if end > 3:  # more than the LF that stands for the last chunk's line, and an empty line
            raw = bytes(buffer[1:end])
            trailers = parse_head(raw, self.to_server, False)
            if trailers.flags:
                begin = offset + <uint64_t> (pos + end - known) - <uint64_t> len(raw)
                for name, _, _ in oddities(trailers, raw):
                    self.note_at(name, Span(self.place, begin, len(raw)))
        buffer.clear()
        self._message_over(offset + <uint64_t> (pos + end - known), True, trailers)
        return pos + end - known

    cdef int _end_in_trailers(self, uint64_t end, str name) except -1:
        """The body was whole; the lines behind it are not."""
        self.weird(name, end - self.offset)
        self.buffer.clear()
        self._message_over(end, True)
        self._seek()
        return 0

    cdef Py_ssize_t _peek(self, bytes data, Py_ssize_t pos, uint64_t offset, object place) except -1:
        """A body without an end of its own, at a boundary, with another response due: is this that response?"""
        cdef bytearray buffer = self.buffer
        cdef bytes held, taken = data[pos:pos + STATUS_BYTES - len(buffer)]
        cdef Body body
        buffer += taken
        if is_cut_start_line(False, bytes(buffer)):
            body, held = self.body, bytes(buffer)
            buffer.clear()
            self.owner.weird("response-within-body", Span(self.peek_place, self.peek_offset, len(held)))
            assert body is not None
            body.intact = False
            self._message_over(self.peek_offset, True)
            self._head(held, 0, self.peek_offset, self.peek_place)
        elif not may_become_start_line(False, bytes(buffer)) or len(buffer) == STATUS_BYTES:
            self._unpeek()
        return pos + len(taken)

    cdef int _unpeek(self) except -1:
        """What was held back is body after all."""
        held = bytes(self.buffer)
        self.buffer.clear()
        self.state = BODY
        if held and self.body is not None:
            self.body.feed(held, 0, self.peek_offset, self.peek_place)
        return 0

    cdef int _message_over(self, uint64_t end, bint known, Head trailers=None) except -1:
        cdef Body body = self.body
        self.body = None
        self.state = START
        span = Span(self.place, self.offset, end - self.offset)
        if self.to_server:
            self.owner.request_over(body, span, known, trailers)
        else:
            self.owner.response_over(body, span, known, trailers)
        return 0

    # Losses and the end

    cdef int gap(self, uint64_t length, uint64_t offset, object place) except -1:
        """`length` lost bytes of this direction."""
        cdef int state
        cdef Body body
        cdef uint64_t taken
        if self.state == PEEK:
            self._unpeek()
        self.at = offset + length
        state = self.state
        if state == BODY:
            body = self.body
            assert body is not None
            taken = body.gap(length)
            if body.lost:
                self.owner.weird("gap-in-chunks", Span(place, offset, length))
                self._message_over(offset, False)
                self._seek()
            elif body.done:
                self._message_over(offset + taken, True)
            if taken < length:
                self.gap(length - taken, offset + taken, place)
        elif state == HEAD:
            self._cut_head("gap-in-head")
        elif state == TRAILERS:
            self._end_in_trailers(offset, "gap-in-trailers")
        elif state == START:
            self._gap_at_start(length, offset, place)
        return 0

    cdef int _gap_at_start(self, uint64_t length, uint64_t offset, object place) except -1:
        if self.buffer and self._accept_cut():
            self._cut_head("gap-in-head")
            return 0
        self.blanks = False
        if self.fresh or not self.strict:  # else these bytes were only tried
            self.fresh = False
            self.owner.weird("gap-between-messages", Span(place, offset, length))
            self.owner.lost(self.to_server)
        self.buffer.clear()
        self._seek()
        return 0

    cdef int close(self, bint ended) except -1:
        """Nothing follows; `ended`: because the connection ended."""
        cdef int state
        cdef Body body
        if self.state == PEEK:
            self._unpeek()
        self.answered()
        state = self.state
        if state == BODY:
            body = self.body
            assert body is not None
            if body.kind != UNTIL_CLOSE or not ended:
                body.intact = False
            self._message_over(self.at, True)
        elif state == HEAD:
            self._cut_head("end-in-head")
        elif state == TRAILERS:
            self._end_in_trailers(self.at, "end-in-trailers")
        elif state == START and self.buffer:
            if self._accept_cut():
                self._cut_head("end-in-head")
            else:
                self._skip(bytes(self.buffer))
        self.state = OPAQUE
        return 0

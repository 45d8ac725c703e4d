# cython: language_level=3, boundscheck=True
"""The start lines of one direction of a conversation: which are taken for the beginning of a message, and what was odd.

Nothing is guessed: where a message need not begin, only a line that can be nothing else is taken for one.
"""


from libc.stdint cimport uint64_t

from syswire.convert.model.span import Span
from syswire.convert.protocols.http1.heads cimport HeadText, head_text
from syswire.convert.protocols.http1.probe cimport how_odd, is_loose_start_line, is_start_line
from syswire.convert.protocols.http1.probe import LINE, TARGET, is_cut_start_line, is_odd_start_line

cdef enum:
    MOST_NOTES = 20  # of one message

cdef int _LINE = LINE, _TARGET = TARGET


cdef class Lines:
    """What of a direction stands before and at the beginning of its messages."""

    cdef int weird(self, str name, uint64_t length=0) except -1:
        """Something odd at the beginning of the present message, or of the last one, that is none of its faults."""
        self.owner.weird(name, Span(self.place, self.offset, length))
        return 0

    cdef int note(self, str name, Py_ssize_t begin, Py_ssize_t end) except -1:
        """Something is against the protocol in these bytes of the present head."""
        cdef HeadText head = head_text(b"", self.offset, self.places)
        self.note_at(name, head.span(begin, end))
        return 0

    cdef int note_at(self, str name, object span) except -1:
        """Something is against the protocol in the present message."""
        self.owner.weird(name, span)
        if self.odd is None:
            self.odd = []
        if len(self.odd) < MOST_NOTES:
            self.odd.append({"name": name, "stream_offset": span.offset, "length": span.length})
        return 0

    # Start lines

    cdef bint _accept(self, bytes line) except -1:
        """Judge a whole first line (without LF); False: skipped to the next boundary."""
        cdef int odd
        if not is_start_line(self.to_server, line) and not is_loose_start_line(self.to_server, line):
            if not (self._may_be_odd() and is_odd_start_line(self.to_server, line)):
                self._skip(line)
                return False
        self._begin()
        odd = how_odd(self.to_server, line)
        if odd & _LINE:
            self.note("odd-start-line", 0, len(line))
            self.simple = self.to_server and b"HTTP/" not in line.upper()
        if odd & _TARGET:
            self.note("odd-target", 0, len(line))
        return True

    cdef int _begin(self) except -1:
        """A message begins."""
        self.odd = None
        self.simple = False
        if self.blanks:
            self.blanks = False
            self.note_at(
                "blank-lines-before-message",
                Span(self.blanks_place, self.blanks_offset, self.offset - self.blanks_offset),
            )
        self.fresh = False
        if self.to_server:
            self.owner.begin_request()
        return 0

    cdef bint _may_be_odd(self) except -1:
        """Whether a message must begin here, however odd: behind another, or as the first answer to a request."""
        return not self.strict or (self.fresh and not self.to_server and self.owner.next_is_due())

    cdef bint _accept_cut(self) except -1:
        """Judge a first line whose end is not known."""
        if not is_cut_start_line(self.to_server, bytes(self.buffer)):
            return False
        self._begin()
        return True

    cdef int _skip(self, bytes line) except -1:
        """What was taken for the beginning of a message is none."""
        self.blanks = False
        if self.fresh:
            self.fresh = False
            if self.to_server or not self.owner.simple_is_due():
                self.weird("mid-stream", <uint64_t> len(line))
            else:
                self.weird("answer-without-head", <uint64_t> len(line))
            self.owner.lost(self.to_server)
        elif not self.strict:
            self.weird("not-a-start-line", <uint64_t> len(line))
            if self.to_server:
                self.owner.stray(head_text(line, self.offset, self.places))
        self.buffer.clear()
        self._seek()
        return 0

    cdef int _seek(self) except -1:
        """Skip to the next boundary that begins with a start line."""
        if self.state != OPAQUE:
            self.state = SEEK
            self.strict = True
        return 0

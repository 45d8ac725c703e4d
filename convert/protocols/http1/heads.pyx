# cython: language_level=3, boundscheck=True
"""A head's bytes with the way back to the stream, and the names of what may be odd in it."""

import re

from cpython.bytes cimport PyBytes_GET_SIZE
from libc.stdint cimport uint64_t

from syswire.convert.model.span import Span
from syswire.convert.protocols.http1.scan cimport Head
from syswire.convert.protocols.http1.scan import (
    BARE_CR, BARE_LF, BLANK_FIRST, CONTROL, EMPTY_NAME, FOLDED, NO_COLON, ODD_NAME, SPACE_BEFORE_COLON, TOO_MANY,
)

_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://(?:[^/?#]*@)?([^/?#@]*)")
_ODDITIES = (
    (BARE_LF, "bare-lf"),
    (FOLDED, "folded-header"),
    (SPACE_BEFORE_COLON, "space-before-colon"),
    (NO_COLON, "header-without-colon"),
    (EMPTY_NAME, "header-without-name"),
    (CONTROL, "control-byte-in-head"),
    (TOO_MANY, "too-many-headers"),
    (BARE_CR, "bare-cr"),
    (BLANK_FIRST, "blank-before-first-header"),
    (ODD_NAME, "odd-header-name"),
)


cdef list oddities(Head head, bytes raw):
    """What was odd in a head: by the names of weirds, with begin and end of the first line in which it was."""
    cdef list found = []
    cdef Py_ssize_t begin, end
    cdef int bit = 0, flag
    for flag, name in _ODDITIES:
        if head.flags & flag:
            bit = 0
            while flag >> bit != 1:
                bit += 1
            begin = head.odd_lines[bit]
            end = raw.find(b"\n", begin)
            found.append((name, begin, end + 1 if end >= 0 else PyBytes_GET_SIZE(raw)))
    return found


cdef HeadText head_text(bytes raw, uint64_t offset, list places):
    """What HeadText(raw, offset, places) makes, without the call's price."""
    cdef HeadText made = HeadText.__new__(HeadText)
    made.raw = raw
    made.offset = offset
    made.places = places
    return made


cdef class HeadText:
    """A head's bytes, which stand in one piece in the stream; `places` are (position, place), the first at 0."""

    def __init__(self, bytes raw, uint64_t offset, list places):
        self.raw = raw
        self.offset = offset
        self.places = places

    cpdef object span(self, Py_ssize_t begin, Py_ssize_t end):
        """Where raw[begin:end] stands in the stream."""
        cdef Py_ssize_t low = 1, high = len(self.places), middle
        while low < high:  # the last place that begins no later
            middle = (low + high) >> 1
            if <Py_ssize_t> self.places[middle][0] <= begin:
                low = middle + 1
            else:
                high = middle
        return Span(self.places[low - 1][1], self.offset + <uint64_t> begin, end - begin)


cdef object authority(str method, str target):
    """The host that an absolute target or a CONNECT names, without user and password."""
    if method == "CONNECT":
        return target.rpartition("@")[2] or None
    found = _AUTHORITY.match(target)
    return found[1] if found else None

# cython: language_level=3, boundscheck=True
"""Recognise HTTP/1.x by its first bytes, on any port: a request line from the client or a status line from the server.

The same judgement serves to find the next message after something was lost. It looks at one line, cut or whole.
"""

import re

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.string cimport memchr, memcmp

# Methods of the IANA registry and others in wide use (UPnP, WebDAV clients, proxies, RPC over HTTP).
METHODS = frozenset(
    b"GET HEAD POST PUT DELETE CONNECT OPTIONS TRACE PATCH ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK"
    b" LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH QUERY REBIND"
    b" REPORT SEARCH UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF VERSION-CONTROL BCOPY BDELETE BMOVE"
    b" BPROPFIND BPROPPATCH NOTIFY POLL SUBSCRIBE UNSUBSCRIBE M-SEARCH PURGE BAN REFRESH DEBUG TRACK SOURCE"
    b" RPC_IN_DATA RPC_OUT_DATA RPC_CONNECT CCM_POST BITS_POST".split()
)
_LONGEST = max(map(len, METHODS))
_CUT_TARGET = re.compile(
    rb"(?:/|\*|[A-Za-z][A-Za-z0-9+.\-]{1,15}://|[^/?#\x00-\x20]+:[0-9]{1,5})[^\x00-\x1f\x7f]*\r*\Z"
)
# What is written otherwise than RFC 9112 has it, and yet can be nothing else. Possessive, so that none is quadratic.
_LOOSE_REQUEST = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32})[ \t\x0b\x0c]++"
    rb"(?:([^\r\n]*)[ \t\x0b\x0c])?HTTP/([0-9])(?:\.[0-9]+)?[ \t]*\r*\Z",
    re.IGNORECASE,
)
_LOOSE_STATUS = re.compile(rb"HTTP/1\.[0-9]+[ \t]+[0-9]{3}(?:[ \t][^\n]*)?\r*\Z", re.IGNORECASE)
_SIMPLE_REQUEST = re.compile(rb"(?:GET|HEAD|POST) +(?:/|https?://)[^\x00-\x20\x7f]*[ \t]*\r*\Z")
# Between messages that were whole a start line may be odder.
_ODD_REQUEST = re.compile(rb"[^\x00-\x20]{1,64}[ \t]++[^\r\n]*[ \t]HTTP/[01]\.[0-9]+[ \t]*\r*\Z", re.IGNORECASE)
_ODD_STATUS = re.compile(rb"(?:HTTP/[0-9](?:\.[0-9]+)?|ICY)[ \t]+[0-9]{1,5}(?:[ \t][^\n]*)?\r*\Z", re.IGNORECASE)

LINE, TARGET = 1, 2

cdef enum:
    LONGEST_METHOD = 32
    LONGEST_LINE = 1 << 16
    _LINE = 1
    _TARGET = 2

cdef char[256] _TOKEN  # 1 for what a method may hold
for _byte in bytearray(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"):
    _TOKEN[_byte] = 1


cdef inline bint _digit(unsigned char c) noexcept nogil:
    return 48 <= c <= 57


cdef bint _is_request(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    """TOKEN{1,32} SP [^\\0-\\x20] [^\\r\\n]* SP HTTP/1.DIGIT [SP TAB]* CR*"""
    cdef Py_ssize_t method = 0
    while size and text[size - 1] == 13:
        size -= 1
    while size and (text[size - 1] == 32 or text[size - 1] == 9):
        size -= 1
    if size < 12 or not _digit(text[size - 1]) or memcmp(text + size - 9, b" HTTP/1.", 8) != 0:
        return False
    size -= 9  # the target's end
    while method < size and _TOKEN[text[method]]:
        method += 1
    if method == 0 or method > LONGEST_METHOD or method + 1 >= size or text[method] != 32 or text[method + 1] <= 32:
        return False
    text += method
    size -= method
    return memchr(text, 13, size) == NULL and memchr(text, 10, size) == NULL


cdef bint _is_status(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    """HTTP/1.DIGIT SP+ DIGIT{3}, then CR* or, behind a blank, anything"""
    cdef Py_ssize_t at = 8
    if size < 12 or memcmp(text, b"HTTP/1.", 7) != 0 or not _digit(text[7]) or text[8] != 32:
        return False
    while at < size and text[at] == 32:
        at += 1
    if size - at < 3 or not (_digit(text[at]) and _digit(text[at + 1]) and _digit(text[at + 2])):
        return False
    at += 3
    if at < size and (text[at] == 32 or text[at] == 9):
        return memchr(text + at, 10, size - at) == NULL
    while at < size and text[at] == 13:
        at += 1
    return at == size


# RFC 9112, 3 and 4: what can be read without doubt, its own blanks and bytes in the target aside.
cpdef bint is_start_line(bint to_server, bytes line) except -1:
    """Whether a whole line (without its LF) is an HTTP/1.x request line or status line."""
    cdef const unsigned char* text = <const unsigned char*> PyBytes_AS_STRING(line)
    if to_server:
        return _is_request(text, PyBytes_GET_SIZE(line))
    return _is_status(text, PyBytes_GET_SIZE(line))


cpdef bint is_loose_start_line(bint to_server, bytes line) except -1:
    """Whether a whole line that is no start line by the letter can be nothing else, without any context."""
    if not to_server:
        return line[:5].upper() == b"HTTP/" and _LOOSE_STATUS.match(line) is not None
    found = _LOOSE_REQUEST.match(line)
    if found is None:
        return _SIMPLE_REQUEST.match(line) is not None
    if found[1] not in METHODS:
        return found[2] is not None and found[3] == b"1" and line[len(found[1])] == 32 and b"HTTP/1." in line
    return True


cdef inline bint _odd_byte(unsigned char c) noexcept nogil:
    return c <= 32 or c >= 127


cpdef int how_odd(bint to_server, bytes line) except -1:
    """What of an accepted start line is against the letter: 0, LINE, TARGET, or both."""
    cdef const unsigned char* text = <const unsigned char*> PyBytes_AS_STRING(line)
    cdef Py_ssize_t size = PyBytes_GET_SIZE(line), at = 0, end
    cdef bint odd = False
    if size and text[size - 1] == 13:
        size -= 1
    if not to_server:
        if size < 13 or memcmp(text, b"HTTP/1.", 7) != 0 or not _digit(text[7]) or text[8] != 32 or text[12] != 32:
            return _LINE
        if not (_digit(text[9]) and _digit(text[10]) and _digit(text[11])) or memchr(text, 13, size) != NULL:
            return _LINE
        return 0
    while at < size and _TOKEN[text[at]]:
        at += 1
    end = size - 9
    if at == 0 or at >= end or text[at] != 32 or memcmp(text + end, b" HTTP/1.", 8) != 0 or not _digit(text[size - 1]):
        return _LINE
    at += 1
    if at == end or text[at] == 32:
        return _LINE
    while at < end:
        odd |= _odd_byte(text[at])
        at += 1
    return _TARGET if odd else 0


def is_odd_start_line(bint to_server, bytes line):
    """Whether a whole line passes for a start line where one must stand: lower case, odd methods, no version."""
    if to_server:
        return is_loose_start_line(True, line) or _ODD_REQUEST.match(line) is not None or is_cut_start_line(True, line)
    return _ODD_STATUS.match(line) is not None


def is_cut_start_line(bint to_server, bytes line):
    """Whether a line whose end is not known can only be the beginning of a message.

    A request must show a known method, a blank and the beginning of a target; a response its whole status.
    """
    if not to_server:
        return is_start_line(False, line)
    method, blank, target = line.partition(b" ")
    return blank != b"" and method in METHODS and _CUT_TARGET.match(target) is not None


def may_become_start_line(bint to_server, bytes line):
    """Whether a line that is still growing looks like the beginning of a message, on little evidence."""
    if not to_server:
        return line[:7].upper() == b"HTTP/1."[: len(line)]
    method, blank, _ = line[: _LONGEST + 1].replace(b"\t", b" ").partition(b" ")
    if blank:
        return method in METHODS
    return any(known.startswith(method) for known in METHODS)


cpdef bint probe(bint to_server, bytes head) except -1:
    """Whether the first bytes of one system call are HTTP/1.x: at most the first line is looked at."""
    cdef const unsigned char* text = <const unsigned char*> PyBytes_AS_STRING(head)
    cdef const unsigned char* found
    cdef Py_ssize_t size = PyBytes_GET_SIZE(head), begin = 0, end, blank
    while begin < size and (text[begin] == 10 or text[begin] == 13):
        begin += 1
    if not to_server and (size - begin < 7 or text[begin] | 32 != 104):  # an H in either case
        return False
    end = size if size - begin < LONGEST_LINE else begin + LONGEST_LINE
    found = <const unsigned char*> memchr(text + begin, 10, end - begin)
    if found != NULL:
        end = found - text
    if not to_server:
        return _is_status(text + begin, end - begin) or is_loose_start_line(False, head[begin:end])
    if end < size:
        if _is_request(text + begin, end - begin):
            return True
        if found == NULL:
            return False  # too long a line
    # The method is known or not: whatever else stands there need not be looked at.
    blank = begin
    while blank < end and _TOKEN[text[blank]]:
        blank += 1
    if blank == begin or blank == end or blank - begin > LONGEST_METHOD:
        return False
    if text[blank] != 32 and not 9 <= text[blank] <= 12:
        return False
    if end < size:
        return is_loose_start_line(True, head[begin:end])
    return text[blank] == 32 and is_cut_start_line(True, head[begin:end])

# cython: language_level=3, boundscheck=True
"""Byte-level work of HTTP/1: where a head ends, and its header lines (RFC 9112, 2 to 5).

Nothing here decides what a message means. Nothing is refused: what is odd sets a flag. Every function is linear in the
bytes it is given, and none looks at a byte of an earlier call again, but for the two before a resumed search.
"""

from cpython.bytearray cimport PyByteArray_AS_STRING, PyByteArray_GET_SIZE
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from cpython.unicode cimport PyUnicode_DecodeLatin1
from libc.string cimport memchr

BARE_LF = 1
FOLDED = 2
SPACE_BEFORE_COLON = 4
NO_COLON = 8
EMPTY_NAME = 16
CONTROL = 32
TOO_MANY = 64
BARE_CR = 128
BLANK_FIRST = 256
ODD_NAME = 512

cdef enum:
    F_BARE_LF = 1
    F_FOLDED = 2
    F_SPACE_BEFORE_COLON = 4
    F_NO_COLON = 8
    F_EMPTY_NAME = 16
    F_CONTROL = 32
    F_TOO_MANY = 64
    F_BARE_CR = 128
    F_BLANK_FIRST = 256
    F_ODD_NAME = 512
    MOST_HEADERS = 1000


cdef char[256] _TOKEN  # 1 for what a header's name may hold (RFC 9110, 5.6.2)
for _byte in bytearray(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"):
    _TOKEN[_byte] = 1


cdef inline const unsigned char* _bytes_of(object data, Py_ssize_t* size) except NULL:
    if type(data) is bytes:
        size[0] = PyBytes_GET_SIZE(data)
        return <const unsigned char*> PyBytes_AS_STRING(data)
    if type(data) is bytearray:
        size[0] = PyByteArray_GET_SIZE(data)
        return <const unsigned char*> PyByteArray_AS_STRING(data)
    raise TypeError("bytes or bytearray expected")


cpdef Py_ssize_t skip_blank_lines(object data, Py_ssize_t pos) except -1:
    cdef Py_ssize_t size
    cdef const unsigned char* text = _bytes_of(data, &size)
    if pos < 0:
        raise ValueError("negative position")
    while pos < size and (text[pos] == 10 or text[pos] == 13):
        pos += 1
    return pos


cpdef Py_ssize_t find_head_end(object data, Py_ssize_t resume, Py_ssize_t limit) except -2:
    cdef Py_ssize_t size
    cdef const unsigned char* text = _bytes_of(data, &size)
    cdef const unsigned char* at
    cdef const unsigned char* end
    if resume < 0:
        raise ValueError("negative position")
    if limit < size:
        size = limit
    if resume >= size:
        return -1
    at = text + resume
    end = text + size
    while at < end:
        at = <const unsigned char*> memchr(at, 10, end - at)
        if at == NULL:
            return -1
        at += 1
        if at < end and at[0] == 10:
            return at + 1 - text
        if at + 1 < end and at[0] == 13 and at[1] == 10:
            return at + 2 - text
    return -1


cdef inline bint _blank(unsigned char c) noexcept nogil:
    return c == 32 or c == 9


cdef inline bint _same(const unsigned char* name, const char* lower, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t i
    cdef unsigned char c
    for i in range(size):
        c = name[i]
        if 65 <= c <= 90:
            c |= 32
        if c != <unsigned char> lower[i]:
            return False
    return True


cdef class Head:
    """A message's start line and headers; text is latin-1, one character a byte."""

    cdef void _odd(self, int flag, Py_ssize_t begin) noexcept:
        """Something is odd in the line that begins there; the first one is remembered."""
        cdef int bit = 0
        if self.flags & flag:
            return
        self.flags |= flag
        while flag >> bit != 1:
            bit += 1
        self.odd_lines[bit] = begin

    cdef void _start_line(self, const unsigned char* text, Py_ssize_t size, bint request) except *:
        cdef Py_ssize_t first = 0, second, last, third
        while first < size and not _blank(text[first]):
            first += 1
        second = first
        while second < size and _blank(text[second]):
            second += 1
        self.method_or_version = PyUnicode_DecodeLatin1(<char*> text, first, NULL)
        if request:
            while size > second and _blank(text[size - 1]):
                size -= 1
            third = size
            while third > second and not _blank(text[third - 1]):
                third -= 1
            last = third
            if size - third > 5 and _same(text + third, b"http/", 5) and 48 <= text[third + 5] <= 57:
                while last > second and _blank(text[last - 1]):
                    last -= 1
            else:
                last = third = size
        else:
            last = second
            while last < size and not _blank(text[last]):
                last += 1
            third = last
            if third < size:
                third += 1
        self.target_or_status = PyUnicode_DecodeLatin1(<char*> text + second, last - second, NULL)
        self.version_or_reason = PyUnicode_DecodeLatin1(<char*> text + third, size - third, NULL)

    cdef str _unfold(self, const unsigned char* text, Py_ssize_t begin, Py_ssize_t end):
        """The value of a folded header: each line break with the blanks around it is one space (RFC 9112, 5.2)."""
        lines = text[begin:end].split(b"\n")
        return b" ".join([line.strip(b" \t\r") for line in lines if line.strip(b" \t\r")]).decode("latin-1")

    cdef void _special(self, const unsigned char* name, Py_ssize_t size, str value, Py_ssize_t begin,
                       Py_ssize_t end) except *:
        """Note the headers that framing, pairing and the search for secrets ask for."""
        if size == 4:
            if self.host is None and _same(name, b"host", 4):
                self.host = value
        elif size == 6:
            if self.request and _same(name, b"cookie", 6):
                if self.cookie is None:
                    self.cookie, self.cookie_begin, self.cookie_end = value, begin, end
                else:
                    self._tell(name, size, value, begin, end)
            elif self.request and _same(name, b"x-wsse", 6):
                self._tell(name, size, value, begin, end)
        elif size == 7:
            if _same(name, b"upgrade", 7):
                self.upgrade = True
            elif self.request and _same(name, b"referer", 7) and ("?" in value or "@" in value):
                self._tell(name, size, value, begin, end)
        elif size == 8:
            if self.location is None and _same(name, b"location", 8):
                self.location = value
        elif size == 10:
            if _same(name, b"set-cookie", 10):
                if self.cookies is None:
                    self.cookies = []
                self.cookies.append(value)
        elif size == 12:
            if self.content_type is None and _same(name, b"content-type", 12):
                self.content_type = value
        elif size == 13:
            if _same(name, b"authorization", 13):
                if self.authorizations is None:
                    self.authorizations = []
                self.authorizations.append((value, begin, end))
        elif size == 14:
            if _same(name, b"content-length", 14):
                if self.content_lengths is None:
                    self.content_lengths = []
                self.content_lengths.append(value)
        elif size == 16:
            if _same(name, b"content-encoding", 16):
                if self.content_encodings is None:
                    self.content_encodings = []
                self.content_encodings.append(value)
            elif _same(name, b"www-authenticate", 16):
                self.challenged = True
        elif size == 17:
            if _same(name, b"transfer-encoding", 17):
                if self.transfer_encodings is None:
                    self.transfer_encodings = []
                self.transfer_encodings.append(value)
        elif size == 18:
            if _same(name, b"proxy-authenticate", 18):
                self.challenged = True
        elif size == 19:
            if _same(name, b"proxy-authorization", 19):
                if self.authorizations is None:
                    self.authorizations = []
                self.authorizations.append((value, begin, end))
        elif size == 22:
            if self.request and _same(name, b"sec-websocket-protocol", 22):
                self._tell(name, size, value, begin, end)
        if self.request and size > 5 and name[size - 1] | 32 in (110, 116, 121):  # n, t, y
            if (_same(name + size - 5, b"token", 5) or _same(name + size - 3, b"key", 3)
                    or _same(name + size - 6, b"secret", 6)):
                self._tell(name, size, value, begin, end)

    cdef void _tell(self, const unsigned char* name, Py_ssize_t size, str value, Py_ssize_t begin,
                    Py_ssize_t end) except *:
        """Note a header that may hold a token."""
        if self.telling is None:
            self.telling = []
        self.telling.append((PyUnicode_DecodeLatin1(<char*> name, size, NULL), value, begin, end))

    cdef void _header(self, const unsigned char* text, Py_ssize_t begin, Py_ssize_t end, bint folded) except *:
        """One header line, with its continuation lines: text[begin:end] without the last line break."""
        cdef Py_ssize_t colon, name_begin = begin, name_end, first, last, at
        cdef const unsigned char* found = <const unsigned char*> memchr(text + begin, 58, end - begin)
        cdef str name, value
        self.total += 1
        while name_begin < end and _blank(text[name_begin]):
            name_begin += 1
        if found == NULL:
            self._odd(F_NO_COLON, begin)
            if self.total <= MOST_HEADERS:
                self.headers.append((self._unfold(text, name_begin, end), ""))
            return
        colon = found - text
        if colon < name_begin:
            name_begin = colon
        name_end = colon
        while name_end > name_begin and _blank(text[name_end - 1]):
            name_end -= 1
            self._odd(F_SPACE_BEFORE_COLON, begin)
        if name_end == name_begin:
            self._odd(F_EMPTY_NAME, begin)
        at = name_begin
        while at < name_end and _TOKEN[text[at]]:
            at += 1
        if at < name_end:
            self._odd(F_ODD_NAME, begin)
        first, last = colon + 1, end
        while first < last and _blank(text[first]):
            first += 1
        while last > first and (_blank(text[last - 1]) or text[last - 1] == 13):
            last -= 1
        if folded:
            value = self._unfold(text, first, last)
        else:
            value = PyUnicode_DecodeLatin1(<char*> text + first, last - first, NULL)
        if self.total <= MOST_HEADERS:
            name = PyUnicode_DecodeLatin1(<char*> text + name_begin, name_end - name_begin, NULL)
            self.headers.append((name, value))
        else:
            self._odd(F_TOO_MANY, begin)
        self._special(text + name_begin, name_end - name_begin, value, first, last)


cpdef Head parse_head(bytes head, bint request, bint start_line=True):
    cdef Py_ssize_t size = PyBytes_GET_SIZE(head), begin = 0, end, line_end, first
    cdef const unsigned char* text = <const unsigned char*> PyBytes_AS_STRING(head)
    cdef unsigned char seen = 0
    cdef bint folded, controls = False
    cdef Py_ssize_t i, returns = 0, all_returns = 0
    cdef unsigned char c
    cdef Head out = Head.__new__(Head)
    out.headers = []
    out.request = request
    for i in range(size):
        c = text[i]
        seen |= c
        controls |= (c < 9) | ((c > 13) & (c < 32)) | (c == 11) | (c == 12) | (c == 127)
        all_returns += c == 13
    out.ascii = seen < 128
    if controls:
        out._odd(F_CONTROL, _first_control(text, size))
    if start_line:
        begin = _line(out, text, 0, size, &line_end, &returns)
        out._start_line(text, line_end, request)
    first = begin
    while begin < size:
        end = _line(out, text, begin, size, &line_end, &returns)
        if line_end == begin:
            begin = end
            continue
        folded = False
        if begin == first and start_line and _blank(text[begin]):
            out._odd(F_BLANK_FIRST, begin)
        while end < size and _blank(text[end]):
            folded = True
            out._odd(F_FOLDED, end)
            end = _line(out, text, end, size, &line_end, &returns)
        out._header(text, begin, line_end, folded)
        begin = end
    if all_returns > returns + (size > 0 and text[size - 1] == 13):
        out._odd(F_BARE_CR, _first_return(text, size))
    return out


cdef Py_ssize_t _line_of(const unsigned char* text, Py_ssize_t at) noexcept nogil:
    """Where the line begins in which text[at] stands."""
    while at > 0 and text[at - 1] != 10:
        at -= 1
    return at


cdef Py_ssize_t _first_control(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at = 0
    while at < size and (text[at] >= 32 or text[at] in (9, 10, 13)) and text[at] != 127:
        at += 1
    return _line_of(text, at)


cdef Py_ssize_t _first_return(const unsigned char* text, Py_ssize_t size) noexcept nogil:
    cdef Py_ssize_t at = 0
    while at + 1 < size and not (text[at] == 13 and text[at + 1] != 10):
        at += 1
    return _line_of(text, at)


cdef Py_ssize_t _line(Head out, const unsigned char* text, Py_ssize_t begin, Py_ssize_t size,
                      Py_ssize_t* line_end, Py_ssize_t* returns) noexcept:
    """Where the next line begins; `line_end` is the end of this one without CR and LF, `returns` counts CR LF."""
    cdef const unsigned char* found = <const unsigned char*> memchr(text + begin, 10, size - begin)
    cdef Py_ssize_t end
    if found == NULL:
        line_end[0] = size
        while line_end[0] > begin and text[line_end[0] - 1] == 13:
            line_end[0] -= 1
        return size
    end = found - text
    if end > begin and text[end - 1] == 13:
        line_end[0] = end - 1
        while line_end[0] > begin and text[line_end[0] - 1] == 13:
            line_end[0] -= 1
        returns[0] += 1
    else:
        line_end[0] = end
        out._odd(F_BARE_LF, begin)
    return end + 1

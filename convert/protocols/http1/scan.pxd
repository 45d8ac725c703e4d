# A head's lines as http1_scan.pyi describes them, for compiled callers.

cdef class Head:
    cdef readonly str method_or_version
    cdef readonly str target_or_status
    cdef readonly str version_or_reason
    cdef readonly list headers
    cdef readonly int total
    cdef readonly int flags
    cdef Py_ssize_t[10] odd_lines  # by bit of `flags`: where the first odd line begins
    cdef readonly bint ascii
    cdef readonly list content_lengths
    cdef readonly list transfer_encodings
    cdef readonly list content_encodings
    cdef readonly str host
    cdef readonly str content_type
    cdef readonly str location
    cdef readonly bint upgrade
    cdef readonly list cookies
    cdef readonly list authorizations
    cdef readonly list telling
    cdef readonly str cookie
    cdef readonly Py_ssize_t cookie_begin
    cdef readonly Py_ssize_t cookie_end
    cdef readonly bint challenged
    cdef bint request

    cdef void _tell(
        self, const unsigned char* name, Py_ssize_t size, str value, Py_ssize_t begin, Py_ssize_t end
    ) except *

    cdef void _odd(self, int flag, Py_ssize_t begin) noexcept
    cdef void _start_line(self, const unsigned char* text, Py_ssize_t size, bint request) except *
    cdef str _unfold(self, const unsigned char* text, Py_ssize_t begin, Py_ssize_t end)
    cdef void _special(
        self, const unsigned char* name, Py_ssize_t size, str value, Py_ssize_t begin, Py_ssize_t end
    ) except *
    cdef void _header(self, const unsigned char* text, Py_ssize_t begin, Py_ssize_t end, bint folded) except *

cpdef Py_ssize_t skip_blank_lines(object data, Py_ssize_t pos) except -1
cpdef Py_ssize_t find_head_end(object data, Py_ssize_t resume, Py_ssize_t limit) except -2
cpdef Head parse_head(bytes head, bint request, bint start_line=*)

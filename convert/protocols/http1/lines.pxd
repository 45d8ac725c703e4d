# The start lines of one direction and what was odd in its messages, for compiled callers.

from libc.stdint cimport uint64_t

from syswire.convert.protocols.http1.owner cimport Owner

cdef enum:  # what a direction is in
    START
    HEAD
    BODY
    TRAILERS
    PEEK
    SEEK
    OPAQUE

cdef class Lines:
    cdef readonly bint to_server
    cdef Owner owner
    cdef int state
    cdef bint strict         # no message need begin here
    cdef bint fresh          # nothing of this direction was understood yet
    cdef bint simple         # a request line without a version was read, and its head goes on
    cdef bint blanks         # empty lines stand before what is being read
    cdef uint64_t blanks_offset
    cdef object blanks_place
    cdef bytearray buffer
    cdef uint64_t offset     # where the message begins
    cdef object place
    cdef list places         # of the head that is being read, by position
    cdef list odd            # what was odd in the message, as its record will say; None: nothing
    cdef Py_ssize_t head_size  # of the last head

    cdef int weird(self, str name, uint64_t length=*) except -1
    cdef int note(self, str name, Py_ssize_t begin, Py_ssize_t end) except -1
    cdef int note_at(self, str name, object span) except -1

    cdef bint _accept(self, bytes line) except -1
    cdef int _begin(self) except -1
    cdef bint _may_be_odd(self) except -1
    cdef bint _accept_cut(self) except -1
    cdef int _skip(self, bytes line) except -1
    cdef int _seek(self) except -1

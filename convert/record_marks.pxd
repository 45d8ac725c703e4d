# What the second pass has to know of a record without reading it: a row for each line of the spooled exchanges.

from libc.stdint cimport uint32_t, uint64_t

cdef enum:
    MARK_SIGHTING = 1       # the record is a sighting's
    MARK_VERBATIM = 2       # all text in it that syswire does not make itself stands in its messages as it is here
    MARK_REQUEST_HASH = 4   # it has the hash of a request's body
    MARK_RESPONSE_HASH = 8

ctypedef struct RecordMark:
    uint64_t line           # bytes, line end included
    uint64_t request        # offset of the request in the stream to the server
    uint64_t request_length # 0 = there is none
    uint64_t response
    uint64_t response_length
    uint32_t flags          # MARK_*
    uint32_t reserved

# The records of conversations as JSON lines, for the compiled pass that makes them.

from libc.stdint cimport uint64_t

from syswire.convert.json_text cimport JsonText
from syswire.convert.model.rows cimport Piece

cdef struct Spot:         # where a span of bytes begins
    bint known            # it is known where
    Piece piece           # the piece that holds its first byte
    uint64_t frame        # the number of that piece's frame, 0 for none

cdef struct Processes:    # thread version ids, 0 = not known
    uint64_t client
    uint64_t server

cdef struct StreamCounts:
    uint64_t bytes_to_server
    uint64_t bytes_to_client
    uint64_t gaps
    uint64_t missing_bytes
    uint64_t first_frame  # numbers, 0 for none
    uint64_t last_frame
    uint64_t shifted

cdef int stream_line(
    JsonText out, object conv, object ends, tuple attributions, tuple places, const StreamCounts *counts,
    str sha256_to_server, str sha256_to_client, object tcp_stream, list spoken, bint encrypted,
    list tunnel
) except -1

cdef class RecordLines(JsonText):
    cdef uint64_t source  # the input's index in the manifest
    cdef bint packets     # the input is a packet capture: `event` is a frame's number in it

    cdef int begin(self, const char *kind, uint64_t stream) except -1
    cdef int or_null(self, uint64_t value) except -1
    cdef int time_or_null(self, uint64_t ns) except -1
    cdef int between(self, const char *client, bytes place, const char *server, bytes other) except -1
    cdef int processes(self, const Processes *processes) except -1
    cdef int where(self, const Spot *spot, object span) except -1
    cdef int escaped(self, list names) except -1
    cdef int request(self, object request, tuple texts, list odd, const Spot *spot, bint withheld) except -1
    cdef int response(self, object response, tuple texts, list odd, const Spot *spot) except -1
    cdef int body(self, object message, object sha256) except -1
    cdef int rare(self, object message, list trailers, str side, list odd) except -1
    cdef int http(
        self, uint64_t stream, tuple places, const Processes *processes, object exchange,
        const Spot *asked, const Spot *answered, bint withheld
    ) except -1
    cdef int fields(self, object fields, str side, list odd) except -1
    cdef int message(self, object message, str side, list odd, const Spot *spot) except -1
    cdef int record(
        self, uint64_t stream, tuple places, const Processes *processes, object record,
        const Spot *asked, const Spot *answered, tuple channel
    ) except -1
    cdef int sighting(
        self, uint64_t stream, tuple places, const Processes *processes, tuple attributions, object sighting,
        const Spot *spot, tuple shown
    ) except -1

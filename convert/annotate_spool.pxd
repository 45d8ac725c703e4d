# Records of one part on their way to its spool files.

from libc.stdint cimport uint32_t, uint64_t

from syswire.convert.annotations_json cimport Processes, RecordLines, Spot
from syswire.convert.conversations.reader cimport ConversationReader
from syswire.convert.json_text cimport JsonText
from syswire.convert.record_marks cimport RecordMark

cdef class Spool:
    cdef object rebuilt, redactor, found, counts
    cdef ConversationReader reader
    cdef object lines_file, marks_file
    cdef readonly object contents  # decoders of bodies (contents.py)
    cdef readonly tuple shared_secrets
    cdef readonly object objects   # objects.py, None where they are not wanted
    cdef RecordLines lines
    cdef JsonText marks        # those are rows
    cdef uint32_t spooled      # records of the present conversation
    cdef object held           # the exchange or record that is held back for its sightings
    cdef list sightings        # those
    cdef uint64_t base         # exchanges and records of earlier conversations
    cdef uint64_t handed       # those of the present one
    cdef uint64_t channel_rows # conversations that were looked at for transfers
    cdef uint64_t channel_last # the last data connection of the present one, or itself
    cdef object stretches      # file of rows of redaction/stretches.py; None where nobody wants them
    cdef list spoken           # names of its protocols, in order
    # The present conversation:
    cdef uint64_t stream
    cdef object conv
    cdef uint32_t seen         # Conv.ends
    cdef object ends
    cdef tuple places, attributions
    cdef bint verbatim         # the text of its records stands in its streams as it is written

    cdef int begin(self, object conv, object ends, tuple places, tuple attributions) except -1
    cdef int end(self) except -1
    cdef int close(self) except -1
    cdef int take(self, object exchange) except -1
    cdef int take_sighting(self, object sighting, uint64_t ordinal) except -1
    cdef int take_weird(self, str name) except -1
    cdef int take_name(self, bytes raw, str name) except -1
    cdef int find(self, object span, Spot *spot) except -1
    cdef int who(self, const Spot *first, const Spot *second, Processes *found) except -1
    cdef int flush(self) except -1
    cdef int flush_exchange(self, object exchange, list own) except -1
    cdef int flush_record(self, object record, list own) except -1
    cdef object channel(self, object record)
    cdef int settle(self, object fields, str side) except -1
    cdef int transferred(self, object record, uint64_t number) except -1
    cdef int count_record(self, RecordMark *mark, size_t before) except -1
    cdef int spool_sighting(self, object sighting, uint64_t ordinal, list own, const Processes *processes) except -1

# cython: language_level=3, auto_pickle=False, boundscheck=True
"""The first pass over one part's conversations: what annotate.py hands to it, conversation by conversation.

Feeds the protocols' parsers, hashes the streams, and writes the records of what was found.
"""

from hashlib import sha256

import msgspec
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from syswire.convert.annotations import Ends, attribution, endpoints
from syswire.convert.annotations_json cimport Processes, RecordLines, Spot, StreamCounts, stream_line
from syswire.convert.conversations.reader cimport ConversationReader
from syswire.convert.json_text cimport JsonText
from syswire.convert.model.rows cimport PIECE_BOUNDARY, Piece
from syswire.convert.model.rows import TCP, UDP, UNIX_STREAM
from syswire.convert.model.sighting import FORM_BODY
from syswire.convert.protocols.table import recognise
from syswire.convert.record_marks cimport (
    MARK_REQUEST_HASH, MARK_RESPONSE_HASH, MARK_SIGHTING, MARK_VERBATIM, RecordMark,
)
from syswire.convert.redact import mask_exchange, mask_own

cdef object _encode = msgspec.json.Encoder().encode

cdef enum:
    BUFFER = 1 << 18          # bytes of lines that are written at once
    MOST_SECRETS = 100_000
    MOST_PORTS = 1_000


cdef inline bint _may_begin(bytes data) noexcept:
    """A cheap look before the protocols are asked: a letter or a line end first."""
    cdef unsigned char first
    if PyBytes_GET_SIZE(data) == 0:
        return False
    first = <unsigned char>PyBytes_AS_STRING(data)[0]
    return 65 <= first <= 122 or first == 10 or first == 13


cdef class Pass:
    """The pass, and the parsers' sink: `exchange`, `sighting` and `weird` are for them to call."""

    cdef object rebuilt, redactor, found, counts, paths
    cdef ConversationReader reader
    cdef object lines_file, streams_file, marks_file
    cdef RecordLines lines
    cdef JsonText streams, marks  # those are rows
    cdef uint32_t spooled      # records of the present conversation
    cdef object held           # the exchange that is held back for its sightings
    cdef list sightings        # those
    cdef uint64_t base         # exchanges of earlier conversations
    # The present conversation:
    cdef uint64_t stream
    cdef uint32_t seen         # Conv.ends
    cdef object ends
    cdef tuple places, attributions
    cdef bint verbatim         # the text of its records stands in its streams as it is written

    def __init__(self, part, rebuilt, redactor, found, lines, streams, marks):
        decoded = part.prepared.decoded
        self.rebuilt, self.redactor, self.found, self.counts = rebuilt, redactor, found, found.counts
        self.paths = decoded.paths
        self.reader = rebuilt.reader
        self.lines_file, self.streams_file, self.marks_file = lines, streams, marks
        self.lines = RecordLines(part.source, decoded.packets)
        self.streams, self.marks = JsonText(), JsonText()
        self.sightings = []

    def run(self, uint64_t begin, uint64_t end):
        """Take the conversations `begin` to `end`, the last one excluded."""
        cdef uint64_t number
        for number in range(begin, end):
            self.spooled = 0
            self.conversation(self.rebuilt.conversation(number))
            self.found.lines.append(self.spooled)
            if self.streams.size >= BUFFER:
                self.streams_file.write(self.streams.line())
        self.counts.streams += <uint64_t>len(self.found.lines)
        self.lines_file.write(self.lines.line())
        self.streams_file.write(self.streams.line())
        self.marks_file.write(self.marks.line())

    cdef int conversation(self, object conversation) except -1:
        cdef Piece piece
        cdef uint64_t index, last, row
        cdef uint32_t length
        cdef StreamCounts counts
        cdef object parser = None, protocol, held
        cdef uint64_t[2] behind = [0, 0]  # where each direction's bytes go on
        cdef int direction
        cdef bint streamed
        cdef bytes data
        conv, totals = conversation
        self.stream, self.seen, self.base = conv.id, conv.ends, self.counts.exchanges
        self.ends = Ends(totals.client_threads, totals.server_threads, conv.client_owner, conv.server_owner)
        client, server = endpoints(conv, self.paths)
        self.places = _encode(client), _encode(server)
        self.attributions = (
            attribution(totals.client_threads, conv.client_owner), attribution(totals.server_threads, conv.server_owner)
        )
        self.verbatim = conv.protocol == TCP or conv.protocol == UDP  # the path of a unix socket is not in the stream
        streamed = conv.protocol == TCP or conv.protocol == UNIX_STREAM  # HTTP over UDP (SSDP) is another protocol
        to_client, to_server = sha256(), sha256()
        index, last = totals.pieces_begin, totals.pieces_end
        self.reader.check_rows(last)
        while index < last:
            row = index
            held = self.reader.next_run(&index, last, &piece, &length)
            direction = piece.to_server == 1
            if piece.stream_offset != behind[direction]:
                self.verbatim = False  # parsers see what stands on both sides as one, the search does not
            behind[direction] = piece.stream_offset + length
            if held is not None:
                data = held
                (to_server if direction else to_client).update(data)
            if parser is None:
                if not streamed or held is None or not piece.flags & PIECE_BOUNDARY or not _may_begin(data):
                    continue
                protocol = recognise(direction == 1, data)
                if protocol is None:
                    continue
                parser = protocol.open(self)
                if conv.protocol == TCP and len(self.counts.http_ports) < MOST_PORTS:
                    self.counts.http_ports.add(conv.server_port)
            if held is None:
                parser.gap(direction == 1, length, piece.stream_offset, row)
            else:
                parser.data(direction == 1, data, piece.stream_offset, row, piece.flags & PIECE_BOUNDARY != 0)
        if parser is not None:
            parser.close(conv.closed != 0)
        self.flush()
        counts.bytes_to_server, counts.bytes_to_client = totals.bytes_to_server, totals.bytes_to_client
        counts.gaps, counts.missing_bytes, counts.shifted = totals.gaps, totals.missing_bytes, totals.shifted
        counts.first_frame = counts.last_frame = 0
        if totals.first_frame_row >= 0:
            counts.first_frame = self.reader.number_of(totals.first_frame_row)
            counts.last_frame = self.reader.number_of(totals.last_frame_row)
        stream_line(
            self.streams, conv, self.ends, self.attributions, self.places, &counts, to_server.hexdigest(),
            to_client.hexdigest(), self.rebuilt.tcp_stream(conv.id),
        )
        return 0

    # As the parsers' sink

    def exchange(self, exchange):
        """A request and its response."""
        self.flush()
        self.counts.exchanges += 1
        self.held = exchange

    def sighting(self, sighting):
        """A secret; its exchange was handed out before, not always just before."""
        cdef Spot spot
        cdef Processes processes
        if len(self.found.secrets) < MOST_SECRETS:
            self.found.secrets[sighting.secret, sighting.raw] = None
        else:
            self.found.overfull = True
        if self.held is not None and self.held.ordinal == sighting.exchange:
            self.sightings.append(sighting)
            return
        # Known only after its exchange was spooled: a body of which no header told.
        self.found.tainted.add(self.stream)
        self.find(sighting.span, &spot)
        self.who(&spot, NULL, &processes)
        self.spool_sighting(sighting, [sighting], &processes)

    def weird(self, name, span):
        """Something odd."""
        self.counts.weird[name] = self.counts.weird.get(name, 0) + 1
        if name == "folded-header":
            self.verbatim = False  # its lines are joined in the record

    cdef int find(self, object span, Spot *spot) except -1:
        """Where the first byte of a span came from. Its place is the row of a run; the offset tells which piece."""
        self.reader.find_piece(span.place, span.offset, &spot.piece)
        spot.frame = self.reader.number_of(spot.piece.frame)
        spot.known = True
        return 0

    cdef int who(self, const Spot *first, const Spot *second, Processes *found) except -1:
        """The processes at both ends: who acted where that end was seen, else what the stream says."""
        cdef uint64_t thread
        found.client = self.ends.client_process() or 0
        found.server = self.ends.server_process() or 0
        if first != NULL and first.known and self.seen & 1:
            thread = first.piece.thread
            if thread in self.ends.client:
                found.client = thread
        if second != NULL and second.known and self.seen & 2 and second.piece.thread in self.ends.server:
            found.server = second.piece.thread
        elif first != NULL and first.known and not self.seen & 1 and first.piece.thread in self.ends.server:
            found.server = first.piece.thread
        return 0

    cdef int flush(self) except -1:
        """Spool the exchange that was held back for its sightings, and those."""
        cdef Spot asked, answered
        cdef Processes processes
        cdef RecordMark mark
        cdef size_t before = self.lines.size
        cdef bint withheld
        cdef list own
        exchange = self.held
        if exchange is None:
            return 0
        self.held = None
        own = self.sightings
        withheld = False
        if own:
            self.sightings = []
            if not self.redactor.reveal:
                exchange = mask_exchange(exchange, own, self.redactor)
                self.found.tainted.add(self.stream)
                withheld = exchange.request is not None and any([s.location == FORM_BODY for s in own])
        asked.known = answered.known = False
        memset(&mark, 0, sizeof(mark))
        mark.flags = MARK_VERBATIM if self.verbatim and not own else 0
        if exchange.request is not None:
            message, span = exchange.request, exchange.request.span
            self.find(span, &asked)
            mark.request, mark.request_length = span.offset, span.length
            if message.body_sha256 is not None and not withheld:
                mark.flags |= MARK_REQUEST_HASH
            if not message.ascii or message.trailers:  # folded lines of trailers are no weird
                mark.flags &= ~<uint32_t>MARK_VERBATIM
        if exchange.response is not None:
            message, span = exchange.response, exchange.response.span
            self.find(span, &answered)
            mark.response, mark.response_length = span.offset, span.length
            if message.body_sha256 is not None:
                mark.flags |= MARK_RESPONSE_HASH
            if not message.ascii or message.trailers:  # folded lines of trailers are no weird
                mark.flags &= ~<uint32_t>MARK_VERBATIM
        self.who(&asked, &answered, &processes)
        self.lines.http(self.stream, self.places, &processes, exchange, &asked, &answered, withheld)
        self.count_record(&mark, before)
        for sighting in own:
            self.spool_sighting(sighting, own, &processes)
        return 0

    cdef int count_record(self, RecordMark *mark, size_t before) except -1:
        """A record was written, where the lines were `before` bytes: it is spooled when there are many."""
        mark.line = self.lines.size - before
        self.marks.raw(<const char *>mark, sizeof(RecordMark))
        self.spooled += 1
        if self.marks.size >= BUFFER:
            self.marks_file.write(self.marks.line())
        if self.lines.size >= BUFFER:
            self.lines_file.write(self.lines.line())
        return 0

    cdef int spool_sighting(self, object sighting, list own, const Processes *processes) except -1:
        cdef Spot spot
        cdef RecordMark mark
        cdef size_t before = self.lines.size
        redactor = self.redactor
        shown = (
            redactor.shown(sighting.secret),
            redactor.fingerprint(sighting.secret),
            self.base + <uint64_t>sighting.exchange,
        )
        masked = msgspec.structs.replace(sighting, target=mask_own(sighting.target, own, redactor))
        self.find(sighting.span, &spot)
        self.lines.sighting(self.stream, self.places, processes, self.attributions, masked, &spot, shown)
        memset(&mark, 0, sizeof(mark))
        mark.flags = MARK_SIGHTING
        self.count_record(&mark, before)
        self.counts.sightings += 1
        return 0

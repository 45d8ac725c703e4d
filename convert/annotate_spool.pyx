# cython: language_level=3, auto_pickle=False, boundscheck=True
"""What parsers hand out, on its way to the spool files of one part: lines of JSON, and a mark for each.

An exchange or record is held back until the next one comes: its own sightings have to be known before it is written.
"""

import msgspec
from libc.stdint cimport uint32_t, uint64_t
from libc.string cimport memset

from syswire.convert.annotations_json cimport Processes, RecordLines, Spot
from syswire.convert.cookie_masks import only_masked, without_sessions
from syswire.convert.contents import Contents, without_hashes
from syswire.convert.json_text cimport JsonText
from syswire.convert.model.record import Record
from syswire.convert.model.rows import TCP, UDP
from syswire.convert.model.sighting import FORM_BODY
from syswire.convert.model.text import address
from syswire.convert.objects import ObjectStore
from syswire.convert.record_marks cimport (
    MARK_REQUEST_HASH, MARK_RESPONSE_HASH, MARK_SIGHTING, MARK_VERBATIM, RecordMark,
)
from syswire.convert.redaction.stretches import of_sighting, packed
from syswire.convert.redact import mask_exchange, mask_own, mask_quoted, to_be_searched

cdef enum:
    BUFFER = 1 << 18          # bytes of lines that are written at once
    MOST_SECRETS = 100_000
    MOST_NAMES = 10_000
    CHANNELS_AHEAD = 4_096    # conversations behind a transfer's own in which its data connection is looked for
    CHANNELS_ROWS = 20_000_000   # those that are looked at for all transfers of a part


cdef class Spool:
    def __init__(self, part, rebuilt, redactor, found, lines, marks):
        self.rebuilt, self.redactor, self.found, self.counts = rebuilt, redactor, found, found.counts
        self.reader = rebuilt.reader
        self.lines_file, self.marks_file = lines, marks
        self.lines = RecordLines(part.source, part.prepared.decoded.packets)
        self.marks = JsonText()
        self.sightings = []
        self.contents = Contents(part.path("contents"), reveal=redactor.reveal)
        self.stretches = open(part.path("sighted"), "wb") if part.redact else None
        self.shared_secrets = part.shared_secrets
        self.objects = None
        if part.objects is not None:
            self.objects = ObjectStore(part.objects, part.source, part.number, part.path("objects"))

    cdef int begin(self, object conv, object ends, tuple places, tuple attributions) except -1:
        """A conversation begins."""
        self.stream, self.conv, self.seen = conv.id, conv, conv.ends
        self.channel_last = conv.id
        self.base = self.counts.exchanges + self.counts.records
        self.ends, self.places, self.attributions = ends, places, attributions
        self.verbatim = conv.protocol == TCP or conv.protocol == UDP  # the path of a unix socket is not in the stream
        self.spooled = 0
        self.handed = 0
        self.spoken = []
        return 0

    cdef int end(self) except -1:
        """It is over."""
        self.flush()
        self.found.lines.append(self.spooled)
        return 0

    cdef int close(self) except -1:
        """Write what waits."""
        self.lines_file.write(self.lines.line())
        self.marks_file.write(self.marks.line())
        self.contents.close()
        if self.stretches is not None:
            self.stretches.close()
        if self.objects is not None:
            self.objects.finish(self.found.objects)
        return 0

    # From the parsers, by way of annotate_voice.pyx

    cdef int take(self, object exchange) except -1:
        """An HttpExchange or a Record."""
        self.flush()
        if type(exchange) is Record:
            self.counts.records += 1
        else:
            self.counts.exchanges += 1
        self.handed += 1
        self.held = exchange
        return 0

    cdef int take_sighting(self, object sighting, uint64_t ordinal) except -1:
        """A secret of the conversation's `ordinal`-th exchange or record, which was handed out before."""
        cdef Spot spot
        cdef Processes processes
        cdef bint aside = only_masked(sighting)
        if not aside or self.stretches is not None:  # what is to be shared has none of them anywhere
            for pair in to_be_searched(sighting):
                if pair in self.found.secrets:
                    continue
                if len(self.found.secrets) < MOST_SECRETS:
                    self.found.secrets[pair] = None
                else:
                    self.found.overfull = True
        if self.held is not None and self.handed == ordinal:
            self.sightings.append(sighting)
            return 0
        # Known only after its exchange was spooled: a body of which no header told.
        self.find(sighting.span, &spot)
        if not aside:
            self.found.tainted.add((self.stream, spot.piece.to_server == 1))
        self.who(&spot, NULL, &processes)
        self.spool_sighting(sighting, ordinal, [sighting], &processes)
        return 0

    cdef int take_weird(self, str name) except -1:
        """Something odd."""
        self.counts.weird[name] = self.counts.weird.get(name, 0) + 1
        if name == "folded-header":
            self.verbatim = False  # its lines are joined in the record
        return 0

    cdef int take_name(self, bytes raw, str name) except -1:
        """A name that was given to an address."""
        if len(self.found.names) < MOST_NAMES:
            self.found.names[raw, name] = None
        return 0

    # Where and who

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

    cdef object channel(self, object record):
        """The conversation that is a transfer's data connection: the next one that goes to where it was to go."""
        cdef uint64_t number, last
        host, port = record.channel
        number = self.channel_last + 1  # a port may be used again, but one transfer comes after the other
        last = min(number + CHANNELS_AHEAD, self.reader.conversations + 1)
        self.channel_rows += last - number if number < last else 0
        if self.channel_rows > CHANNELS_ROWS:
            return None
        for number in self.rebuilt.served_at(port, number, last):
            conv = self.rebuilt.conv(number)
            if conv.protocol == TCP:
                width = 4 if conv.family == 4 else 16
                own = self.conv.server_ip[:width] == conv.server_ip[:width]
                if own if not host else address(conv.server_ip[:width]) == host:
                    self.channel_last = number
                    return number
        return None

    # To the files

    cdef int flush(self) except -1:
        """Spool what was held back for its sightings, and those."""
        cdef list own
        exchange = self.held
        if exchange is None:
            return 0
        self.held = None
        own = self.sightings
        if own:
            self.sightings = []
        if type(exchange) is Record:
            return self.flush_record(exchange, own)
        return self.flush_exchange(exchange, own)

    cdef int flush_exchange(self, object exchange, list own) except -1:
        cdef Spot asked, answered
        cdef Processes processes
        cdef RecordMark mark
        cdef size_t before = self.lines.size
        cdef bint withheld = False
        searched = [sighting for sighting in own if not only_masked(sighting)] if own else own
        if not self.redactor.reveal:
            exchange = without_sessions(exchange)
        if searched and not self.redactor.reveal:
            exchange = mask_exchange(exchange, searched, self.redactor)
            self.found.tainted.add((self.stream, True))
            withheld = exchange.request is not None and any([s.location == FORM_BODY for s in searched])
        asked.known = answered.known = False
        memset(&mark, 0, sizeof(mark))
        mark.flags = MARK_VERBATIM if self.verbatim and not searched else 0
        if exchange.request is not None:
            message, span = exchange.request, exchange.request.span
            if message.more:
                self.settle(message.more, "request")
                if withheld:
                    message.more = without_hashes(message.more)
            self.find(span, &asked)
            mark.request, mark.request_length = span.offset, span.length
            if message.body_sha256 is not None and not withheld:
                mark.flags |= MARK_REQUEST_HASH
            if not message.ascii or message.trailers or message.more:  # folded lines of trailers are no weird
                mark.flags &= ~<uint32_t>MARK_VERBATIM
        if exchange.response is not None:
            message, span = exchange.response, exchange.response.span
            if message.more:
                self.settle(message.more, "response")
            self.find(span, &answered)
            mark.response, mark.response_length = span.offset, span.length
            if message.body_sha256 is not None:
                mark.flags |= MARK_RESPONSE_HASH
            if not message.ascii or message.trailers or message.more:  # folded lines of trailers are no weird
                mark.flags &= ~<uint32_t>MARK_VERBATIM
        self.who(&asked, &answered, &processes)
        self.lines.http(self.stream, self.places, &processes, exchange, &asked, &answered, withheld)
        self.count_record(&mark, before)
        for sighting in own:
            self.spool_sighting(sighting, self.handed, own, &processes)
        return 0

    cdef int flush_record(self, object record, list own) except -1:
        cdef Spot asked, answered
        cdef Processes processes
        cdef RecordMark mark
        cdef size_t before = self.lines.size
        if own and not self.redactor.reveal:
            for sighting in own:
                self.find(sighting.span, &asked)
                self.found.tainted.add((self.stream, asked.piece.to_server == 1))
            quoted = mask_quoted(record, own)
            if quoted is not record:
                record = quoted
                self.found.tainted.add((self.stream, False))
        asked.known = answered.known = False
        memset(&mark, 0, sizeof(mark))
        if record.request is not None:
            span = record.request.span
            self.find(span, &asked)
            mark.request, mark.request_length = span.offset, span.length
            mark.flags |= MARK_REQUEST_HASH
        if record.response is not None:
            span = record.response.span
            self.find(span, &answered)
            mark.response, mark.response_length = span.offset, span.length
            mark.flags |= MARK_RESPONSE_HASH
        self.who(&asked, &answered, &processes)
        channel = () if record.channel is None else (self.channel(record),)
        if self.objects is not None:
            if channel and channel[0] is not None:
                self.transferred(record, channel[0])
            if record.request is not None:
                self.settle(record.request.fields, "request")
            if record.response is not None:
                self.settle(record.response.fields, "response")
        self.lines.record(self.stream, self.places, &processes, record, &asked, &answered, channel)
        self.count_record(&mark, before)
        for sighting in own:
            self.spool_sighting(sighting, self.handed, own, &processes)
        return 0

    cdef int settle(self, object fields, str side) except -1:
        """The record that is written names objects in these fields."""
        if self.objects is not None:
            self.objects.settle(fields, self.stream, self.handed, side)
        return 0

    cdef int transferred(self, object record, uint64_t number) except -1:
        """What passed on a record's data connection is an object: the direction in which more bytes went."""
        totals = self.reader.conversation(number)
        ended = self.rebuilt.conv(number).closed != 0
        told = self.objects.transfer(self.reader, totals.pieces_begin, totals.pieces_end, None, complete=ended)
        if told:
            (record.request if record.response is None else record.response).fields["object"] = told
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

    cdef int spool_sighting(self, object sighting, uint64_t ordinal, list own, const Processes *processes) except -1:
        cdef Spot spot
        cdef RecordMark mark
        cdef size_t before = self.lines.size
        redactor = self.redactor
        shown = redactor.shown(sighting.secret), redactor.fingerprint(sighting.secret), self.base + ordinal
        masked = sighting
        if sighting.target is not None:
            masked = msgspec.structs.replace(sighting, target=mask_own(sighting.target, own, redactor))
        self.find(sighting.span, &spot)
        if self.stretches is not None:
            self.stretches.write(packed(of_sighting(sighting, self.stream, spot.piece.to_server == 1)))
        self.lines.sighting(self.stream, self.places, processes, self.attributions, masked, &spot, shown)
        memset(&mark, 0, sizeof(mark))
        mark.flags = MARK_SIGHTING
        self.count_record(&mark, before)
        self.counts.sightings += 1
        return 0

# cython: language_level=3, auto_pickle=False, boundscheck=True
"""The first pass over one part's conversations: what annotate.py hands to it, conversation by conversation.

Feeds the protocols' parsers, hashes the streams, and writes the records of streams.
"""

from hashlib import sha256

import msgspec
from libc.stdint cimport uint32_t, uint64_t

from syswire.convert.annotate_spool cimport Spool
from syswire.convert.annotate_voice cimport Voice
from syswire.convert.annotate_voice import transport
from syswire.convert.annotations import Ends, attribution, endpoints
from syswire.convert.annotations_json cimport StreamCounts, stream_line
from syswire.convert.conversations.reader cimport ConversationReader
from syswire.convert.json_text cimport JsonText
from syswire.convert.model.rows cimport GAP_NOT_CAPTURED, PIECE_BOUNDARY, Piece
from syswire.convert.model.rows import UNIX_DATAGRAM
from syswire.convert.protocols.recogniser cimport Recogniser
from syswire.convert.protocols.table import BY_NAME

cdef object _encode = msgspec.json.Encoder().encode

cdef enum:
    BUFFER = 1 << 18          # bytes of lines that are written at once


cdef class Pass:
    """The pass."""

    cdef object rebuilt, counts, paths, streams_file
    cdef ConversationReader reader
    cdef JsonText streams
    cdef Spool spool
    cdef bint packets

    def __init__(self, part, rebuilt, redactor, found, lines, streams, marks):
        self.rebuilt, self.counts = rebuilt, found.counts
        self.paths = part.prepared.decoded.paths
        self.reader, self.packets = rebuilt.reader, part.prepared.decoded.packets
        self.streams_file, self.streams = streams, JsonText()
        self.spool = Spool(part, rebuilt, redactor, found, lines, marks)

    def run(self, uint64_t begin, uint64_t end):
        """Take the conversations `begin` to `end`, the last one excluded."""
        cdef uint64_t number
        for number in range(begin, end):
            self.conversation(self.rebuilt.conversation(number))
            if self.streams.size >= BUFFER:
                self.streams_file.write(self.streams.line())
        self.counts.streams += end - begin
        self.spool.close()
        self.streams_file.write(self.streams.line())

    cdef int conversation(self, object conversation) except -1:
        cdef Piece piece
        cdef uint64_t index, last, row
        cdef uint32_t length
        cdef StreamCounts counts
        cdef Spool spool = self.spool
        cdef Recogniser parser = None
        cdef uint64_t[2] behind = [0, 0]  # where each direction's bytes go on
        cdef int direction
        cdef bint carried = not self.packets  # some of its payload was captured, or cut off a captured frame
        cdef bytes data
        conv, totals = conversation
        ends = Ends(totals.client_threads, totals.server_threads, conv.client_owner, conv.server_owner)
        client, server = endpoints(conv, self.paths)
        places = _encode(client), _encode(server)
        attributions = (
            attribution(totals.client_threads, conv.client_owner), attribution(totals.server_threads, conv.server_owner)
        )
        spool.begin(conv, ends, places, attributions)
        if conv.protocol != UNIX_DATAGRAM:
            parser = Recogniser(
                Voice(spool), transport(conv.protocol), conv.client_port, conv.server_port,
                (server.get("path") if server else None) or "",
            )
        to_client, to_server = sha256(), sha256()
        index, last = totals.pieces_begin, totals.pieces_end
        self.reader.check_rows(last)
        while index < last:
            row = index
            held = self.reader.next_run(&index, last, &piece, &length)
            direction = piece.to_server == 1
            if piece.stream_offset != behind[direction]:
                spool.verbatim = False  # parsers see what stands on both sides as one, the search does not
            behind[direction] = piece.stream_offset + length
            carried = carried or piece.reason != GAP_NOT_CAPTURED
            if held is not None:
                data = held
                (to_server if direction else to_client).update(data)
                if parser is not None:
                    parser.take(direction == 1, data, piece.stream_offset, row, piece.flags & PIECE_BOUNDARY != 0)
            elif parser is not None:
                parser.lose(direction == 1, length, piece.stream_offset, row)
        if parser is not None:
            parser.end(conv.closed != 0)
        spool.end()
        counts.bytes_to_server = counts.bytes_to_client = 0
        if carried:  # else sequence numbers alone tell of bytes, and those are told as missing
            counts.bytes_to_server, counts.bytes_to_client = totals.bytes_to_server, totals.bytes_to_client
        counts.gaps, counts.missing_bytes, counts.shifted = totals.gaps, totals.missing_bytes, totals.shifted
        counts.first_frame = counts.last_frame = 0
        if totals.first_frame_row >= 0:
            counts.first_frame = self.reader.number_of(totals.first_frame_row)
            counts.last_frame = self.reader.number_of(totals.last_frame_row)
        spoken = spool.spoken
        stream_line(
            self.streams, conv, ends, attributions, places, &counts, to_server.hexdigest(),
            to_client.hexdigest(), self.rebuilt.tcp_stream(conv.id), spoken,
            any([name in BY_NAME and BY_NAME[name].encrypted for name in spoken]), self.rebuilt.tunnel(conv.id),
        )
        return 0

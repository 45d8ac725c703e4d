# cython: language_level=3, auto_pickle=False, boundscheck=True
"""The records of conversations as JSON lines (fields and meanings: docs/formats.md).

Sans-IO, as annotations.py, which has the records that are few. These are many, so they are written without a dictionary
on the way. Secrets are in the clear here; redact.py masks the lines.
"""

import msgspec
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t

from syswire.convert.annotations import PROTOCOL_NAMES, request_texts, response_texts, sighting_texts, wire_values
from syswire.convert.json_text cimport JsonText
from syswire.convert.model.rows cimport PIECE_IN_FRAME, Piece
from syswire.convert.model.text import address

cdef object _encode = msgspec.json.Encoder().encode


cdef class RecordLines(JsonText):
    """Lines of one part's exchanges and sightings, one behind the other."""

    def __init__(self, uint64_t source, bint packets):
        self.source = source
        self.packets = packets

    cdef int or_null(self, uint64_t value) except -1:
        """A number, null for 0."""
        return self.number(value) if value else self.put(b"null")

    cdef int time_or_null(self, uint64_t ns) except -1:
        return self.time(ns) if ns else self.put(b"null")

    cdef int begin(self, const char *kind, uint64_t stream) except -1:
        self.put(b'{"type":"')
        self.put(kind)
        self.put(b'","stream":')
        return self.number(stream)

    cdef int between(self, const char *client, bytes place, const char *server, bytes other) except -1:
        """Both ends, encoded already, under their names."""
        self.put(client)
        self.add(place)
        self.put(server)
        return self.add(other)

    cdef int processes(self, const Processes *processes) except -1:
        self.put(b',"client_process":')
        self.or_null(processes.client)
        self.put(b',"server_process":')
        return self.or_null(processes.server)

    cdef int where(self, const Spot *spot, object span) except -1:
        """A pointer to the evidence: event in the capture, frame in the pcapng, byte range in the stream."""
        cdef const Piece *piece = &spot.piece
        self.put(b'{"source":')
        self.number(self.source)
        self.put(b',"event":')
        self.or_null(0 if self.packets else piece.event)
        self.put(b',"evt_num":')
        self.or_null(piece.evt_num)
        self.put(b',"source_frame":')
        self.or_null(piece.event if self.packets else 0)
        self.put(b',"frame":')
        self.or_null(spot.frame)
        self.put(b',"frame_has_bytes":')
        self.truth(piece.known and piece.flags & PIECE_IN_FRAME)
        self.put(b',"offset":')
        self.number(piece.block)
        self.put(b',"stream_offset":')
        self.number(span.offset)
        self.put(b',"length":')
        self.number(span.length)
        self.put(b',"time":')
        self.time_or_null(piece.recorded)
        return self.put(b"}")

    cdef int escaped(self, list names) except -1:
        """The fields whose text is escaped, where there are any, and the end of the record."""
        cdef bint first = True
        if names:
            self.put(b',"escaped":[')
            for name in names:
                if not first:
                    self.put(b",")
                first = False
                self.string(name)
            self.put(b"]")
        return self.put(b"}\n")

    cdef int body(self, object message, object sha256) except -1:
        self.put(b',"headers_complete":')
        self.truth(message.headers_complete)
        self.put(b',"body_length":')
        self.value(message.body_length)
        self.put(b',"body_complete":')
        self.truth(message.body_complete)
        self.put(b',"body_sha256":')
        self.string(sha256)
        return self.put(b',"where":')

    cdef int rare(self, object message, list trailers, str side, list odd) except -1:
        """Fields that are written only where there is something to say."""
        cdef uint64_t total = message.headers_total
        if total > <uint64_t>len(message.headers):
            self.put(b',"headers_total":')
            self.number(total)
        if trailers:
            self.put(b',"trailers":')
            self.pairs(trailers)
        return self.fields(message.more, side, odd)

    cdef int request(self, object request, tuple texts, list odd, const Spot *spot, bint withheld) except -1:
        """`texts` are method, target, host, headers and trailers."""
        self.put(b'{"method":')
        self.string(texts[0])
        self.put(b',"target":')
        self.string(texts[1])
        self.put(b',"host":')
        self.string(texts[2])
        self.put(b',"version":')
        self.string(request.version)
        self.put(b',"headers":')
        self.pairs(texts[3])
        self.body(request, None if withheld else request.body_sha256)
        self.where(spot, request.span)
        self.rare(request, texts[4], "request", odd)
        if not request.target_complete:
            self.put(b',"target_complete":false')
        return self.put(b',"hash_withheld":true}' if withheld else b"}")

    cdef int response(self, object response, tuple texts, list odd, const Spot *spot) except -1:
        """`texts` are reason, headers and trailers."""
        self.put(b'{"status":')
        self.number(response.status)
        self.put(b',"reason":')
        self.string(texts[0])
        self.put(b',"version":')
        self.string(response.version)
        self.put(b',"headers":')
        self.pairs(texts[1])
        self.body(response, response.body_sha256)
        self.where(spot, response.span)
        self.rare(response, texts[2], "response", odd)
        return self.put(b"}")

    cdef int http(
        self, uint64_t stream, tuple places, const Processes *processes, object exchange,
        const Spot *asked, const Spot *answered, bint withheld
    ) except -1:
        """One exchange; `asked` and `answered` are where its messages begin, `places` both ends, encoded.

        `withheld`: a secret is in the request's body.
        """
        cdef list odd = []
        cdef tuple request_said = None, response_said = None
        request, response = exchange.request, exchange.response
        if answered.known:  # first: the names of escaped fields are in this order
            if response.ascii:
                response_said = (response.reason, response.headers, response.trailers)
            else:
                response_said = response_texts(response, odd)
        if asked.known:
            if request.ascii:
                request_said = (request.method, request.target, request.host, request.headers, request.trailers)
            else:
                request_said = request_texts(request, odd)
        self.begin(b"http", stream)
        self.between(b',"client":', places[0], b',"server":', places[1])
        self.put(b',"time":')
        self.time(asked.piece.time if asked.known else answered.piece.time if answered.known else 0)
        self.processes(processes)
        self.put(b',"request":')
        if asked.known:
            self.request(request, request_said, odd, asked, withheld)
        else:
            self.put(b"null")
        self.put(b',"response":')
        if answered.known:
            self.response(response, response_said, odd, answered)
        else:
            self.put(b"null")
        return self.escaped(odd)

    cdef int fields(self, object fields, str side, list odd) except -1:
        """Further fields of a message, each with a comma before it; `odd` takes the names of those that are escaped."""
        cdef bytes text
        if fields:
            text = _encode(wire_values(fields, side, odd))
            self.put(b",")
            self.raw(PyBytes_AS_STRING(text) + 1, <size_t>PyBytes_GET_SIZE(text) - 2)
        return 0

    cdef int message(self, object message, str side, list odd, const Spot *spot) except -1:
        """One side of a record."""
        cdef bytes text
        if not spot.known:
            return self.put(b"null")
        text = _encode(wire_values(message.fields, side, odd))
        self.raw(PyBytes_AS_STRING(text), <size_t>PyBytes_GET_SIZE(text) - 1)
        self.put(b',"where":' if message.fields else b'"where":')
        self.where(spot, message.span)
        return self.put(b"}")

    cdef int record(
        self, uint64_t stream, tuple places, const Processes *processes, object record,
        const Spot *asked, const Spot *answered, tuple channel
    ) except -1:
        """What another protocol than HTTP said; `channel`: the conversation on which its data pass, if any."""
        cdef list odd = []
        cdef bytes kind = record.kind.encode("ascii")
        self.begin(kind, stream)
        self.put(b',"protocol":')
        self.string(record.protocol)
        self.between(b',"client":', places[0], b',"server":', places[1])
        self.put(b',"time":')
        self.time(asked.piece.time if asked.known else answered.piece.time if answered.known else 0)
        self.processes(processes)
        if channel:
            self.put(b',"data_stream":')
            self.value(channel[0])
        self.put(b',"request":')
        self.message(record.request, "request", odd, asked)
        self.put(b',"response":')
        self.message(record.response, "response", odd, answered)
        return self.escaped(odd)

    cdef int sighting(
        self, uint64_t stream, tuple places, const Processes *processes, tuple attributions, object sighting,
        const Spot *spot, tuple shown
    ) except -1:
        """One secret.

        `shown` is its text as redact.py shows it, its fingerprint and its exchange's number in the part;
        `attributions` are those of the client's and the server's process, `places` both ends, encoded.
        """
        cdef list odd = []
        method, host, target = sighting_texts(sighting, shown[0], odd)
        self.begin(b"sighting", stream)
        self.put(b',"exchange":')
        self.number(shown[2])
        self.put(b',"protocol":')
        self.string(sighting.protocol)
        self.put(b',"location":')
        self.string(sighting.location)
        self.put(b',"field":')
        self.string(sighting.field)
        self.put(b',"form":')
        self.string(sighting.form)
        self.put(b',"username":')
        self.string(sighting.username)
        self.put(b',"secret":')
        self.string(shown[0])
        self.put(b',"secret_length":')
        self.number(len(sighting.secret))
        self.put(b',"secret_fingerprint":')
        self.string(shown[1])
        self.put(b',"secret_complete":')
        self.truth(sighting.secret_complete)
        self.put(b',"outcome":')
        self.string(sighting.outcome)
        self.put(b',"method":')
        self.string(method)
        self.put(b',"host":')
        self.string(host)
        self.put(b',"target":')
        self.string(target)
        self.between(b',"client":', places[0], b',"server":', places[1])
        self.processes(processes)
        self.put(b',"client_attribution":')
        self.string(attributions[0])
        self.put(b',"server_attribution":')
        self.string(attributions[1])
        self.put(b',"time":')
        self.time(spot.piece.time)
        self.put(b',"where":')
        self.where(spot, sighting.span)
        self.put(b',"confidence":')
        self.string(sighting.confidence)
        if sighting.details:
            self.put(b',"details":')
            self.add(_encode(wire_values(sighting.details, "details", odd)))
        if not sighting.announced:
            self.put(b',"announced":false')
        return self.escaped(odd)


cdef int _numbers(JsonText out, tuple numbers) except -1:
    """A list of process ids without those that are not known."""
    cdef bint first = True
    cdef uint64_t number
    out.put(b"[")
    for number in numbers:
        if number:
            if not first:
                out.put(b",")
            first = False
            out.number(number)
    return out.put(b"]")


cdef int stream_line(
    JsonText out, object conv, object ends, tuple attributions, tuple places, const StreamCounts *counts,
    str sha256_to_server, str sha256_to_client, object tcp_stream, list spoken, bint encrypted,
    list tunnel
) except -1:
    """One conversation: `conv` is its Conv, `ends` its Ends, `attributions` and `places` those of both ends.

    `spoken` are the names of its protocols; `encrypted`: one of them hides what follows. `tunnel` are source and target
    of the IP headers around its first packet.
    """
    cdef uint64_t opened = conv.opened, closed = conv.closed
    cdef bint first = True
    out.put(b'{"type":"stream","id":')
    out.number(conv.id)
    out.put(b',"protocol":')
    out.string(PROTOCOL_NAMES[conv.protocol])
    out.put(b',"client":')
    out.add(places[0])
    out.put(b',"server":')
    out.add(places[1])
    out.put(b',"client_process":')
    out.value(ends.client_process())
    out.put(b',"server_process":')
    out.value(ends.server_process())
    out.put(b',"client_processes":')
    _numbers(out, ends.client)
    out.put(b',"server_processes":')
    _numbers(out, ends.server)
    out.put(b',"client_attribution":')
    out.string(attributions[0])
    out.put(b',"server_attribution":')
    out.string(attributions[1])
    out.put(b',"opened":')
    if opened:
        out.time(opened)
    else:
        out.put(b"null")
    out.put(b',"closed":')
    if closed:
        out.time(closed)
    else:
        out.put(b"null")
    out.put(b',"bytes_to_server":')
    out.number(counts.bytes_to_server)
    out.put(b',"bytes_to_client":')
    out.number(counts.bytes_to_client)
    out.put(b',"sha256_to_server":')
    out.string(sha256_to_server)
    out.put(b',"sha256_to_client":')
    out.string(sha256_to_client)
    out.put(b',"gaps":')
    out.number(counts.gaps)
    out.put(b',"missing_bytes":')
    out.number(counts.missing_bytes)
    out.put(b',"frames":')
    if counts.first_frame:
        out.put(b"[")
        out.number(counts.first_frame)
        out.put(b",")
        out.number(counts.last_frame)
        out.put(b"]")
    else:
        out.put(b"null")
    out.put(b',"shifted":')
    out.number(counts.shifted)
    out.put(b',"tcp_stream":')
    out.value(tcp_stream)
    out.put(b',"protocols":[')
    for name in spoken:
        if not first:
            out.put(b",")
        first = False
        out.string(name)
    out.put(b'],"encrypted":')
    out.truth(encrypted)
    if tunnel:
        out.put(b',"tunnel":')
        out.add(_encode([{"source_ip": address(source), "target_ip": address(target)} for source, target in tunnel]))
    return out.put(b"}\n")

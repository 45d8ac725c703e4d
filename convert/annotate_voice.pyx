# cython: language_level=3, auto_pickle=False, boundscheck=True
"""The sink of one parser.

Each parser counts its exchanges from 1; where several hand out in one conversation, those of the others are added.
"""

from bisect import bisect_right

from libc.stdint cimport int64_t, uint64_t

from syswire.convert.annotate_spool cimport Spool
from syswire.convert.model.rows import PPP, TCP, UDP
from syswire.convert.protocols.opaque import Opaque
from syswire.convert.protocols.recogniser cimport Recogniser
from syswire.convert.protocols.table import BY_NAME

_TRANSPORTS = {TCP: "tcp", UDP: "udp", PPP: "ppp"}

cdef enum:
    MOST_PORTS = 1_000
    MOST_SPOKEN = 8           # parsers in one conversation: a tunnel in a tunnel in a tunnel


cdef class Voice:
    def __init__(self, Spool spool not None):
        self.spool = spool
        self.begins, self.shifts, self.shift = [], [], 0

    cdef int count(self, uint64_t ordinal) except -1:
        cdef int64_t shift = <int64_t>self.spool.handed - <int64_t>ordinal
        if shift != self.shift:
            self.begins.append(ordinal)
            self.shifts.append(shift)
            self.shift = shift
        return 0

    def exchange(self, exchange, /):
        self.spool.take(exchange)
        self.count(exchange.ordinal)

    def record(self, record, /):
        self.spool.take(record)
        self.count(record.ordinal)

    def sighting(self, sighting, /):
        cdef uint64_t ordinal = sighting.exchange
        cdef Py_ssize_t at
        if self.begins:
            at = bisect_right(self.begins, ordinal)
            ordinal += self.shifts[at - 1] if at else 0
        self.spool.take_sighting(sighting, ordinal)

    def weird(self, name, span, /):
        self.spool.take_weird(name)

    def name(self, address, name, /):
        self.spool.take_name(address, name)

    @property
    def shared_secrets(self):
        return self.spool.shared_secrets

    @property
    def wants_objects(self):
        return self.spool.objects is not None

    def open_object(self, /):
        return None if self.spool.objects is None else self.spool.objects.open()

    def open_content(self, to_server, codings, /):
        return self.spool.contents.open(self.spool.stream, to_server, codings)

    @property
    def from_the_start(self):
        return self.spool.conv.opened != 0

    def switch(self, name, /):
        cdef Spool spool = self.spool
        cdef Voice inner = Voice(spool)
        conv, counts = spool.conv, spool.counts
        if len(spool.spoken) >= MOST_SPOKEN:
            spool.take_weird("too-many-protocols")
            return Opaque()
        if name is None:
            return Recogniser(inner, transport(conv.protocol), conv.client_port, conv.server_port)
        protocol = BY_NAME.get(name)
        shown = name if protocol is None else protocol.shown or name
        if shown not in spool.spoken:
            counts.spoken[shown] = counts.spoken.get(shown, 0) + 1
        spool.spoken.append(shown)
        if name == "http" and conv.protocol == TCP and len(counts.http_ports) < MOST_PORTS:
            counts.http_ports.add(conv.server_port)
        return Opaque() if protocol is None else protocol.open(inner)


def transport(int protocol):
    """How the table of protocols calls what a conversation passes over."""
    return _TRANSPORTS.get(protocol, "unix")

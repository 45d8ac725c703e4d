# cython: language_level=3, auto_pickle=False, boundscheck=True
"""Which protocol a conversation speaks, by its bytes; see recogniser.pyi.

Most conversations are HTTP and are known by their first bytes, others by those of both sides: until then what comes is
held, within bounds, and the parser is given all of it. A call is judged when all of it is here, so that it does not
matter how its bytes were cut. A conversation whose beginning is not in the capture may begin
within a message, so the probes are asked again at later boundaries, a few times.
"""

from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_GET_SIZE
from libc.stdint cimport uint64_t

from syswire.convert.protocols.api import MORE, YES
from syswire.convert.protocols.http1.probe import probe as probe_http1
from syswire.convert.protocols.table import probes

cdef enum:
    HEAD = 4096
    ROOM = 1 << 16
    TRIES = 4
    LOSS = 64                 # bytes that a loss counts for among what is held: how calls were cut must not matter
    HELLOS = 64               # hellos of TLS that are looked at in vain

OPENING_BYTES = HEAD
MOST_HELD = ROOM
ATTEMPTS = TRIES

cdef int _MORE = MORE, _YES = YES


cdef inline bint _may_begin(bytes data) noexcept:
    """A cheap look before HTTP is asked: a letter or a line end first."""
    cdef unsigned char first
    if PyBytes_GET_SIZE(data) == 0:
        return False
    first = <unsigned char>PyBytes_AS_STRING(data)[0]
    return 65 <= first <= 122 or first == 10 or first == 13


cdef inline bint _hello(bytes data) noexcept:
    """Whether a record of TLS with a hello may begin: many protocols go over to TLS that are not decoded here."""
    cdef const unsigned char *at = <const unsigned char *>PyBytes_AS_STRING(data)
    return PyBytes_GET_SIZE(data) > 5 and at[0] == 22 and at[1] == 3 and at[2] <= 4 and at[5] == 1


cdef class Opening:
    """How a conversation begins (api.py)."""

    def __cinit__(self):
        self.client = self.server = b""

    cdef int add(self, bint to_server, bytes data) except -1:
        cdef Py_ssize_t room
        if self.cut[to_server]:
            return 0
        if to_server:
            room = HEAD - PyBytes_GET_SIZE(self.client)
            if room > 0:
                self.client += data[:room]
        else:
            room = HEAD - PyBytes_GET_SIZE(self.server)
            if room > 0:
                self.server += data[:room]
        return 0

    cdef int begin(self, bint to_server) except -1:
        self.client = self.server = b""
        self.cut[0] = self.cut[1] = False
        self.first_to_server = to_server
        return 0


cdef class Recogniser:
    def __init__(self, sink, str transport not None, int client_port=0, int server_port=0, str path not None=""):
        self.sink = sink
        self.opening = Opening()
        self.opening.transport, self.opening.path = transport, path
        self.opening.client_port, self.opening.server_port = client_port, server_port
        self.held = []
        self.call = []
        self.streamed = transport != "udp" and transport != "ppp"  # HTTP over UDP (SSDP) is another protocol

    @property
    def found(self):
        return self.parser is not None

    def data(self, bint to_server, bytes data not None, uint64_t offset, object place, bint boundary):
        self.take(to_server, data, offset, place, boundary)

    def gap(self, bint to_server, uint64_t length, uint64_t offset, object place):
        self.lose(to_server, length, offset, place)

    def close(self, bint ended=True):
        self.end(ended)

    cdef int take(self, bint to_server, bytes data, uint64_t offset, object place, bint boundary) except -1:
        if self.parser is None and self.call and (boundary or self.call_to_server != to_server):
            self.settle()
        if self.parser is not None:
            self.parser.data(to_server, data, offset, place, boundary)
            return 0
        if not self.call:
            if boundary:
                # A cheap look: most calls of a conversation that is none of ours are not kept.
                if self.attempts >= TRIES and self.candidates is None and not self.may_matter(data):
                    return 0
            elif self.candidates is None:
                return 0
            self.call_to_server, self.call_bytes = to_server, 0
        self.call.append((to_server, data, offset, place, boundary))
        self.call_bytes += <uint64_t>PyBytes_GET_SIZE(data)
        if not self.streamed or self.call_bytes > ROOM or len(self.call) > ROOM:
            self.settle()
        return 0

    cdef bint may_matter(self, bytes data) except -1:
        """Whether it may be HTTP or a hello that begins so, however short."""
        return self.streamed and (
            _may_begin(data) or (self.hellos < HELLOS and data[:1] == b"\x16") or PyBytes_GET_SIZE(data) == 0
        )

    cdef int settle(self) except -1:
        """A call is here, or as much of it as is looked at: ask who knows it."""
        cdef list call = self.call
        cdef bytes head = <bytes>call[0][1]
        cdef bint to_server = self.call_to_server, begun = call[0][4]
        self.call = []
        if begun and self.streamed:
            if len(call) > 1:
                head = b"".join([piece[1] for piece in call])
            head = head[:ROOM + 1]
            if _may_begin(head) and probe_http1(to_server, head):
                self.give_up()
                self.parser = self.sink.switch("http")
                for piece in call:
                    self.parser.data(*piece)
                return 0
            if self.hellos < HELLOS and _hello(head):
                self.give_up()
                self.hellos += 1
            elif self.attempts >= TRIES and self.candidates is None:
                return 0
        if self.candidates is None:
            self.candidates = list(probes(self.opening.transport))
            self.opening.begin(to_server)
        for piece in call:
            self.held.append(piece)
            self.held_bytes += <uint64_t>PyBytes_GET_SIZE(<bytes>piece[1])
            self.opening.add(to_server, piece[1])
        self.judge()
        if self.parser is None and self.held_bytes > ROOM:
            self.give_up()
        return 0

    cdef int lose(self, bint to_server, uint64_t length, uint64_t offset, object place) except -1:
        if self.parser is None and self.call:
            self.settle()
        if self.parser is not None:
            self.parser.gap(to_server, length, offset, place)
        elif self.held:
            self.opening.cut[to_server] = True
            self.held.append((to_server, None, offset, place, length))
            self.held_bytes += LOSS
            if self.held_bytes > ROOM:
                self.give_up()
        return 0

    cdef int end(self, bint ended) except -1:
        if self.parser is None and self.call:
            self.settle()
        if self.parser is None and self.held:
            self.opening.over = True
            self.judge()
        if self.parser is not None:
            self.parser.close(ended)
        self.give_up()
        return 0

    cdef int judge(self) except -1:
        """Ask the probes that have not said no; the first one that says yes is believed."""
        cdef list open_still = []
        cdef int verdict
        for candidate in self.candidates:
            verdict = candidate[1](self.opening)
            if verdict == _YES:
                self.parser = self.sink.switch(candidate[0])
                for to_server, data, offset, place, rest in self.held:
                    if data is None:
                        self.parser.gap(to_server, rest, offset, place)
                    else:
                        self.parser.data(to_server, data, offset, place, rest)
                self.give_up()
                return 0
            if verdict == _MORE:
                open_still.append(candidate)
        if open_still:
            self.candidates = open_still
        else:
            self.give_up()
        return 0

    cdef int give_up(self) except -1:
        """Nothing is held any longer; the next boundary begins another attempt, if there may be one."""
        self.attempts += 1
        self.candidates = None
        self.held = []
        self.held_bytes = 0
        return 0

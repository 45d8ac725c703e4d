# cython: language_level=3, auto_pickle=False, boundscheck=True
"""Requests and responses of one HTTP/1 conversation, paired in order (RFC 9112, 9.3).

Each request opens a slot in a queue; a final response fills the first slot without one, or one of its own where the
capture began too late to see the request. Slots leave the queue in order, when both messages are over. The queue is
bounded: in a conversation of which only requests are seen the oldest leave without a response.
"""

import re
from collections import deque

from libc.stdint cimport uint64_t

from syswire.convert.model.exchange import HttpExchange, HttpRequest, HttpResponse
from syswire.convert.model.span import Span
from syswire.convert.protocols.http1.bodies cimport NO_BODY, Body, content_of, framing, may_be_form
from syswire.convert.protocols.http1.finder cimport Finder
from syswire.convert.protocols.http1.heads cimport HeadText, authority
from syswire.convert.protocols.http1.kept cimport Kept
from syswire.convert.protocols.http1.messages cimport Half
from syswire.convert.protocols.http1.scan cimport Head
from syswire.convert.protocols.http1.slots cimport Slot, accepted, completed, ends_connection, upgrade
from syswire.convert.protocols.http.sightings import find_stray_secrets

MOST_WAITING = 32768
WAITING_BYTES = 4 << 20

cdef enum:
    WAITING = 32768
    ROOM = 4 << 20
    PATIENCE = 16         # how often a client's bytes are held until an answer decides

cdef object _NOWHERE = Span(None, 0, 0)
_CUT_VERSION = re.compile(r"(.*?)[ \t]+(?:H|HT|HTT|HTTP|HTTP/.*)", re.IGNORECASE | re.DOTALL)


cdef class Pairing(Finder):
    """The owner of two halves; what it knows is in http1_pairing.pxd."""

    def __init__(self, sink):
        self.sink = sink
        self.objects = sink.wants_objects
        self.whole = getattr(sink, "from_the_start", False)
        self.client = Half(True, self)
        self.server = Half(False, self)
        self.slots = deque()
        self.patience = PATIENCE

    @property
    def waiting_bytes(self):
        return self.cost

    @property
    def searched_bytes(self):
        return self.client.searched + self.server.searched

    cdef int weird(self, str name, object span) except -1:
        """Something odd, by its name in docs/protocols.md."""
        self.sink.weird(name, span)
        return 0

    cdef int begin_request(self) except -1:
        """A request line was seen: from now on a response may answer it."""
        cdef Slot slot
        if self.slots:
            if self.server.seeking():
                self._give_up_waiting()
            elif len(self.slots) == 1:
                slot = self.slots[0]
                if slot.request is None and not slot.answered:
                    # A loss that was taken for a request; but this client waits for one answer before it asks again.
                    slot.response_over = True
            self._hand_out()
        self.bodiless = None
        slot = Slot()
        slot.server_at = self.replayed_at if self.replaying else self.server.at
        self.asking = slot
        self.slots.append(slot)
        if len(self.slots) > WAITING or self.cost > ROOM:
            self._evict()
        return 0

    cdef int lost(self, bint to_server) except -1:
        """A message was lost from its first byte on: keep its place in the order."""
        cdef Slot slot
        self._release_lone()
        if to_server:
            slot = Slot()
            slot.server_at = self.replayed_at if self.replaying else self.server.at
            slot.request_over = True
            self.slots.append(slot)
            if len(self.slots) > WAITING:
                self._evict()
            return 0
        for slot in self.slots:
            if not slot.answered:
                slot.answered = slot.response_over = True
                if slot.turning:
                    self.turn, self.server.pause = GIVE_UP, True
                self._hand_out()
                break
        return 0

    cdef bint next_is_due(self) except -1:
        """Whether a request waits for a response of its own."""
        for slot in self.slots:
            if not (<Slot> slot).answered:
                return True
        return False

    cdef bint simple_is_due(self) except -1:
        """Whether the next request without a response has no version."""
        for slot in self.slots:
            if not (<Slot> slot).answered:
                return (<Slot> slot).request is not None and (<Slot> slot).request.version == ""
        return False

    # What an answer decides

    cdef int _hold(self, Slot slot) except -1:
        """The answer to this request tells what the client's next bytes are."""
        if self.patience > 0 and not slot.answered:
            self.patience -= 1
            slot.turning = self.client.pause = True
            self.held, self.held_bytes = [], 0
        return 0

    cdef int _leave(self, bint known, object name) except -1:
        """Another protocol follows: `name`, or what its bytes tell. Not `known`: nobody here reads it."""
        self.client.become_opaque()
        self.server.become_opaque()
        self.client.pause = self.server.pause = False
        if known:
            self.turn, self.next_protocol = LEAVE, name
        else:
            self.held = None
        return 0

    # Requests

    cdef Kept request_head(self, Head head, HeadText text, bint complete, int* kind, uint64_t* length):
        """A request's head, whole or cut; for a whole one the kind and length of its body, and where to keep it."""
        cdef Slot slot = self.asking
        cdef str target = head.target_or_status
        cdef bint target_complete = True
        cdef list odd = []
        assert slot is not None
        kind[0], length[0] = NO_BODY, 0
        if not complete and b"\n" not in text.raw and not head.version_or_reason:
            version_begun = _CUT_VERSION.fullmatch(target)
            target_complete = version_begun is not None
            target = version_begun[1] if version_begun else target
        slot.method = head.method_or_version
        slot.request = HttpRequest(
            _NOWHERE,
            slot.method,
            target,
            head.host if head.host is not None else authority(slot.method, target),
            head.version_or_reason,
            head.headers,
            complete,
            head.total,
            target_complete,
            head.ascii,
        )
        slot.head, slot.text = head, text
        slot.cost = <uint64_t> len(text.raw)
        self.cost += slot.cost
        if not complete:
            return None
        kind[0] = framing(head, True, length, odd)
        if head.transfer_encodings is not None and head.version_or_reason == "HTTP/1.0":
            odd.append("transfer-encoding-in-1.0")
        for name in odd:
            self.client.note(name, 0, self.client.head_size)
        if kind[0] != NO_BODY:
            self.content = content_of(self.sink, True, head, self.objects, False)
            if may_be_form(head):
                slot.kept = Kept()
        return slot.kept

    cdef int request_over(self, Body body, object span, bint known, Head trailers) except -1:
        """A request has passed."""
        cdef Slot slot = self.asking
        self.asking = None
        assert slot is not None and slot.request is not None and slot.head is not None and slot.text is not None
        content = completed(slot.request, body, span, known, trailers, self.client)
        self._find(slot, body, content)
        if slot.head.content_lengths is None and slot.head.transfer_encodings is None:
            self.bodiless = slot
        if slot.head.upgrade or slot.method == "CONNECT":
            self._hold(slot)
        slot.head = slot.text = slot.kept = None
        slot.request_over = True
        self._hand_out()
        return 0

    cdef int stray(self, HeadText text) except -1:
        """A form may follow a request without any length: no body by the RFC, yet it can be read on the wire."""
        cdef Slot slot = self.bodiless
        self.bodiless = None
        if slot is None or slot.request is None:
            return 0
        secrets = find_stray_secrets(slot.request, text)
        if not slot.ordinal:
            self._add_secrets(slot, secrets)
        else:
            self._hand_out_secrets(slot, secrets)
        return 0

    # Responses

    cdef int response_head(self, Head head, HeadText text, bint complete, uint64_t* length) except -1:
        """A response's head, whole or cut; for a whole one the kind and length of its body."""
        cdef Slot slot
        cdef list odd = []
        cdef int kind, status = int(head.target_or_status)
        length[0] = 0
        self.answering = None
        if 100 <= status < 200 and status != 101:
            self._bodiless(head)
            return NO_BODY
        self.answering = slot = self._slot_to_answer()
        slot.status = status
        slot.response = HttpResponse(
            _NOWHERE,
            status,
            head.version_or_reason,
            head.method_or_version,
            head.headers,
            complete,
            head.total,
            head.ascii,
        )
        if head.challenged or text is not None:
            self._hear(slot, head, text)
        if not complete or status == 304 or (slot.method is not None and slot.method == "HEAD"):
            return NO_BODY
        if status == 101 or status == 204 or accepted(slot):
            self._bodiless(head)
            return NO_BODY
        kind = framing(head, False, length, odd)
        if head.transfer_encodings is not None and head.method_or_version == "HTTP/1.0":
            odd.append("transfer-encoding-in-1.0")
        for name in odd:
            self.server.note(name, 0, self.server.head_size)
        if kind != NO_BODY:
            self._expect_verdict(slot, head)
        return kind

    cdef int _bodiless(self, Head head) except -1:
        """A response that cannot have a body must not announce one (RFC 9112, 6.1 and 6.2)."""
        if head.content_lengths is not None or head.transfer_encodings is not None:
            self.server.note("length-without-body", 0, self.server.head_size)
        return 0

    cdef Slot _slot_to_answer(self):
        cdef Slot slot
        cdef Py_ssize_t at = 0
        self._release_lone()
        if self.owed:
            self.owed -= 1
        else:
            for slot in self.slots:
                if not slot.answered:
                    slot.answered = True
                    return slot
        # Behind those whose responses came before, in front of those that still wait: these were asked later.
        for slot in self.slots:
            if not slot.answered:
                break
            at += 1
        slot = Slot()
        slot.request_over = slot.answered = True
        self.slots.insert(at, slot)
        if self.client.in_step() and self.held is None:
            self.lone, self.lone_first = slot, self.client.fresh
        return slot

    cdef int _release_lone(self) except -1:
        """Nobody asked for that response."""
        if self.lone is not None:
            self.lone = None
            return self._hand_out()
        return 0

    cdef int _pair_lone(self, bint ended) except -1:
        """Nothing follows: a response that came too early answers the next request, if that got no other.

        One at the very beginning of a capture may belong to a request before it, unless it is a server's last word.
        """
        cdef Slot lone = self.lone, slot
        cdef bint behind = False  # the lone one
        self.lone = None
        alone = self.lone_first and not (ended and (self.whole or ends_connection(lone.response)))
        if alone:
            return 0
        for slot in self.slots:
            if slot is lone:
                behind = True
            elif behind and not slot.answered:
                if slot.request is not None:
                    slot.response, slot.status, slot.answered = lone.response, lone.status, True
                    self.slots.remove(lone)
                return 0
        return 0

    cdef int response_over(self, Body body, object span, bint known, Head trailers) except -1:
        """A response has passed."""
        cdef Slot slot = self.answering
        self.answering = None
        if slot is None or slot.response is None:
            return 0  # an interim response
        content = completed(slot.response, body, span, known, trailers, self.server)
        if slot.secrets:
            self._judge(slot, body, content)
        slot.response_over = True
        if slot.status == 101:
            known, name = upgrade(slot)
            self._leave(known, name)
        elif accepted(slot):
            self._leave(True, None)
        elif slot.turning:
            self.turn, self.server.pause = RESUME, True
        self._hand_out()
        return 0

    # The queue

    cdef int _give_up_waiting(self) except -1:
        """What the server sent was not understood, and the client asks again: take earlier requests for answered.

        Requests since the server's last byte still wait: this client sends ahead of the answers.
        """
        cdef Slot slot
        if self.given_up_at == self.server.at:
            return 0  # nothing came since: those that wait have all asked behind it
        self.given_up_at = self.server.at
        for slot in self.slots:
            if not slot.answered and slot.server_at < self.server.at:
                slot.answered = slot.response_over = True
                self.server.weird("response-lost")
        return 0

    cdef int _evict(self) except -1:
        cdef Slot oldest
        self._release_lone()
        while len(self.slots) > 1 and (len(self.slots) > WAITING or self.cost > ROOM):
            oldest = self.slots[0]
            if not oldest.answered:
                self.owed += 1
                self.client.weird("too-many-waiting")
            elif oldest is self.answering:
                self.answering = None
            oldest.request_over = oldest.response_over = oldest.answered = True
            self._hand_out()
        return 0

    cdef int _hand_out_all(self) except -1:
        """Nothing more is waited for."""
        cdef Slot slot
        self.lone = None
        for slot in self.slots:
            slot.request_over = slot.response_over = True
        return self._hand_out()

    cdef int _hand_out(self) except -1:
        cdef Slot slot
        while self.slots:
            slot = self.slots[0]
            if slot is self.lone or not (slot.request_over and slot.response_over):
                break
            self.slots.popleft()
            self.cost -= slot.cost
            if slot.request is None and slot.response is None:
                continue  # a lost request, and no response told of it
            self.ordinal += 1
            slot.ordinal = self.ordinal
            self.sink.exchange(HttpExchange(slot.ordinal, slot.request, slot.response))
            if slot.secrets:
                self._hand_out_secrets(slot, slot.secrets)
        return 0

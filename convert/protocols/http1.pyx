# cython: language_level=3, auto_pickle=False, boundscheck=True
"""HTTP/1.0 and 1.1: requests and responses of one conversation, paired in order (RFC 9112, 9.3).

Each request opens a slot in a queue; a final response fills the first slot without one, or one of its own where the
capture began too late to see the request. Slots leave the queue in order, when both messages are over. The queue is
bounded: in a conversation of which only requests are seen the oldest leave without a response.
"""

import re
from collections import deque

from libc.stdint cimport uint64_t

from syswire.convert.model.exchange import HttpExchange, HttpRequest, HttpResponse
from syswire.convert.model.span import Span
from syswire.convert.protocols.http1_bodies cimport NO_BODY, Body, complete, content_of, framing, may_be_form
from syswire.convert.protocols.http1_heads cimport HeadText, authority
from syswire.convert.protocols.http1_kept cimport Kept
from syswire.convert.protocols.http1_messages cimport Half
from syswire.convert.protocols.http1_owner cimport Owner
from syswire.convert.protocols.http1_scan cimport Head
from syswire.convert.protocols.http_sightings import find_secrets, find_stray_secrets, outcome, query_may_hold_secret

MOST_WAITING = 32768
WAITING_BYTES = 4 << 20

cdef enum:
    WAITING = 32768
    ROOM = 4 << 20

cdef object _NOWHERE = Span(None, 0, 0)
_CUT_VERSION = re.compile(r"(.*?)[ \t]+(?:H|HT|HTT|HTTP|HTTP/.*)", re.IGNORECASE | re.DOTALL)


cdef class _Slot:
    """An exchange in the making."""

    cdef uint64_t server_at     # what the server had sent when the request began
    cdef object request
    cdef object response
    cdef str method             # the request's
    cdef int status             # the response's
    cdef bint request_over
    cdef bint response_over
    cdef bint answered          # a response belongs here, or was lost
    cdef object secrets         # a sequence
    cdef uint64_t cost
    cdef uint64_t ordinal       # once handed out
    cdef Head head              # these three while the request passes
    cdef HeadText text
    cdef Kept kept

    def __cinit__(self):
        self.secrets = ()


cdef class Http1(Owner):
    """The parser of one conversation; what it promises is in api.py."""

    cdef object sink
    cdef Half client
    cdef Half server
    cdef object slots
    cdef uint64_t ordinal
    cdef uint64_t cost
    cdef uint64_t given_up_at   # what the server had sent when earlier requests were last taken for answered
    cdef uint64_t owed       # responses to requests that were handed out without waiting longer
    cdef bint objects        # bodies are handed on as objects
    cdef _Slot asking        # whose request is passing
    cdef _Slot bodiless      # the last one, where its request announced no body at all
    cdef _Slot answering     # whose final response is passing

    def __init__(self, sink):
        self.sink = sink
        self.objects = sink.wants_objects
        self.client = Half(True, self)
        self.server = Half(False, self)
        self.slots = deque()

    # As a Parser

    def data(self, bint to_server, bytes data not None, uint64_t offset, object place, bint boundary):
        """Bytes of one direction; `boundary`: a system call's bytes begin with them."""
        (self.client if to_server else self.server).data(data, offset, place, boundary)

    def gap(self, bint to_server, uint64_t length, uint64_t offset, object place):
        """`length` bytes that moved and are not known."""
        if length > 0:
            (self.client if to_server else self.server).gap(length, offset, place)

    def close(self, bint ended=True):
        """Hand out everything begun. `ended`: the connection was seen to end, not merely the capture."""
        cdef _Slot slot
        self.client.close(ended)
        self.server.close(ended)
        for slot in self.slots:
            slot.request_over = slot.response_over = True
        self._hand_out()

    @property
    def waiting_bytes(self):
        return self.cost

    @property
    def searched_bytes(self):
        return self.client.searched + self.server.searched

    # As the owner of two halves

    cdef int weird(self, str name, object span) except -1:
        """Something odd, by its name in docs/protocols.md."""
        self.sink.weird(name, span)
        return 0

    cdef int begin_request(self) except -1:
        """A request line was seen: from now on a response may answer it."""
        cdef _Slot slot
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
        slot = _Slot()
        slot.server_at = self.server.at
        self.asking = slot
        self.slots.append(slot)
        if len(self.slots) > WAITING or self.cost > ROOM:
            self._evict()
        return 0

    cdef int lost(self, bint to_server) except -1:
        """A message was lost from its first byte on: keep its place in the order."""
        cdef _Slot slot
        if to_server:
            slot = _Slot()
            slot.server_at = self.server.at
            slot.request_over = True
            self.slots.append(slot)
            if len(self.slots) > WAITING:
                self._evict()
            return 0
        for slot in self.slots:
            if not slot.answered:
                slot.answered = slot.response_over = True
                self._hand_out()
                break
        return 0

    cdef bint next_is_due(self) except -1:
        """Whether a request waits for a response of its own."""
        cdef _Slot slot
        for slot in self.slots:
            if not slot.answered:
                return True
        return False

    # Requests

    cdef Kept request_head(self, Head head, HeadText text, bint complete, int* kind, uint64_t* length):
        """A request's head, whole or cut; for a whole one the kind and length of its body, and where to keep it."""
        cdef _Slot slot = self.asking
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
        for name in odd:
            self.client.weird(name)
        if kind[0] != NO_BODY:
            self.content = content_of(self.sink, True, head, self.objects)
            if may_be_form(head):
                slot.kept = Kept()
        return slot.kept

    cdef int request_over(self, Body body, object span, bint known, Head trailers) except -1:
        """A request has passed."""
        cdef _Slot slot = self.asking
        self.asking = None
        assert slot is not None and slot.request is not None and slot.head is not None and slot.text is not None
        complete(slot.request, body, span, known, trailers)
        content = _content(body, self.client)
        if _may_hold_secrets(slot):
            slot.secrets = find_secrets(slot.request, slot.head, slot.text, slot.kept, body is not None and body.done, content)
            self._charge(slot, slot.secrets)
        if slot.head.content_lengths is None and slot.head.transfer_encodings is None:
            self.bodiless = slot
        slot.head = slot.text = slot.kept = None
        slot.request_over = True
        self._hand_out()
        return 0

    cdef int _charge(self, _Slot slot, object secrets) except -1:
        """Count bytes of secrets that wait with their exchange."""
        cdef uint64_t size
        for secret in secrets:
            size = len(secret.raw)
            slot.cost += size
            self.cost += size
        return 0

    cdef int stray(self, HeadText text) except -1:
        """A form may follow a request without any length: no body by the RFC, yet it can be read on the wire."""
        cdef _Slot slot = self.bodiless
        self.bodiless = None
        if slot is None or slot.request is None:
            return 0
        secrets = find_stray_secrets(slot.request, text)
        if not slot.ordinal:
            slot.secrets = [*slot.secrets, *secrets]
            self._charge(slot, secrets)
        else:
            self._hand_out_secrets(slot, secrets)
        return 0

    # Responses

    cdef int response_head(self, Head head, bint complete, uint64_t* length) except -1:
        """A response's head, whole or cut; for a whole one the kind and length of its body."""
        cdef _Slot slot
        cdef list odd = []
        cdef int kind, status = int(head.target_or_status)
        length[0] = 0
        self.answering = None
        if 100 <= status < 200 and status != 101:
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
        if not complete or status == 101 or status == 204 or status == 304:
            return NO_BODY
        if slot.method is not None and (
            slot.method == "HEAD" or (slot.method == "CONNECT" and 200 <= status < 300)
        ):
            return NO_BODY
        kind = framing(head, False, length, odd)
        for name in odd:
            self.server.weird(name)
        if kind != NO_BODY:
            self.content = content_of(self.sink, False, head, self.objects)
        return kind

    cdef _Slot _slot_to_answer(self):
        cdef _Slot slot
        cdef Py_ssize_t at = 0
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
        slot = _Slot()
        slot.request_over = slot.answered = True
        self.slots.insert(at, slot)
        return slot

    cdef int response_over(self, Body body, object span, bint known, Head trailers) except -1:
        """A response has passed."""
        cdef _Slot slot = self.answering
        self.answering = None
        if slot is None or slot.response is None:
            return 0  # an interim response
        complete(slot.response, body, span, known, trailers)
        _content(body, self.server)
        slot.response_over = True
        if slot.status == 101:
            self.client.become_opaque()
            self.server.become_opaque()
        elif slot.method is not None and slot.method == "CONNECT" and 200 <= slot.status < 300:
            self.client.become_tunnel()
            self.server.become_tunnel()
        self._hand_out()
        return 0

    # The queue

    cdef int _give_up_waiting(self) except -1:
        """What the server sent was not understood, and the client asks again: take earlier requests for answered.

        Requests since the server's last byte still wait: this client sends ahead of the answers.
        """
        cdef _Slot slot
        if self.given_up_at == self.server.at:
            return 0  # nothing came since: those that wait have all asked behind it
        self.given_up_at = self.server.at
        for slot in self.slots:
            if not slot.answered and slot.server_at < self.server.at:
                slot.answered = slot.response_over = True
                self.server.weird("response-lost")
        return 0

    cdef int _evict(self) except -1:
        cdef _Slot oldest
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

    cdef int _hand_out(self) except -1:
        cdef _Slot slot
        while self.slots:
            slot = self.slots[0]
            if not (slot.request_over and slot.response_over):
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

    cdef int _hand_out_secrets(self, _Slot slot, object secrets) except -1:
        for secret in secrets:
            secret.exchange = slot.ordinal
            if slot.response is not None:
                secret.outcome = outcome(secret, slot.response)
            self.sink.sighting(secret)
        return 0


cdef object _content(Body body, Half half):
    """What was found in a body, if anything; what was odd about it is told."""
    if body is None or body.content is None:
        return None
    for name in body.content.problems:
        half.weird(name)
    return body.content


cdef bint _may_hold_secrets(_Slot slot) except -1:
    """A cheap look before the request is searched."""
    cdef Head head = slot.head
    cdef str target = slot.request.target
    cdef Py_ssize_t query
    if slot.kept is not None or head.authorizations is not None or "@" in target:
        return True
    if slot.request.host is not None and "@" in slot.request.host:
        return True
    query = target.find("?")
    return query >= 0 and query_may_hold_secret(target, query) is not None

"""HTTP/1.0 and 1.1: requests and responses of one conversation, paired in order (RFC 9112, 9.3).

Each request opens a slot in a queue; a final response fills the first slot without one, or one of its own where the
capture began too late to see the request. Slots leave the queue in order, when both messages are over. The queue is
bounded: in a conversation of which only requests are seen the oldest leave without a response.
"""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING

from ..model.exchange import HttpExchange, HttpRequest, HttpResponse
from ..model.span import Span
from .http1_bodies import NO_BODY, Body, framing, may_be_form
from .http1_heads import HeadText
from .http1_kept import Kept
from .http1_messages import Half
from .http_sightings import find_secrets, find_stray_secrets, outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..model.sighting import Sighting
    from .api import Sink
    from .http1_scan import Head

MOST_WAITING = 1000
"""Requests that wait for a response; beyond it, or WAITING_BYTES of heads, the oldest is handed out without one."""
WAITING_BYTES = 4 << 20

_NOWHERE = Span(None, 0, 0)
_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*://(?:[^/?#]*@)?([^/?#@]*)")
_CUT_VERSION = re.compile(r"(.*?)[ \t]+(?:H|HT|HTT|HTTP|HTTP/.*)", re.IGNORECASE | re.DOTALL)


class _Slot:
    """An exchange in the making."""

    __slots__ = (
        "answered",
        "cost",
        "head",
        "kept",
        "ordinal",
        "request",
        "request_over",
        "response",
        "response_over",
        "secrets",
        "server_at",
        "text",
    )

    def __init__(self, server_at: int) -> None:
        self.server_at = server_at  # what the server had sent when the request began
        self.request: HttpRequest | None = None
        self.response: HttpResponse | None = None
        self.request_over = False
        self.response_over = False
        self.answered = False  # a response belongs here, or was lost
        self.secrets: Sequence[Sighting] = ()
        self.cost = 0
        self.ordinal = 0  # once handed out
        self.head: Head | None = None  # these three while the request passes
        self.text: HeadText | None = None
        self.kept: Kept | None = None


class Http1:
    """The parser of one conversation; what it promises is in api.py."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._client = Half(True, self)
        self._server = Half(False, self)
        self._slots: deque[_Slot] = deque()
        self._ordinal = 0
        self._cost = 0
        self._owed = 0  # responses to requests that were handed out without waiting longer
        self._asking: _Slot | None = None  # whose request is passing
        self._bodiless: _Slot | None = None  # the last one, where its request announced no body at all
        self._answering: _Slot | None = None  # whose final response is passing

    # As a Parser

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction; `boundary`: a system call's bytes begin with them."""
        (self._client if to_server else self._server).data(data, offset, place, boundary)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""
        if length > 0:
            (self._client if to_server else self._server).gap(length, offset, place)

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun. `ended`: the connection was seen to end, not merely the capture."""
        self._client.close(ended)
        self._server.close(ended)
        for slot in self._slots:
            slot.request_over = slot.response_over = True
        self._hand_out()

    @property
    def waiting_bytes(self) -> int:
        """Bytes of the heads and secrets that are held for messages to come."""
        return self._cost

    # As the owner of two halves

    def weird(self, name: str, span: Span) -> None:
        """Something odd, by its name in docs/protocols.md."""
        self._sink.weird(name, span)

    def begin_request(self) -> None:
        """A request line was seen: from now on a response may answer it."""
        slots = self._slots
        if slots:
            if self._server.seeking:
                self._give_up_waiting()
            elif len(slots) == 1 and slots[0].request is None and not slots[0].answered:
                # A loss that was taken for a request; but this client waits for one answer before it asks again.
                slots[0].response_over = True
            self._hand_out()
        self._bodiless = None
        self._asking = slot = _Slot(self._server.at)
        slots.append(slot)
        if len(slots) > MOST_WAITING or self._cost > WAITING_BYTES:
            self._evict()

    def lost(self, to_server: bool) -> None:
        """A message was lost from its first byte on: keep its place in the order."""
        if to_server:
            slot = _Slot(self._server.at)
            slot.request_over = True
            self._slots.append(slot)
            return
        for slot in self._slots:
            if not slot.answered:
                slot.answered = slot.response_over = True
                self._hand_out()
                return

    def next_is_due(self) -> bool:
        """Whether a request waits for a response of its own."""
        return any(not slot.answered for slot in self._slots)

    # Requests

    def request_head(self, head: Head, text: HeadText, complete: bool) -> tuple[int, int, Kept | None]:
        """A request's head, whole or cut; for a whole one the kind and length of its body, and where to keep it."""
        slot = self._asking
        assert slot is not None
        target, target_complete = head.target_or_status, True
        if not complete and b"\n" not in text.raw and not head.version_or_reason:
            version_begun = _CUT_VERSION.fullmatch(target)
            target_complete = version_begun is not None
            target = version_begun[1] if version_begun else target
        slot.request = HttpRequest(
            span=_NOWHERE,
            method=head.method_or_version,
            target=target,
            host=head.host if head.host is not None else _authority(head.method_or_version, target),
            version=head.version_or_reason,
            headers=head.headers,
            headers_complete=complete,
            headers_total=head.total,
            target_complete=target_complete,
            ascii=head.ascii,
        )
        slot.head, slot.text = head, text
        slot.cost = len(text.raw)
        self._cost += slot.cost
        if not complete:
            return NO_BODY, 0, None
        kind, length = framing(head, True, self._weird_in_request)
        slot.kept = Kept() if kind != NO_BODY and may_be_form(head) else None
        return kind, length, slot.kept

    def request_over(self, body: Body | None, span: Span, known: bool, trailers: Head | None) -> None:
        """A request has passed."""
        slot, self._asking = self._asking, None
        assert slot is not None and slot.request is not None and slot.head is not None and slot.text is not None
        request = slot.request
        request.span = span
        if known:
            request.body_length = body.length if body is not None else 0
            request.body_complete = body is None or body.intact
        if body is not None:
            request.body_sha256 = body.sha256()
        if trailers is not None:
            request.trailers = trailers.headers
            request.ascii &= trailers.ascii
        body_ended = body is not None and body.done
        slot.secrets = find_secrets(request, slot.head, slot.text, slot.kept, body_ended)
        for secret in slot.secrets:
            slot.cost += len(secret.raw)
            self._cost += len(secret.raw)
        if slot.head.content_lengths is None and slot.head.transfer_encodings is None:
            self._bodiless = slot
        slot.head = slot.text = slot.kept = None
        slot.request_over = True
        self._hand_out()

    def stray(self, text: HeadText) -> None:
        """A form may follow a request without any length: no body by the RFC, yet it can be read on the wire."""
        slot, self._bodiless = self._bodiless, None
        if slot is None or slot.request is None:
            return
        secrets = find_stray_secrets(slot.request, text)
        if not slot.ordinal:
            slot.secrets = [*slot.secrets, *secrets]
            slot.cost += sum(len(secret.raw) for secret in secrets)
            self._cost += sum(len(secret.raw) for secret in secrets)
        else:
            self._hand_out_secrets(slot, secrets)

    def _weird_in_request(self, name: str) -> None:
        self._client.weird(name)

    def _weird_in_response(self, name: str) -> None:
        self._server.weird(name)

    # Responses

    def response_head(self, head: Head, complete: bool) -> tuple[int, int, Kept | None]:
        """A response's head, as in request_head."""
        status = int(head.target_or_status)
        self._answering = None
        if 100 <= status < 200 and status != 101:
            return NO_BODY, 0, None
        self._answering = slot = self._slot_to_answer()
        slot.response = HttpResponse(
            span=_NOWHERE,
            status=status,
            reason=head.version_or_reason,
            version=head.method_or_version,
            headers=head.headers,
            headers_complete=complete,
            headers_total=head.total,
            ascii=head.ascii,
        )
        if not complete:
            return NO_BODY, 0, None
        method = slot.request.method if slot.request is not None else ""
        if status in {101, 204, 304} or method == "HEAD" or (method == "CONNECT" and 200 <= status < 300):
            return NO_BODY, 0, None
        kind, length = framing(head, False, self._weird_in_response)
        return kind, length, None

    def _slot_to_answer(self) -> _Slot:
        slots = self._slots
        if self._owed:
            self._owed -= 1
        else:
            for slot in slots:
                if not slot.answered:
                    slot.answered = True
                    return slot
        slot = _Slot(0)
        slot.request_over = slot.answered = True
        # Behind those whose responses came before, in front of those that still wait: these were asked later.
        slots.insert(next((at for at, other in enumerate(slots) if not other.answered), len(slots)), slot)
        return slot

    def response_over(self, body: Body | None, span: Span, known: bool, trailers: Head | None) -> None:
        """A response has passed."""
        slot, self._answering = self._answering, None
        if slot is None or slot.response is None:
            return  # an interim response
        response = slot.response
        response.span = span
        if known:
            response.body_length = body.length if body is not None else 0
            response.body_complete = body is None or body.intact
        if body is not None:
            response.body_sha256 = body.sha256()
        if trailers is not None:
            response.trailers = trailers.headers
            response.ascii &= trailers.ascii
        slot.response_over = True
        if response.status == 101:
            self._client.become_opaque()
            self._server.become_opaque()
        elif slot.request is not None and slot.request.method == "CONNECT" and 200 <= response.status < 300:
            self._client.become_tunnel()
            self._server.become_tunnel()
        self._hand_out()

    # The queue

    def _give_up_waiting(self) -> None:
        """What the server sent was not understood, and the client asks again: take earlier requests for answered.

        Requests since the server's last byte still wait: this client sends ahead of the answers.
        """
        for slot in self._slots:
            if not slot.answered and slot.server_at < self._server.at:
                slot.answered = slot.response_over = True
                self._server.weird("response-lost")

    def _evict(self) -> None:
        while len(self._slots) > 1 and (len(self._slots) > MOST_WAITING or self._cost > WAITING_BYTES):
            oldest = self._slots[0]
            if not oldest.answered:
                self._owed += 1
                self._client.weird("too-many-waiting")
            elif oldest is self._answering:
                self._answering = None
            oldest.request_over = oldest.response_over = oldest.answered = True
            self._hand_out()

    def _hand_out(self) -> None:
        slots = self._slots
        while slots and slots[0].request_over and slots[0].response_over:
            slot = slots.popleft()
            self._cost -= slot.cost
            if slot.request is None and slot.response is None:
                continue  # a lost request, and no response told of it
            self._ordinal += 1
            slot.ordinal = self._ordinal
            self._sink.exchange(HttpExchange(self._ordinal, slot.request, slot.response))
            if slot.secrets:
                self._hand_out_secrets(slot, slot.secrets)

    def _hand_out_secrets(self, slot: _Slot, secrets: Sequence[Sighting]) -> None:
        for secret in secrets:
            secret.exchange = slot.ordinal
            if slot.response is not None:
                secret.outcome = outcome(secret, slot.response)
            self._sink.sighting(secret)


def _authority(method: str, target: str) -> str | None:
    """The host that an absolute target or a CONNECT names, without user and password."""
    if method == "CONNECT":
        return target.rpartition("@")[2] or None
    found = _AUTHORITY.match(target)
    return found[1] if found else None

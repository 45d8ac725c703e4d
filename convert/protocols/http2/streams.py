"""The streams of an HTTP/2 connection (RFC 9113, 5): each an exchange in the making, handed out as they were opened.

An exchange is handed out when both of its messages are over and no earlier one waits. So that one call that lasts does
not hold back all that follow, those that are over pass it when MOST_WAITING of them wait, or WAITING_BYTES are held.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, cast

from ...model.exchange import HttpExchange, HttpRequest, HttpResponse
from ...model.sighting import UNKNOWN
from ..http.memory import Memory
from ..http.outcome import is_judged_by_body, outcome
from .messages import Contents, Half
from .secrets import request_secrets, response_cookies

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.sighting import Sighting
    from ...model.span import Span
    from ..api import Sink

MOST_STREAMS = 4096
"""Streams that are not over; beyond it the oldest is handed out as it stands."""
MOST_WAITING = 256
WAITING_BYTES = 8 << 20
_MOST_CLOSED = 4096


class Stream:
    """One stream."""

    def __init__(self, number: int, contents: Contents) -> None:
        self.number = number
        self.request = Half(True, contents)
        self.response = Half(False, contents)
        self.asked: HttpRequest | None = None
        """The request, once it is over."""
        self.answered: HttpResponse | None = None
        self.secrets: list[Sighting] = []
        self.more: dict[str, Value] = {}
        """What belongs to the exchange: it stands in the response, or in the request where there is none."""
        self.cost = 0
        """What was counted for it."""
        self.settled = False
        """It is over, and waits for those that were opened before."""

    def half(self, to_server: bool) -> Half:
        """The message of one direction."""
        return self.request if to_server else self.response

    @property
    def over(self) -> bool:
        """Nothing more is expected of either message."""
        if not self.response.over:
            return False
        request = self.request
        return request.over or request.message is None or request.uncertain


class Streams:
    """The streams of a connection that were not handed out yet."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._contents = Contents(sink)
        self._memory = Memory()
        self._open: OrderedDict[int, Stream] = OrderedDict()
        self._closed: OrderedDict[int, None] = OrderedDict()
        self._waiting = 0  # those that are over
        self._passing: dict[bool, set[int]] = {True: set(), False: set()}
        self._ordinal = 0
        self.cost = 0
        """Bytes that are held, about."""

    def all(self) -> list[Stream]:
        """In the order in which they were opened."""
        return list(self._open.values())

    def get(self, number: int) -> Stream | None:
        """The stream of that number, where one is open and not over."""
        stream = self._open.get(number)
        return None if stream is None or stream.settled else stream

    def was_closed(self, number: int) -> bool:
        """Whether a stream of that number is over, or was handed out lately."""
        return number in self._closed or number in self._open

    def open(self, number: int) -> Stream:
        """A new stream of a number that is not open."""
        stream = self._open[number] = Stream(number, self._contents)
        return stream

    def passes(self, to_server: bool, number: int) -> None:
        """A message of that stream has begun in that direction, and not ended."""
        self._passing[to_server].add(number)

    def passing(self, to_server: bool) -> list[int]:
        """The streams of which messages have begun since this was asked last; some may be over."""
        found = sorted(self._passing[to_server])
        self._passing[to_server].clear()
        return found

    def changed(self, stream: Stream) -> bool:
        """Something was added to a stream. Returns whether others had to be given up for it."""
        if stream.request.over:
            self._finish_request(stream)
        if stream.response.over:
            self._finish_response(stream)
        cost = stream.request.cost + stream.response.cost
        self.cost += cost - stream.cost
        stream.cost = cost
        if stream.over and not stream.settled:
            stream.settled = True
            self._waiting += 1
            self._in_order()
        return self._bound()

    def _in_order(self) -> None:
        while self._open:
            stream = next(iter(self._open.values()))
            if not stream.settled:
                return
            self._hand_out(stream)

    def _bound(self) -> bool:
        if self._waiting > MOST_WAITING or (self._waiting and self.cost > WAITING_BYTES):
            for stream in self.all():
                if stream.settled:
                    self._hand_out(stream)
        given_up = False
        while len(self._open) > 1 and (len(self._open) > MOST_STREAMS + MOST_WAITING or self.cost > WAITING_BYTES):
            self._hand_out(next(iter(self._open.values())))
            given_up = True
        return given_up

    def close(self) -> None:
        """Hand out all there is."""
        for stream in self.all():
            self._hand_out(stream)

    def _hand_out(self, stream: Stream) -> None:
        del self._open[stream.number]
        self._passing[True].discard(stream.number)
        self._passing[False].discard(stream.number)
        self._closed[stream.number] = None
        if len(self._closed) > _MOST_CLOSED:
            self._closed.popitem(last=False)
        self.cost -= stream.cost
        self._waiting -= stream.settled
        self._finish_request(stream)
        self._finish_response(stream)
        request, response = stream.asked, stream.answered
        told = response if response is not None else request
        if told is None:
            return
        told.more = {**(told.more or {}), **stream.more}
        self._ordinal += 1
        self._sink.exchange(HttpExchange(self._ordinal, request, response))
        for secret in stream.secrets:
            secret.exchange = self._ordinal
            if response is not None and secret.outcome == UNKNOWN:
                secret.outcome = outcome(secret, response)
            self._sink.sighting(secret)

    def _finish_request(self, stream: Stream) -> None:
        half = stream.request
        if stream.asked is not None or half.message is None:
            return
        request = stream.asked = cast("HttpRequest", half.finish())
        request.more = {"http2_stream": stream.number, **half.more}
        self._tell(half, request.span)
        found = request_secrets(request, half.head_span, half.kept, request.body_complete, half.content, self._memory)
        stream.secrets += found
        stream.response.judged = is_judged_by_body(found, 200)
        half.release()
        half.cost += sum(len(secret.raw) for secret in found)

    def _finish_response(self, stream: Stream) -> None:
        half = stream.response
        if stream.answered is None and half.message is not None:
            response = stream.answered = cast("HttpResponse", half.finish())
            response.more = {"http2_stream": stream.number, **half.more}
            self._tell(half, response.span)
            said = half.said()
            for secret in stream.secrets:
                secret.outcome = outcome(secret, response, said)
            cookies = response_cookies(stream.asked, response, half.head_span, self._memory)
            stream.secrets += cookies
            half.release()
            half.cost += sum(len(secret.raw) for secret in cookies)

    def _tell(self, half: Half, span: Span) -> None:
        for name in half.problems:
            self._sink.weird(name, span)

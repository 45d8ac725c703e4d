"""Properties of the HTTP/1 parser: nothing raises, cuts change nothing, memory and time are bounded, peers agree."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import h11
import httptools
from hypothesis import given, settings
from hypothesis import strategies as st

from support.http1 import Call, Found, client, read, server
from syswire.convert.protocols.http1 import pairing as http1_pairing
from syswire.convert.protocols.http1 import parser as http1
from syswire.convert.protocols.http1.probe import probe

# Fragments of conversations, whole and broken, from which hostile streams are put together.
FRAGMENTS = [
    b"GET /a HTTP/1.1\r\n",
    b"POST /login?pass=x HTTP/1.1\r\n",
    b"HEAD / HTTP/1.0\r\n",
    b"CONNECT h:1 HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n",
    b"HTTP/1.1 204\r\n",
    b"HTTP/1.1 302 Found\nLocation: /home\n",
    b"HTTP/1.1 101 Up\r\n",
    b"Host: u:p@h\r\n",
    b"Content-Length: 5\r\n",
    b"Content-Length: 0\r\n",
    b"Content-Length: x\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Authorization: Basic dTpw\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"5\r\nabcde\r\n",
    b"0\r\n\r\n",
    b"0\r\nT: v\r\n\r\n",
    b"user=a&password=b",
    b"HTTP/1.",
    b"G",
    b"\x00\xff",
]
PAYLOAD = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=8)), max_size=8).map(b"".join)
CALL = st.builds(Call, st.booleans(), PAYLOAD, st.sampled_from([0, 0, 0, 1, 5, 100]))
CONVERSATION = st.lists(CALL, max_size=10)


@given(CONVERSATION, st.lists(st.integers(1, 9), min_size=1, max_size=4), st.booleans())
@settings(max_examples=400, deadline=None)
def test_cuts_change_nothing(calls: list[Call], cuts: list[int], ended: bool) -> None:
    whole = read(*calls, ended=ended)
    for other in (read(*calls, cuts=cuts, ended=ended), read(*calls, cuts=[1], ended=ended)):
        assert other.exchanges == whole.exchanges
        assert other.sightings == whole.sightings
        assert [name for name, _ in other.weirds] == [name for name, _ in whole.weirds]


@given(CONVERSATION)
@settings(max_examples=200, deadline=None)
def test_spans_lie_within_the_streams(calls: list[Call]) -> None:
    found = read(*calls)
    size = {side: sum(len(c.data) + c.lost for c in calls if c.to_server is side) for side in (True, False)}
    streams = {side: b"".join(c.data + b"\0" * c.lost for c in calls if c.to_server is side) for side in (True, False)}
    ends = {True: 0, False: 0}
    for exchange in found.exchanges:
        for side, message in ((True, exchange.request), (False, exchange.response)):
            if message is not None:
                assert ends[side] <= message.span.offset
                ends[side] = message.span.offset + message.span.length
                assert ends[side] <= size[side]
    for sighting in found.sightings:
        begin, length = sighting.span.offset, sighting.span.length
        assert length >= len(sighting.raw)
        if length == len(sighting.raw):
            assert streams[True][begin : begin + length] == sighting.raw


@given(st.booleans(), st.binary(max_size=200))
def test_recognising_never_raises(to_server: bool, head: bytes) -> None:
    probe(to_server, head)


def test_recognised_by_either_direction_and_on_cut_lines() -> None:
    for head in (b"GET / HTTP/1.1\r\n", b"GET /cut", b"\r\nPUT http://h/", b"odd * HTTP/1.0\r\nx"):
        assert probe(True, head), head
    for head in (b"HTTP/1.1 200", b"HTTP/1.0 404 Not Found\r\n"):
        assert probe(False, head), head
        assert not probe(True, head)
    for head in (
        b"",
        b"\x16\x03\x01\x02",
        b"PRI * HTTP/2.0\r\n",
        b"get it here\r\n",
        b"odd /cut",
        b"EHLO x\r\n",
        b"GET",
    ):
        assert not probe(True, head), head
    for head in (b"", b"HTTP/1.1 ", b"HTTP/2 200", b"220 HTTP/1.1 200"):
        assert not probe(False, head), head


# Time is not measured in tests: what is looked at is counted.


class Nothing(Found):
    """A sink that forgets."""

    def exchange(self, e: object, /) -> None: ...
    def sighting(self, s: object, /) -> None: ...
    def weird(self, name: str, span: object, /) -> None: ...


def test_a_head_in_single_bytes_is_searched_once() -> None:
    head = b"GET /a HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n"
    parser = http1.Http1(Nothing())
    for at in range(len(head)):
        parser.data(True, head[at : at + 1], at, None, at == 0)
    assert len(head) <= parser.searched_bytes <= 4 * len(head)
    [exchange] = read(client(head), cuts=[1]).exchanges
    assert exchange.request is not None and exchange.request.headers_total == 5000


def test_what_waits_is_bounded_in_bytes() -> None:
    parser = http1.Http1(Nothing())
    head = b"GET /a HTTP/1.1\r\nX: " + b"x" * 60000 + b"\r\n\r\n"
    for number in range(200):
        parser.data(True, head, number * len(head), None, True)
        assert parser.waiting_bytes <= http1_pairing.WAITING_BYTES + len(head)


# Peers as oracles, on clean conversations

TOKEN = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_", min_size=1, max_size=12)
VALUE = st.text("abcXYZ 019;=,/\"'()%", max_size=20).map(lambda text: text.strip(" "))
HEADERS = st.lists(st.tuples(TOKEN.map(lambda name: "X-" + name), VALUE), max_size=5)
BODY = st.binary(max_size=60)


def lay_out(start: str, headers: list[tuple[str, str]], body: bytes, chunks: list[int] | None) -> bytes:
    lines = [start, "Host: example.org", *(f"{name}: {value}" for name, value in headers)]
    if chunks is None:
        lines.append(f"Content-Length: {len(body)}")
        return "\r\n".join([*lines, "", ""]).encode() + body
    lines.append("Transfer-Encoding: chunked")
    out = "\r\n".join([*lines, "", ""]).encode()
    at = 0
    for size in chunks:
        if part := body[at : at + size]:
            out += b"%x\r\n%s\r\n" % (len(part), part)
        at += size
    if rest := body[at:]:
        out += b"%x\r\n%s\r\n" % (len(rest), rest)
    return out + b"0\r\n\r\n"


CHUNKS = st.one_of(st.none(), st.lists(st.integers(1, 20), max_size=4))
REQUEST = st.builds(
    lambda method, path, headers, body, chunks: lay_out(f"{method} /{path} HTTP/1.1", headers, body, chunks),
    st.sampled_from(["GET", "POST", "PUT", "DELETE", "OPTIONS"]),
    TOKEN,
    HEADERS,
    BODY,
    CHUNKS,
)
RESPONSE = st.builds(
    lambda status, headers, body, chunks: lay_out(f"HTTP/1.1 {status} Reason given", headers, body, chunks),
    st.sampled_from([200, 201, 302, 401, 404, 500, 503]),
    HEADERS,
    BODY,
    CHUNKS,
)
Message = tuple[str, str, list[tuple[str, str]], bytes]


def by_h11(role: Any, stream: bytes) -> list[Message]:
    connection = h11.Connection(role)
    if role is h11.CLIENT:
        connection.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
        connection.send(h11.EndOfMessage())
    connection.receive_data(stream)
    messages: list[Message] = []
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            lines = [(name.decode(), value.decode()) for name, value in event.headers.raw_items()]
            messages.append((event.method.decode(), event.target.decode(), lines, b""))
        elif isinstance(event, h11.Response):
            lines = [(name.decode(), value.decode()) for name, value in event.headers.raw_items()]
            messages.append((str(event.status_code), bytes(event.reason).decode(), lines, b""))
        elif isinstance(event, h11.Data):
            messages[-1] = (*messages[-1][:3], messages[-1][3] + bytes(event.data))
        else:
            return messages


class Collector:
    """What httptools calls back."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.first = self.second = ""
        self.lines: list[tuple[str, str]] = []
        self.body = b""

    def on_message_begin(self) -> None:
        self.first = self.second = ""
        self.lines, self.body = [], b""

    def on_url(self, url: bytes) -> None:
        self.second += url.decode()

    def on_status(self, status: bytes) -> None:
        self.second += status.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.lines.append((name.decode(), value.decode()))

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        self.messages.append((self.first, self.second, self.lines, self.body))


def by_httptools(kind: Any, stream: bytes) -> list[Message]:
    collector = Collector()
    kind(collector).feed_data(stream)
    return collector.messages


def check(message: Any, expected: Message, first: str | None) -> None:
    assert message is not None and message.body_complete and message.headers_complete
    assert first is None or first == expected[0]
    second = message.target if hasattr(message, "target") else message.reason
    assert second == expected[1]
    assert message.headers == expected[2]
    assert message.body_length == len(expected[3])
    assert message.body_sha256 == (sha256(expected[3]).hexdigest() if expected[3] else None)


@given(st.lists(st.tuples(REQUEST, RESPONSE), min_size=1, max_size=4), st.lists(st.integers(1, 40), min_size=1))
@settings(max_examples=150, deadline=None)
def test_clean_conversations_as_peers_read_them(pairs: list[tuple[bytes, bytes]], cuts: list[int]) -> None:
    asked = b"".join(request for request, _ in pairs)
    answered = b"".join(response for _, response in pairs)
    found = read(client(asked), server(answered), cuts=cuts)
    assert not found.weirds
    requests = by_httptools(httptools.HttpRequestParser, asked)
    responses = by_httptools(httptools.HttpResponseParser, answered)
    assert len(found.exchanges) == len(requests) == len(responses) == len(pairs)
    for exchange, request, response, (raw_request, raw_response) in zip(
        found.exchanges, requests, responses, pairs, strict=True
    ):
        check(exchange.request, request, None)
        check(exchange.response, response, None)
        assert exchange.request is not None and exchange.response is not None
        [by_the_other] = by_h11(h11.SERVER, raw_request)
        check(exchange.request, by_the_other, exchange.request.method)
        [by_the_other] = by_h11(h11.CLIENT, raw_response)
        check(exchange.response, by_the_other, str(exchange.response.status))

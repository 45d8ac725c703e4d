"""Properties of HTTP/2: nothing raises, cuts change nothing, memory is bounded, and h2 agrees on its own talk."""

from __future__ import annotations

import tracemalloc
from hashlib import sha256
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
from hypothesis import given, settings
from hypothesis import strategies as st

from support.http2_made import ACK, PREFACE, SETTINGS, End, asking, continuation, data, go_away, headers_frame, reset
from support.parsing import Talk, talk
from support.recorded_talk import recorded
from syswire.convert.protocols.http2.parser import Http2
from syswire.convert.protocols.http2.streams import WAITING_BYTES

RECORDING = Path(__file__).parents[2] / "data" / "protocols" / "http2-nghttpd.pcap"
FIRST, LATER = End(), End()
FRAGMENTS = [
    PREFACE,
    SETTINGS,
    ACK,
    FIRST.headers(1, asking("/one?password=rope", "POST"), end=False),
    FIRST.headers(3, asking("/two")),
    FIRST.headers(1, [("x-end", "1")]),
    LATER.headers(1, [(":status", "200")], end=False),
    LATER.headers(3, [(":status", "302"), ("location", "/home")], padding=3),
    LATER.headers(1, [(":status", "100")], end=False),
    LATER.promise(1, 2, asking("/a")),
    headers_frame(5, b"\x82\x86"),
    continuation(5, b"\x84\x41\x01h", "END_HEADERS"),
    data(1, b"user=a&password=b", True),
    data(1, b"part"),
    data(3, b"padded", padding=9),
    reset(1, 8),
    go_away(1, 0),
    b"\x00",
    b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x10\x00",
    b"\xff\xff\xff",
]
PAYLOAD = st.lists(st.one_of(st.sampled_from(FRAGMENTS), st.binary(max_size=12)), max_size=8).map(b"".join)
CALL: st.SearchStrategy[tuple[bool, bytes | int]] = st.tuples(
    st.booleans(), st.one_of(PAYLOAD, PAYLOAD, PAYLOAD, st.sampled_from([1, 5, 30, 1000]))
)


@given(st.lists(CALL, max_size=10), st.lists(st.integers(1, 20), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_cuts_change_nothing(calls: list[tuple[bool, bytes | int]], cuts: list[int]) -> None:
    whole = talk(Http2, calls).said()
    assert talk(Http2, calls, cuts=[1], boundaries=False).said() == whole
    assert talk(Http2, calls, cuts=cuts).said() == whole


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_real_talk_that_was_damaged(draw: Any) -> None:
    talks = recorded(RECORDING, 28080)
    calls = list(draw.draw(st.sampled_from(talks)))
    for _ in range(draw.draw(st.integers(1, 4))):
        place = draw.draw(st.integers(0, len(calls) - 1))
        to_server, content = calls[place]
        if isinstance(content, int) or not content:
            continue
        at = draw.draw(st.integers(0, len(content) - 1))
        kind = draw.draw(st.sampled_from("clix"))
        if kind == "c":
            calls[place] = (to_server, content[:at] + draw.draw(st.binary(max_size=3)) + content[at + 1 :])
        elif kind == "l":
            calls[place : place + 1] = [(to_server, content[:at]), (to_server, len(content) - at)]
        elif kind == "i":
            calls.insert(place, calls[draw.draw(st.integers(0, len(calls) - 1))])
        else:
            del calls[place]
            if not calls:
                return
    whole = talk(Http2, calls).said()
    assert talk(Http2, calls, cuts=[7, 1, 30], boundaries=False).said() == whole


TEXT = st.text("abcdefgh", min_size=1, max_size=8)
EXTRA = st.lists(st.tuples(TEXT.map(lambda text: "x-" + text), TEXT), max_size=5)
BODY = st.lists(st.binary(max_size=300), max_size=3)


@given(
    st.lists(st.tuples(TEXT, EXTRA, BODY, st.sampled_from([200, 204, 404, 503]), EXTRA, BODY), min_size=1, max_size=6)
)
@settings(max_examples=100, deadline=None)
def test_talk_of_h2_is_read_as_h2_reads_it(turns: list[Any]) -> None:
    client = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True))
    server = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    calls: list[tuple[bool, bytes | int]] = []
    asked: dict[int, list[Any]] = {}
    answered: dict[int, list[Any]] = {}

    def pass_on(to_server: bool) -> None:
        sender, receiver = (client, server) if to_server else (server, client)
        sent = sender.data_to_send()
        if not sent:
            return
        calls.append((to_server, sent))
        heard = asked if to_server else answered
        for event in receiver.receive_data(sent):
            if isinstance(event, (h2.events.RequestReceived, h2.events.ResponseReceived)):
                heard[event.stream_id] = [dict(event.headers or []), b""]
            elif isinstance(event, h2.events.DataReceived):
                heard[event.stream_id][1] += event.data

    client.initiate_connection()
    server.initiate_connection()
    for number, (target, extra, body, status, more, back) in enumerate(turns):
        stream = 2 * number + 1
        client.send_headers(stream, [*asking("/" + target, "PUT"), *extra])
        for part in body:
            client.send_data(stream, part)
        client.end_stream(stream)
        pass_on(True)
        server.send_headers(stream, [(":status", str(status)), *more])
        for part in back:
            server.send_data(stream, part)
        server.end_stream(stream)
        pass_on(False)
        pass_on(True)
    found = talk(Http2, calls)
    assert not found.weirds
    assert [e.ordinal for e in found.exchanges] == [*range(1, len(turns) + 1)]
    for number, exchange in enumerate(found.exchanges):
        stream = 2 * number + 1
        request, response = exchange.request, exchange.response
        assert request is not None and response is not None
        for message, (fields, body) in ((request, asked[stream]), (response, answered[stream])):
            plain = {name.decode(): value.decode() for name, value in fields.items()}
            assert dict(message.headers) == {name: value for name, value in plain.items() if name[0] != ":"}
            assert (message.body_length, message.body_complete) == (len(body), True)
            assert message.body_sha256 == (sha256(body).hexdigest() if body else None)
        assert (request.method, request.target, request.host) == (
            asked[stream][0][b":method"].decode(),
            asked[stream][0][b":path"].decode(),
            asked[stream][0][b":authority"].decode(),
        )
        assert str(response.status).encode() == answered[stream][0][b":status"]


def held(calls: Talk) -> int:
    """The most memory in use while it is parsed, in bytes, over what was there before."""

    class Nothing:
        wants_objects = False

        def __getattr__(self, name: str) -> Any:
            return lambda *_: None

    parser = Http2(Nothing())
    offsets = {True: 0, False: 0}
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for to_server, content in calls:
            assert isinstance(content, bytes)
            parser.data(to_server, content, offsets[to_server], None, True)
            offsets[to_server] += len(content)
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def test_streams_that_never_end_are_bounded() -> None:
    client = End()
    fields = asking("/", "POST", "belfry.example", ("cookie", "c" * 3000))
    calls = [(True, PREFACE + SETTINGS)]
    calls += [(True, client.headers(number, fields, end=False)) for number in range(1, 8001, 2)]
    assert held(calls) < 4 * WAITING_BYTES


def test_forms_that_never_end_are_bounded() -> None:
    client = End()
    calls = [(True, PREFACE + SETTINGS)]
    for number in range(1, 61, 2):
        calls.append((True, client.headers(number, asking("/", "POST"), end=False)))
        calls += [(True, data(number, b"a=" + b"b" * 16_000)) for _ in range(70)]
    assert held(calls) < 4 * WAITING_BYTES


def test_noughts_and_noise_are_bounded() -> None:
    for noise in (
        bytes(50_000),
        b"\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00" * 4000,
        b"\x00\x3f\xff\x01\x04" * 9000,
    ):
        assert held([(True, b"x" * 9), (False, noise), (True, noise), (False, noise)]) < WAITING_BYTES

"""HTTP/1 conversations of which bytes, beginnings or whole messages are lost."""

from __future__ import annotations

from hashlib import sha256

import pytest

from support.http1 import Call, Found, client, read, server

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(params=["whole", "bytewise", "threes"])
def cuts(request: pytest.FixtureRequest) -> list[int] | None:
    return {"whole": None, "bytewise": [1], "threes": [3]}[request.param]


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def test_cut_head_gives_what_is_known(cuts: list[int] | None) -> None:
    found = read(
        client(b"GET /one HTTP/1.1\r\nHost: h\r\nUser-Ag", lost=300),
        server(b"HTTP/1.1 404 Not Found\r\nContent-Le", lost=700),
        client(GET),
        server(OK),
        cuts=cuts,
    )
    assert found.pairs == [("/one", 404), ("/a", 200)]
    asked, answered = found.exchanges[0].request, found.exchanges[0].response
    assert asked is not None and answered is not None
    assert asked.headers == [("Host", "h"), ("User-Ag", "")]
    assert not asked.headers_complete and not answered.headers_complete
    assert asked.body_length is None and answered.body_length is None
    assert found.names == ["gap-in-head", "gap-in-head"]


@pytest.mark.parametrize(
    ("known", "target", "version", "whole"),
    [
        (b"GET /very/lo", "/very/lo", "", False),
        (b"GET /very/long HT", "/very/long", "", True),
        (b"GET /very/long HTTP/1.1", "/very/long", "HTTP/1.1", True),
    ],
)
def test_cut_request_line(known: bytes, target: str, version: str, whole: bool, cuts: list[int] | None) -> None:
    [exchange] = read(client(known, lost=50), server(OK), cuts=cuts).exchanges
    asked = exchange.request
    assert asked is not None
    assert (asked.target, asked.version, asked.target_complete) == (target, version, whole)


def test_length_body_goes_on_across_a_loss(cuts: list[int] | None) -> None:
    answer = b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nab"
    found = read(client(GET + GET), server(answer, lost=5), server(b"hij" + OK), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/a", 200)]
    first = found.exchanges[0].response
    assert first is not None
    assert (first.body_length, first.body_complete, first.body_sha256) == (10, False, digest(b"abhij"))


def test_chunked_body_goes_on_across_a_loss_within_a_chunk(cuts: list[int] | None) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nab"
    found = read(client(GET + GET), server(answer, lost=5), server(b"hij\r\n0\r\n\r\n" + OK), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/a", 200)]
    first = found.exchanges[0].response
    assert first is not None
    assert (first.body_length, first.body_complete, first.body_sha256) == (10, False, digest(b"abhij"))


def test_chunk_framing_lost(cuts: list[int] | None) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nab"
    found = read(client(GET), server(answer, lost=9), server(b"j\r\n0\r\n\r\n"), client(GET), server(OK), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/a", 200)]
    assert found.names == ["gap-in-chunks"]
    first = found.exchanges[0].response
    assert first is not None and first.body_length is None


def test_conversation_that_begins_within_a_body(cuts: list[int] | None) -> None:
    found = read(
        client(b"end of a form"),
        server(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        client(GET),
        server(OK),
        cuts=cuts,
    )
    assert found.pairs == [(None, 404), ("/a", 200)]
    assert found.names == ["mid-stream"]


def test_response_without_request(cuts: list[int] | None) -> None:
    found = read(server(b"tail of a page"), server(OK), client(GET), server(OK), cuts=cuts)
    assert found.pairs == [(None, 200), ("/a", 200)]


def test_lost_request_keeps_its_place(cuts: list[int] | None) -> None:
    found = read(
        client(GET), server(OK), client(b"", lost=80), server(OK.replace(b"200", b"404")), client(GET), server(OK),
        cuts=cuts,
    )  # fmt: skip
    assert found.pairs == [("/a", 200), (None, 404), ("/a", 200)]


def test_lost_response_keeps_its_place(cuts: list[int] | None) -> None:
    second = GET.replace(b"/a", b"/b")
    found = read(client(GET), server(b"", lost=80), client(second), server(OK.replace(b"200", b"404")), cuts=cuts)
    assert found.pairs == [("/a", None), ("/b", 404)]


def test_answer_not_understood_is_not_given_to_the_next_request(cuts: list[int] | None) -> None:
    second = GET.replace(b"/a", b"/b")
    found = read(
        client(GET), server(OK), client(GET), server(b"garbage\r\nmore\r\n"), client(second), server(OK), cuts=cuts
    )
    assert found.pairs == [("/a", 200), ("/a", None), ("/b", 200)]
    assert found.names == ["not-a-start-line", "response-lost"]


def test_new_response_within_a_body_without_end(cuts: list[int] | None) -> None:
    second = GET.replace(b"/a", b"/b")
    endless = b"HTTP/1.1 200 OK\r\n\r\nabc"
    found = read(client(GET), server(endless), client(second), server(b"HTTP/1.x is text"), server(OK), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/b", 200)]
    first = found.exchanges[0].response
    assert first is not None
    assert (first.body_length, first.body_complete) == (3 + len("HTTP/1.x is text"), False)
    assert "response-within-body" in found.names


def test_one_sided_conversations() -> None:
    assert read(*[client(GET)] * 3).pairs == [("/a", None)] * 3
    assert read(*[server(OK)] * 3).pairs == [(None, 200)] * 3


def test_waiting_requests_are_bounded() -> None:
    asked = 32_768 + 2000
    found = read(*[client(GET)] * asked, *[server(OK)] * asked)
    assert found.pairs[:2000] == [("/a", None)] * 2000
    # What answers those that were handed out comes first, each alone; then those that still waited.
    assert found.pairs[2000:] == [(None, 200)] * 2000 + [("/a", 200)] * 32_768
    assert found.names.count("too-many-waiting") == 2000


def test_absolute_target_gives_the_host() -> None:
    def host(request: bytes) -> str | None:
        [exchange] = read(client(request)).exchanges
        assert exchange.request is not None
        return exchange.request.host

    assert host(b"GET http://u:p@h.example:81/x HTTP/1.1\r\n\r\n") == "h.example:81"
    assert host(b"GET http://h/x HTTP/1.1\r\nHost: other\r\n\r\n") == "other"
    assert host(b"GET /x HTTP/1.0\r\n\r\n") is None


def test_place_is_that_of_the_first_byte(cuts: list[int] | None) -> None:
    found: Found = read(client(b"GET /a HT"), client(b"TP/1.1\r\n\r\n"), server(OK), Call(True, GET), cuts=cuts)
    spans = [e.request.span for e in found.exchanges if e.request]
    assert [(s.place, s.offset) for s in spans] == [("call 0", 0), ("call 3", 19)]


def test_response_behind_a_cut_one_while_the_request_is_still_passing(cuts: list[int] | None) -> None:
    found = read(
        client(b"GET /a HTTP/1.1\r\n"),
        server(b"HTTP/1.1 200 OK\r\n", lost=1),
        server(b"HTTP/1.1 404 Not Found\r\n\r\n"),
        cuts=cuts,
    )
    assert found.pairs == [("/a", 200), (None, 404)]


@pytest.mark.parametrize("odd", ["\x0b", "\x0c", "\x1c", "\x1f", "\x85", "\xa0"])
@pytest.mark.parametrize("value", ["{}", ", {}, chunked", "{};q=1"])
def test_codings_of_what_only_python_takes_for_blanks(value: str, odd: str) -> None:
    """str.split() divides at these, HTTP does not (RFC 9110, 5.6.3): they are a coding's name, and a strange one."""
    head = f"POST / HTTP/1.1\r\nTransfer-Encoding: {value.format(odd)}\r\n\r\n".encode("latin-1")
    [exchange] = read(client(head)).exchanges
    assert exchange.request is not None and exchange.request.headers[0][0] == "Transfer-Encoding"

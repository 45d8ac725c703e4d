"""What is against the letter of RFC 9112: read nevertheless, named, and its place told; worked out by hand."""

from __future__ import annotations

import pytest

from support.http1 import Call, Found, client, read, server

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(params=["whole", "bytewise", "threes"])
def cuts(request: pytest.FixtureRequest) -> list[int] | None:
    return {"whole": None, "bytewise": [1], "threes": [3]}[request.param]


def places(found: Found, data: bytes) -> list[tuple[str, bytes]]:
    """Each weird, with the bytes of the stream that it points to."""
    return [(name, data[span.offset : span.offset + span.length]) for name, span in found.weirds]


@pytest.mark.parametrize(
    ("request_", "wanted"),
    [
        (b"GET /a HTTP/1.1\r\nHost: h\nX: y\r\n\r\n", [("bare-lf", b"Host: h\n")]),
        (b"GET /a HTTP/1.1\r\nX: y\r\n\tz\r\n\r\n", [("folded-header", b"\tz\r\n")]),
        (b"GET /a HTTP/1.1\r\n X: y\r\nHost: h\r\n\r\n", [("blank-before-first-header", b" X: y\r\n")]),
        (b"GET /a HTTP/1.1\r\nX: a\rb\r\n\r\n", [("bare-cr", b"X: a\rb\r\n")]),
        (b"GET /a HTTP/1.1\r\nX: a\r\r\n\r\n", [("bare-cr", b"X: a\r\r\n")]),
        (b"GET /a HTTP/1.1\r\nX: y\r\nA: \x1b\r\n\r\n", [("control-byte-in-head", b"A: \x1b\r\n")]),
        (b"GET /a HTTP/1.1\r\nX(1): y\r\n\r\n", [("odd-header-name", b"X(1): y\r\n")]),
        (b"\r\n\nGET /a HTTP/1.1\r\n\r\n", [("blank-lines-before-message", b"\r\n\n")]),
        (b"GET\t/a\tHTTP/1.1\r\n\r\n", [("odd-start-line", b"GET\t/a\tHTTP/1.1\r")]),
        (b"GET  /a  HTTP/1.1\r\n\r\n", [("odd-start-line", b"GET  /a  HTTP/1.1\r")]),
        (b"GET /a http/1.1\r\n\r\n", [("odd-start-line", b"GET /a http/1.1\r")]),
        (b"GET /a HTTP/3.7\r\n\r\n", [("odd-start-line", b"GET /a HTTP/3.7\r")]),
        (b"GET /a\x01\xff HTTP/1.1\r\n\r\n", [
            ("odd-target", b"GET /a\x01\xff HTTP/1.1\r"), ("control-byte-in-head", b"GET /a\x01\xff HTTP/1.1\r\n"),
        ]),
        (b"GET /a b HTTP/1.1\r\n\r\n", [("odd-target", b"GET /a b HTTP/1.1\r")]),
        (b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", [
            ("transfer-encoding-in-1.0", b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"),
        ]),
    ],
)  # fmt: skip
def test_requests_at_the_beginning(request_: bytes, wanted: list[tuple[str, bytes]], cuts: list[int] | None) -> None:
    found = read(client(request_), server(OK), cuts=cuts)
    assert places(found, request_) == wanted
    [exchange] = found.exchanges
    assert exchange.request is not None and exchange.response is not None
    assert exchange.request.method in ("GET", "POST") and exchange.request.target.startswith("/a")
    assert exchange.request.headers_complete
    assert exchange.request.more == {
        "oddities": [{"name": name, "stream_offset": span.offset, "length": span.length} for name, span in found.weirds]
    }
    assert exchange.response.more is None


@pytest.mark.parametrize(
    ("answer", "wanted"),
    [
        (b"HTTP/1.1\t200\tOK\r\nContent-Length: 0\r\n\r\n", "odd-start-line"),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "odd-start-line"),
        (b"ICY 200 OK\r\nContent-Length: 0\r\n\r\n", "odd-start-line"),
        (b"HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", "odd-start-line"),
        (b"HTTP/1.1 204 No\r\nContent-Length: 0\r\n\r\n", "length-without-body"),
        (b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "blank-lines-before-message"),
    ],
)
def test_answers(answer: bytes, wanted: str, cuts: list[int] | None) -> None:
    found = read(client(GET), server(answer), client(GET), server(OK), cuts=cuts)
    assert found.names == [wanted]
    first, second = found.exchanges
    assert first.response is not None and second.response is not None
    assert first.response.status == int(answer.split()[1]) and first.response.more is not None
    assert first.response.body_length == 0
    assert second.response.status == 200 and second.response.more is None


def test_where_a_line_is_odd_is_told_by_the_call_that_holds_it(cuts: list[int] | None) -> None:
    found = read(client(b"GET /a HTTP/1.1\r\nA: b\r\n"), client(b"X y: z\r\n\r\n"), server(OK), cuts=cuts)
    [(name, span)] = found.weirds
    assert (name, span.place, span.offset, span.length) == ("odd-header-name", "call 1", 23, 8)


def test_a_request_without_target(cuts: list[int] | None) -> None:
    [exchange] = read(client(b"GET HTTP/1.1\r\nHost: h\r\n\r\n"), server(OK), cuts=cuts).exchanges
    assert exchange.request is not None
    assert (exchange.request.method, exchange.request.target, exchange.request.version) == ("GET", "", "HTTP/1.1")


# HTTP/0.9: no version, no head in the answer


@pytest.mark.parametrize("more", [b"", b"\r\n", b" \n \n"])
def test_simple_request(more: bytes, cuts: list[int] | None) -> None:
    found = read(client(b"GET /old\r\n" + more), server(b"<html>hello</html>"), cuts=cuts)
    [exchange] = found.exchanges
    asked = exchange.request
    assert asked is not None and exchange.response is None
    assert (asked.target, asked.version, asked.headers_complete, asked.body_length) == ("/old", "", True, 0)
    assert found.names[0] == "odd-start-line" and found.names[-1] == "answer-without-head"


def test_simple_request_with_a_modern_answer(cuts: list[int] | None) -> None:
    found = read(client(b"GET /old\r\n"), server(OK), cuts=cuts)
    assert found.pairs == [("/old", 200)]
    assert read(client(b"GET /old\r\n"), cuts=cuts).pairs == [("/old", None)]


def test_a_request_without_version_but_with_headers(cuts: list[int] | None) -> None:
    found = read(client(b"GET /old\r\nHost: h\r\n\r\n"), server(OK), cuts=cuts)
    assert found.pairs == [("/old", 200)]
    assert found.exchanges[0].request is not None and found.exchanges[0].request.headers == [("Host", "h")]


@pytest.mark.parametrize("line", [b"GET old\r\n", b"get /old\r\n", b"GET\r\n", b"GET /a b\r\n"])
def test_what_is_no_simple_request(line: bytes) -> None:
    assert read(client(line), server(b"ERR\r\n")).exchanges == []


# Answers that come before anybody asked


EARLY = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


def test_an_answer_before_the_only_request(cuts: list[int] | None) -> None:
    assert read(server(EARLY), client(GET), cuts=cuts).pairs == [("/a", 408)]
    assert read(server(EARLY), cuts=cuts).pairs == [(None, 408)]


def test_an_answer_before_a_request_that_is_answered_is_nobodys(cuts: list[int] | None) -> None:
    assert read(server(EARLY), client(GET), server(OK), cuts=cuts).pairs == [(None, 408), ("/a", 200)]


def test_an_answer_that_may_belong_to_an_earlier_request(cuts: list[int] | None) -> None:
    """The capture may have begun between that request and this answer, which does not end the connection."""
    assert read(server(OK), client(GET), cuts=cuts).pairs == [(None, 200), ("/a", None)]
    assert read(server(EARLY), client(GET), cuts=cuts, ended=False).pairs == [(None, 408), ("/a", None)]


def test_a_conversation_that_is_known_from_its_opening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Found, "from_the_start", True, raising=False)
    assert read(server(OK), client(GET)).pairs == [("/a", 200)]
    assert read(server(OK), client(GET), server(EARLY)).pairs == [(None, 200), ("/a", 408)]


def test_a_timeout_that_crosses_the_next_request(cuts: list[int] | None) -> None:
    second = GET.replace(b"/a", b"/b")
    found = read(client(GET), server(OK), server(EARLY), client(second), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/b", 408)]
    assert [e.ordinal for e in found.exchanges] == [1, 2]


def test_a_loss_says_that_somebody_may_have_asked(cuts: list[int] | None) -> None:
    found = read(client(GET), server(OK), server(EARLY), Call(True, b"", 50), client(GET), cuts=cuts)
    assert found.pairs[1] == (None, 408)


# CONNECT and Upgrade

CONNECT = b"CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n"
GRANTED = b"HTTP/1.1 200 OK\r\n\r\n"
HELLO = b"\x16\x03\x01\x00\x05hello"


def test_a_tunnel_whose_client_does_not_wait(cuts: list[int] | None) -> None:
    found = read(client(CONNECT + HELLO), client(b"more"), server(GRANTED + b"\x16\x03\x03"), cuts=cuts)
    assert found.pairs == [("h:443", 200)] and not found.weirds
    [inner] = found.switched
    assert (inner.name, inner.client, inner.server, inner.closed) == (None, HELLO + b"more", b"\x16\x03\x03", True)


def test_requests_behind_a_refused_connect(cuts: list[int] | None) -> None:
    refused = b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"
    found = read(client(CONNECT + CONNECT + GET), server(refused + refused + OK), cuts=cuts)
    assert found.pairs == [("h:443", 407), ("h:443", 407), ("/a", 200)]
    assert not found.switched and not found.weirds


def test_a_tunnel_of_which_only_the_client_is_seen(cuts: list[int] | None) -> None:
    found = read(client(CONNECT), client(HELLO), cuts=cuts)
    assert found.pairs == [("h:443", None)]
    assert [inner.client for inner in found.switched] == [HELLO]
    found = read(client(CONNECT), client(GET), cuts=cuts)
    assert found.pairs == [("h:443", None), ("/a", None)] and not found.switched


def test_an_answer_to_connect_that_is_none(cuts: list[int] | None) -> None:
    """The tunnel is taken for granted by what the client sends; of the server what a call begins with is read on."""
    answer = b"HTTP/1.1 200%OK\r\n\r\nabc"
    found = read(client(CONNECT + HELLO), server(answer), server(b"\x16\x03"), cuts=cuts)
    assert [(inner.client, inner.server) for inner in found.switched] == [(HELLO, b"\x16\x03")]


def test_what_waits_is_bounded(cuts: list[int] | None) -> None:
    sent = b"\x17\x03\x03" * 50_000
    found = read(client(CONNECT), client(sent), server(GRANTED), cuts=None if cuts is None else [999])
    assert [(inner.client == sent, inner.server) for inner in found.switched] == [(True, GRANTED)]
    asked = GET * 4_000
    found = read(client(CONNECT), client(asked), server(GRANTED), cuts=None if cuts is None else [999])
    assert len(found.exchanges) == 4_001


@pytest.mark.parametrize(
    ("upgrade", "name"),
    [
        (b"Upgrade: websocket\r\n", "websocket"),
        (b"Upgrade: WebSocket/13\r\n", "websocket"),
        (b"Upgrade: h2c\r\n", "http2"),
        (b"Upgrade: TLS/1.0, HTTP/1.1\r\n", "tls"),
        (b"", None),
    ],
)
def test_upgrades(upgrade: bytes, name: str | None, cuts: list[int] | None) -> None:
    asked = b"GET /ws HTTP/1.1\r\n" + upgrade + b"\r\n"
    answer = b"HTTP/1.1 101 Switching Protocols\r\n" + upgrade + b"\r\n"
    found = read(client(asked + b"\x81\x00"), server(answer + b"\x82\x00"), client(b"\x88\x00"), cuts=cuts)
    assert found.pairs[0] == ("/ws", 101)
    [inner] = found.switched
    assert (inner.name, inner.server) == (name, b"\x82\x00")
    assert inner.client.endswith(b"\x88\x00")
    if upgrade:
        assert inner.client == b"\x81\x00\x88\x00"


def test_an_upgrade_that_nobody_here_reads(cuts: list[int] | None) -> None:
    asked = b"POST /attach HTTP/1.1\r\nUpgrade: tcp\r\n\r\n"
    found = read(client(asked), server(b"HTTP/1.1 101 UP\r\nUpgrade: tcp\r\n\r\nHTTP/1.1 "), client(GET), cuts=cuts)
    assert found.pairs == [("/attach", 101)] and not found.switched and not found.weirds


def test_an_upgrade_that_is_not_taken(cuts: list[int] | None) -> None:
    asked = b"GET /a HTTP/1.1\r\nUpgrade: h2c\r\n\r\n"
    found = read(client(asked + GET), server(OK), server(OK), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/a", 200)] and not found.switched

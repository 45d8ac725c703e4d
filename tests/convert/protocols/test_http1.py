"""HTTP/1 conversations as they should be read; values worked out by hand from RFC 9112."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from support.http1 import client, read, server

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


@pytest.fixture(params=["whole", "bytewise", "threes"])
def cuts(request: pytest.FixtureRequest) -> list[int] | None:
    return {"whole": None, "bytewise": [1], "threes": [3]}[request.param]


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def test_one_exchange_in_every_detail(cuts: list[int] | None) -> None:
    request = b"POST /p?q=1 HTTP/1.1\r\nHost: example.org:8080\r\nX-A:  b c \t\r\nContent-Length: 3\r\n\r\nabc"
    found = read(client(request), server(OK), cuts=cuts)
    assert not found.weirds and not found.sightings
    [exchange] = found.exchanges
    asked, answered = exchange.request, exchange.response
    assert asked is not None and answered is not None
    assert (exchange.ordinal, asked.method, asked.target, asked.version) == (1, "POST", "/p?q=1", "HTTP/1.1")
    assert asked.host == "example.org:8080"
    assert asked.headers == [("Host", "example.org:8080"), ("X-A", "b c"), ("Content-Length", "3")]
    assert (asked.headers_complete, asked.headers_total, asked.target_complete, asked.ascii) == (True, 3, True, True)
    assert (asked.body_length, asked.body_complete, asked.body_sha256) == (3, True, digest(b"abc"))
    assert (asked.span.place, asked.span.offset, asked.span.length) == ("call 0", 0, len(request))
    assert (answered.status, answered.reason, answered.version) == (200, "OK", "HTTP/1.1")
    assert (answered.body_length, answered.body_complete, answered.body_sha256) == (2, True, digest(b"hi"))
    assert (answered.span.place, answered.span.offset, answered.span.length) == ("call 1", 0, len(OK))


def test_no_body_is_a_body_of_length_zero() -> None:
    [exchange] = read(client(GET), server(b"HTTP/1.1 204 No Content\r\n\r\n")).exchanges
    for message in (exchange.request, exchange.response):
        assert message is not None
        assert (message.body_length, message.body_complete, message.body_sha256) == (0, True, None)


def test_keep_alive_and_pipelining_pair_in_order(cuts: list[int] | None) -> None:
    def get(name: bytes) -> bytes:
        return GET.replace(b"/a", name)

    def status(code: bytes) -> bytes:
        return OK.replace(b"200 OK", code)

    found = read(
        client(get(b"/1")),
        server(status(b"201 A")),
        client(get(b"/2") + get(b"/3")),
        server(status(b"202 B") + status(b"203 C")),
        client(get(b"/4")),
        cuts=cuts,
    )
    assert found.pairs == [("/1", 201), ("/2", 202), ("/3", 203), ("/4", None)]
    assert [e.ordinal for e in found.exchanges] == [1, 2, 3, 4]
    assert not found.weirds


def test_chunked_with_extensions_and_trailers(cuts: list[int] | None) -> None:
    answer = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: identity, Chunked\r\n\r\n"
        b'5;name="v"\r\nhello\r\n00A \r\n0123456789\r\n0\r\nX-Sum: 1\r\nX-More: 2\r\n\r\n'
    )
    found = read(client(GET + GET), server(answer + OK), cuts=cuts)
    assert not found.weirds
    first = found.exchanges[0].response
    assert first is not None
    assert (first.body_length, first.body_complete, first.body_sha256) == (15, True, digest(b"hello0123456789"))
    assert first.trailers == [("X-Sum", "1"), ("X-More", "2")]
    assert first.span.length == len(answer)


def test_interim_responses_are_no_response(cuts: list[int] | None) -> None:
    request = b"POST /a HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    found = read(
        client(request),
        server(b"HTTP/1.1 100 Continue\r\n\r\n"),
        client(b"body"),
        server(b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n" + OK),
        cuts=cuts,
    )
    assert found.pairs == [("/a", 200)]
    assert not found.weirds


@pytest.mark.parametrize("line", [b"204 No Content", b"304 Not Modified"])
def test_statuses_without_body(line: bytes, cuts: list[int] | None) -> None:
    bare = b"HTTP/1.1 " + line + b"\r\nContent-Length: 500\r\n\r\n"
    found = read(client(GET + GET), server(bare + OK), cuts=cuts)
    assert found.pairs == [("/a", int(line[:3])), ("/a", 200)]


def test_head_has_no_body_whatever_the_length_says(cuts: list[int] | None) -> None:
    head = GET.replace(b"GET", b"HEAD")
    found = read(client(head + GET), server(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + OK), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/a", 200)]
    first = found.exchanges[0].response
    assert first is not None and first.body_length == 0


def test_connect_becomes_opaque_once_accepted(cuts: list[int] | None) -> None:
    connect = b"CONNECT h:443 HTTP/1.1\r\n\r\n"
    refused = b"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"
    accepted = b"HTTP/1.1 200 Connection established\r\n\r\n"
    found = read(
        client(connect),
        server(refused),
        client(connect),
        server(accepted),
        client(b"\x16\x03\x01" + GET),
        client(GET),
        server(b"\x16\x03\x01HTTP/1.1 200 OK\r\n\r\n"),
        server(OK),
        cuts=cuts,
    )
    assert found.pairs == [("h:443", 407), ("h:443", 200)]
    asked = found.exchanges[0].request
    assert asked is not None and asked.host == "h:443"
    assert not found.weirds


def test_a_tunnel_is_handed_to_another_parser(cuts: list[int] | None) -> None:
    connect = client(b"CONNECT h:80 HTTP/1.1\r\n\r\n"), server(b"HTTP/1.1 200 Established\r\n\r\n")
    found = read(*connect, client(GET), server(OK), client(b"", lost=9), client(GET), server(OK), cuts=cuts)
    assert found.pairs == [("h:80", 200)]
    [inner] = found.switched
    assert (inner.name, inner.client, inner.server, inner.gaps, inner.closed) == (
        None, GET + GET, OK + OK, [(True, 9)], True
    )  # fmt: skip
    assert not found.weirds


def test_switching_protocols_becomes_opaque(cuts: list[int] | None) -> None:
    found = read(
        client(b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\n\r\n"),
        server(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\x81\x05GET /"),
        client(GET),
        server(OK),
        cuts=cuts,
    )
    assert found.pairs == [("/ws", 101)]


def test_body_until_close(cuts: list[int] | None) -> None:
    calls = (client(GET), server(b"HTTP/1.0 200 OK\r\n\r\nsome "), server(b"more"))
    closed, open_still = read(*calls, cuts=cuts), read(*calls, cuts=cuts, ended=False)
    for found, complete in ((closed, True), (open_still, False)):
        answer = found.exchanges[0].response
        assert answer is not None
        assert (answer.body_length, answer.body_complete) == (9, complete)
        assert answer.body_sha256 == digest(b"some more")


def test_status_of_a_body_that_never_ends(cuts: list[int] | None) -> None:
    found = read(client(GET), server(b"HTTP/1.1 500 Oops\r\nContent-Length: 100\r\n\r\nabc"), cuts=cuts)
    answer = found.exchanges[0].response
    assert answer is not None
    assert (answer.status, answer.body_length, answer.body_complete) == (500, 3, False)


def test_early_answer_belongs_to_the_request_that_is_still_passing(cuts: list[int] | None) -> None:
    head = b"POST /up HTTP/1.1\r\nContent-Length: 6\r\n\r\n"
    found = read(
        client(head + b"abc"), server(OK.replace(b"200 OK", b"413 No")), client(b"def" + GET), server(OK), cuts=cuts
    )
    assert found.pairs == [("/up", 413), ("/a", 200)]
    assert found.exchanges[0].request is not None and found.exchanges[0].request.body_complete


# Against the protocol: recorded, never refused


@pytest.mark.parametrize(
    ("request_", "weird"),
    [
        (b"GET /a HTTP/1.1\nHost: h\n\n", ["bare-lf"]),
        (b"\r\n\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\n", ["blank-lines-before-message"]),
        (b"brew /a HTTP/1.1\r\nHost: h\r\n\r\n", []),
        (b"GET /a HTTP/1.1\r\nHost : h\r\n\r\n", ["space-before-colon"]),
        (b"GET /a HTTP/1.1\r\nHost: h\r\nno colon\r\n\r\n", ["header-without-colon"]),
        (b"GET /a HTTP/1.1\r\nHost: h\r\n: v\r\n\r\n", ["header-without-name"]),
        (b"GET /a HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n", ["control-byte-in-head"]),
        (b"GET /a HTTP/1.1\r\nHost: h\r\nX: a\r\n  b\r\n", ["folded-header"]),
    ],
)
def test_odd_requests(request_: bytes, weird: list[str], cuts: list[int] | None) -> None:
    request_ += b"" if request_.endswith((b"\n\n", b"\r\n\r\n")) else b"\r\n"
    found = read(client(request_), server(OK), cuts=cuts)
    assert found.pairs == [("/a", 200)]
    assert found.names == weird
    asked = found.exchanges[0].request
    assert asked is not None and asked.host == "h"
    if "folded-header" in weird:
        assert asked.headers[-1] == ("X", "a b")


def test_odd_start_lines_where_one_must_stand(cuts: list[int] | None) -> None:
    odd = b"G\x80T /a b HTTP/1.1\r\n\r\n"
    found = read(client(GET), server(OK), client(odd), server(OK.replace(b"HTTP/1.1", b"http/1.1")), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/a b", 200)]
    assert found.names == ["odd-start-line", "odd-start-line"]
    asked = found.exchanges[1].request
    assert asked is not None and asked.method == "G\x80T" and not asked.ascii


@pytest.mark.parametrize(
    ("headers", "length", "weird"),
    [
        (b"Content-Length: 9\r\nTransfer-Encoding: chunked\r\n", None, "both-lengths"),
        (b"Content-Length: 4\r\nContent-Length: 4\r\n", 4, "repeated-content-length"),
        (b"Content-Length: 4, 7\r\n", 4, "conflicting-content-length"),
        (b"Content-Length: +4\r\n", 0, "bad-content-length"),
        (b"Content-Length: 99999999999999999999\r\n", 0, "bad-content-length"),
        (b"Transfer-Encoding: bzip7\r\nContent-Length: 4\r\n", 4, "both-lengths"),
        (b"Transfer-Encoding: identity\r\nContent-Length: 4\r\n", 4, None),
        (b"Content-Length: 0000000000000000000000000000000004\r\n", 4, None),
    ],
)
def test_lengths_that_disagree(headers: bytes, length: int | None, weird: str | None, cuts: list[int] | None) -> None:
    body = b"2\r\nab\r\n0\r\n\r\n" if length is None else b"abcd"[:length]
    found = read(client(b"POST /x HTTP/1.1\r\n" + headers + b"\r\n" + body + GET), server(OK + OK), cuts=cuts)
    assert found.pairs == [("/x", 200), ("/a", 200)]
    asked = found.exchanges[0].request
    assert asked is not None and asked.body_length == (2 if length is None else length)
    assert found.names[:1] == ([weird] if weird else [])


@pytest.mark.parametrize("size", [b"g\r\n", b"\r\n", b" \r\n", b"-1\r\n", b"fffffffffffffffff\r\n", b"5" + b";" * 5000])
def test_bad_chunk_size_ends_what_is_known(size: bytes, cuts: list[int] | None) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" + size
    found = read(client(GET), server(answer), client(GET), server(OK), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/a", 200)]
    assert found.names[-1] == "bad-chunk"
    first = found.exchanges[0].response
    assert first is not None
    assert (first.body_length, first.body_complete, first.body_sha256) == (None, False, digest(b"abc"))


@pytest.mark.parametrize(
    ("headers", "size", "weird"),
    [
        (b"Transfer-Encoding: chunked x\r\n", b"3", "odd-transfer-encoding"),
        (b"Transfer-Encoding: identity;q=1, ;, chunked\r\n", b" \t3", "blank-before-chunk-size"),
    ],
)
def test_odd_chunks(headers: bytes, size: bytes, weird: str, cuts: list[int] | None) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + headers + b"\r\n" + size + b"\r\nabc\r\n0\r\n\r\n"
    found = read(client(GET + GET), server(answer + OK), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/a", 200)]
    assert found.names == [weird]


@pytest.mark.parametrize("line", [b"HTTP/0.9 200 ok", b"http/1.1 200 ok", b"HTTP/1.1 200 \rX: y", b"HTTP/1.1  200"])
def test_odd_first_answer(line: bytes, cuts: list[int] | None) -> None:
    found = read(client(GET), server(line + b"\r\nContent-Length: 0\r\n\r\n"), cuts=cuts)
    assert found.pairs == [("/a", 200)]


def test_bare_lf_in_chunks(cuts: list[int] | None) -> None:
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n"
    found = read(client(GET + GET), server(answer + OK), cuts=cuts)
    assert found.pairs == [("/a", 200), ("/a", 200)]
    assert found.names == ["bare-lf-in-chunks"]


def test_too_long_a_head_is_cut(cuts: list[int] | None) -> None:
    long = b"GET /long HTTP/1.1\r\nHost: h\r\nX: " + b"a" * 70000 + b"\r\n\r\n"
    found = read(client(long), server(OK), client(GET), server(OK), cuts=None if cuts is None else [997])
    assert found.pairs == [("/long", 200), ("/a", 200)]
    assert found.names == ["head-too-long"]
    asked = found.exchanges[0].request
    assert asked is not None and not asked.headers_complete and asked.body_length is None


def test_too_many_headers_are_counted() -> None:
    [exchange] = read(client(b"GET /a HTTP/1.1\r\n" + b"a:b\r\n" * 1500 + b"Host: late\r\n\r\n")).exchanges
    asked = exchange.request
    assert asked is not None
    assert (len(asked.headers), asked.headers_total, asked.host) == (1000, 1501, "late")


def test_every_weird_is_documented(root: Path) -> None:
    sources = [*(root / "convert" / "protocols" / "http1").glob("*.pyx")]
    said = set()
    for source in sources:
        said |= set(
            re.findall(
                r"(?:weird|note|note_at|_cut_head|_end_in_trailers)\(\s*(?:[^\"\n]*, )?\"([a-z0-9.-]+)\"",
                source.read_text(),
            )
        )
        said |= set(re.findall(r"\((?:[A-Z_]+, )?\"([a-z]+(?:-[a-z0-9.]+)+)\"\)", source.read_text()))
    said.remove("latin-1")  # an encoding
    section = (root / "docs" / "protocols.md").read_text().partition("### Weirds")[2].partition("###")[0]
    documented = set(re.findall(r"`([a-z0-9.-]+)`", section)) - {"chunked"}
    assert said == documented

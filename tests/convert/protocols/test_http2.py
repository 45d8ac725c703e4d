"""HTTP/2: exchanges, their bodies, ends and places; what was missed, and what is against the rules."""

from __future__ import annotations

from hashlib import sha256

from support.http2_made import (
    ACK,
    PREFACE,
    SETTINGS,
    End,
    asking,
    continuation,
    data,
    go_away,
    headers_frame,
    reset,
)
from support.parsing import Found, talk
from syswire.convert.model.exchange import HttpExchange, HttpRequest, HttpResponse
from syswire.convert.model.span import Span
from syswire.convert.protocols.http2.parser import LARGEST_BLOCK, Http2

OK = [(":status", "200"), ("content-type", "text/plain")]
HELLO = (True, PREFACE + SETTINGS)
WELCOME = (False, SETTINGS + ACK)


def parse(*calls: tuple[bool, bytes | int]) -> Found:
    """What comes out, whole and byte by byte."""
    found = talk(Http2, calls)
    assert talk(Http2, calls, cuts=[1], boundaries=False).said() == found.said()
    return found


def only(found: Found) -> HttpExchange:
    (exchange,) = found.exchanges
    return exchange


def asked(exchange: HttpExchange) -> HttpRequest:
    assert exchange.request is not None
    return exchange.request


def answered(exchange: HttpExchange) -> HttpResponse:
    assert exchange.response is not None
    return exchange.response


def names(found: Found) -> list[str]:
    return [name for name, _ in found.weirds]


def pairs(found: Found) -> list[tuple[str | None, int | None]]:
    return [
        (e.request.target if e.request else None, e.response.status if e.response else None) for e in found.exchanges
    ]


def test_a_request_and_its_response() -> None:
    client, server = End(), End()
    question = client.headers(1, asking("/toll?hour=12", "POST", "belfry.example", ("x-rope", "hemp")), end=False)
    question_body = data(1, b"dong", end=True)
    answer = server.headers(1, OK, end=False)
    answer_body = data(1, b"ding ") + data(1, b"dong", end=True)
    found = parse(HELLO, (True, question), (True, question_body), WELCOME, (False, answer), (False, answer_body))
    exchange = only(found)
    begin = len(PREFACE + SETTINGS)
    assert asked(exchange) == HttpRequest(
        span=Span("call 1", begin, len(question + question_body)),
        method="POST",
        target="/toll?hour=12",
        host="belfry.example",
        version="HTTP/2",
        headers=[("x-rope", "hemp")],
        headers_complete=True,
        headers_total=1,
        target_complete=True,
        ascii=True,
        body_length=4,
        body_complete=True,
        body_sha256=sha256(b"dong").hexdigest(),
        more={"http2_stream": 1, "http2_scheme": "http"},
    )
    assert answered(exchange) == HttpResponse(
        span=Span("call 4", len(SETTINGS + ACK), len(answer + answer_body)),
        status=200,
        reason="",
        version="HTTP/2",
        headers=[("content-type", "text/plain")],
        headers_complete=True,
        headers_total=1,
        ascii=True,
        body_length=9,
        body_complete=True,
        body_sha256=sha256(b"ding dong").hexdigest(),
        more={"http2_stream": 1},
    )
    assert not found.weirds


def test_exchanges_come_in_the_order_in_which_streams_were_opened() -> None:
    client, server = End(), End()
    questions = b"".join(client.headers(n, asking(f"/{n}")) for n in (1, 3, 5))
    answers = b"".join(server.headers(n, OK) for n in (5, 1, 3))
    found = parse(HELLO, (True, questions), WELCOME, (False, answers))
    assert pairs(found) == [("/1", 200), ("/3", 200), ("/5", 200)]


def test_a_call_that_lasts_does_not_hold_back_more_than_256() -> None:
    client, server = End(), End()
    calls: list[tuple[bool, bytes | int]] = [HELLO, (True, client.headers(1, asking("/lasting")))]
    for number in range(3, 603, 2):  # 300 more
        calls += [(True, client.headers(number, asking("/short"))), (False, server.headers(number, OK))]
    found = talk(Http2, calls)
    assert [target for target, _ in pairs(found)].index("/lasting") == 257
    assert len(found.exchanges) == 301 and not found.weirds


def test_padding_priority_and_continuation_change_nothing() -> None:
    client, server = End(), End()
    fields = asking("/padded", "GET", "belfry.example", ("x-long", "b" * 200))
    question = client.headers(1, fields, padding=7, pieces=4)
    assert question.count(b"\x09") >= 3
    answer = server.headers(1, OK, end=False, padding=3) + data(1, b"", padding=1) + data(1, b"bim", True, padding=255)
    found = parse(HELLO, (True, question), WELCOME, (False, answer))
    exchange = only(found)
    assert asked(exchange).headers == [("x-long", "b" * 200)]
    assert asked(exchange).span.length == len(question)
    assert (answered(exchange).body_length, answered(exchange).body_complete) == (3, True)
    assert answered(exchange).body_sha256 == sha256(b"bim").hexdigest()
    assert not found.weirds
    # A priority stands before the block, five bytes (RFC 9113, 6.2).
    weighed = bytes.fromhex("8000000310") + End().block(asking("/weighed"))
    frame = len(weighed).to_bytes(3, "big") + bytes.fromhex("01 25 00000001") + weighed
    assert pairs(parse(HELLO, (True, frame), WELCOME)) == [("/weighed", None)]


def test_interim_responses_and_trailers() -> None:
    client, server = End(), End()
    question = client.headers(1, asking("/", "PUT"), end=False) + data(1, b"x") + client.headers(1, [("x-sum", "7")])
    answer = (
        server.headers(1, [(":status", "100")], end=False)
        + server.headers(1, [(":status", "103"), ("link", "</a.css>")], end=False)
        + server.headers(1, OK, end=False)
        + data(1, b"y")
        + server.headers(1, [("x-end", "of the peal")])
    )
    exchange = only(parse(HELLO, (True, question), WELCOME, (False, answer)))
    assert asked(exchange).trailers == [("x-sum", "7")] and asked(exchange).body_complete
    assert answered(exchange).trailers == [("x-end", "of the peal")] and answered(exchange).body_complete
    assert answered(exchange).status == 200
    assert answered(exchange).more == {"http2_stream": 1, "http2_interim": [100, 103]}


def test_connect_and_extended_connect() -> None:
    client, server = End(), End()
    tunnel = client.headers(1, [(":method", "CONNECT"), (":authority", "bell.example:25")], end=False)
    socket = client.headers(3, [*asking("/chat", "CONNECT"), (":protocol", "websocket")], end=False)
    found = parse(HELLO, (True, tunnel + socket), (False, SETTINGS + server.headers(1, OK) + server.headers(3, OK)))
    first, second = found.exchanges
    assert (asked(first).target, asked(first).host) == ("bell.example:25", "bell.example:25")
    assert asked(first).target_complete
    assert (asked(second).target, asked(second).host) == ("/chat", "belfry.example")
    assert asked(second).more == {"http2_stream": 3, "http2_scheme": "http", "http2_protocol": "websocket"}


def test_a_push_is_a_response_that_nobody_asked_for() -> None:
    client, server = End(), End()
    answer = (
        server.promise(1, 2, asking("/a.css"))
        + server.headers(1, OK)
        + server.headers(2, [(":status", "200")], end=False)
        + data(2, b"css", end=True)
    )
    found = parse(HELLO, (True, client.headers(1, asking("/"))), (False, SETTINGS + answer))
    assert pairs(found) == [("/", 200), (None, 200)]
    assert answered(found.exchanges[1]).more == {
        "http2_stream": 2,
        "http2_push": {"http2_stream": 1, "method": "GET", "host": "belfry.example", "target": "/a.css"},
    }
    assert answered(found.exchanges[1]).body_length == 3


def test_a_stream_that_is_reset() -> None:
    client, server = End(), End()
    question = client.headers(1, asking("/large")) + client.headers(3, asking("/refused", "PUT"), end=False)
    answer = server.headers(1, OK, end=False) + data(1, b"so far")
    found = parse(HELLO, (True, question), (False, SETTINGS + answer), (True, reset(1, 8)), (False, reset(3, 7)))
    assert pairs(found) == [("/large", 200), ("/refused", None)]
    cut, refused = found.exchanges
    assert answered(cut).more == {"http2_stream": 1, "http2_reset": "CANCEL", "http2_reset_by": "client"}
    assert (answered(cut).body_length, answered(cut).body_complete) == (6, False)
    assert asked(cut).body_complete
    assert asked(refused).more == {
        "http2_stream": 3,
        "http2_scheme": "http",
        "http2_reset": "REFUSED_STREAM",
        "http2_reset_by": "server",
    }
    assert not asked(refused).body_complete


def test_what_follows_a_farewell_is_not_answered() -> None:
    client, server = End(), End()
    question = client.headers(1, asking("/1")) + client.headers(3, asking("/3"))
    found = parse(HELLO, (True, question), (False, SETTINGS + go_away(1, 11)), (False, server.headers(1, OK)))
    assert pairs(found) == [("/1", 200), ("/3", None)]
    more = asked(found.exchanges[1]).more
    assert more is not None and more["http2_goaway"] == "ENHANCE_YOUR_CALM"


def test_behind_an_upgrade_the_first_stream_answers_the_request_before_it() -> None:
    """RFC 7540, 3.2: the parser is begun behind the 101, so neither direction begins at 0."""
    client, server = End(), End()
    found = Found()
    parser = Http2(found)
    parser.data(False, SETTINGS + server.headers(1, OK), 72, "s", True)
    parser.data(True, PREFACE + SETTINGS + client.headers(3, asking("/next")), 180, "c", True)
    parser.data(False, server.headers(3, [(":status", "404")]), 300, "s", True)
    parser.close()
    assert pairs(found) == [(None, 200), ("/next", 404)]
    assert answered(found.exchanges[0]).more == {"http2_stream": 1, "upgraded": True}
    assert answered(found.exchanges[1]).more == {"http2_stream": 3}


def test_the_answer_before_an_upgrade_comes_first() -> None:
    client, server = End(), End()
    found = Found()
    parser = Http2(found)
    parser.data(True, PREFACE + SETTINGS + client.headers(3, asking("/next")), 180, "c", True)
    parser.data(False, SETTINGS + server.headers(3, [(":status", "404")]) + server.headers(1, OK), 72, "s", True)
    parser.close()
    assert pairs(found) == [(None, 200), ("/next", 404)]


def test_a_start_in_the_middle() -> None:
    client, server = End(), End()
    missed = client.headers(1, asking("/first", "GET", "belfry.example", ("cookie", "rope=1")))
    seen = client.headers(3, asking("/second", "GET", "belfry.example", ("cookie", "rope=1")))
    missed_answer = server.headers(1, [(":status", "418"), ("server", "bells")]) + data(1, b"w" * 100)
    seen_answer = server.headers(3, [(":status", "418"), ("server", "bells"), ("x-new", "n")], end=False)
    seen_answer += data(3, b"body", end=True)
    assert missed and missed_answer
    found = parse((True, seen + data(5, b"q", end=True)), (False, b"w" * 60 + seen_answer))
    exchange = only(found)
    # The path is new to the table; authority and cookie are entries that were not seen.
    assert (asked(exchange).method, asked(exchange).target, asked(exchange).host) == ("GET", "/second", None)
    assert asked(exchange).headers == [] and not asked(exchange).headers_complete
    assert asked(exchange).more == {"http2_stream": 3, "http2_scheme": "http", "http2_unknown_fields": 2}
    assert (answered(exchange).status, answered(exchange).headers) == (0, [("x-new", "n")])
    assert answered(exchange).more == {"http2_stream": 3, "http2_unknown_fields": 2}
    assert (answered(exchange).body_length, answered(exchange).body_complete) == (4, True)
    assert not found.weirds


def test_one_direction_only() -> None:
    client, server = End(), End()
    questions = client.headers(1, asking("/1")) + client.headers(3, asking("/3"))
    assert pairs(parse(HELLO, (True, questions))) == [("/1", None), ("/3", None)]
    answers = server.headers(1, OK) + server.headers(3, OK)
    assert pairs(parse((False, SETTINGS + answers))) == [(None, 200), (None, 200)]


def test_a_loss_within_a_body_costs_the_body_alone() -> None:
    client, server = End(), End()
    question = client.headers(1, asking("/1")) + client.headers(3, asking("/3"))
    body = data(1, b"a" * 500, end=True)
    answer = SETTINGS + server.headers(1, OK, end=False)
    rest = server.headers(3, OK)
    found = parse(HELLO, (True, question), (False, answer + body[:109]), (False, 300), (False, body[409:] + rest))
    first, second = found.exchanges
    assert (answered(first).body_length, answered(first).body_complete) == (500, False)
    assert answered(first).body_sha256 == sha256(b"a" * 200).hexdigest()
    assert answered(second).headers == [("content-type", "text/plain")]
    assert not found.weirds


def test_a_loss_across_frames_is_followed_by_the_next_two_frames() -> None:
    client, server = End(), End()
    question = b"".join(client.headers(n, asking(f"/{n}")) for n in (1, 3, 5))
    lost = data(1, b"a" * 500, end=True) + server.headers(3, [(":status", "500"), ("x-lost", "1")])
    answer = SETTINGS + server.headers(1, OK, end=False)
    after = server.headers(5, [(":status", "500"), ("x-lost", "1"), ("content-type", "text/plain")], end=False)
    after += data(5, b"end", end=True)
    cut = len(lost) - 5
    found = parse(
        HELLO, (True, question), (False, answer + lost[:100]), (False, cut - 100), (False, lost[cut:] + after)
    )
    assert pairs(found) == [("/1", 200), ("/3", None), ("/5", 500)]
    first, _, third = found.exchanges
    assert (answered(first).body_length, answered(first).body_complete) == (500, False)  # as the frame's header said
    # :status 500 is known from the static table; the other two were in the table that is lost.
    assert answered(third).more == {"http2_stream": 5, "http2_unknown_fields": 2}
    assert answered(third).body_sha256 == sha256(b"end").hexdigest()


def test_where_the_way_is_found_does_not_hang_on_cuts() -> None:
    """A frame, and then one whose header is usual while its payload is not: nothing is found, however late it comes."""
    client = End()
    head = client.headers(1, asking("/", "PUT"), end=False)
    bad = bytes.fromhex("000000 04 01 000000de")  # SETTINGS of a stream
    wrong = bytes.fromhex("000008 07 00 00000000 00000001 01020304")  # GOAWAY with an error code beyond all
    found = parse(HELLO, (True, head + bad), (True, data(1, b"body", end=True)), (True, wrong))
    assert (asked(only(found)).body_length, asked(only(found)).body_sha256) == (None, None)
    right = bytes.fromhex("000008 07 00 00000000 00000001 00000002")
    found = parse(HELLO, (True, head + bad), (True, data(1, b"body", end=True)), (True, right))
    assert asked(only(found)).body_sha256 == sha256(b"body").hexdigest()


def test_a_lost_header_block_costs_the_table() -> None:
    client, server = End(), End()
    first = client.headers(1, asking("/1", "GET", "belfry.example", ("x-a", "1")))
    second = client.headers(3, asking("/2", "GET", "belfry.example", ("x-a", "1")))
    found = parse(HELLO, (True, first[:20]), (True, len(first) - 20), (True, second), (False, SETTINGS))
    exchange = only(found)
    assert (asked(exchange).target, asked(exchange).host, asked(exchange).headers) == ("/2", None, [])
    assert asked(exchange).more == {"http2_stream": 3, "http2_scheme": "http", "http2_unknown_fields": 2}
    assert server is not client


def test_what_is_against_the_rules_is_told() -> None:
    client, server = End(), End()
    request = client.headers(1, asking("/1"))
    cases: list[tuple[bytes, str]] = [
        (continuation(1, b"\x82", "END_HEADERS"), "http2-stray-continuation"),
        (headers_frame(3, b"\x82") + data(1, b""), "http2-interrupted-header-block"),
        (bytes.fromhex("000002 01 0c 00000003 05 82"), "http2-bad-padding"),
        (data(1, b"x", True) + data(1, b"late"), "http2-frame-on-closed-stream"),
        (bytes.fromhex("ffffff 00 00 00000001"), "http2-bad-frame"),
        (bytes.fromhex("000004 00 08 00000001 04000000"), "http2-bad-padding"),
        (client.headers(3, [(":status", "200")]), "http2-wrong-direction"),
        (client.headers(3, [("x-early", "1"), *asking("/3")]), "http2-bad-pseudo-header"),
        (client.headers(3, asking("/3", "GET", "h", ("X-Loud", "1"))), "http2-upper-case-header"),
    ]
    for wrong, name in cases:
        found = parse(HELLO, (True, request[:4] + b"\x04" + request[5:]), (True, wrong), (False, SETTINGS))
        assert name in names(found), name
        assert pairs(found)[0] == ("/1", None)
    found = parse(HELLO, (True, request), (False, SETTINGS + server.headers(1, [(":status", "20x")])))
    assert names(found) == ["http2-bad-status"] and pairs(found) == [("/1", 0)]


def test_a_body_that_frames_are_missing_from_has_no_known_length() -> None:
    client, server = End(), End()
    answer = SETTINGS + server.headers(1, OK, end=False) + data(1, b"one")
    after = data(1, b"two") + data(1, b"three", end=True)
    found = parse(HELLO, (True, client.headers(1, asking("/"))), (False, answer), (False, 1000), (False, after))
    exchange = only(found)
    assert (answered(exchange).body_length, answered(exchange).body_complete) == (None, False)
    assert answered(exchange).body_sha256 == sha256(b"onetwothree").hexdigest()


def test_a_flood_of_continuation_frames_is_bounded() -> None:
    client = End()
    flood = headers_frame(1, b"\x00\x7f\xff\xff\xff") + continuation(1, b"a" * 16_000) * 20
    assert len(flood) > LARGEST_BLOCK
    empty = headers_frame(3, b"\x82") + continuation(3, b"") * 5000 + continuation(3, b"", "END_HEADERS")
    last = continuation(1, b"", "END_HEADERS")
    after = client.headers(5, asking("/after"))
    found = talk(Http2, [HELLO, (True, flood + last), (True, empty), (True, after), (False, SETTINGS)])
    assert names(found).count("http2-header-block-too-large") == 2
    assert pairs(found)[-1] == ("/after", None)

"""Secrets in HTTP requests: what is one, whose it is, where it stands and what became of it."""

from __future__ import annotations

from base64 import b64encode

import pytest

from support.http1 import Found, client, read, server
from syswire.convert.model.sighting import Sighting

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(params=["whole", "bytewise"])
def cuts(request: pytest.FixtureRequest) -> list[int] | None:
    return {"whole": None, "bytewise": [1]}[request.param]


def post(body: bytes, headers: bytes = FORM, target: bytes = b"/login") -> bytes:
    length = b"Content-Length: %d\r\n" % len(body)
    return b"POST " + target + b" HTTP/1.1\r\nHost: h\r\n" + headers + length + b"\r\n" + body


def get(target: bytes = b"/", headers: bytes = b"") -> bytes:
    return b"GET " + target + b" HTTP/1.1\r\nHost: h\r\n" + headers + b"\r\n"


def seen(*requests: bytes, cuts: list[int] | None = None) -> list[tuple[str | None, bytes]]:
    found = read(*[client(request) for request in requests], cuts=cuts)
    return [(s.username, s.secret) for s in found.sightings]


def only(found: Found) -> Sighting:
    [sighting] = found.sightings
    return sighting


def test_form_in_every_detail(cuts: list[int] | None) -> None:
    request = post(b"x=1&login=b%C3%B6b&pass=s%26e+c%3Dret&go=")
    sighting = only(read(client(request), server(OK), cuts=cuts))
    assert (sighting.location, sighting.field, sighting.username) == ("form-body", "pass", "böb")
    assert (sighting.secret, sighting.raw, sighting.secret_complete) == (b"s&e c=ret", b"s%26e+c%3Dret", True)
    assert (sighting.method, sighting.host, sighting.target) == ("POST", "h", "/login")
    assert (sighting.outcome, sighting.exchange, sighting.announced) == ("unknown", 1, True)
    span = sighting.span
    assert span.place == "call 0" and request[span.offset : span.offset + span.length] == sighting.raw


def test_span_within_chunks(cuts: list[int] | None) -> None:
    head = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"8\r\nuser=a&p\r\n7\r\nass=sec\r\n3\r\nret\r\n0\r\n\r\n"
    sighting = only(read(client(head + body), cuts=cuts))
    assert (sighting.username, sighting.secret) == ("a", b"secret")
    stream = head + body
    assert (sighting.span.offset, sighting.span.length) == (stream.index(b"sec\r"), len(b"sec\r\n3\r\nret"))


def test_span_in_a_later_call() -> None:
    first, second = post(b"user=a&pass=bcd")[:-3], b"bcd"
    assert only(read(client(first), client(second))).span.place == "call 1"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"Username=Q&Passwd=B", [("Q", b"B")]),
        (b"log=admin&pwd=x", [("admin", b"x")]),
        (b"data[User][email]=m&data[User][password]=p", [("m", b"p")]),
        (b"login.name=x&form.user=u&form.pass=p&pass[]=q", [("u", b"p"), ("u", b"q")]),
        (b"login=Go&user=bob&pass=x&login=Go", [("bob", b"x")]),
        (b"pass=x&user=late", [("late", b"x")]),
        (b"pass=x", [(None, b"x")]),
        (b"p%61ss=x&us%65r=u", [("u", b"x")]),
        (b"user=u&pass=a%zz%4", [("u", b"a%zz%4")]),
        (b"user=%ff&pass=%ff%00", [("\xff", b"\xff\0")]),
        (b"user=u&pass=two=signs", [("u", b"two=signs")]),
        (b"user=u&pass=x\r\n", [("u", b"x")]),
        (b"user=u&pass= x ", [("u", b" x ")]),
        (b"user=u&pass=", []),
        (b"key=1&token=71150&sid=2&SID=3&signature=4&passage=5&mypass=6", []),
        (b"id=cat /etc/passwd", []),
        (b"password", []),
    ],
)
def test_form_fields(body: bytes, expected: list[tuple[str | None, bytes]], cuts: list[int] | None) -> None:
    assert seen(post(body), cuts=cuts) == expected


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (b"user=u&pass=x", True),
        (b"user=u&pass=x&", True),
        (b"the pass=x word", False),
        (b'{"user":"u","pass":"x&pass=y"}', True),
        (b'["user","pass"]', False),
        (b"<a><user>u</user><pass>x</pass></a>", True),
        (b"pass=<b>x</b>", False),
        (b"--boundary\r\nx; pass=1", False),
        (b"\x00pass=x", False),
    ],
)
def test_body_without_a_type_must_look_like_a_form(body: bytes, found: bool) -> None:
    assert bool(seen(post(body, headers=b""))) is found


@pytest.mark.parametrize("kind", [b"application/json", b"text/html", b"multipart/form-data; boundary=x"])
def test_other_types_are_no_forms(kind: bytes) -> None:
    assert not seen(post(b"user=u&pass=x", headers=b"Content-Type: " + kind + b"\r\n"))


def test_names_in_responses_are_nothing() -> None:
    found = read(client(get()), server(b"HTTP/1.1 200 OK\r\n" + FORM + b"Content-Length: 13\r\n\r\nuser=u&pass=x"))
    assert not found.sightings


@pytest.mark.parametrize("headers", [b"", FORM])
def test_form_behind_a_request_without_length(headers: bytes, cuts: list[int] | None) -> None:
    request = b"POST /index.html HTTP/1.1\r\n" + headers + b"\r\nuser=foo&password=bar3"
    found = read(client(request), server(OK.replace(b"200", b"401")), cuts=cuts)
    sighting = only(found)
    assert (sighting.username, sighting.secret, sighting.announced) == ("foo", b"bar3", False)
    assert (sighting.outcome, sighting.exchange) == ("refused", 1)
    assert found.pairs == [("/index.html", 401)]
    assert request[sighting.span.offset :][: sighting.span.length] == b"bar3"


# Cut bodies


def test_value_that_touches_the_cut_is_incomplete(cuts: list[int] | None) -> None:
    request = post(b"user=u&pass=secret&x=1")
    whole = only(read(client(request[:-4], lost=4), cuts=cuts))
    assert (whole.secret, whole.secret_complete) == (b"secret", False)  # whether '&' followed is not known
    cut = only(read(client(request[:-7], lost=7), cuts=cuts))
    assert (cut.secret, cut.secret_complete) == (b"sec", False)
    ended = only(read(client(request[:-7]), cuts=cuts))
    assert not ended.secret_complete
    assert only(read(client(request[:-2], lost=2), cuts=cuts)).secret_complete


def test_escape_at_the_cut_is_left_out() -> None:
    request = post(b"user=u&pass=ab%41%")
    assert only(read(client(request[:-1], lost=1))).secret == b"abA"
    assert only(read(client(request[:-2], lost=2))).secret == b"ab"
    assert only(read(client(request))).secret == b"abA%"


def test_fields_behind_a_loss(cuts: list[int] | None) -> None:
    request = post(b"aaaaaaaaaauser=u&pass=x&z=1")
    body = request.index(b"aaaa")
    found = read(client(request[:body], lost=10), client(request[body + 10 :]), cuts=cuts)
    sighting = only(found)  # "user=" may be the end of another name: not taken; "pass" begins behind its '&'
    assert (sighting.username, sighting.secret, sighting.secret_complete) == (None, b"x", True)


# URLs


def test_query(cuts: list[int] | None) -> None:
    request = get(b"/in?user=u%20v&api_key=k%2By#pass=no")
    sighting = only(read(client(request), server(OK), cuts=cuts))
    assert (sighting.location, sighting.field, sighting.username) == ("url-query", "api_key", "u v")
    assert (sighting.secret, sighting.raw) == (b"k+y", b"k%2By")
    assert request[sighting.span.offset :][: sighting.span.length] == b"k%2By"


def test_cut_query() -> None:
    sighting = only(read(client(b"GET /in?user=u&pass=abc", lost=90)))
    assert (sighting.secret, sighting.secret_complete) == (b"abc", False)
    assert only(read(client(b"GET /in?user=u&pass=abc HTTP/1.", lost=90))).secret_complete


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (b"GET http://u:p%40:q@h/x@y HTTP/1.1\r\n\r\n", ("u", b"p@:q", b"p%40:q")),
        (b"CONNECT u:p@h:443 HTTP/1.1\r\n\r\n", ("u", b"p", b"p")),
        (b"GET / HTTP/1.1\r\nHost: u:p@h\r\n\r\n", ("u", b"p", b"p")),
        (b"GET http://u@h/ HTTP/1.1\r\n\r\n", None),
        (b"GET http://u:@h/ HTTP/1.1\r\n\r\n", None),
        (b"GET /a:b@c HTTP/1.1\r\n\r\n", None),
        (b"GET http://h/a:b@c HTTP/1.1\r\n\r\n", None),
        (b"GET http://h?a:b@c HTTP/1.1\r\n\r\n", None),
    ],
)
def test_userinfo(request_: bytes, expected: tuple[str, bytes, bytes] | None, cuts: list[int] | None) -> None:
    found = read(client(request_), cuts=cuts)
    if expected is None:
        assert not found.sightings
        return
    sighting = only(found)
    assert (sighting.location, sighting.field) == ("url-userinfo", None)
    assert (sighting.username, sighting.secret, sighting.raw) == expected
    assert request_[sighting.span.offset :][: sighting.span.length] == sighting.raw


# Basic


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"Basic " + b64encode(b"user:pa:ss"), [("user", b"pa:ss")]),
        (b"basic   " + b64encode(b"test:1234"), [("test", b"1234")]),
        (b"BASIC\t" + b64encode(b"u:p"), [("u", b"p")]),
        (b"Basic " + b64encode(b"u:pp").rstrip(b"="), [("u", b"pp")]),
        (
            b"Basic " + b64encode(b"u:\xff\xfe\xfb>?").replace(b"+", b"-").replace(b"/", b"_"),
            [("u", b"\xff\xfe\xfb>?")],
        ),
        (b"Basic " + b64encode(b":p"), [("", b"p")]),
        (b"Basic " + b64encode(b"u:"), [("u", b"")]),
        (b"Basic\r\n " + b64encode(b"u:folded"), [("u", b"folded")]),
        (b"Basic " + b64encode("ü:ä".encode()), [("ü", "ä".encode())]),
        (b"Basic " + b64encode(b"no colon"), []),
        (b"Basic", []),
        (b"Basic !!!!", []),
        (b'Digest username="u", response="00"', []),
    ],
)
@pytest.mark.parametrize("name", [b"Authorization", b"proxy-authorization"])
def test_basic(name: bytes, value: bytes, expected: list[tuple[str, bytes]], cuts: list[int] | None) -> None:
    request = get(headers=name + b": " + value + b"\r\n")
    found = read(client(request), cuts=cuts)
    assert [(s.username, s.secret) for s in found.sightings] == expected
    for sighting in found.sightings:
        assert sighting.location == "authorization-basic" and sighting.secret_complete
        assert request[sighting.span.offset :][: sighting.span.length] == sighting.raw
        assert value.endswith(sighting.raw)


def test_cut_basic() -> None:
    token = b64encode(b"user:password")
    head = b"GET / HTTP/1.1\r\nAuthorization: Basic "
    sighting = only(read(client(head + token[:10], lost=50)))
    assert (sighting.username, sighting.secret, sighting.secret_complete) == ("user", b"pa", False)
    assert not read(client(head + token[:5], lost=50)).sightings
    assert only(read(client(head + token + b"\r\nX", lost=50))).secret_complete


# Outcomes


def answered(status: int, *headers: bytes) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 %d R" % status, *headers, b"Content-Length: 0", b"", b""])


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (answered(200), "unknown"),
        (answered(401), "refused"),
        (answered(403), "refused"),
        (answered(404), "unknown"),
        (answered(500), "unknown"),
        (answered(302, b"Location: /home"), "accepted"),
        (answered(303, b"Location: http://h/wp-admin/"), "accepted"),
        (answered(301, b"Location: /welcome"), "accepted"),
        (answered(302, b"Location: /author/page"), "accepted"),
        (answered(302, b"Location: /login?again=1"), "unknown"),
        (answered(302, b"Location: https://h/login"), "unknown"),
        (answered(302, b"Location: /wp-login.php"), "unknown"),
        (answered(302, b"Location: /?error=1"), "refused"),
        (answered(302, b"Location: /users/sign_in"), "unknown"),
        (answered(302), "unknown"),
        (answered(307, b"Location: /home"), "unknown"),
        (answered(304), "unknown"),
        (answered(200, b"Set-Cookie: PHPSESSID=abc; path=/"), "unknown"),
        (answered(200, b"Set-Cookie: MMAUTHTOKEN=abc; path=/"), "accepted"),
        (answered(200, b"Set-Cookie: auth=deleted; path=/"), "unknown"),
        (answered(200, b"Set-Cookie: auth=; path=/"), "unknown"),
        (b"", "unknown"),
    ],
)
def test_outcome_of_a_form(answer: bytes, outcome: str) -> None:
    assert only(read(client(post(b"user=u&pass=x")), server(answer))).outcome == outcome


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(200, "accepted"), (204, "accepted"), (302, "accepted"), (304, "accepted"), (101, "accepted"), (401, "refused"),
     (407, "refused"), (403, "unknown"), (404, "unknown"), (500, "unknown")],
)  # fmt: skip
def test_outcome_of_basic(status: int, outcome: str) -> None:
    request = get(headers=b"Authorization: Basic dTpw\r\n")
    assert only(read(client(request), server(answered(status)))).outcome == outcome


def test_outcome_after_an_early_answer() -> None:
    request = post(b"user=u&pass=x")
    found = read(client(request[:-3]), server(answered(401)), client(request[-3:]))
    assert only(found).outcome == "refused"


def test_many_secrets_are_bounded() -> None:
    assert len(seen(post(b"&".join([b"pass=x"] * 5000)))) == 100

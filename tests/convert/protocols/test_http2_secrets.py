"""Secrets in HTTP/2 requests, with their places; and what is in bodies: codings, forms in parts, objects."""

from __future__ import annotations

import gzip
from hashlib import sha256

import pytest

from support.http2_made import PREFACE, SETTINGS, End, Fields, asking, data
from support.parsing import Found, talk
from syswire.convert.model.exchange import HttpRequest, HttpResponse
from syswire.convert.model.sighting import Sighting
from syswire.convert.model.span import Span
from syswire.convert.protocols.http2.parser import Http2

BEGIN = len(PREFACE + SETTINGS)
FORM = ("content-type", "application/x-www-form-urlencoded")


def ask(fields: Fields, *bodies: bytes, answer: Fields | None = None) -> tuple[Found, int]:
    """What is found in a request whose body comes in so many DATA frames; and the length of its HEADERS frame."""
    client, server = End(), End()
    head = client.headers(1, fields, end=not bodies)
    sent = [data(1, body, end=number == len(bodies)) for number, body in enumerate(bodies, 1)]
    back = server.headers(1, answer or [(":status", "200")])
    calls = [(True, PREFACE + SETTINGS), (True, head), *((True, part) for part in sent), (False, SETTINGS + back)]
    found = talk(Http2, calls)
    assert talk(Http2, calls, cuts=[1]).said() == found.said()
    return found, len(head)


def only(found: Found) -> Sighting:
    (sighting,) = found.sightings
    assert sighting.exchange == 1
    return sighting


def request(found: Found) -> HttpRequest:
    (exchange,) = found.exchanges
    assert exchange.request is not None
    return exchange.request


def response(found: Found) -> HttpResponse:
    (exchange,) = found.exchanges
    assert exchange.response is not None
    return exchange.response


@pytest.mark.parametrize(("status", "outcome"), [("200", "accepted"), ("401", "refused"), ("500", "unknown")])
def test_basic_authorization(status: str, outcome: str) -> None:
    # "ringer:bronze-Bell-41" by base64(1).
    token = "cmluZ2VyOmJyb256ZS1CZWxsLTQx"
    fields = asking("/", "GET", "h", ("authorization", f"Basic {token}"))
    found, length = ask(fields, answer=[(":status", status)])
    sighting = only(found)
    assert (sighting.location, sighting.username, sighting.secret) == (
        "authorization-basic",
        "ringer",
        b"bronze-Bell-41",
    )
    assert (sighting.raw, sighting.span) == (token.encode(), Span("call 1", BEGIN, length))
    assert (sighting.outcome, sighting.host, sighting.target) == (outcome, "h", "/")


def test_a_query() -> None:
    found, length = ask(asking("/in?user=ringer&pass=rope%2DTower-9&x=1"))
    sighting = only(found)
    assert (sighting.location, sighting.field, sighting.username) == ("url-query", "pass", "ringer")
    assert (sighting.secret, sighting.raw) == (b"rope-Tower-9", b"rope%2DTower-9")
    assert sighting.span == Span("call 1", BEGIN, length)


def test_a_form_across_frames() -> None:
    """The value stands in the second and third frame: its span has the third one's header in it."""
    parts = [b"user=ringer&x=", b"1&password=clap", b"per&y=2"]
    found, length = ask(asking("/login", "POST", "h", FORM), *parts, answer=[(":status", "302"), ("location", "/home")])
    sighting = only(found)
    assert (sighting.location, sighting.field, sighting.username) == ("form-body", "password", "ringer")
    assert (sighting.secret, sighting.raw, sighting.outcome) == (b"clapper", b"clapper", "accepted")
    begin = BEGIN + length + 9 + len(parts[0]) + 9 + parts[1].index(b"clap")
    assert sighting.span == Span("call 3", begin, len(b"clap") + 9 + len(b"per"))


def test_a_form_that_is_compressed() -> None:
    body = gzip.compress(b"user=ringer&password=clapper-Rope-7")
    found, length = ask(asking("/login", "POST", "h", FORM, ("content-encoding", "gzip")), body[:20], body[20:])
    sighting = only(found)
    assert (sighting.secret, sighting.username) == (b"clapper-Rope-7", "ringer")
    assert sighting.span == Span("call 2", BEGIN + length + 9, len(body) + 9)
    more = request(found).more
    assert more is not None and (more["content_encoding"], more["content_length"]) == (["gzip"], 35)


def test_a_form_in_parts() -> None:
    body = (
        b'--rope\r\nContent-Disposition: form-data; name="user"\r\n\r\nringer\r\n'
        b'--rope\r\nContent-Disposition: form-data; name="password"\r\n\r\nclapper\r\n--rope--\r\n'
    )
    at = body.index(b"clapper")
    found, length = ask(asking("/", "POST", "h", ("content-type", "multipart/form-data; boundary=rope")), body)
    sighting = only(found)
    assert (sighting.field, sighting.username, sighting.secret) == ("password", "ringer", b"clapper")
    assert sighting.span == Span("call 2", BEGIN + length + 9 + at, 7)
    more = request(found).more
    assert more is not None and isinstance(more["parts"], list) and len(more["parts"]) == 2


def test_what_breaks_a_line_of_http1_hides_nothing_in_another_field() -> None:
    """A field of HTTP/2 may hold anything: it is never taken for two."""
    found, _ = ask(
        [*asking("/"), ("content-type", "a\r\nauthorization: Basic YTpi"), ("authorization", "Basic YTpi\n")]
    )
    assert [s.secret for s in found.sightings] == [b"b"]  # its own field's
    found, _ = ask([(":method", "GET\r\nauthorization: Basic YTpi"), (":path", "/"), (":scheme", "http")])
    assert not found.sightings


def test_a_compressed_response() -> None:
    content = b"the great bell tolls " * 40
    body = gzip.compress(content)
    client, server = End(), End()
    answer = server.headers(1, [(":status", "200"), ("content-encoding", "gzip")], end=False)
    calls = [
        (True, PREFACE + SETTINGS + client.headers(1, asking("/"))),
        (False, SETTINGS + answer + data(1, body[:30]) + data(1, body[30:], end=True)),
    ]
    said = response(talk(Http2, calls))
    assert said.body_sha256 == sha256(body).hexdigest()
    assert said.more == {
        "http2_stream": 1,
        "content_encoding": ["gzip"],
        "content_length": len(content),
        "content_sha256": sha256(content).hexdigest(),
        "content_complete": True,
    }


def test_bodies_that_are_decoded_at_once_are_bounded() -> None:
    client, server = End(), End()
    calls = [(True, PREFACE + SETTINGS), (False, SETTINGS)]
    for number in range(1, 61, 2):
        calls.append((True, client.headers(number, asking("/"))))
        calls.append((False, server.headers(number, [(":status", "200"), ("content-encoding", "br")], end=False)))
        calls.append((False, data(number, b"\x1b")))
    found = talk(Http2, calls)
    told = [name for name, _ in found.weirds]
    assert told.count("http2-too-many-contents") == 30 - 128 // 9
    assert len(found.exchanges) == 30


def test_a_length_that_is_not_that_of_the_body_changes_nothing() -> None:
    found, _ = ask(asking("/", "PUT", "h", ("content-length", "3")), b"longer")
    assert (request(found).body_length, request(found).body_complete) == (6, True)


@pytest.mark.parametrize("line", [("method", "G T"), ("scheme", "http"), ("path", "/a\nb")])
def test_password_where_the_request_is_odd(line: tuple[str, str]) -> None:
    """A method that is none, or is not known as in a capture that begins later, and a line break in the target."""
    fields = [(f":{line[0]}", line[1]), ("authorization", "Basic YW5uOnE3")]
    calls = [(True, PREFACE + SETTINGS + End().headers(1, fields)), (False, SETTINGS)]
    found = talk(Http2, calls)
    assert [(s.username, s.secret) for s in found.sightings] == [("ann", b"q7")]

"""FastCGI: records by the specification, put together by hand; and PHP-FPM's talk with nginx."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from support.parsing import Found, talk
from support.recorded_talk import recorded
from syswire.convert.protocols.fastcgi.parser import FastCgi

Calls = list[tuple[bool, bytes | int]]
BEGIN, ABORT, END, PARAMS, STDIN, STDOUT, STDERR = range(1, 8)
FORM = b"application/x-www-form-urlencoded"


def record(kind: int, content: bytes, number: int = 1, padding: int = 0) -> bytes:
    head = bytes([1, kind]) + number.to_bytes(2, "big") + len(content).to_bytes(2, "big") + bytes([padding, 0])
    return head + content + bytes(padding)


def pair(name: bytes, value: bytes) -> bytes:
    sizes = [bytes([len(t)]) if len(t) < 128 else (len(t) | 1 << 31).to_bytes(4, "big") for t in (name, value)]
    return b"".join(sizes) + name + value


def begin(number: int = 1, keep: int = 0) -> bytes:
    return record(BEGIN, bytes([0, 1, keep, 0, 0, 0, 0, 0]), number)


def params(values: dict[bytes, bytes], number: int = 1) -> bytes:
    stream = b"".join(pair(name, value) for name, value in values.items())
    return record(PARAMS, stream, number) + record(PARAMS, b"", number)


def request(values: dict[bytes, bytes], body: bytes = b"", number: int = 1) -> bytes:
    stdin = record(STDIN, body, number, 5) if body else b""
    return begin(number) + params(values, number) + stdin + record(STDIN, b"", number)


def answer(stdout: bytes, number: int = 1, status: bytes = b"\0\0\0\0\0") -> bytes:
    return record(STDOUT, stdout, number, 3) + record(STDOUT, b"", number) + record(END, status + bytes(3), number)


def seen(found: Found) -> list[tuple[str, str | None, bytes, str]]:
    return [(s.location, s.username, s.secret, s.outcome) for s in found.sightings]


@pytest.mark.parametrize("cuts", [None, [1], [5, 8, 13]])
def test_a_request_in_every_detail(cuts: list[int] | None) -> None:
    values = {
        b"REQUEST_METHOD": b"POST",
        b"REQUEST_URI": b"/a.php?b=1",
        b"SCRIPT_FILENAME": b"/www/a.php",
        b"HTTP_HOST": b"jam.example",
        b"REMOTE_ADDR": b"192.0.2.7",
        b"CONTENT_TYPE": b"image/png",
        b"LONG": b"l" * 200,
    }
    asked = request(values, b"\x89PNG")
    stdout = b"Status: 404 Not Found\r\nX-A: b\r\n\r\ngone"
    told = record(STDERR, b"PHP message: no") + answer(stdout, status=b"\0\0\1\2\0")
    found = talk(FastCgi, [(True, asked), (False, told)], cuts=cuts)
    [one] = found.records
    assert one.request is not None and one.response is not None and one.kind == "fastcgi"
    assert one.request.fields == {
        "request_id": 1,
        "role": "responder",
        "keep_connection": False,
        "method": "POST",
        "uri": "/a.php?b=1",
        "script": "/www/a.php",
        "host": "jam.example",
        "client_address": "192.0.2.7",
        "content_type": "image/png",
        "params": [[name.decode(), value.decode()] for name, value in values.items()],
        "stdin_length": 4,
        "stdin_complete": True,
        "stdin_sha256": sha256(b"\x89PNG").hexdigest(),
    }
    assert one.response.fields == {
        "status_code": 404,
        "headers": [["Status", "404 Not Found"], ["X-A", "b"]],
        "body_length": 4,
        "body_complete": True,
        "body_sha256": sha256(b"gone").hexdigest(),
        "stderr": "PHP message: no",
        "app_status": 258,
        "protocol_status": "request-complete",
    }
    assert (one.request.span.offset, one.request.span.length) == (0, len(asked))
    assert (one.response.span.offset, one.response.span.length) == (0, len(told))
    assert not found.sightings and not found.weirds


def test_every_secret_is_sighted_and_left_out() -> None:
    values = {
        b"REQUEST_METHOD": b"POST",
        b"QUERY_STRING": b"user=ann&pass=in%20query",
        b"REQUEST_URI": b"/in?user=ann&pass=in%20query",
        b"HTTP_AUTHORIZATION": b"Basic YW5uOmluLWJhc2lj",
        b"PHP_AUTH_USER": b"ann",
        b"PHP_AUTH_PW": b"in-basic",
        b"HTTP_COOKIE": b"PHPSESSID=a-token",
        b"HTTP_X_API_KEY": b"a-token",
        b"HTTP_REFERER": b"http://ann:in-url@h/?password=in-referer",
        b"DB_PASSWORD": b"in-param",
        b"CONTENT_TYPE": FORM,
    }
    found = talk(
        FastCgi,
        [
            (True, request(values, b"login=bob&password=in+form")),
            (False, answer(b"Status: 401 No\r\nSet-Cookie: a=a-token\r\n\r\n")),
        ],
    )
    assert seen(found) == [
        ("url-query", "ann", b"in query", "refused"),
        ("authorization-basic", "ann", b"in-basic", "refused"),
        ("fastcgi-param", "ann", b"in-basic", "refused"),
        ("cookie", None, b"a-token", "unknown"),
        ("header", None, b"a-token", "refused"),
        ("fastcgi-param", None, b"in-param", "unknown"),
        ("form-body", "bob", b"in form", "refused"),
    ]
    [asked], [told] = found.asked, found.answered
    assert asked is not None and asked["secret"] is True and asked["stdin_sha256"] is None
    assert asked["uri"] == "/in?user=ann&pass=" and ["HTTP_REFERER", "http://ann:@h/?password="] in asked["params"]  # type: ignore[operator]
    shown = str([asked, told])
    assert not any(text in shown for text in ("in query", "in%20query", "basic'", "a-token", "in-", "in+form"))


def test_span_of_a_secret_in_two_records() -> None:
    stream = pair(b"PHP_AUTH_PW", b"secret")
    asked = begin() + record(PARAMS, stream[:16], padding=2) + record(PARAMS, stream[16:]) + record(PARAMS, b"")
    [sighting] = talk(FastCgi, [(True, asked)]).sightings
    # 16 bytes of BEGIN_REQUEST, a head of 8, two lengths, 11 letters; three letters, padding and head, three letters
    assert (sighting.span.offset, sighting.span.length) == (16 + 8 + 2 + 11, 3 + 2 + 8 + 3)
    assert sighting.raw == b"secret"


def test_requests_in_one_another() -> None:
    one, two = {b"REQUEST_URI": b"/one"}, {b"REQUEST_URI": b"/two"}
    asked = begin(1, 1) + begin(2, 1) + params(two, 2) + params(one, 1)
    found = talk(FastCgi, [(True, asked), (False, answer(b"A: 2\n\n22", 2) + answer(b"A: 1\n\n1", 1))])
    assert [fields and fields["uri"] for fields in found.asked] == ["/two", "/one"]
    assert [fields and (fields["headers"], fields["body_length"]) for fields in found.answered] == [
        ([["A", "2"]], 2),
        ([["A", "1"]], 1),
    ]


@pytest.mark.parametrize(
    ("stdout", "code"),
    [
        (b"Content-type: text/html\r\n\r\nx", 200),
        (b"Location: /x\r\n\r\n", 302),
        (b"Status: 503\r\n\r\n", 503),
        (b"HTTP/1.1 418 Teapot\r\nA: b\r\n\r\n", 418),
        (b"Status: none\r\n\r\n", None),
    ],
)
def test_status(stdout: bytes, code: int | None) -> None:
    found = talk(FastCgi, [(True, request({})), (False, answer(stdout))])
    assert [fields and fields["status_code"] for fields in found.answered] == [code]


def test_loss_within_a_body_is_counted() -> None:
    asked = request({b"CONTENT_TYPE": FORM}, b"a=b&password=lost&user=x")
    at = asked.index(b"password=") + 9
    found = talk(FastCgi, [(True, asked[:at]), (True, 4), (True, asked[at + 4 :]), (False, answer(b"A: b\n\n"))])
    [fields] = found.asked
    assert fields is not None and (fields["stdin_length"], fields["stdin_complete"]) == (24, False)
    assert seen(found) == []


def test_loss_of_a_head_is_searched_over() -> None:
    first, second = request({b"REQUEST_URI": b"/1"}), request({b"REQUEST_URI": b"/2"}, number=7)
    found = talk(
        FastCgi, [(True, first[:20]), (True, 10), (True, first[30:] + second), (False, answer(b"A: b\n\n", 7))]
    )
    assert [fields and fields.get("uri") for fields in found.asked] == ["/2", None]
    assert [fields and fields["status_code"] for fields in found.answered] == [200, None]


def test_begin_in_the_middle_and_one_direction_only() -> None:
    whole = request({b"REQUEST_URI": b"/1"})
    found = talk(FastCgi, [(True, b"rest of something" + whole)])
    assert [fields and fields["uri"] for fields in found.asked] == ["/1"] and found.answered == [None]
    found = talk(FastCgi, [(False, answer(b"Status: 200 OK\n\nx"))])
    assert found.asked == [None] and found.answered[0] is not None and found.answered[0]["status_code"] == 200


def test_memory_is_bounded() -> None:
    endless = b"".join(begin(number % 65536) + record(PARAMS, b"x" * 60000, number % 65536) for number in range(1, 200))
    found = talk(FastCgi, [(True, endless)])
    assert len(found.records) == 199
    found = talk(FastCgi, [(False, record(STDOUT, b"A" * 60000) * 100)])
    [told] = found.answered
    assert told is not None and told["headers_complete"] is False and len(str(told)) < 200_000


def test_recorded_from_nginx_and_php(data: Path) -> None:
    talks = [talk(FastCgi, calls) for calls in recorded(data / "protocols" / "fastcgi.pcap", 9009)]
    assert [(f.asked[0] or {})["method"] for f in talks] == ["GET", "POST", "POST", "GET", "POST", "GET"]
    assert [(f.answered[0] or {})["status_code"] for f in talks] == [200, 200, 302, 200, 200, 404]
    own = ("fastcgi-param", None, b"Pantry-8z", "unknown")
    assert [seen(found) for found in talks] == [
        [own],
        [own, ("form-body", "cook", b"Wrong 1", "unknown")],
        [own, ("form-body", "cook", b"Plum&jam 4", "accepted")],
        [
            ("url-query", "cook", b"Query-2w", "unknown"),
            own,
            ("authorization-basic", "cook", b"Basic-3k", "accepted"),
        ],
        [own],
        [own],
    ]
    body = b"method POST size 5000\n" + b"line of jam\n" * 100
    sent, told = talks[4].asked[0] or {}, talks[4].answered[0] or {}
    assert (sent["stdin_length"], sent["stdin_sha256"]) == (5000, sha256(bytes(5000)).hexdigest())
    assert (told["body_length"], told["body_sha256"]) == (len(body), sha256(body).hexdigest())
    assert told["stderr"] == "PHP message: jar opened" and told["app_status"] == 0


@pytest.mark.parametrize("cuts", [None, [1]])
@pytest.mark.parametrize("head", [b"\n", b"\r\n"])
def test_an_answer_without_headers(head: bytes, cuts: list[int] | None) -> None:
    found = talk(FastCgi, [(True, request({})), (False, answer(head + b"\nx"))], cuts=cuts)
    [told] = found.answered
    assert told is not None and (told["headers"], told["body_length"]) == ([], 2)
    assert told["body_sha256"] == sha256(b"\nx").hexdigest()


@pytest.mark.parametrize("cuts", [None, [1000]])
def test_headers_without_an_end(cuts: list[int] | None) -> None:
    stdout = record(STDOUT, b"A: " + b"a" * 60000) + record(STDOUT, b"a" * 10000 + b"\r\n\r\nbody")
    found = talk(FastCgi, [(True, request({})), (False, stdout)], cuts=cuts)
    [told] = found.answered
    assert told is not None and told["headers_complete"] is False and told["body_complete"] is False
    assert told["body_length"] == 70011 - 65536


def test_an_empty_authorization_is_no_secret() -> None:
    found = talk(FastCgi, [(True, request({b"HTTP_AUTHORIZATION": b""}))])
    [asked] = found.asked
    assert asked is not None and asked["params"] == [["HTTP_AUTHORIZATION", ""]]
    assert "secret" not in asked and not found.sightings


def test_passwords_in_settings_are_left_out() -> None:
    """A data source with its password, as web servers hand them to PHP."""
    values = {
        b"DB_DSN": b"mysql:host=db;password=pq7;port=1",
        b"PHP_VALUE": b"mysqli.default_pw = pq7\nmysqli.default_user=u",
        b"SCRIPT_NAME": b"/password=",
    }
    [asked] = talk(FastCgi, [(True, request(values))]).asked
    assert asked is not None and asked["secret"] is True
    assert asked["params"] == [
        ["DB_DSN", "mysql:host=db;password=;port=1"],
        ["PHP_VALUE", "mysqli.default_pw = \nmysqli.default_user=u"],
        ["SCRIPT_NAME", "/password="],
    ]

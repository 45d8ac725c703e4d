"""Secrets in bodies that are no plain forms: JSON, GraphQL, XML, lines of text; whose they are and where they stand."""

from __future__ import annotations

import gzip
from base64 import b64encode
from hashlib import sha1

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.http1 import Found, client, read, server
from syswire.convert.model.sighting import Sighting

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
JSON = b"application/json; charset=utf-8"


def post(body: bytes, kind: bytes = JSON, more: bytes = b"") -> bytes:
    head = b"POST /api/login HTTP/1.1\r\nHost: h\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n"
    return head % (kind, more, len(body)) + body


def sightings(body: bytes, kind: bytes = JSON, cuts: list[int] | None = None) -> list[Sighting]:
    request = post(body, kind)
    found = read(client(request), server(OK), cuts=cuts).sightings
    for one in found:
        assert request[one.span.offset :][: one.span.length] == one.raw
    return found


def seen(body: bytes, kind: bytes = JSON) -> list[tuple[str | None, bytes]]:
    whole, bytewise = sightings(body, kind), sightings(body, kind, [1])
    assert whole == bytewise
    return [(one.username, one.secret) for one in whole]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"login_id":"toto","password":"tototo"}', [("toto", b"tototo")]),
        (b'{"a":[1,{"user":{"email":"a@b.example"},"auth":{"password":"x y"}}]}', [("a@b.example", b"x y")]),
        (b'{"password":"late","username":"ann"}', [("ann", b"late")]),
        (b'{"username":"J\\u00e4n","password":"gr\\u00fcn\\"\\\\"}', [("Jän", 'grün"\\'.encode())]),
        ('{"username":"Jän","Password":"grün"}'.encode(), [("Jän", "grün".encode())]),
        (b'[{"user":"a","pass":"1x"},{"user":"b","pass":"2x"}]', [("a", b"1x"), ("b", b"2x")]),
        (b'{"user":"a","pin":1234}', [("a", b"1234")]),
        (b'{"fields":[{"name":"username","value":"ann"},{"name":"password","value":"pw1"}]}', [("ann", b"pw1")]),
        (
            b'{"client_id":"app","client_secret":"s3cr3t","username":"u","password":"p"}'
        , [("app", b"s3cr3t"), ("u", b"p")]),
        (b'{"user":"u","newPassword":"n","current_password":"c"}', [("u", b"n"), ("u", b"c")]),
        (b'{"user[name]":"u","user[password]":"p"}', [(None, b"p")]),
        (b'{"user":"u","password":"cut he', [("u", b"cut he")]),
        (b'{"password":{"type":"string"},"pass":null,"pin":true}', []),
        (b'{"text":"the \\"password\\": \\"x\\"","tags":["password","secret"]}', []),
        (b'{"user":"a","password":""}', []),
        (b'{"user":"a","password":"******"}', []),
        (b"no json, password: x", []),
    ],
)  # fmt: skip
def test_json(body: bytes, expected: list[tuple[str | None, bytes]]) -> None:
    assert seen(body) == expected


def test_json_of_a_broken_writer_does_not_take_long() -> None:
    assert seen(b'{"password":"' + b'\\"' * 100_000) == [(None, b'"' * 100_000)]


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (
            b'{"query":"mutation { login(email: \\"a@b\\", password: \\"s3 cret\\") { id } }"}', JSON,
            [("a@b", b"s3 cret")],
        ),
        (
            b'{"operationName":"L","query":"mutation L($p: String!) { login(password: $p) }",'
            b'"variables":{"username":"ann","password":"v4lue"}}', JSON, [("ann", b"v4lue")],
        ),
        (b'mutation { login(username: "ann", password: "raw 1") { id } }', b"application/graphql", [("ann", b"raw 1")]),
        (b'{"query":"{ users(filter: {role: \\"password\\"}) { password } }"}', JSON, []),
    ],
)  # fmt: skip
def test_graphql(body: bytes, kind: bytes, expected: list[tuple[str | None, bytes]]) -> None:
    assert seen(body, kind) == expected


SOAP = (
    b'<?xml version="1.0"?><s:Envelope xmlns:s="x"><s:Header><wsse:Security><wsse:UsernameToken>'
    b'<wsse:Username>ann</wsse:Username><wsse:Password Type="u#%s">%s</wsse:Password>'
    b'<wsse:Nonce>%s</wsse:Nonce><wsu:Created>%s</wsu:Created></wsse:UsernameToken></wsse:Security></s'
    b':Header></s:Envelope>'
)  # fmt: skip


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (SOAP % (b"PasswordText", b"a&amp;b &#x263a;", b"bm9uY2U=", b"x"), [("ann", "a&b ☺".encode())]),
        (b"<login><userName>ann</userName><Password><![CDATA[a<b]]></Password></login>", [("ann", b"a<b")]),
        (b'<login user="ann" password=\'q"1\'/>', [("ann", b'q"1')]),
        (b'<config><add key="password" value="in pair"/></config>', [(None, b"in pair")]),
        (
            b"<methodCall><methodName>wp.getUsersBlogs</methodName><params><param><value><string>admin</string></value>"
            b"</param><param><value><string>hunter2</string></value></param></params></methodCall>",
            [("admin", b"hunter2")],
        ),
        (
            b"<methodCall><methodName>metaWeblog.getPost</methodName><params><param><value><string>1</strin"
            b"g></value></param>"
            b"<param><value>ed</value></param><param><value>pw9</value></param></params></methodCall>",
            [("ed", b"pw9")],
        ),
        (b"<methodCall><methodName>pingback.ping</methodName><params><param><value>a</value></param>"
         b"<param><value>b</value></param></params></methodCall>", []),
        (b"<a><password></password><Password/><b>password=x</b></a>", []),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", [b"text/xml", b"application/soap+xml"])
def test_xml(body: bytes, kind: bytes, expected: list[tuple[str | None, bytes]]) -> None:
    assert seen(body, kind) == expected


def test_a_password_digest_is_a_hash() -> None:
    nonce, created, word = b"0123456789abcdef", b"2026-11-23T10:00:00Z", b"sesame"
    digest = sha1(nonce + created + word).digest()
    [one] = sightings(SOAP % (b"PasswordDigest", b64encode(digest), b64encode(nonce), created), b"text/xml")
    assert (one.form, one.username) == ("hash", "ann")
    assert one.secret == digest.hex().encode() + b":" + (nonce + created).hex().encode()
    assert one.parts == (digest,) and one.details is not None and one.details["hashcat"] == 120


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"user=ann\r\npassword=with blank & more\r\n", [("ann", b"with blank & more")]),
        (b"user=ann&password=x", [("ann", b"x")]),
        (b"Dear all,\r\npassword=x\r\n", []),
        (b"my pass=x and so on", []),
    ],
)
def test_plain_text(body: bytes, expected: list[tuple[str | None, bytes]]) -> None:
    assert seen(body, b"text/plain") == expected


def test_json_that_is_compressed() -> None:
    request = post(gzip.compress(b'{"user":"ann","password":"packed1"}'), more=b"Content-Encoding: gzip\r\n")
    [one] = read(client(request), server(OK)).sightings
    assert (one.username, one.secret) == ("ann", b"packed1")


# What the answer says


def judged(answer: bytes, kind: bytes = b"text/html", status: bytes = b"200 OK", coded: bool = False) -> str:
    body = gzip.compress(answer) if coded else answer
    head = b"HTTP/1.1 " + status + b"\r\nContent-Type: " + kind + b"\r\n" + b"Content-Encoding: gzip\r\n" * coded
    response = head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    found: Found = read(client(post(b'{"user":"u","password":"secret1"}')), server(response))
    [one] = found.sightings
    return one.outcome


@pytest.mark.parametrize(
    ("body", "status", "outcome"),
    [
        (b"<p>Invalid username or password</p>", b"200 OK", "refused"),
        (b"<p>The password you entered is incorrect.</p>", b"200 OK", "refused"),
        (b"<h1>Login failed</h1>", b"200 OK", "refused"),
        (b"<form><p class=error>Error</p><input name=p type='password'></form>", b"200 OK", "refused"),
        (b"<form><input name=p type=password></form>", b"200 OK", "unknown"),
        (b"<p>Welcome, ann</p><a href='/logout.php'>out</a>", b"200 OK", "accepted"),
        (b"<script>var m='Login failed'</script><p>hello</p>", b"200 OK", "unknown"),
        (b"<p>Thank you</p>", b"200 OK", "unknown"),
        (b'{"error":"invalid_grant"}', b"400 Bad", "refused"),
        (b'{"success":false}', b"200 OK", "refused"),
        (b'{"error":null,"token":"0123456789abcdef"}', b"200 OK", "accepted"),
        (b'{"access_token":"0123456789abcdef","expires_in":3600}', b"200 OK", "accepted"),
        (b'{"id":7,"errors":[]}', b"200 OK", "unknown"),
        (b'{"id":7,"name":"x"}', b"200 OK", "unknown"),
        (b"<p>oops</p>", b"500 Broken", "unknown"),
    ],
)
@pytest.mark.parametrize("coded", [False, True])
def test_a_page_tells_what_became_of_it(body: bytes, status: bytes, outcome: str, coded: bool) -> None:
    kind = b"application/json" if body[:1] == b"{" else b"text/html"
    assert judged(body, kind, status, coded) == outcome


# Whatever is sent

FRAGMENTS = st.lists(
    st.sampled_from(
        [b'"password"', b":", b'"', b"\\", b"{", b"}", b"[", b"]", b",", b'"user":"u"', b"<password>", b"</password>",
         b"<![CDATA[", b"]]>", b"query", b"mutation{a(password:\\\"x\\\")}", b"password=", b"&", b"%",
         b"\xff", b"x", b"\n",
         b"<methodName>wp.getUsersBlogs</methodName>", b"<value>", b"eyJhbGciOiJIUzI1NiJ9.e30.",
         b"Type=\"#PasswordDigest\""]
    ),
    max_size=40,
).map(b"".join)  # fmt: skip
KINDS = st.sampled_from(
    [JSON, b"text/xml", b"application/graphql", b"text/plain", b"application/x-www-form-urlencoded"]
)


@given(st.one_of(FRAGMENTS, st.binary(max_size=200)), KINDS, st.integers(1, 50))
@settings(max_examples=300, deadline=None)
def test_nothing_raises_and_cuts_change_nothing(body: bytes, kind: bytes, cut: int) -> None:
    assert sightings(body, kind) == sightings(body, kind, [cut])


@given(FRAGMENTS)
@settings(max_examples=200, deadline=None)
def test_no_answer_raises(answer: bytes) -> None:
    assert judged(answer) in {"accepted", "refused", "unknown"}

"""Requests of HTTP with a secret in each place where one may stand (secret_talks.py)."""

from __future__ import annotations

from collections.abc import Iterator

Calls = list[tuple[bool, bytes]]
Talks = Iterator[tuple[str, Calls]]


def _asked(target: bytes, body: bytes = b"", **headers: bytes) -> bytes:
    lines = [b"POST " + target + b" HTTP/1.1", b"Host: h.example", b"Content-Length: %d" % len(body)]
    lines += [name.replace("_", "-").encode() + b": " + value for name, value in headers.items()]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def passwords(s: bytes) -> Talks:
    """In bodies, and in what quotes the URL."""
    answer = b'{"error":"not ' + s + b'"}'
    said = (False, b"HTTP/1.1 401 no\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer))
    end: Calls = [(said[0], said[1] + answer)]
    json, xml = b"application/json", b"text/xml"
    nested = b'{"auth":{"list":[{"user":"ann","password":"' + s + b'"}]}}'
    yield "json", [(True, _asked(b"/login", nested, Content_Type=json)), *end]
    graph = b'{"query":"mutation{login(user:\\"ann\\",password:\\"' + s + b'\\"){id}}"}'
    yield "graphql", [(True, _asked(b"/graphql", graph, Content_Type=json)), *end]
    given = b'{"query":"mutation($p:String){login(password:$p){id}}","variables":{"password":"' + s + b'"}}'
    yield "graphql-variables", [(True, _asked(b"/graphql", given, Content_Type=json)), *end]
    soap = b"<Envelope><Body><Login><Username>ann</Username><Password>" + s + b"</Password></Login></Body></Envelope>"
    yield "soap", [(True, _asked(b"/soap", soap, Content_Type=xml)), *end]
    part = b'--b\r\nContent-Disposition: form-data; name="password"\r\n\r\n' + s + b"\r\n--b--\r\n"
    yield "multipart", [(True, _asked(b"/login", part, Content_Type=b"multipart/form-data; boundary=b")), *end]
    yield "query", [(True, _asked(b"/login?user=ann&password=" + s)), *end]
    yield "referer", [(True, _asked(b"/next", Referer=b"http://h.example/login?user=ann&password=" + s)), *end]


def tokens(s: bytes) -> Talks:
    """In headers and URLs."""
    token = b"t0k3n." + s + b".9fKq2ZrX7vLm4Wb8"
    end: Calls = [(False, b"HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n")]
    yield "bearer", [(True, _asked(b"/", Authorization=b"Bearer " + token)), *end]
    yield "api-key", [(True, _asked(b"/", X_API_Key=token)), *end]
    yield "url", [(True, _asked(b"/a?access_token=" + token)), *end]

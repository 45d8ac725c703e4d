"""What is in HTTP bodies, through the parser: decoded contents, parts of forms, objects, and the secrets in them."""

from __future__ import annotations

import gzip
import shutil
import socket
import subprocess
import zlib
from hashlib import sha256
from threading import Thread

import brotli
import pytest
from backports import zstd
from hypothesis import given
from hypothesis import strategies as st

from support.parsing import Found, talk
from syswire.convert.model.exchange import HttpRequest, HttpResponse
from syswire.convert.model.record import Value
from syswire.convert.protocols.http.content_coding import BAD
from syswire.convert.protocols.http1.parser import Http1

PAGE = b"<html>" + b"so many words, so many words. " * 300 + b"</html>"
GET = b"GET /a HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n"
CUTS = st.lists(st.integers(1, 700), min_size=1, max_size=6)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def answer(body: bytes, *lines: str, length: int | None = None) -> bytes:
    head = ["HTTP/1.1 200 OK", *lines, f"Content-Length: {len(body) if length is None else length}", "", ""]
    return "\r\n".join(head).encode() + body


def post(body: bytes, *lines: str) -> bytes:
    head = ["POST /login HTTP/1.1", "Host: h", *lines, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(head).encode() + body


def chunks(body: bytes, size: int) -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def response(found: Found, number: int = 0) -> HttpResponse:
    made = found.exchanges[number].response
    assert made is not None
    return made


def request(found: Found, number: int = 0) -> HttpRequest:
    made = found.exchanges[number].request
    assert made is not None
    return made


def content(codings: list[str], length: int, body: bytes, complete: bool) -> dict[str, Value]:
    names: list[Value] = [*codings]
    return {
        "content_encoding": names,
        "content_length": length,
        "content_sha256": digest(body) if body else None,
        "content_complete": complete,
    }


@pytest.mark.parametrize("cuts", [None, [1], [5, 333]])
def test_codings_of_responses(cuts: list[int] | None) -> None:
    coded = gzip.compress(brotli.compress(PAGE), mtime=0)
    stacked = answer(coded, "content-encoding: br", "Content-Type: text/html", "Content-Encoding: gzip")
    zipped = gzip.compress(zstd.compress(PAGE), mtime=0)
    transferred = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\nContent-Encoding: zstd\r\n\r\n" + chunks(
        zipped, 50
    )
    plain = answer(PAGE)
    found = talk(Http1, [(True, GET * 3), (False, stacked + transferred + plain)], cuts=cuts)
    first, second, third = (response(found, number) for number in range(3))
    assert first.more == content(["br", "gzip"], len(PAGE), PAGE, True)
    assert (first.body_length, first.body_sha256) == (len(coded), digest(coded))
    assert second.more == content(["zstd", "gzip"], len(PAGE), PAGE, True)
    assert (second.body_length, second.body_sha256) == (len(zipped), digest(zipped))
    assert third.more is None
    assert not found.weirds


def test_no_body_has_no_content() -> None:
    head = b"HEAD /a HTTP/1.1\r\nHost: h\r\n\r\n"
    coded = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 99\r\n\r\n"
    found = talk(Http1, [(True, head + GET), (False, coded + coded.replace(b"200 OK", b"304 Not Modified"))])
    assert [response(found, number).more for number in range(2)] == [None, None]
    assert not found.weirds


def test_cut_lost_and_wrong() -> None:
    coded = gzip.compress(PAGE * 50, mtime=0)
    half = len(coded) // 2
    cases: list[list[tuple[bool, bytes | int]]] = [
        [(True, GET), (False, answer(coded[:half], "Content-Encoding: gzip", length=len(coded)))],
        [
            (True, GET),
            (False, answer(coded[:half], "Content-Encoding: gzip", length=len(coded))),
            (False, 10),
            (False, coded[half + 10 :]),
        ],
    ]
    for calls in cases:
        found = talk(Http1, calls)
        more = response(found).more
        plain = zlib.decompressobj(31).decompress(coded[:half])
        assert plain and more == content(["gzip"], len(plain), plain, False)
        assert not found.weirds
    found = talk(Http1, [(True, GET), (False, answer(PAGE, "Content-Encoding: gzip"))])
    assert response(found).more == content(["gzip"], 0, b"", False)
    assert [name for name, _ in found.weirds] == [BAD]


@pytest.mark.parametrize("typed", [True, False])
@pytest.mark.parametrize("cuts", [None, [1], [9]])
def test_a_secret_in_a_compressed_form(typed: bool, cuts: list[int] | None) -> None:
    plain = b"login=ann&password=caf%C3%A9+au+lait&x=1"
    coded = zlib.compress(plain)
    lines = ["Content-Type: application/x-www-form-urlencoded"] if typed else []
    asked = post(coded, *lines, "Content-Encoding: deflate")
    found = talk(Http1, [(True, asked), (False, b"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n")], cuts=cuts)
    [sighting] = found.sightings
    assert (sighting.location, sighting.field, sighting.username) == ("form-body", "password", "ann")
    assert sighting.secret == "café au lait".encode() == sighting.raw
    assert (sighting.secret_complete, sighting.outcome) == (True, "refused")
    assert (sighting.span.offset, sighting.span.length) == (asked.index(coded), len(coded))
    assert request(found).more == content(["deflate"], len(plain), plain, True)


def test_a_compressed_form_that_is_cut() -> None:
    plain = b"user=ann&password=" + bytes(range(65, 91)) * 3
    coded = gzip.compress(plain, mtime=0)
    asked = post(coded, "Content-Type: application/x-www-form-urlencoded", "Content-Encoding: gzip")[:-12]
    found = talk(Http1, [(True, asked)])
    [sighting] = found.sightings
    assert plain[18:].startswith(sighting.secret)
    assert not sighting.secret_complete


def form(boundary: bytes, *parts: tuple[bytes, bytes]) -> bytes:
    made = [b'--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (boundary, *part) for part in parts]
    return b"".join(made) + b"--" + boundary + b"--\r\n"


@pytest.mark.parametrize("cuts", [None, [1], [9]])
@pytest.mark.parametrize("coded", [False, True])
def test_secrets_in_parts(cuts: list[int] | None, coded: bool) -> None:
    body = form(b"q", (b"user[name]", b"x"), (b"email", b"ann@h"), (b"account[Password]", b"two words"), (b"pin", b""))
    sent = gzip.compress(body, mtime=0) if coded else body
    lines = ["Content-Type: multipart/form-data; boundary=q", *(["Content-Encoding: gzip"] if coded else [])]
    asked = post(sent, *lines)
    found = talk(Http1, [(True, asked), (False, b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n")], cuts=cuts)
    [sighting] = found.sightings
    assert (sighting.field, sighting.username, sighting.secret) == ("account[Password]", "ann@h", b"two words")
    assert (sighting.raw, sighting.outcome, sighting.location) == (b"two words", "refused", "form-body")
    at, size = (asked.index(sent), len(sent)) if coded else (asked.index(b"two words"), 9)
    assert (sighting.span.offset, sighting.span.length) == (at, size)
    more = request(found).more
    assert more is not None and isinstance(more["parts"], list)
    hashes = [
        (part["name"], part["part_sha256"], "hash_withheld" in part) for part in more["parts"] if isinstance(part, dict)
    ]
    assert hashes == [
        ("user[name]", digest(b"x"), False),
        ("email", digest(b"ann@h"), False),
        ("account[Password]", None, True),
        ("pin", None, True),
    ]


def test_parts_in_chunks_are_found_where_they_stand() -> None:
    body = form(b"q", (b"user", b"ann"), (b"password", b"long enough to be divided"))
    head = b"POST /l HTTP/1.1\r\nHost: h\r\nContent-Type: multipart/form-data; boundary=q\r\n"
    head += b"Transfer-Encoding: chunked\r\n\r\n"
    framed = chunks(body, 10)
    found = talk(Http1, [(True, head + framed)])
    [sighting] = found.sightings
    assert sighting.secret == b"long enough to be divided"
    stretch = (head + framed)[sighting.span.offset : sighting.span.offset + sighting.span.length]
    assert stretch.replace(b"\r\na\r\n", b"") == sighting.secret


def test_objects() -> None:
    upload = b'--q\r\nContent-Disposition: form-data; name="f"; filename="/etc/x"\r\n\r\nfile\r\n--q--\r\n'
    calls: list[tuple[bool, bytes | int]] = [
        (True, post(upload, "Content-Type: multipart/form-data; boundary=q") + GET * 3),
        (False, answer(b"made") + answer(gzip.compress(PAGE), "Content-Encoding: gzip")),
        (False, answer(b"no gzip", "Content-Encoding: gzip") + answer(PAGE[:100], length=300)),
        (False, 50),
        (False, PAGE[150:300]),
    ]
    found = talk(Http1, calls, objects=True)
    kept = [one for one in found.objects or [] if not one.discarded]
    assert {bytes(one.data) for one in kept} == {upload, b"file", b"made", PAGE, b"no gzip", PAGE[:100] + PAGE[150:300]}
    assert [one.lost for one in kept if one.lost] == [[(100, 50)]]
    assert all(one.complete is not None for one in kept)
    assert {digest(bytes(one.data)) for one in kept if one.complete} == {
        digest(data) for data in (upload, b"file", b"made", PAGE, b"no gzip")
    }
    for cuts in ([1], [100, 3]):
        assert [
            bytes(one.data) for one in talk(Http1, calls, objects=True, cuts=cuts).objects or [] if not one.discarded
        ] == [bytes(one.data) for one in kept]


@given(CUTS, st.integers(0, 400), st.integers(0, 60), st.booleans())
def test_any_cuts_and_any_loss(cuts: list[int], at: int, lost: int, objects: bool) -> None:
    body = form(b"q", (b"user", b"ann"), (b"password", b"in parts"), (b"f", PAGE[:100]))
    asked = post(body, "Content-Type: multipart/form-data; boundary=q")
    asked += post(
        gzip.compress(body, mtime=0), "Content-Type: multipart/form-data; boundary=q", "Content-Encoding: gzip"
    )
    said = answer(zstd.compress(PAGE), "Content-Encoding: zstd") + answer(PAGE, "Content-Encoding: br")
    calls: list[tuple[bool, bytes | int]] = [
        (True, asked[:at]),
        (True, lost),
        (True, asked[at + lost :]),
        (False, said),
    ]
    if not lost:
        calls = [(True, asked), (False, said)]
    assert talk(Http1, calls, cuts=cuts, objects=objects).said() == talk(Http1, calls, objects=objects).said()


class Server:
    """Answers one connection with what `coding` made of the page; keeps what was said on it."""

    def __init__(self, coding: str, body: bytes) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._listening.settimeout(20)
        self.port = self._listening.getsockname()[1]
        self.said: list[tuple[bool, bytes | int]] = []
        self._answer = answer(body, f"Content-Encoding: {coding}", "Connection: close")
        self._thread = Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        with self._listening, self._listening.accept()[0] as connection:
            connection.settimeout(20)
            heard = b""
            while b"\r\n\r\n" not in heard or (b"POST" in heard[:4] and not heard.endswith(b"--\r\n")):
                heard += connection.recv(65536)
            connection.sendall(self._answer)
            self.said += [(True, heard), (False, self._answer)]

    def close(self) -> list[tuple[bool, bytes | int]]:
        self._thread.join(30)
        return self.said


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_as_curl_does() -> None:
    features = subprocess.run(["curl", "--version"], capture_output=True, text=True, check=True).stdout
    codings = {"gzip": gzip.compress, "deflate": zlib.compress, "br": brotli.compress, "zstd": zstd.compress}
    able = {"gzip": "libz", "deflate": "libz", "br": "brotli", "zstd": "zstd"}
    for name, encode in codings.items():
        if able[name] not in features:
            continue
        server = Server(name, encode(PAGE))
        command = ["curl", "-sS", "--compressed", "--max-time", "20", f"http://127.0.0.1:{server.port}/"]
        printed = subprocess.run(command, capture_output=True, check=True).stdout
        found = talk(Http1, server.close())
        assert printed == PAGE
        assert response(found).more == content([name], len(printed), printed, True)
    server = Server("gzip", gzip.compress(PAGE))
    url = f"http://127.0.0.1:{server.port}/up"
    fields = ["-F", "username=bob", "-F", "password=sent by curl", "-F", "f=@-;filename=p.bin;type=image/x"]
    subprocess.run(["curl", "-sS", "--max-time", "20", *fields, url], input=PAGE, capture_output=True, check=True)
    found = talk(Http1, server.close(), objects=True)
    [sighting] = found.sightings
    assert (sighting.username, sighting.secret) == ("bob", b"sent by curl")
    more = request(found).more
    assert more is not None and isinstance(more["parts"], list)
    last = more["parts"][2]
    assert isinstance(last, dict)
    assert [last[key] for key in ("name", "filename", "content_type", "length", "part_sha256")] == [
        "f",
        "p.bin",
        "image/x",
        len(PAGE),
        digest(PAGE),
    ]

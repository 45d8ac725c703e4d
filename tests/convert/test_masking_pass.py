"""Records that are copied unseen hold no secret: all of them looked at one by one come out the same."""

from __future__ import annotations

import json
import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from support.pieces_made import Pieces
from syswire.convert.annotate import Annotated, annotate
from syswire.convert.masking import gather, informed, mask
from syswire.convert.parts import Part
from syswire.convert.redact import Redactor

encode = msgspec.json.Encoder().encode
SECRET = b"kaffee tasse9"
FORM = b"Content-Type: application/x-www-form-urlencoded\r\n"
LOGIN = b"POST /login HTTP/1.1\r\nHost: h\r\n" + FORM + b"Content-Length: %d\r\n\r\n%s"
SPELLED = [
    SECRET,
    b"kaffee+tasse9",
    b"kaffee%20tasse9",
    b"k%61ffee%2520tasse9",
    b"kaff\\u0065e tasse9",
    b64encode(b"a:" + SECRET),
    SECRET.hex().encode(),
    b"kaffee\r\n tasse9",  # a folded line
    b"kaffee%3",
    b"harmless",
    b"t\xe4sse",
    b"\xc3\xa4 \\",
]
PLACES = [
    b"GET /%s HTTP/1.1\r\nHost: h\r\n\r\n",
    b"GET /a HTTP/1.1\r\nHost: h\r\nX-Text: %s\r\nX-Last: z\r\n\r\n",
    b"GET http://%s/ HTTP/1.1\r\n\r\n",
    b"POST /b HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 40\r\n\r\n%-40.40s",
    b"GET /harmless HTTP/1.1\r\nHost: h\r\n\r\n",
]
REPLIES = [
    b"HTTP/1.1 200 %s\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nX-Text: %s\r\nContent-Length: 3\r\n\r\nabc",
    b"HTTP/1.1 200 OK\r\nContent-Length: 60\r\n\r\n%-60.60s",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX-Last: %s\r\n\r\n",
    b"HTTP/1.1 204 \r\n\r\n",
]


def fill(template: bytes, text: bytes) -> bytes:
    return template % text if b"%" in template else template


exchange = st.one_of(
    st.just((LOGIN % (len(b"user=a&password=" + SECRET), b"user=a&password=" + SECRET), b"HTTP/1.1 204 \r\n\r\n")),
    st.tuples(
        st.builds(fill, st.sampled_from(PLACES), st.sampled_from(SPELLED)),
        st.builds(fill, st.sampled_from(REPLIES), st.sampled_from(SPELLED)),
    ),
)
conversation = st.lists(exchange, min_size=1, max_size=5)


def within(begins: list[int], message: dict[str, Any]) -> bool:
    first = message["where"]["stream_offset"]
    return any(first <= begin < first + message["where"]["length"] for begin in begins)


def one_by_one(part: Part, found: Annotated, redactor: Redactor, sent: list[list[bytes]], base: int) -> list[bytes]:
    """Every record of the first pass, masked by itself."""
    lines = Path(part.path("exchanges")).read_bytes().splitlines(keepends=True)
    out = []
    for number, count in enumerate(found.lines):
        begins = [
            [begin for begin, _ in redactor.spans(stream)] if redactor.holds(stream) else [] for stream in sent[number]
        ]
        for line in lines[:count]:
            record = json.loads(line)
            if record["type"] == "sighting":
                record["exchange"] += base
            for side, name in enumerate(("response", "request")):
                message = record.get(name)
                if message and message["body_sha256"] and within(begins[side], message):
                    message["body_sha256"], message["hash_withheld"] = None, True
            out.append(redactor.json_line(encode(record) + b"\n"))
        del lines[:count]
    return out


@settings(max_examples=150, deadline=None)
@given(
    st.lists(conversation, min_size=1, max_size=4), st.sampled_from([9, 1460]), st.sampled_from([0, 7]), st.booleans()
)
def test_as_one_by_one(talks: list[list[tuple[bytes, bytes]]], cut: int, base: int, reveal: bool) -> None:
    pieces, sent = Pieces(), []
    for talk in talks:
        for messages in talk:
            for way, data in zip((1, 0), messages, strict=True):
                for at in range(0, len(data), cut):
                    pieces.known(way, data[at : at + cut], joins=at > 0, boundary=at == 0)
        pieces.end()
        sent.append([b"".join(answer for _, answer in talk), b"".join(asked for asked, _ in talk)])
    with tempfile.TemporaryDirectory() as folder:
        part = pieces.part(Path(folder), reveal=reveal)
        found = annotate(part)
        secrets = f"{folder}/secrets"
        gather([found], secrets)
        informed.cache_clear()
        redactor = informed(secrets, part.key, reveal)
        wanted = one_by_one(part, found, redactor, sent, base)
        mask(part, found, secrets, base)
        assert Path(part.path("exchanges.final")).read_bytes().splitlines(keepends=True) == wanted
        streams = [json.loads(line) for line in Path(part.path("streams.final")).read_bytes().splitlines()]
    for number, stream in enumerate(streams):
        for side, name in enumerate(("sha256_to_client", "sha256_to_server")):
            held = redactor.holds(sent[number][side])
            tainted = (number + 1, side == 1) in found.tainted and not reveal
            assert (stream[name] is None) == (held or tainted)


def test_long_streams_are_searched_in_windows() -> None:
    """A secret across the border of a window, and one far behind it."""
    body = b"x" * (1 << 18) + SECRET + b"y" * 300_000 + SECRET.hex().encode()
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    for shift in (0, 5, 50):
        pieces = Pieces()
        login = b"user=a&password=" + SECRET
        pieces.known(1, LOGIN % (len(login), login))
        for at in range(0, len(reply), 60_000 - shift):
            pieces.known(0, reply[at : at + 60_000 - shift], joins=at > 0, boundary=at == 0)
        pieces.end()
        with tempfile.TemporaryDirectory() as folder:
            part = pieces.part(Path(folder))
            found = annotate(part)
            gather([found], f"{folder}/secrets")
            informed.cache_clear()
            mask(part, found, f"{folder}/secrets", 0)
            record = json.loads(Path(part.path("exchanges.final")).read_bytes().splitlines()[0])
        assert record["response"]["body_sha256"] is None and record["response"]["hash_withheld"]

"""The lines that the compiled pass writes are those which msgspec makes of plain dictionaries."""

from __future__ import annotations

import hmac
import json
import tempfile
from hashlib import sha256
from pathlib import Path

import msgspec
from hypothesis import example, given, settings
from hypothesis import strategies as st

from support.http1 import Found
from support.pieces_made import T0, Pieces
from support.plain_records import Plain, Record
from syswire.convert.annotate import annotate
from syswire.convert.model.text import timestamp
from syswire.convert.protocols.http1.parser import Http1
from syswire.convert.protocols.http1.probe import probe

encode = msgspec.json.Encoder().encode

FRAGMENTS = [
    b"GET /a HTTP/1.1\r\n",
    b"POST /login?pass=secret&x=\xc3\xa9 HTTP/1.1\r\n",
    b"POST /caf\xe9 HTTP/1.1\r\n",
    b"POST http://me:hidden@host/ HTTP/1.1\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 404 Gibt es \xfc\\berhaupt nicht\r\n",
    b"HTTP/1.1 302 Found\nLocation: /home\n",
    b"Host: example.org\r\n",
    b'X-Text: "quoted" \\ \t tab \xe2\x82\xac\r\n',
    b"X-Odd: \xff\\\r\n",
    b"X-Many: a\r\n" * 1001,
    b"Content-Length: 20\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Type: application/x-www-form-urlencoded\r\n",
    b"Authorization: Basic dTpw\r\n",
    b"Authorization: Basic dTr/\r\n",
    b"\r\n",
    b"\r\n",
    b"\r\n",
    b"5\r\nabcde\r\n",
    b"0\r\nX-Check: v\r\n\r\n",
    b"0\r\nX-Check: \xff\r\n\r\n",
    b"user=a&password=bcde",
    b"user=%ff&password=%80x",
    b"GET /ind",
]
WORDS = st.lists(st.sampled_from(FRAGMENTS), max_size=7).map(b"".join)
CALLS = st.lists(st.tuples(st.integers(0, 1), WORDS, st.sampled_from([0, 0, 0, 3, 100])), min_size=1, max_size=6)
LOGIN = b"POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 20\r\n\r\nuser=a&password=bcde"


def expected(pieces: Pieces, calls: list[tuple[int, bytes, int]]) -> tuple[list[Record], bool]:
    """The same bytes through a parser, and what it found through the oracle; whether HTTP was spoken."""
    found = Found()
    parser = None
    offsets = [0, 0]
    for way, data, lost in calls:
        if data:
            if parser is None and probe(way == 1, data):
                parser = Http1(found)
            if parser is not None:
                parser.data(way == 1, data, offsets[way], None, True)
            offsets[way] += len(data)
        if lost:
            if parser is not None:
                parser.gap(way == 1, lost, offsets[way], None)
            offsets[way] += lost
    if parser is not None:
        parser.close(True)
    records = Plain(pieces, 1).records(found)
    for record in records:
        if record["type"] == "sighting":
            raw = next(s.secret for s in found.sightings if s.span.offset == record["where"]["stream_offset"])
            record["secret_fingerprint"] = hmac.new(bytes(32), raw, "sha256").hexdigest()[:12]
    return records, parser is not None


@settings(max_examples=300, deadline=None)
@given(calls=CALLS, cut=st.sampled_from([1, 7, 64, 5000]))
@example(calls=[(1, LOGIN, 0), (0, b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 100, 3)], cut=7)
@example(calls=[(1, LOGIN.replace(b"Content-Length: 20\r\n", b""), 0)], cut=5000)
def test_as_plain_dictionaries(calls: list[tuple[int, bytes, int]], cut: int) -> None:
    pieces = Pieces()
    for way, data, lost in calls:
        for at in range(0, len(data), cut if len(data) < 1000 else 5000):
            size = cut if len(data) < 1000 else 5000
            pieces.known(way, data[at : at + size], joins=at > 0, boundary=at == 0)
        if lost:
            pieces.gap(way, lost)
    pieces.end()
    with tempfile.TemporaryDirectory() as folder:
        part = pieces.part(Path(folder), reveal=True)
        annotate(part)
        lines = Path(part.path("exchanges")).read_bytes()
        stream = Path(part.path("streams")).read_bytes()
    wanted, spoken = expected(pieces, calls)
    found = [json.loads(line) for line in lines.splitlines()]
    assert [record for record in found if record["type"] == "http"] == [r for r in wanted if r["type"] == "http"]
    assert sorted(lines.splitlines()) == sorted(map(encode, wanted)), "to the byte"
    assert stream == encode(whole_stream(pieces, calls, spoken)) + b"\n"


def whole_stream(pieces: Pieces, calls: list[tuple[int, bytes, int]], spoken: bool) -> Record:
    """The conversation's own record."""
    sent = [b"".join(data for way, data, _ in calls if way == side) for side in (0, 1)]
    carried = any(sent)  # else nothing but sequence numbers tells of bytes
    frames = [1, len(pieces.rows)] if pieces.rows else None
    return {
        "type": "stream",
        "id": 1,
        "protocol": "tcp",
        **Plain(pieces, 1).ends,
        "client_process": None,
        "server_process": None,
        "client_processes": [],
        "server_processes": [],
        "client_attribution": "none",
        "server_attribution": "none",
        "opened": None,
        "closed": timestamp(T0),
        "bytes_to_server": carried * (len(sent[1]) + sum(lost for way, _, lost in calls if way == 1)),
        "bytes_to_client": carried * (len(sent[0]) + sum(lost for way, _, lost in calls if way == 0)),
        "sha256_to_server": sha256(sent[1]).hexdigest(),
        "sha256_to_client": sha256(sent[0]).hexdigest(),
        "gaps": sum(1 for _, _, lost in calls if lost),
        "missing_bytes": sum(lost for _, _, lost in calls),
        "frames": frames,
        "shifted": 0,
        "tcp_stream": 0,
        "protocols": ["http"] if spoken else [],
        "encrypted": False,
    }

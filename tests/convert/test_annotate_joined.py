"""Exchanges and secrets of joined pieces are told with the frame that holds their first byte."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.pieces_made import Pieces
from syswire.convert.annotate import annotate

BODY = b"user=fritz&password=correct-horse-battery"
FIRST = (
    b"POST /login HTTP/1.1\r\nHost: shop.example\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: %d\r\n\r\n" % len(BODY)
) + BODY
SECOND = b"GET /cart?x=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n"
REPLIES = (
    b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n"
    + b"a" * 300
    + b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
)


def frames_of(data: bytes, way: int, size: int, pieces: Pieces) -> list[int]:
    """Cut a stream into frames that join; the number of the frame of each byte."""
    numbers = []
    for begin in range(0, len(data), size):
        part = data[begin : begin + size]
        pieces.known(way, part, joins=begin > 0)
        numbers += [len(pieces.rows)] * len(part)
    return numbers


@pytest.mark.parametrize("size", [1, 3, 16, 50, 133, 1460])
def test_frames_of_records(tmp_path: Path, size: int) -> None:
    pieces = Pieces()
    asked = frames_of(FIRST + SECOND, 1, size, pieces)
    answered = frames_of(REPLIES, 0, size, pieces)
    pieces.end()
    part = pieces.part(tmp_path, reveal=True)
    found = annotate(part)
    lines = [json.loads(line) for line in Path(part.path("exchanges")).read_bytes().splitlines()]
    assert [line["type"] for line in lines] == ["http", "sighting", "http"]
    secret = FIRST.index(b"correct-horse")
    places = [lines[0]["request"], lines[0]["response"], lines[1], lines[2]["request"], lines[2]["response"]]
    second = REPLIES.index(b"HTTP/1.1 404")
    frames = [asked[0], answered[0], asked[secret], asked[len(FIRST)], answered[second]]
    assert [place["where"]["frame"] for place in places] == frames
    assert [place["where"]["source_frame"] for place in places] == [frame + 1000 for frame in frames]
    assert [place["where"]["offset"] for place in places] == [(frame - 1) * 100 for frame in frames]
    assert [place["where"]["stream_offset"] for place in places] == [0, 0, secret, len(FIRST), second]
    assert found.counts.exchanges == 2
    stream = json.loads(Path(part.path("streams")).read_bytes())
    assert stream["frames"] == [1, len(pieces.rows)]

"""The HTTP/1 parser: cuts change nothing, spans lie in the streams, each request comes out once and in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.http1 import Call, Found, read

from ..feeding import chance
from ..mutate import http1

if TYPE_CHECKING:
    from pathlib import Path


class Run:
    """Parses a conversation whole, byte by byte and in random cuts."""

    def __init__(self, scratch: Path) -> None:
        """Needs no files."""

    def __call__(self, data: bytes) -> None:
        """Raises where the answers differ or a span leaves its stream."""
        calls = [Call(one.to_server, one.data, one.lost) for one in http1.split(data)]
        random = chance(data)
        ended = random.random() < 0.5
        whole = read(*calls, ended=ended)
        cuts = [random.choice((1, 2, 3, 5, 17, 100)) for _ in range(5)]
        for other in (read(*calls, cuts=[1], ended=ended), read(*calls, cuts=cuts, ended=ended)):
            assert other.exchanges == whole.exchanges
            assert other.sightings == whole.sightings
            assert other.names == whole.names
            assert other.switched == whole.switched
        self._check_spans(calls, whole)

    @staticmethod
    def _check_spans(calls: list[Call], found: Found) -> None:
        streams = {
            side: b"".join(one.data + bytes(one.lost) for one in calls if one.to_server is side)
            for side in (True, False)
        }
        ends = {True: 0, False: 0}
        for ordinal, exchange in enumerate(found.exchanges, 1):
            assert exchange.ordinal == ordinal
            for side, message in ((True, exchange.request), (False, exchange.response)):
                if message is not None:
                    assert ends[side] <= message.span.offset
                    ends[side] = message.span.offset + message.span.length
                    assert ends[side] <= len(streams[side])
        for sighting in found.sightings:
            begin, length = sighting.span.offset, sighting.span.length
            assert 0 <= begin <= begin + length <= len(streams[True])
            request = found.exchanges[sighting.exchange - 1].request
            assert request is not None
            if request.more and "content_encoding" in request.more:
                continue  # it may stand in what was decoded: its span is then that of the body
            assert length >= len(sighting.raw)
            if length == len(sighting.raw):
                assert streams[True][begin : begin + length] == sighting.raw
        for _, span in found.weirds:
            assert span.offset >= 0 and span.length >= 0

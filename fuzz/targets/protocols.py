"""The other protocols' parsers: cuts change nothing, spans lie in the streams, whatever comes out comes in order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.parsing import Found, talk
from syswire.convert.protocols.table import BY_NAME, STREAMS

from ..feeding import chance
from ..mutate import protocols

if TYPE_CHECKING:
    from pathlib import Path

    from syswire.convert.model.span import Span


class Run:
    """Parses a conversation whole, byte by byte and in random cuts; datagrams and frames stay whole."""

    def __init__(self, scratch: Path) -> None:
        """Needs no files."""

    def __call__(self, data: bytes) -> None:
        """Raises where the answers differ or a span leaves its stream."""
        name, calls = protocols.split(data)
        random = chance(data)
        ended = random.random() < 0.5
        steps: list[tuple[bool, bytes | int]] = []
        for one in calls:
            if one.data:
                steps.append((one.to_server, one.data))
            if one.lost:
                steps.append((one.to_server, one.lost))
        protocol = BY_NAME[name]
        whole = talk(protocol.open, steps, ended=ended)
        if protocol.transports & STREAMS:
            cuts = [random.choice((1, 2, 3, 5, 17, 100)) for _ in range(5)]
            for sizes in ([1], cuts):
                other = talk(protocol.open, steps, cuts=sizes, ended=ended)
                assert other.said() == whole.said()
        self._check_spans(steps, whole)

    @staticmethod
    def _check_spans(steps: list[tuple[bool, bytes | int]], found: Found) -> None:
        ends = {True: 0, False: 0}
        for side, what in steps:
            ends[side] += what if isinstance(what, int) else len(what)

        def within(span: Span, size: int) -> None:
            assert 0 <= span.offset <= span.offset + span.length <= size

        for record in found.records:
            if record.request is not None:
                within(record.request.span, ends[True])
            if record.response is not None:
                within(record.response.span, ends[False])
        for exchange in found.exchanges:
            if exchange.request is not None:
                within(exchange.request.span, ends[True])
            if exchange.response is not None:
                within(exchange.response.span, ends[False])
        for sighting in found.sightings:
            within(sighting.span, max(ends.values()))
        for _, span in found.weirds:
            within(span, max(ends.values()))

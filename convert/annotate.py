"""Phase 2, first pass: conversation by conversation, from merged pieces to streams, exchanges and sightings.

Feeds the protocols' parsers, hashes the streams and spools the records in the order of the file, each with its place
in the evidence. Which secrets there are is known only when all parts are done: masking.py then makes the second pass.
"""

from __future__ import annotations

import hashlib
from array import array
from typing import IO, TYPE_CHECKING

import msgspec

from . import annotations as notes
from .annotations import Ends, Spot
from .model.rows import PIECE_BOUNDARY, PIECE_IN_FRAME, TCP, UNIX_STREAM
from .model.sighting import FORM_BODY
from .protocols.table import recognise
from .redact import Redactor, mask_exchange, mask_own

if TYPE_CHECKING:
    from .conversations.rebuilt import Conversation, Rebuilt
    from .conversations.totals import ConversationTotals
    from .model.exchange import HttpExchange
    from .model.sighting import Sighting
    from .model.span import Span
    from .parts import Part
    from .protocols.api import Parser

MOST_SECRETS = 100_000
BUFFER = 1 << 18
_encode = msgspec.json.Encoder().encode


class Counts(msgspec.Struct):
    """How much was found, for the manifest; `http_ports` are TCP server ports on which HTTP was spoken."""

    streams: int = 0
    exchanges: int = 0
    sightings: int = 0
    weird: dict[str, int] = {}
    http_ports: set[int] = set()

    def add(self, other: Counts) -> None:
        """Take another part's counts in."""
        self.streams += other.streams
        self.exchanges += other.exchanges
        self.sightings += other.sightings
        for name, number in other.weird.items():
            self.weird[name] = self.weird.get(name, 0) + number
        self.http_ports |= other.http_ports


class Annotated(msgspec.Struct):
    """What the first pass found in one part. `lines` counts the spooled records of each conversation.

    `secrets` are (secret, its bytes on the wire) in the order of their first sighting; `overfull` says that there were
    more than are kept. `tainted` are conversations in whose requests a secret was sighted.
    """

    counts: Counts
    lines: array[int]
    secrets: dict[tuple[bytes, bytes], None]
    tainted: set[int]
    overfull: bool = False


class _Findings:
    """The parsers' sink for one conversation after the other: makes records and spools them as lines."""

    def __init__(self, annotator: _Annotator) -> None:
        self._to = annotator
        self._held: HttpExchange | None = None
        self._sightings: list[Sighting] = []
        self.base = 0  # exchanges of earlier conversations
        self.conversation: Conversation
        self.ends: Ends
        self.places: tuple[notes.Record, notes.Record]

    def _processes(self, first: Spot | None, second: Spot | None) -> tuple[int | None, int | None]:
        """The processes at both ends: who acted where that end was seen, else what the stream says."""
        client, server = self.ends.client_process(), self.ends.server_process()
        seen = self.conversation.conv.ends
        if first is not None and first.thread in self.ends.client and seen & 1:
            client = first.thread
        if second is not None and second.thread in self.ends.server and seen & 2:
            server = second.thread
        elif first is not None and not seen & 1 and first.thread in self.ends.server:
            server = first.thread
        return client or None, server or None

    def exchange(self, e: HttpExchange, /) -> None:
        self.flush()
        self._to.counts.exchanges += 1
        self._held = e

    def sighting(self, s: Sighting, /) -> None:
        self._to.learn(s)
        if self._held is not None and self._held.ordinal == s.exchange:
            self._sightings.append(s)
        else:  # known only after its exchange was spooled: a body of which no header told
            self._to.taint(self.conversation.conv.id)
            self._spool_sighting(s, [s], self._processes(self._to.spot(s.span), None))

    def weird(self, name: str, span: Span, /) -> None:
        self._to.counts.weird[name] = self._to.counts.weird.get(name, 0) + 1

    def flush(self) -> None:
        """Spool the exchange that was held back for its sightings, and those."""
        if self._held is None:
            return
        exchange, self._held = self._held, None
        sightings, self._sightings = self._sightings, []
        to, stream = self._to, self.conversation.conv.id
        if sightings and not to.redactor.reveal:
            exchange = mask_exchange(exchange, sightings, to.redactor)
            to.taint(stream)
        request, response = exchange.request, exchange.response
        spots = (
            None if request is None else to.spot(request.span),
            None if response is None else to.spot(response.span),
        )
        processes = self._processes(*spots)
        record = notes.http_record(to.source, stream, self.places, processes, exchange, spots)
        if request is not None and not to.redactor.reveal and any(s.location == FORM_BODY for s in sightings):
            record["request"]["body_sha256"], record["request"]["hash_withheld"] = None, True
        to.spool(_encode(record))
        for sighting in sightings:
            self._spool_sighting(sighting, sightings, processes)

    def _spool_sighting(
        self, sighting: Sighting, own: list[Sighting], processes: tuple[int | None, int | None]
    ) -> None:
        to = self._to
        shown = (
            to.redactor.shown(sighting.secret),
            to.redactor.fingerprint(sighting.secret),
            self.base + sighting.exchange,
        )
        masked = msgspec.structs.replace(sighting, target=mask_own(sighting.target, own, to.redactor))
        spot = to.spot(sighting.span)
        stream = self.conversation.conv.id
        line = notes.sighting_record(to.source, stream, self.places, self.ends, processes, masked, spot, shown)
        to.spool(_encode(line))
        to.counts.sightings += 1


class _Annotator:
    """The first pass over one part."""

    def __init__(self, part: Part, rebuilt: Rebuilt, lines: IO[bytes], streams: IO[bytes]) -> None:
        self.source, self._decoded = part.source, part.prepared.decoded
        # It knows no secret but those of the exchange at hand: what other parts know must make no difference.
        self.redactor = Redactor(part.key, part.reveal)
        self._rebuilt = rebuilt
        self._lines, self._streams = lines, streams
        self._spooled = 0
        self.counts = Counts()
        self.found = Annotated(self.counts, array("I"), {}, set())

    def spool(self, line: bytes) -> None:
        """Take one record's line, in the order of the file."""
        self._lines.write(line + b"\n")
        self._spooled += 1

    def learn(self, sighting: Sighting) -> None:
        """Keep a secret for the second pass."""
        if len(self.found.secrets) < MOST_SECRETS:
            self.found.secrets[sighting.secret, sighting.raw] = None
        else:
            self.found.overfull = True

    def taint(self, conversation: int) -> None:
        """Requests of this conversation held a secret, perhaps one too short to be searched for: what the client sent
        is not hashed, whatever the search finds.
        """
        self.found.tainted.add(conversation)

    def run(self, begin: int, end: int) -> None:
        """Take the conversations `begin` to `end`, the last one excluded."""
        findings = _Findings(self)
        for number in range(begin, end):
            self._spooled = 0
            self._conversation(self._rebuilt.conversation(number), findings)
            self.found.lines.append(self._spooled)
            self.counts.streams += 1

    def _conversation(self, conversation: Conversation, findings: _Findings) -> None:
        conv = conversation.conv
        seen = conversation.totals
        ends = Ends(seen.client_threads, seen.server_threads, conv.client_owner, conv.server_owner)
        places = notes.endpoints(conv, self._decoded.paths)
        findings.conversation, findings.ends, findings.places = conversation, ends, places
        findings.base = self.counts.exchanges
        hashes = (hashlib.sha256(), hashlib.sha256())
        parser: Parser | None = None
        streamed = conv.protocol in (TCP, UNIX_STREAM)  # HTTP over UDP (SSDP) is another protocol
        for row, direction, offset, length, data, flags, _, _ in self._rebuilt.runs(conversation):
            if data is not None:
                hashes[direction].update(data)
            if parser is None:
                if not streamed or not data or not flags & PIECE_BOUNDARY or not _may_begin(data):
                    continue
                protocol = recognise(direction == 1, data)
                if protocol is None:
                    continue
                parser = protocol.open(findings)
                if conv.protocol == TCP and len(self.counts.http_ports) < 1000:
                    self.counts.http_ports.add(conv.server_port)
            if data is None:
                parser.gap(direction == 1, length, offset, row)
            else:
                parser.data(direction == 1, data, offset, row, flags & PIECE_BOUNDARY != 0)
        if parser is not None:
            parser.close(ended=conv.closed != 0)
        findings.flush()
        totals = conversation.totals
        counts = {
            "bytes_to_server": totals.bytes_to_server,
            "bytes_to_client": totals.bytes_to_client,
            "sha256_to_server": hashes[1].hexdigest(),
            "sha256_to_client": hashes[0].hexdigest(),
            "gaps": totals.gaps,
            "missing_bytes": totals.missing_bytes,
            "frames": self._frames(totals),
            "shifted": totals.shifted,
        }
        tcp_stream = self._rebuilt.tcp_stream(conv.id)
        record = notes.stream_record(conv, ends, places, counts, tcp_stream)
        self._streams.write(_encode(record) + b"\n")

    def spot(self, span: Span) -> Spot:
        """Where the first byte of a span came from. Its place is the row of a run, as the parsers were told; in a run
        of several pieces the offset tells which of them.
        """
        assert isinstance(span.place, int)
        piece = self._rebuilt.piece(span.place, span.offset)
        return Spot(
            event=0 if self._decoded.packets else piece.event,
            evt_num=piece.evt_num,
            source_frame=piece.event if self._decoded.packets else 0,
            block=piece.block,
            frame=self._rebuilt.frame_number(piece.frame),
            has_bytes=bool(piece.known and piece.flags & PIECE_IN_FRAME),
            time=piece.time,
            recorded=piece.recorded,
            thread=piece.thread,
        )

    def _frames(self, totals: ConversationTotals) -> list[int] | None:
        """First and last frame number, None where the conversation has no frame."""
        if totals.first_frame_row < 0:
            return None
        first, last = totals.first_frame_row, totals.last_frame_row
        return [self._rebuilt.frame_number(first), self._rebuilt.frame_number(last)]


def annotate(part: Part) -> Annotated:
    """The first pass over one part: spools `streams.N` and `exchanges.N`, one line a record, secrets in the clear."""
    rebuilt = part.prepared.open()
    try:
        with open(part.path("exchanges"), "wb", BUFFER) as lines, open(part.path("streams"), "wb", BUFFER) as streams:
            annotator = _Annotator(part, rebuilt, lines, streams)
            annotator.run(part.begin, part.end)
    finally:
        rebuilt.close()
    return annotator.found


def _may_begin(data: bytes) -> bool:
    """A cheap look before the protocols are asked: a letter or a line end first."""
    return 65 <= data[0] <= 122 or data[0] in (10, 13)

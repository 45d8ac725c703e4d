"""Phase 2: conversation by conversation, from merged pieces to streams, exchanges and sightings, each with its place.

A first pass feeds the protocols' parsers, hashes the streams and spools the records in the order of the file; secrets
are learnt on the way. A second pass, needed only when there are secrets and they are to be masked, looks for every
known secret in every stream (a password may be repeated in another conversation, in a query or a page) and writes
the records with secrets masked and the hashes of bytes that hold one withheld.
"""

from __future__ import annotations

import hashlib
import shutil
from array import array
from bisect import bisect_left
from typing import IO, TYPE_CHECKING, Any

import msgspec

from . import annotations as notes
from .annotations import Ends, Spot
from .model.rows import PIECE_BOUNDARY, PIECE_IN_FRAME, TCP
from .model.sighting import FORM_BODY
from .protocols.table import recognise
from .redact import mask_exchange, mask_own

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from .conversations.rebuilt import Conversation, Rebuilt
    from .conversations.totals import ConversationTotals
    from .decode import Decoded
    from .model.exchange import HttpExchange
    from .model.sighting import Sighting
    from .protocols.api import Parser, Span
    from .redact import Redactor
    from .scap.identity import IdentityStore

WINDOW = 1 << 18
_encode = msgspec.json.Encoder().encode


class Counts(msgspec.Struct):
    """How much was found, for the manifest; `http_ports` are TCP server ports on which HTTP was spoken."""

    streams: int = 0
    exchanges: int = 0
    sightings: int = 0
    weird: dict[str, int] = {}
    http_ports: set[int] = set()


class _Findings:
    """The parsers' sink for one conversation after the other: makes records and spools them as lines."""

    def __init__(self, annotator: Annotator) -> None:
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
        self._to.redactor.learn_sighting(s)
        self._sightings.append(s)

    def weird(self, name: str, span: Span, /) -> None:
        self._to.counts.weird[name] = self._to.counts.weird.get(name, 0) + 1

    def flush(self) -> None:
        """Spool the exchange that was held back for its sightings, and those."""
        if self._held is None:
            return
        exchange, self._held = self._held, None
        sightings, self._sightings = self._sightings, []
        to, stream = self._to, self.conversation.conv.id
        number = self.base + exchange.ordinal
        if sightings and not to.redactor.reveal:
            exchange = mask_exchange(exchange, sightings, to.redactor)
            to.taint(stream)
        request, response = exchange.request, exchange.response
        spots = (
            None if request is None else to.spot(request.span.place),
            None if response is None else to.spot(response.span.place),
        )
        processes = self._processes(*spots)
        record = notes.http_record(to.source, stream, self.places, processes, exchange, spots)
        if any(s.location == FORM_BODY for s in sightings) and not to.redactor.reveal:
            record["request"]["body_sha256"], record["request"]["hash_withheld"] = None, True
        to.spool(_encode(record))
        for sighting in sightings:
            shown = (to.redactor.shown(sighting.secret), to.redactor.fingerprint(sighting.secret), number)
            own = msgspec.structs.replace(sighting, target=mask_own(sighting.target, sightings, to.redactor))
            line = notes.sighting_record(
                to.source, stream, self.places, self.ends, processes, own, to.spot(sighting.span.place), shown
            )
            to.spool(_encode(line))
            to.counts.sightings += 1


class Annotator:
    """Makes one input's records. `source` is its index in the manifest."""

    def __init__(
        self,
        source: int,
        decoded: Decoded,
        reader: Rebuilt,
        identities: IdentityStore,
        redactor: Redactor,
        folder: Path,
    ) -> None:
        self.source, self.decoded, self.redactor = source, decoded, redactor
        self._reader, self._identities = reader, identities
        self._folder = folder
        self.counts = Counts()
        self._lines: IO[bytes] = (folder / "exchanges").open("w+b")
        self._streams: IO[bytes] = (folder / "streams").open("w+b")
        self._line_counts = array("I")
        self._spooled = 0
        self._tainted: set[int] = set()

    def spool(self, line: bytes) -> None:
        """Take one record's line, in the order of the file."""
        self._lines.write(line + b"\n")
        self._spooled += 1

    def taint(self, conversation: int) -> None:
        """Requests of this conversation held a secret, perhaps one too short to be searched for: what the client sent
        is not hashed, whatever the search finds.
        """
        self._tainted.add(conversation)

    def parse(self, progress: Callable[[int], None] | None = None) -> None:
        """The first pass. The redactor then knows the secrets of this input."""
        findings = _Findings(self)
        for conversation in self._reader:
            self._spooled = 0
            self._conversation(conversation, findings)
            self._line_counts.append(self._spooled)
            self.counts.streams += 1
            if progress is not None:
                progress(conversation.conv.id)

    def _conversation(self, conversation: Conversation, findings: _Findings) -> None:
        conv = conversation.conv
        seen = conversation.totals
        ends = Ends(seen.client_threads, seen.server_threads, conv.client_owner, conv.server_owner)
        places = notes.endpoints(conv, self.decoded.paths)
        findings.conversation, findings.ends, findings.places = conversation, ends, places
        findings.base = self.counts.exchanges
        hashes = (hashlib.sha256(), hashlib.sha256())
        parser: Parser | None = None
        for row, direction, offset, length, data, flags, _, _ in self._reader.runs(conversation):
            if data is not None:
                hashes[direction].update(data)
            if parser is None:
                if not data or not flags & PIECE_BOUNDARY or not _may_begin(data):
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
            parser.close()
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
        tcp_stream = self._reader.tcp_stream(conv.id)
        record = notes.stream_record(conv, ends, places, counts, tcp_stream)
        self._streams.write(_encode(record) + b"\n")

    def spot(self, place: object) -> Spot:
        """Where a piece came from; `place` is its row, as the parsers were told."""
        assert isinstance(place, int)
        piece = self._reader.piece(place)
        return Spot(
            event=piece.event,
            evt_num=piece.evt_num,
            block=piece.block,
            frame=self._reader.frame_number(piece.frame),
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
        return [self._reader.frame_number(first), self._reader.frame_number(last)]

    # -- the second pass

    def write(self, out: IO[bytes], capture: notes.Record) -> None:
        """Write the annotations file: capture, processes, streams, exchanges with their sightings."""
        masked = not self.redactor.reveal and (self.redactor.reach > 0 or self.redactor.overfull)
        line = self.redactor.json_line if masked else _as_it_is
        out.write(line(_encode(capture)) + b"\n")
        for version in self._identities:
            out.write(line(_encode(notes.process_record(version, self.decoded))) + b"\n")
        self._streams.seek(0)
        self._lines.seek(0)
        if not masked and not self._tainted:
            shutil.copyfileobj(self._streams, out, WINDOW)
            shutil.copyfileobj(self._lines, out, WINDOW)
            return
        with (self._folder / "exchanges.masked").open("w+b") as exchanges:
            for conversation, count in zip(self._reader, self._line_counts, strict=True):
                hits = self._hits(conversation)
                out.write(self._mask_stream(self._streams.readline(), conversation.conv.id, hits, line))
                for _ in range(count):
                    exchanges.write(self._mask_exchange(self._lines.readline(), hits, line))
            exchanges.seek(0)
            shutil.copyfileobj(exchanges, out, WINDOW)

    def _hits(self, conversation: Conversation) -> tuple[list[int], list[int]]:
        """Where known secrets stand in the streams: offsets of their first bytes, to the client and to the server."""
        hits: tuple[list[int], list[int]] = ([], [])
        windows = (_Window(), _Window())
        for _, direction, offset, length, data, _, _, _ in self._reader.runs(conversation):
            window = windows[direction]
            if data is None or offset != window.end:
                self._search(window, hits[direction], last=True)
                window.restart(offset + (length if data is None else 0))
            if data is not None:
                window.data += data
                if len(window.data) >= WINDOW:
                    self._search(window, hits[direction], last=False)
        for direction in (0, 1):
            self._search(windows[direction], hits[direction], last=True)
        return hits

    def _search(self, window: _Window, hits: list[int], *, last: bool) -> None:
        if window.data and self.redactor.holds(memoryview(window.data)):
            known = hits[-1] if hits else -1
            found = sorted({window.begin + begin for begin, _ in self.redactor.spans(bytes(window.data))})
            hits.extend(offset for offset in found if offset > known)
        if not last:
            window.keep(self.redactor.reach)

    def _mask_stream(
        self, raw: bytes, conversation: int, hits: tuple[list[int], list[int]], line: Callable[[bytes], bytes]
    ) -> bytes:
        to_server, to_client = bool(hits[1]) or conversation in self._tainted, bool(hits[0])
        if to_server or to_client:
            record = msgspec.json.decode(raw)
            if to_server:
                record["sha256_to_server"] = None
            if to_client:
                record["sha256_to_client"] = None
            record["hash_withheld"] = True
            raw = _encode(record) + b"\n"
        return line(raw[:-1]) + b"\n"

    def _mask_exchange(self, raw: bytes, hits: tuple[list[int], list[int]], line: Callable[[bytes], bytes]) -> bytes:
        if hits[0] or hits[1]:
            record = msgspec.json.decode(raw)
            changed = False
            for name, offsets in (("request", hits[1]), ("response", hits[0])):
                message = record.get(name)
                if message and message["body_sha256"] is not None and _within(offsets, message["where"]):
                    message["body_sha256"], message["hash_withheld"] = None, True
                    changed = True
            if changed:
                raw = _encode(record) + b"\n"
        return line(raw[:-1]) + b"\n"

    def close(self) -> None:
        """Close the spool files."""
        self._lines.close()
        self._streams.close()


class _Window:
    """Consecutive known bytes of one direction, from stream offset `begin`."""

    def __init__(self) -> None:
        self.begin = 0
        self.data = bytearray()

    @property
    def end(self) -> int:
        return self.begin + len(self.data)

    def restart(self, offset: int) -> None:
        self.begin = offset
        self.data = bytearray()

    def keep(self, count: int) -> None:
        """Forget all but the last bytes, in which a secret may begin that ends in the next window."""
        if len(self.data) > count:
            self.begin += len(self.data) - count
            del self.data[: len(self.data) - count]


def _within(offsets: list[int], place: dict[str, Any]) -> bool:
    begin = place["stream_offset"]
    at = bisect_left(offsets, begin)
    return at < len(offsets) and offsets[at] < begin + place["length"]


def _may_begin(data: bytes) -> bool:
    """A cheap look before the protocols are asked: a letter or a line end first."""
    return 65 <= data[0] <= 122 or data[0] in (10, 13)


def _as_it_is(line: bytes) -> bytes:
    return line

"""DNS over UDP and TCP, mDNS and LLMNR (RFC 1035, 7766, 6762, 4795): queries with their responses, names of addresses.

Which message is a query its header says, not its direction: in mDNS both ends ask, and a capture may begin with a
response. A record's request is always what the client of the conversation sent.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import sha256
from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.span import Span
from ..stream_buffer import StreamBuffer
from .messages import HEADER, decode, question_key

if TYPE_CHECKING:
    from ...model.record import Value
    from ..api import Sink

_ENTRIES = 256
_HELD = 1 << 20
"""Bytes of messages that wait for what comes before them."""
_REMEMBERED = 256
"""Answered questions, for telling a response that comes again from one that says otherwise."""
_TRANSFERS = (b"\x00\xfb\x00\x01", b"\x00\xfc\x00\x01")
"""Types IXFR and AXFR with class IN: their responses are many messages."""


class _Heard:
    """One message as it came."""

    __slots__ = ("cut", "raw", "repeats", "span", "to_server")

    def __init__(self, to_server: bool, raw: bytes, span: Span) -> None:
        self.to_server = to_server
        self.raw = raw
        self.span = span
        self.cut = False
        self.repeats = 0


class _Entry:
    """A query and its response, or either alone, in the queue of what is to be handed out."""

    __slots__ = ("answer", "key", "query")

    def __init__(self, key: object, query: _Heard | None, answer: _Heard | None) -> None:
        self.key = key
        self.query = query
        self.answer = answer


class Exchanges:
    """Pairs queries and responses by transaction and question, in the order in which the queries came."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._queue: list[_Entry] = []
        self._open: dict[object, _Entry] = {}
        self._answered: OrderedDict[object, bytes] = OrderedDict()
        self._held = 0
        self._handed = 0
        self._transfers: set[int] = set()

    def heard(self, to_server: bool, raw: bytes, span: Span) -> _Heard | None:
        """A message, None if it has no room for a header."""
        if len(raw) < HEADER:
            self._sink.weird("dns-malformed", span)
            return None
        key = question_key(raw)
        heard = _Heard(to_server, raw, span)
        if raw[2] & 0x80:
            self._response(heard, key)
        else:
            self._query(heard, key)
        return heard

    def flush(self, all_of_it: bool = False) -> None:
        """Hand out what is complete and first in turn."""
        done = 0
        for entry in self._queue:
            waits = entry.answer is None
            if waits and not all_of_it and len(self._queue) - done <= _ENTRIES and self._held <= _HELD:
                break
            done += 1
            self._hand_out(entry)
        del self._queue[:done]

    def _query(self, heard: _Heard, key: tuple[object, ...] | None) -> None:
        place = (not heard.to_server, key)
        entry = self._open.get(place) if key else None
        if entry is not None and entry.query is not None and entry.query.raw == heard.raw:
            entry.query.repeats += 1
            return
        entry = _Entry(place, heard, None)
        if key:
            self._open[place] = entry
            self._answered.pop(place, None)
            if any(part in _TRANSFERS for part in key) and len(self._transfers) < _REMEMBERED:
                self._transfers.add(int.from_bytes(heard.raw[:2], "big"))
        self._put(entry)

    def _response(self, heard: _Heard, key: tuple[object, ...] | None) -> None:
        place = (heard.to_server, key)
        entry = self._open.pop(place, None) if key else None
        if entry is None and key and len(key) == 2 and key[0]:
            entry = self._unquoted(heard.to_server, key)
        if entry is not None:
            entry.answer = heard
            self._held += len(heard.raw)
            self._remember(entry.key, heard.raw)
            return None
        before = self._answered.get(place) if key else None
        transfer = int.from_bytes(heard.raw[:2], "big") in self._transfers
        if before is not None and not transfer:
            if before == sha256(heard.raw).digest():
                return self._sink.weird("dns-repeated-response", heard.span)
            self._sink.weird("dns-second-response", heard.span)
        self._put(_Entry(place, None, heard))
        return None

    def _unquoted(self, to_server: bool, key: tuple[object, ...]) -> _Entry | None:
        """The query that a response answers which does not repeat the question: FORMERR, and a transfer's messages."""
        for place, entry in self._open.items():
            if isinstance(place, tuple) and place[0] == to_server and place[1][:2] == key:
                del self._open[place]
                return entry
        return None

    def _remember(self, place: object, raw: bytes) -> None:
        self._answered[place] = sha256(raw).digest()
        if len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)

    def _put(self, entry: _Entry) -> None:
        self._queue.append(entry)
        heard = entry.query or entry.answer
        self._held += len(heard.raw) if heard else 0

    def _hand_out(self, entry: _Entry) -> None:
        if self._open.get(entry.key) is entry:
            del self._open[entry.key]
        self._handed += 1
        sides: dict[bool, Message] = {}
        asked: list[Value] | None = None
        names: list[tuple[bytes, str]] = []
        weirds: list[tuple[str, Span]] = []
        for heard in (entry.query, entry.answer):
            if heard is None:
                continue
            self._held -= len(heard.raw)
            decoded = decode(heard.raw)
            fields = decoded.fields
            if heard.repeats:
                fields["repeats"] = heard.repeats
            if decoded.broken and heard.cut:
                fields["message_complete"] = False
            elif decoded.broken:
                fields["malformed"] = True
                weirds.append(("dns-malformed", heard.span))
            if heard is entry.answer:
                names = decoded.names
                if asked == decoded.questions:
                    del fields["questions"]
            asked = decoded.questions
            sides[heard.to_server] = Message(heard.span, fields)
        self._sink.record(Record("dns", "dns", self._handed, sides.get(True), sides.get(False)))
        for name, span in weirds:
            self._sink.weird(name, span)
        for address, text in names:
            self._sink.name(address, text)


class DnsDatagrams:
    """DNS over UDP: each call brings one message."""

    def __init__(self, sink: Sink) -> None:
        self._exchanges = Exchanges(sink)
        self._last: _Heard | None = None

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """A datagram."""
        self._exchanges.flush()
        self._last = self._exchanges.heard(to_server, bytes(data), Span(place, offset, len(data)))

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """A datagram that is not known, or the rest of one."""
        last = self._last
        if last is not None and last.to_server == to_server and last.span.offset + last.span.length == offset:
            last.cut = True

    def close(self, ended: bool = True) -> None:
        """Hand out what waits."""
        self._exchanges.flush(True)


class _Framed:
    """One direction of a stream: messages, each behind two bytes that tell its length."""

    def __init__(self) -> None:
        self.buffer = StreamBuffer()
        self.doubted = False  # behind a gap: what comes may be the middle of a message
        self.lost = False


class DnsStream:
    """DNS over TCP: messages behind their lengths, several in a stream (RFC 7766)."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._exchanges = Exchanges(sink)
        self._sides = {True: _Framed(), False: _Framed()}

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction, however they are cut."""
        side = self._sides[to_server]
        if side.lost:
            return
        buffer = side.buffer
        buffer.feed(data, offset, place)
        while len(buffer) >= 2:
            size = int.from_bytes(buffer.peek(2), "big")
            if len(buffer) < 2 + size:
                break
            span = buffer.span(2 + size)
            raw = buffer.take(2 + size)[2:]
            if size < HEADER or (side.doubted and not _alone(raw)):
                self._sink.weird("dns-lost", span)
                side.lost = True
                buffer.clear()
                break
            side.doubted = False
            self._exchanges.heard(to_server, raw, span)
            self._exchanges.flush()

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """Bytes that are not known: of one message where its length was, else nothing is sure any more."""
        side = self._sides[to_server]
        buffer = side.buffer
        held = len(buffer)
        size = int.from_bytes(buffer.peek(2), "big") + 2 if held >= 2 else 0
        if held >= 2 and held + length <= size and not side.lost:
            self._cut(to_server, side)
            side.doubted = False
            buffer.skip(held)
            buffer.skip(size - held)
            buffer.gap(length, offset)
            return
        if held:
            self._cut(to_server, side)
        if not buffer.gap(length, offset):
            side.doubted, side.lost = True, False

    def _cut(self, to_server: bool, side: _Framed) -> None:
        """Take what is there of a message whose end is not."""
        buffer = side.buffer
        if len(buffer) >= 2 + HEADER and not side.doubted and not side.lost:
            span = buffer.span(len(buffer))
            heard = self._exchanges.heard(to_server, buffer.peek(len(buffer))[2:], span)
            if heard is not None:
                heard.cut = True

    def close(self, ended: bool = True) -> None:
        """Hand out what waits, also what has begun."""
        for to_server, side in self._sides.items():
            self._cut(to_server, side)
        self._exchanges.flush(True)


def _alone(raw: bytes) -> bool:
    """It holds what a message's header says and nothing else."""
    found = decode(raw)
    return not found.broken and found.end == len(raw)

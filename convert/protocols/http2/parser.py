"""HTTP/2 without TLS (RFC 9113): frames to streams, streams to exchanges. Header blocks by RFC 7541 (http2_hpack.py).

What a listener needs of the protocol is small: header blocks in the order in which they pass, since they share a
table; bodies; and how streams end. Flow control and priorities change nothing of what was said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.span import Span
from .frames import Frame, FrameReader
from .hpack import Decoder
from .messages import Half, Head, request, response
from .probe import (
    CONTINUATION,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HAS_PRIORITY,
    HEADERS,
    PADDED,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
)
from .streams import Stream, Streams

if TYPE_CHECKING:
    from ..api import Sink

LARGEST_BLOCK = 1 << 18
"""Bytes of one header block, in all its frames."""
MOST_CONTINUATIONS = 1024
_MOST_INTERIM = 20
_MOST_FAREWELLS = 64
_MAX_FRAME_SIZE = 5  # a setting (RFC 9113, 6.5.2)
_LARGEST_FRAME = (1 << 24) - 1
_ERROR_NAMES = (
    "NO_ERROR PROTOCOL_ERROR INTERNAL_ERROR FLOW_CONTROL_ERROR SETTINGS_TIMEOUT STREAM_CLOSED FRAME_SIZE_ERROR"
    " REFUSED_STREAM CANCEL COMPRESSION_ERROR CONNECT_ERROR ENHANCE_YOUR_CALM INADEQUATE_SECURITY HTTP_1_1_REQUIRED"
)
_ERRORS = _ERROR_NAMES.split()


class _Block:
    """A header block of which not all frames have passed. `promised`: of a push, the stream that it announces."""

    def __init__(self, frame: Frame, fragment: bytes, promised: int) -> None:
        self.frame = frame
        self.data = bytearray(fragment)
        self.promised = promised
        self.count = 0
        self.known = True  # no piece of it is missing


class Http2:
    """The parser of one connection; what it promises is in api.py."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._streams = Streams(sink)
        self._readers = {True: FrameReader(True, self), False: FrameReader(False, self)}
        self._decoders = {True: Decoder(True), False: Decoder(True)}
        self._blocks: dict[bool, _Block | None] = {True: None, False: None}
        self._farewells = 0

    # As a Parser

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction; boundaries of system calls mean nothing here."""
        self._readers[to_server].data(data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""
        if length > 0:
            self._readers[to_server].gap(length, offset, place)

    def close(self, ended: bool = True) -> None:
        """Hand out everything begun."""
        self._readers[True].close()
        self._readers[False].close()
        self._streams.close()

    @property
    def waiting_bytes(self) -> int:
        """Bytes of headers and forms that are held for messages to come."""
        return self._streams.cost

    # As the owner of two directions of frames

    def weird(self, name: str, span: Span) -> None:
        """Something odd, by its name in docs/protocols.md."""
        self._sink.weird(name, span)

    def frames_lost(self, to_server: bool, span: Span) -> None:
        """From here on this direction's header table is not known, and its messages may have ended."""
        self._blocks[to_server] = None
        self._decoders[to_server].lose()
        for number in self._streams.passing(to_server):
            stream = self._streams.get(number)
            if stream is not None and not stream.half(to_server).over:
                stream.half(to_server).lose(None)
                self._changed(stream, span)

    def broken_frame(self, to_server: bool, frame: Frame) -> None:
        """A frame whose payload is not known as a whole."""
        if frame.kind != CONTINUATION:
            self._interrupted(to_server, frame)
            if frame.kind not in {HEADERS, PUSH_PROMISE}:
                return
            self._blocks[to_server] = _Block(frame, b"", 0)
        self._decoders[to_server].lose()
        block = self._blocks[to_server]
        if block is not None and block.frame.stream == frame.stream:
            block.known = False
            if frame.flags & END_HEADERS:
                self._block_over(to_server, block, frame)

    def frame(self, to_server: bool, frame: Frame, payload: bytes) -> None:
        """A whole frame that is not DATA."""
        kind = frame.kind
        if kind == CONTINUATION:
            self._continue(to_server, frame, payload)
            return
        self._interrupted(to_server, frame)
        if kind in {HEADERS, PUSH_PROMISE}:
            self._begin_block(to_server, frame, payload)
        elif kind == RST_STREAM:
            self._reset(to_server, frame, payload)
        elif kind == GOAWAY:
            self._go_away(to_server, frame, payload)
        elif kind == SETTINGS and not frame.flags & 1:
            for at in range(0, len(payload) - 5, 6):
                if int.from_bytes(payload[at : at + 2], "big") == _MAX_FRAME_SIZE:
                    size = int.from_bytes(payload[at + 2 : at + 6], "big")
                    other = self._readers[not to_server]
                    other.allowed = max(other.allowed, min(size, _LARGEST_FRAME))

    def data_bytes(self, to_server: bool, frame: Frame, data: bytes, offset: int, place: object) -> None:
        """Bytes of a body."""
        stream = self._streams.get(frame.stream)
        if stream is not None and not stream.half(to_server).over:
            half = stream.half(to_server)
            half.add(data, offset, place)
            half.reach(offset + len(data))
            if half.kept is not None:
                self._changed(stream, frame.begin)

    def data_lost(self, to_server: bool, frame: Frame, length: int) -> None:
        """Bytes of a body that are not known."""
        stream = self._streams.get(frame.stream)
        if stream is not None and not stream.half(to_server).over:
            stream.half(to_server).lose(length)

    def data_end(self, to_server: bool, frame: Frame) -> None:
        """The end of a DATA frame."""
        self._interrupted(to_server, frame)
        stream = self._streams.get(frame.stream)
        if stream is None or stream.half(to_server).over:
            if self._streams.was_closed(frame.stream) and frame.length:
                self.weird("http2-frame-on-closed-stream", frame.span)
            return
        half = stream.half(to_server)
        half.reach(frame.end)
        if frame.flags & END_STREAM:
            half.end(True)
            self._changed(stream, frame.begin)

    def _changed(self, stream: Stream, span: Span) -> None:
        if self._streams.changed(stream):
            self.weird("http2-too-many-streams", span)

    # Header blocks

    def _interrupted(self, to_server: bool, frame: Frame) -> None:
        """Between the frames of a header block no other one may stand."""
        block = self._blocks[to_server]
        if block is not None:
            self.weird("http2-interrupted-header-block", frame.span)
            self._blocks[to_server] = None
            self._decoders[to_server].lose()

    def _begin_block(self, to_server: bool, frame: Frame, payload: bytes) -> None:
        begin, end = 0, len(payload)
        promised = 0
        if frame.flags & PADDED:
            begin, end = 1, end - (payload[0] if payload else 0)
        if frame.kind == PUSH_PROMISE:
            promised = int.from_bytes(payload[begin : begin + 4], "big") & 0x7FFFFFFF
            begin += 4
        elif frame.flags & HAS_PRIORITY:
            begin += 5
        if begin > end:
            self.weird("http2-bad-padding", frame.span)
            end = begin
        block = _Block(frame, payload[begin:end], promised)
        if frame.flags & END_HEADERS:
            self._block_over(to_server, block, frame)
        else:
            self._blocks[to_server] = block

    def _continue(self, to_server: bool, frame: Frame, payload: bytes) -> None:
        block = self._blocks[to_server]
        if block is None or block.frame.stream != frame.stream:
            self.weird("http2-stray-continuation", frame.span)
            self._blocks[to_server] = None
            self._decoders[to_server].lose()
            return
        block.count += 1
        if block.known:
            block.data += payload
            if len(block.data) > LARGEST_BLOCK or block.count > MOST_CONTINUATIONS:
                block.known = False
                block.data.clear()
                self.weird("http2-header-block-too-large", frame.span)
        if frame.flags & END_HEADERS:
            self._block_over(to_server, block, frame)

    def _block_over(self, to_server: bool, block: _Block, last: Frame) -> None:
        self._blocks[to_server] = None
        decoder = self._decoders[to_server]
        if block.known:
            decoded = decoder.decode(bytes(block.data))
        else:
            decoder.lose()
            decoded = decoder.decode(b"")._replace(whole=False)
        head = Head(decoded)
        for name in head.odd:
            self.weird(name, block.frame.span)
        if block.frame.kind == PUSH_PROMISE:
            self._promise(block, head)
        else:
            self._head(to_server, block.frame, last, head)

    def _head(self, to_server: bool, frame: Frame, last: Frame, head: Head) -> None:
        """A header block of a stream has passed: it begins a message, or ends one."""
        number = frame.stream
        stream = self._streams.get(number)
        if (":status" if to_server else ":method") in head.pseudo:
            self.weird("http2-wrong-direction", frame.span)
            return
        if stream is None:
            if number == 0 or self._streams.was_closed(number):
                self.weird("http2-frame-on-closed-stream", frame.span)
                return
            if not head.pseudo and (frame.flags & END_STREAM or not head.unknown):
                return  # what stands behind a body of which the beginning was not seen
            if to_server and number > 1:
                self._open_upgraded()
            stream = self._streams.open(number)
        half = stream.half(to_server)
        if half.over:
            self.weird("http2-frame-on-closed-stream", frame.span)
            return
        half.reach(last.end)
        if half.message is not None:
            if not half.trail(head):
                self.weird("http2-repeated-trailers", frame.span)
        elif to_server:
            half.begin(request(head), frame.span, last.end, head)
            self._tell(half, head, ":scheme", "http2_scheme")
            self._tell(half, head, ":protocol", "http2_protocol")
        elif head.is_interim and not frame.flags & END_STREAM:
            if len(half.interim) < _MOST_INTERIM:
                half.interim.append(int(head.pseudo[":status"]))
        else:
            self._respond(stream, frame, last, head)
        if frame.flags & END_STREAM:
            half.end(True)
        elif half.message is not None:
            self._streams.passes(to_server, number)
        self._changed(stream, frame.begin)

    def _tell(self, half: Half, head: Head, pseudo: str, name: str) -> None:
        if pseudo in head.pseudo:
            half.more[name] = head.pseudo[pseudo]

    def _respond(self, stream: Stream, frame: Frame, last: Frame, head: Head) -> None:
        half = stream.response
        if ":status" in head.pseudo and response(head).status == 0:
            self.weird("http2-bad-status", frame.span)
        half.begin(response(head), frame.span, last.end, head)
        if stream.number == 1 and stream.request.message is None and self._behind_upgrade():
            half.more["upgraded"] = True

    def _behind_upgrade(self) -> bool:
        """The connection began as HTTP/1.1: then stream 1 is the answer to the request that asked for it."""
        return any(reader.preface for reader in self._readers.values())

    def _open_upgraded(self) -> None:
        """The stream of the request before the upgrade was opened before all others."""
        if self._readers[True].preface and self._streams.get(1) is None and not self._streams.was_closed(1):
            self._streams.open(1).request.end(True)

    def _promise(self, block: _Block, head: Head) -> None:
        """The server announces an answer that nobody asked for: what it would answer stands with it."""
        number = block.promised
        if number == 0 or self._streams.get(number) is not None or self._streams.was_closed(number):
            return
        stream = self._streams.open(number)
        stream.request.end(True)
        asked = request(head)
        stream.more["http2_push"] = {
            "http2_stream": block.frame.stream,
            "method": asked.method,
            "host": asked.host,
            "target": asked.target,
        }
        stream.request.cost += len(asked.target)
        self._changed(stream, block.frame.begin)

    # Ends

    def _reset(self, to_server: bool, frame: Frame, payload: bytes) -> None:
        stream = self._streams.get(frame.stream)
        if stream is None or len(payload) < 4:
            return
        stream.more["http2_reset"] = _error(payload[:4])
        stream.more["http2_reset_by"] = "client" if to_server else "server"
        stream.request.end(False)
        stream.response.end(False)
        self._changed(stream, frame.begin)

    def _go_away(self, to_server: bool, frame: Frame, payload: bytes) -> None:
        """Streams above the last one that the server took are not answered."""
        self._farewells += 1
        if to_server or len(payload) < 8 or self._farewells > _MOST_FAREWELLS:
            return
        last = int.from_bytes(payload[:4], "big") & 0x7FFFFFFF
        for stream in self._streams.all():
            if stream.number > last and stream.number % 2 and not stream.settled:
                stream.more["http2_goaway"] = _error(payload[4:8])
                stream.request.end(False)
                stream.response.end(False)
                self._changed(stream, frame.begin)


def _error(code: bytes) -> str:
    """The name of an error code (RFC 9113, 7), else its number in hexadecimal."""
    number = int.from_bytes(code, "big")
    return _ERRORS[number] if number < len(_ERRORS) else f"0x{number:x}"

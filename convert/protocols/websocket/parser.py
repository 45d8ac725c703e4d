"""WebSocket (RFC 6455) behind an upgrade: each message a record, text unmasked and inflated (RFC 7692)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...model.record import Message, Record
from ...model.span import Span
from ..http.json_fields import looks_like_json
from ..http.outcome import LOOKED_AT, judge_body
from .frames import BINARY, CLOSE, CONTINUATION, OPCODES, TEXT, Frame, FrameReader
from .inflate import Inflater
from .secrets import logins, without_secrets

if TYPE_CHECKING:
    from ...model.record import Value
    from ...model.sighting import Sighting
    from ..api import Sink

LONGEST_TEXT = 1 << 16
"""Bytes of a text message that are kept."""


class _Talking:
    """A message while it passes."""

    def __init__(self, frame: Frame) -> None:
        self.opcode = frame.opcode
        self.compressed = frame.compressed
        self.place, self.offset, self.end = frame.place, frame.offset, frame.offset + frame.header
        self.payload = self.end
        self.frames = 0
        self.taken = 0
        """Bytes of payloads, lost ones too."""
        self.length: int | None = 0
        """Bytes of the message itself; None where that cannot be known."""
        self.text = bytearray()
        self.cut = False
        """Not all of its bytes are in `text`."""
        self.whole = True
        """No byte of it was lost."""

    @property
    def span(self) -> Span:
        return Span(self.place, self.offset, self.end - self.offset)

    def add(self, data: bytes) -> None:
        """Bytes of the message itself."""
        if self.length is not None:
            self.length += len(data)
        if self.opcode == BINARY:
            return
        room = LONGEST_TEXT - len(self.text)
        if self.cut or len(data) > room:
            data = b"" if self.cut else data[:room]
            self.cut = True
        self.text += data

    def fields(self, ended: bool) -> dict[str, Value]:
        """What its record says."""
        fields: dict[str, Value] = {"opcode": OPCODES[self.opcode], "length": self.length}
        if self.compressed:
            fields["compressed"] = True
            fields["compressed_length"] = self.taken
        if self.frames > 1:
            fields["fragments"] = self.frames
        fields["complete"] = ended and self.whole
        if self.opcode == TEXT:
            fields["text"], secret = without_secrets(self.text.decode("latin-1"))
            fields["text_complete"] = ended and self.whole and not self.cut and self.length is not None
            if secret:
                fields["secret"] = True
        elif self.opcode == CLOSE:
            if len(self.text) >= 2:
                fields["close_code"] = int.from_bytes(self.text[:2], "big")
                fields["close_reason"] = self.text[2:].decode("latin-1")
        elif self.opcode != BINARY:
            fields["payload"] = self.text.hex()
        return fields


class _Side:
    """What one end says."""

    def __init__(self) -> None:
        self.message: _Talking | None = None
        """Text or binary, perhaps in several frames."""
        self.control: _Talking | None = None
        """What passes in the present frame, between those of a message too."""
        self.inflater: Inflater | None = None
        self.oddly_masked = False
        """A frame was masked, or not, against the rules (5.3): told once."""


class WebSocket:
    """The parser of what follows the upgrade; what it promises is in api.py."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._readers = {True: FrameReader(True, self), False: FrameReader(False, self)}
        self._sides = {True: _Side(), False: _Side()}
        self._ordinal = 0
        self._waiting: list[Sighting] = []  # of the client's last login, until the server says something

    # As a Parser

    def data(self, to_server: bool, data: bytes, offset: int, place: object, boundary: bool) -> None:
        """Bytes of one direction; boundaries of system calls mean nothing here."""
        self._readers[to_server].data(data, offset, place)

    def gap(self, to_server: bool, length: int, offset: int, place: object) -> None:
        """`length` bytes that moved and are not known."""
        if length > 0:
            self._readers[to_server].gap(length, offset, place)

    def close(self, ended: bool = True) -> None:
        """Hand out messages that were begun."""
        for to_server in (True, False):
            self._give_up(to_server)
        self._sight(None)

    # As the owner of two directions of frames

    def frame_begin(self, to_server: bool, frame: Frame) -> None:
        """A frame's header: it begins a message, or goes on with one."""
        side = self._sides[to_server]
        if bool(frame.mask) != to_server and not side.oddly_masked:
            side.oddly_masked = True
            self._sink.weird("websocket-not-masked" if to_server else "websocket-masked", frame.span)
        if frame.opcode >= CLOSE:
            side.control = _Talking(frame)
            return
        if frame.opcode != CONTINUATION:
            if side.message is not None:
                self._sink.weird("websocket-unfinished-message", frame.span)
                self._hand_out(to_server, side.message, False)
            side.message = _Talking(frame)
            if frame.compressed:
                if side.inflater is None:
                    side.inflater = Inflater()
                side.inflater.begin()
        elif side.message is None:
            self._sink.weird("websocket-stray-continuation", frame.span)
        if side.message is not None:
            side.message.frames += 1

    def payload(self, to_server: bool, frame: Frame, data: bytes) -> None:
        """Bytes of a frame, unmasked."""
        side = self._sides[to_server]
        message = side.control or side.message
        if message is None:
            return
        message.taken += len(data)
        message.end = frame.at
        if not message.compressed:
            message.add(data)
        elif side.inflater is not None:
            for piece in side.inflater.feed(data):
                message.add(piece)

    def payload_lost(self, to_server: bool, frame: Frame, length: int) -> None:
        """Bytes of a frame that are not known."""
        side = self._sides[to_server]
        message = side.control or side.message
        if message is None or not length:
            return
        message.taken += length
        message.whole = False
        message.cut = True
        message.end = frame.at
        if not message.compressed and message.length is not None:
            message.length += length
        elif side.inflater is not None:
            side.inflater.lose()

    def frame_end(self, to_server: bool, frame: Frame) -> None:
        """The end of a frame, and of its message where it is the last one."""
        side = self._sides[to_server]
        message = side.control or side.message
        if message is None:
            return
        message.end = frame.at
        if side.control is not None:
            side.control = None
        elif frame.final:
            side.message = None
        else:
            return
        self._hand_out(to_server, message, True)

    def lost(self, to_server: bool, name: str, span: Span) -> None:
        """Nothing more can be read in this direction."""
        self._sink.weird(name, span)
        self._give_up(to_server)

    # Messages

    def _give_up(self, to_server: bool) -> None:
        side = self._sides[to_server]
        for message in (side.message, side.control):
            if message is not None:
                self._hand_out(to_server, message, False)
        side.message = side.control = None

    def _hand_out(self, to_server: bool, message: _Talking, ended: bool) -> None:
        inflater = self._sides[to_server].inflater
        if message.compressed and inflater is not None:
            for piece in inflater.finish():
                message.add(piece)
            if inflater.failed or inflater.beyond:
                message.length = None
                message.cut = True
                if message.whole:
                    name = "websocket-beyond-limits" if inflater.beyond else "websocket-bad-compression"
                    self._sink.weird(name, message.span)
            if not ended:
                inflater.lose()
        if message.opcode == TEXT and ended and message.whole and not message.cut:
            try:
                message.text.decode()
            except UnicodeDecodeError:
                self._sink.weird("websocket-bad-text", message.span)
        self._ordinal += 1
        said = Message(message.span, message.fields(ended))
        asked, answered = (said, None) if to_server else (None, said)
        self._sink.record(Record("websocket", "websocket", self._ordinal, asked, answered))
        if message.opcode == TEXT:
            self._look(to_server, message, ended)

    def _look(self, to_server: bool, message: _Talking, ended: bool) -> None:
        """What the server says first behind a login tells what became of it."""
        if not to_server:
            self._sight(bytes(message.text[:LOOKED_AT]))
            return
        whole = Span(message.place, message.payload, message.end - message.payload)
        plain = message.frames == 1 and not message.compressed and message.whole
        found = logins(bytes(message.text), whole, plain, message.cut or not ended)
        if found:
            self._sight(None)
            for sighting in found:
                sighting.exchange = self._ordinal
            self._waiting = list(found)

    def _sight(self, said: bytes | None) -> None:
        for sighting in self._waiting:
            if said is not None and looks_like_json(said):
                sighting.outcome = judge_body(said)
            self._sink.sighting(sighting)
        self._waiting = []

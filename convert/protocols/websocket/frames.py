"""The frames of one direction of a WebSocket (RFC 6455, 5.2): payloads unmasked, piece by piece."""

from __future__ import annotations

from typing import Protocol

from ...model.span import Span

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10
OPCODES = {TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}
_LONGEST_CONTROL = 125


class Frame:
    """A frame's header, and where the frame begins."""

    __slots__ = ("compressed", "final", "header", "length", "mask", "offset", "opcode", "passed", "place", "reserved")

    def __init__(self, header: bytes, offset: int, place: object) -> None:
        self.final = bool(header[0] & 0x80)
        self.compressed = bool(header[0] & 0x40)
        self.reserved = bool(header[0] & 0x30)
        self.opcode = header[0] & 0x0F
        self.length = header[1] & 0x7F
        masked = header[1] & 0x80
        size = _extended(self.length)
        if size:
            self.length = int.from_bytes(header[2 : 2 + size], "big")
        self.mask = header[-4:] if masked else b""
        self.header = len(header)
        self.offset = offset
        self.place = place
        self.passed = 0
        """Bytes of its payload that came, or were lost."""

    @property
    def at(self) -> int:
        """The offset of the first byte behind what has passed of it."""
        return self.offset + self.header + self.passed

    @property
    def span(self) -> Span:
        """Its header: all that is sure to be there."""
        return Span(self.place, self.offset, self.header)

    @property
    def possible(self) -> bool:
        """Whether a frame may begin so: an opcode that is known, a length that can be, no bit without a meaning."""
        if self.reserved or (self.opcode not in OPCODES and self.opcode != CONTINUATION) or self.length >> 63:
            return False
        if self.opcode >= CLOSE:
            return self.final and not self.compressed and self.length <= _LONGEST_CONTROL
        return not (self.compressed and self.opcode == CONTINUATION)


class FrameOwner(Protocol):
    """Who takes the frames of both directions."""

    def frame_begin(self, to_server: bool, frame: Frame) -> None:
        """A frame's header."""

    def payload(self, to_server: bool, frame: Frame, data: bytes) -> None:
        """Bytes of its payload, unmasked, in order."""

    def payload_lost(self, to_server: bool, frame: Frame, length: int) -> None:
        """Bytes of its payload that are not known."""

    def frame_end(self, to_server: bool, frame: Frame) -> None:
        """The end of it."""

    def lost(self, to_server: bool, name: str, span: Span) -> None:
        """Where the next frame begins is not known, behind `span`; `name` is the weird that tells why."""


class FrameReader:
    """One direction. Behind a loss of which the end lies in no payload nothing more is read: headers are too small."""

    def __init__(self, to_server: bool, owner: FrameOwner) -> None:
        self._to_server = to_server
        self._owner = owner
        self._held = b""  # of a header
        self._begin: tuple[int, object] = (0, None)
        self._frame: Frame | None = None
        self._quiet = False

    def data(self, data: bytes, offset: int, place: object) -> None:
        """The next bytes."""
        at = 0
        while at < len(data) and not self._quiet:
            at = self._payload(self._frame, data, at) if self._frame else self._header(data, at, offset, place)

    def gap(self, length: int, offset: int, place: object) -> None:
        """`length` bytes that are not known."""
        frame, gap = self._frame, Span(place, offset, length)
        if self._quiet:
            return
        if frame is not None:
            within = min(length, frame.length - frame.passed)
            frame.passed += within
            self._owner.payload_lost(self._to_server, frame, within)
            length -= within
            if frame.passed == frame.length:
                self._end(frame)
        if length:
            self._quiet = True
            self._owner.lost(self._to_server, "websocket-lost", gap)

    def _header(self, data: bytes, at: int, offset: int, place: object) -> int:
        if not self._held:
            self._begin = (offset + at, place)
        while at < len(data):
            wanted = _header_size(self._held)
            taken = data[at : at + wanted - len(self._held)]
            self._held += taken
            at += len(taken)
            if len(self._held) == _header_size(self._held):
                frame = Frame(self._held, *self._begin)
                self._held = b""
                if frame.possible:
                    self._frame = frame
                    self._owner.frame_begin(self._to_server, frame)
                    if not frame.length:
                        self._end(frame)
                else:
                    self._quiet = True
                    self._owner.lost(self._to_server, "websocket-bad-frame", frame.span)
                break
        return at

    def _payload(self, frame: Frame, data: bytes, at: int) -> int:
        piece = data[at : at + frame.length - frame.passed]
        if frame.mask:
            turn = frame.passed % 4
            mask = frame.mask[turn:] + frame.mask[:turn]
            whole = (mask * (len(piece) // 4 + 1))[: len(piece)]
            mixed = int.from_bytes(piece, "little") ^ int.from_bytes(whole, "little")
            plain = mixed.to_bytes(len(piece), "little")
        else:
            plain = piece
        frame.passed += len(piece)
        self._owner.payload(self._to_server, frame, plain)
        if frame.passed == frame.length:
            self._end(frame)
        return at + len(piece)

    def _end(self, frame: Frame) -> None:
        self._frame = None
        self._owner.frame_end(self._to_server, frame)


def _extended(length: int) -> int:
    return {126: 2, 127: 8}.get(length, 0)


def _header_size(begun: bytes) -> int:
    """The size of a header of which the first bytes are known; 2 where that does not tell yet."""
    return 2 if len(begun) < 2 else 2 + _extended(begun[1] & 0x7F) + (4 if begun[1] & 0x80 else 0)

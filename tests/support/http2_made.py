"""HTTP/2 put together by hyperframe and hpack's encoder, of which our parser uses neither."""

from __future__ import annotations

from hpack import Encoder
from hyperframe.frame import (
    ContinuationFrame,
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PushPromiseFrame,
    RstStreamFrame,
    SettingsFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS = SettingsFrame(0, settings={SettingsFrame.MAX_CONCURRENT_STREAMS: 100}).serialize()
ACK = SettingsFrame(0, flags=["ACK"]).serialize()
Fields = list[tuple[str, str]]


def with_flags(frame: Frame, *flags: str) -> bytes:
    """The frame's bytes, those flags set."""
    for flag in flags:
        frame.flags.add(flag)
    return frame.serialize()


def data(stream: int, content: bytes, end: bool = False, padding: int = 0) -> bytes:
    """A DATA frame."""
    frame = DataFrame(stream, content, pad_length=padding)
    return with_flags(frame, *(["END_STREAM"] if end else []), *(["PADDED"] if padding else []))


def reset(stream: int, code: int) -> bytes:
    """An RST_STREAM frame."""
    return RstStreamFrame(stream, error_code=code).serialize()


def go_away(last: int, code: int) -> bytes:
    """A GOAWAY frame."""
    return GoAwayFrame(0, last_stream_id=last, error_code=code, additional_data=b"bye").serialize()


def headers_frame(stream: int, block: bytes, *flags: str, padding: int = 0) -> bytes:
    """A HEADERS frame of a block's first bytes."""
    frame = HeadersFrame(stream, block, pad_length=padding)
    return with_flags(frame, *flags, *(["PADDED"] if padding else []))


def continuation(stream: int, block: bytes, *flags: str) -> bytes:
    """A CONTINUATION frame of a block's further bytes."""
    return with_flags(ContinuationFrame(stream, block), *flags)


class End:
    """One end, with the header table that its encoder keeps."""

    def __init__(self) -> None:
        self._encoder = Encoder()

    def block(self, fields: Fields, huffman: bool = True) -> bytes:
        """A header block."""
        return self._encoder.encode(fields, huffman=huffman)

    def headers(self, stream: int, fields: Fields, end: bool = True, padding: int = 0, pieces: int = 1) -> bytes:
        """A header block in a HEADERS frame and so many CONTINUATION frames that there are `pieces`."""
        block = self.block(fields)
        size = -(-len(block) // pieces)
        parts = [block[at : at + size] for at in range(0, len(block), size)]
        flags = ["END_STREAM"] if end else []
        if len(parts) == 1:
            flags.append("END_HEADERS")
        out = headers_frame(stream, parts[0], *flags, padding=padding)
        for number, part in enumerate(parts[1:], 2):
            out += continuation(stream, part, *(["END_HEADERS"] if number == len(parts) else []))
        return out

    def promise(self, stream: int, promised: int, fields: Fields) -> bytes:
        """A PUSH_PROMISE frame."""
        frame = PushPromiseFrame(stream, promised_stream_id=promised, data=self.block(fields))
        return with_flags(frame, "END_HEADERS")


def asking(target: str, method: str = "GET", host: str = "belfry.example", *more: tuple[str, str]) -> Fields:
    """The fields of a request."""
    return [(":method", method), (":scheme", "http"), (":authority", host), (":path", target), *more]

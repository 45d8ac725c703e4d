"""The writers of pcapng and pcap for packet captures: frames in = frames out, in files that hold together."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any, cast

from syswire.convert.decode_packets import decode_packets
from syswire.convert.errors import InputError
from syswire.convert.magic import capture_format
from syswire.convert.packets.opening import open_frames
from syswire.convert.passthrough import write_packets
from syswire.convert.pcap import link_types, write_pcap

from ..feeding import Fed, Stored, chance
from ..mutate import pcapng

if TYPE_CHECKING:
    from pathlib import Path

    from syswire.convert.packets.buffer import Frame
    from syswire.convert.source import Source

COMMENT = "comment of the fuzzer"
FIRST_OF_STREAM = b"syswire stream "
WITH_PACKET = {pcapng.ENHANCED: 20, pcapng.OLD: 20}


class Run:
    """Writes a capture out again, with comments, and reads what was written."""

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._folder = scratch / "spool"
        self._folder.mkdir()

    def __call__(self, data: bytes) -> None:
        """Raises where a frame differs, a comment is missing, or the file is not in order."""
        stored = Stored(data, self._scratch / "input")
        try:
            self._run(data, stored)
        finally:
            stored.close()

    def _run(self, data: bytes, stored: Stored) -> None:
        source = cast("Source", stored)
        kind = capture_format(source)
        if kind not in ("pcap", "pcapng"):
            return
        try:
            decoded = decode_packets(source, kind, self._folder)
        except InputError:
            return
        frames = list(open_frames(Fed(data)).frames())
        assert len(frames) == decoded.frames
        random = chance(data)
        commented = {one.frame: [COMMENT] * random.randrange(1, 3) for one in frames if random.random() < 0.3}
        assert stored.plain_fd is not None
        out = io.BytesIO()
        written = write_packets(
            out,
            payload_fd=stored.plain_fd,
            comments=["about the file"],
            application="fuzz",
            flows=str(self._folder / "flows"),
            convs=decoded.convs,
            frame_comments=commented,
            longest=decoded.longest,
        )
        assert written == len(frames)
        result = out.getvalue()
        comments = check_file(result)
        if frames:
            assert b"about the file" in result
        reader = open_frames(Fed(result))
        again = list(reader.frames())
        assert reader.damage is None
        assert not any(count for name, (count, *_) in reader.losses().items() if name != "snaplen")
        assert _plain(again) == _plain(frames)
        assert sum(text == COMMENT.encode() for text in comments) >= sum(map(len, commented.values()))
        assert sum(text.startswith(FIRST_OF_STREAM) for text in comments) >= decoded.conversations
        self._check_pcaps(result, again)

    def _check_pcaps(self, result: bytes, frames: list[Frame]) -> None:
        path = self._scratch / "out.pcapng"
        path.write_bytes(result)
        links = link_types(str(path))
        assert links == sorted({frame.linktype for frame in frames})
        for linktype in links:
            out = io.BytesIO()
            expected = [frame for frame in frames if frame.linktype == linktype]
            assert write_pcap(str(path), linktype, out) == len(expected)
            reader = open_frames(Fed(out.getvalue()))
            again = list(reader.frames())
            if reader.damage is not None:  # an empty frame can look like the head of another pcap
                assert not expected[len(again)].data
                expected = expected[: len(again)]
            assert [(one.data, one.original) for one in again] == [(one.data, one.original) for one in expected]
            for one, other in zip(again, expected, strict=True):
                last = (1 << 32) - 1
                assert one.time // 1000 == other.time // 1000 or other.time // 10**9 > last, (one.time, other.time)


def _plain(frames: list[Frame]) -> list[tuple[Any, ...]]:
    return [(frame.time, frame.linktype, frame.data, frame.original) for frame in frames]


def check_file(data: bytes) -> list[bytes]:
    """The comments of all blocks of a pcapng; fails where blocks or options do not hold together."""
    comments, at, order = [], 0, "<"
    while at < len(data):
        if data[at : at + 4] == b"\x0a\x0d\x0d\x0a":
            order = pcapng.order_of(data[at : at + 12])
        kind, size = struct.unpack_from(order + "II", data, at)
        assert size % 4 == 0 and 12 <= size <= len(data) - at, (kind, size, at)
        assert struct.unpack_from(order + "I", data, at + size - 4)[0] == size, (kind, at)
        body = data[at + 8 : at + size - 4]
        place = pcapng.FIXED.get(kind)
        if kind in WITH_PACKET:
            captured = struct.unpack_from(order + "I", body, 12)[0]
            place = 20 + captured + -captured % 4
        if place is not None and kind in (pcapng.SECTION, pcapng.INTERFACE, *WITH_PACKET):
            comments += _comments(body, place, order)
        at += size
    return comments


def _comments(body: bytes, at: int, order: str) -> list[bytes]:
    found = []
    while at < len(body):
        code, size = struct.unpack_from(order + "HH", body, at)
        if code == 0:
            break
        assert at + 4 + size <= len(body), "an option is longer than its block"
        if code == 1:
            found.append(body[at + 4 : at + 4 + size])
        at += 4 + size + -size % 4
    return found

"""Frame headers of HTTP/2 (RFC 9113, 4.1 and 6): their names, and whether bytes are one. Recognises the protocol.

The same judgement finds the way again after a loss. It is strict: a header that is unusual, though allowed, does not
pass, since another one follows soon.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..api import MORE, NO, YES

if TYPE_CHECKING:
    from ..api import Opening

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
HEADER = 9
"""Bytes of a frame's header."""
DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 0x01
END_HEADERS = 0x04
PADDED = 0x08
HAS_PRIORITY = 0x20
USUAL_SIZE = 1 << 14
"""The largest payload of a frame, unless the other end allows more (SETTINGS_MAX_FRAME_SIZE)."""

_LENGTHS = {PRIORITY: 5, RST_STREAM: 4, PING: 8, WINDOW_UPDATE: 4}
_FLAGS = {
    DATA: END_STREAM | PADDED,
    HEADERS: END_STREAM | END_HEADERS | PADDED | HAS_PRIORITY,
    SETTINGS: ACK,
    PUSH_PROMISE: END_HEADERS | PADDED,
    PING: ACK,
    CONTINUATION: END_HEADERS,
}
_OF_CONNECTION = frozenset({SETTINGS, PING, GOAWAY})
_MOST_SETTINGS = 32
_LOOKED_AT = {WINDOW_UPDATE: 4, RST_STREAM: 4, GOAWAY: 8, SETTINGS: 6 * _MOST_SETTINGS}
"""Bytes at the beginning of payloads that have to fit, too."""
NO_HEADER, UNDECIDED = -1, -2

_STREAM = rb"\x00(?!\x00\x00\x00)..."
_LENGTH = rb"\x00[\x00-\x40].(?<!\x00\x00\x00)"
_HEADER_FLAGS = rb"[\x00\x01\x04\x05\x08\x09\x0c\x0d\x20\x21\x24\x25\x28\x29\x2c\x2d]"
_BEGINS = re.compile(
    rb"(?=\x00\x00(?:\x00\x00[\x01\x09]" + _STREAM + rb"|\x04[\x03\x08]\x00\x00...|\x05\x02\x00" + _STREAM
    + rb"|.\x04[\x00\x01]\x00{4}|\x08\x06[\x00\x01]\x00{4})"
    + rb"|" + _LENGTH + rb"(?:\x00[\x00\x01\x08\x09]" + _STREAM
    + rb"|[\x01\x05\x09]" + _HEADER_FLAGS + _STREAM + rb"|\x07\x00\x00{4}))",
    re.DOTALL,
)  # fmt: skip
"""Where a usual header may begin: a length up to 16 KiB, a type with flags that it knows, a stream below 2**24."""


def find_begin(data: bytes | bytearray, at: int) -> int:
    """The first place from `at` on where nine bytes look like those of a header; -1 where there is none."""
    found = _BEGINS.search(data, at)
    return found.start() if found else -1


def next_header(data: bytes | bytearray, at: int, to_server: bool) -> int:
    """Where the next header stands, behind the frame whose header is at `at`.

    NO_HEADER: that is none, or not a usual one; UNDECIDED: the beginning of its payload has to tell and is not here.
    """
    if len(data) - at < HEADER or not _BEGINS.match(data, at):
        return NO_HEADER
    length = int.from_bytes(data[at : at + 3], "big")
    kind, flags = data[at + 3], data[at + 4]
    stream = int.from_bytes(data[at + 5 : at + HEADER], "big")
    if length > USUAL_SIZE or (kind != WINDOW_UPDATE and (stream == 0) != (kind in _OF_CONNECTION)):
        return NO_HEADER
    if not _usual(kind, flags, length, stream, to_server):
        return NO_HEADER
    begin = at + HEADER
    looked_at = min(length, _LOOKED_AT.get(kind, 0))
    if len(data) - begin < looked_at:
        return UNDECIDED
    return begin + length if _plausible_payload(kind, flags, bytes(data[begin : begin + looked_at])) else NO_HEADER


def _usual(kind: int, flags: int, length: int, stream: int, to_server: bool) -> bool:
    if flags & ~_FLAGS.get(kind, 0) or length != _LENGTHS.get(kind, length):
        return False
    if kind == DATA:
        return length > 0 or flags == END_STREAM
    if kind == HEADERS:
        least = 1 + bool(flags & PADDED) + 5 * bool(flags & HAS_PRIORITY)
        return length >= least and (stream % 2 == 1 or not to_server)
    if kind == SETTINGS:
        return length == 0 if flags & ACK else length % 6 == 0 and length <= 6 * _MOST_SETTINGS
    if kind == GOAWAY:
        return length >= 8
    if kind == PUSH_PROMISE:
        return length > 4 and not to_server
    return kind != CONTINUATION or length > 0


def _plausible_payload(kind: int, flags: int, payload: bytes) -> bool:
    """Whether the beginning of a payload fits its type."""
    if kind == WINDOW_UPDATE:
        return 0 < int.from_bytes(payload, "big") < 1 << 31
    if kind == SETTINGS and not flags & ACK:
        return all(payload[at : at + 1] == b"\x00" for at in range(0, len(payload), 6))
    if kind in {RST_STREAM, GOAWAY}:
        return payload[-4:-1] == bytes(3)  # no error code is large
    return True


def chain(data: bytes | bytearray, at: int, to_server: bool, most: int) -> tuple[int, int]:
    """(how many usual headers follow each other from `at` on, at most `most`; where the next one must stand).

    That place is NO_HEADER where what stands there is not a usual one.
    """
    count = 0
    while count < most and len(data) - at >= HEADER:
        end = next_header(data, at, to_server)
        if end == NO_HEADER:
            return count, NO_HEADER
        if end == UNDECIDED:
            break
        at = end
        count += 1
    return count, at


def _tells(data: bytes, at: int) -> bool:
    """Whether one frame alone is unmistakable: an acknowledgement of settings, a ping, or settings with known names."""
    kind, length = data[at + 3], int.from_bytes(data[at : at + 3], "big")
    if kind == SETTINGS:
        names = data[at + HEADER + 1 : at + HEADER + length : 6]
        return data[at + 4] == ACK or (length > 0 and all(1 <= name <= 9 for name in names))
    return kind == PING


def _judge(data: bytes, to_server: bool, over: bool) -> int:
    """What one direction's first bytes say."""
    if to_server and data[: len(PREFACE)] == PREFACE[: len(data)]:
        return YES if len(data) >= len(PREFACE) else MORE
    if len(data) < HEADER:
        return NO if over or data[0] else MORE
    if not to_server and data[3] == SETTINGS and data[4] == 0:  # the server's preface
        end = next_header(data, 0, to_server)
        if 0 <= end <= len(data) and end > HEADER and _tells(data, 0):
            return YES
    count, end = chain(data, 0, to_server, 3)
    if count == 3 or (count == 2 and end >= 0 and data[3] != DATA):
        return YES
    if end < 0:
        return NO
    if count and end == len(data) and _tells(data, 0):
        return YES
    return NO if over else MORE


def probe(opening: Opening) -> int:
    """Whether a conversation is HTTP/2 without TLS: the client's preface, the server's settings, or frames in a row."""
    if opening.transport == "udp":
        return NO
    client = _judge(opening.client, True, opening.over) if opening.client else MORE
    server = _judge(opening.server, False, opening.over) if opening.server else MORE
    if YES in {client, server}:
        return YES
    if opening.over or (client, server) == (NO, NO):
        return NO
    if client == NO or server == NO:
        # One direction may begin within a frame; the other one tells, if it can be told at all.
        other = opening.server if client == NO else opening.client
        return MORE if other else NO
    return MORE

"""The setup of a connection (X Window System Protocol, 8 and appendix B), in the client's order of bytes."""

from __future__ import annotations

from typing import Literal, NamedTuple

HEADER = 12
MAGIC_COOKIE = b"MIT-MAGIC-COOKIE-1"
_MOST_NAME, _MOST_DATA = 64, 1024
FAILED, SUCCESS, AUTHENTICATE = 0, 1, 2
RESULTS = {FAILED: "failed", SUCCESS: "success", AUTHENTICATE: "authenticate"}
_MOST_TEXT = 1024
_SETUP = 40
"""Bytes of a success up to the vendor's name."""


class Asked(NamedTuple):
    """The client's message."""

    order: Literal["big", "little"]
    major: int
    minor: int
    name: bytes
    data_at: int
    data_size: int
    size: int
    """Of all of it, padded."""


class Answered(NamedTuple):
    """The server's."""

    result: int
    major: int
    minor: int
    reason: bytes
    vendor: bytes
    release: int | None
    size: int


def asked(head: bytes) -> Asked | None:
    """From the first 12 bytes and the name behind them, as far as that is here; None where it is no such message."""
    if len(head) < HEADER or head[:1] not in (b"B", b"l"):
        return None
    order: Literal["big", "little"] = "big" if head[:1] == b"B" else "little"
    major, minor, name, data = (int.from_bytes(head[at : at + 2], order) for at in (2, 4, 6, 8))
    if major != 11 or minor or name > _MOST_NAME or data > _MOST_DATA or (data and not name):
        return None
    text = head[HEADER : HEADER + name]
    if not all(33 <= byte < 127 for byte in text):
        return None
    at = HEADER + _padded(name)
    return Asked(order, major, minor, text, at, data, at + _padded(data))


def answered(head: bytes, order: Literal["big", "little"]) -> Answered | None:
    """From what is here of it; None where more is needed."""
    if len(head) < 8:
        return None
    rest = 8 + 4 * int.from_bytes(head[6:8], order)
    major, minor = int.from_bytes(head[2:4], order), int.from_bytes(head[4:6], order)
    wanted = min(rest, _SETUP + _MOST_TEXT)
    if len(head) < wanted:
        return None
    head = head[:wanted]  # what lies behind may be here or not: it says nothing
    reason = vendor = b""
    release = None
    if head[0] == FAILED:
        reason = head[8 : 8 + min(head[1], rest - 8)]
    elif head[0] == AUTHENTICATE:
        reason = head[8:wanted].rstrip(b"\0")
    elif head[0] == SUCCESS and rest >= _SETUP:
        release = int.from_bytes(head[8:12], order)
        vendor = head[_SETUP : _SETUP + min(int.from_bytes(head[24:26], order), _MOST_TEXT)]
    return Answered(head[0], major, minor, reason, vendor, release, wanted)


def _padded(size: int) -> int:
    return (size + 3) // 4 * 4
